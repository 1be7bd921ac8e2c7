"""Lifted motion -> files of other tools."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import emc.plugins as plugins
from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.motion import Motion3D, at_constant_rate, world_motions
from emc.workflow.lifting.lift import read_lifted
from emc.workflow.lifting.rates import header_words, refuse_other_rate
from emc.workflow.media import checked_clips
from emc.workflow.project import selected_clips


def holds_motion(format: str) -> bool:
    """Return whether a format holds 3D motion; raises `PluginError` for a name that is none."""
    return getattr(plugins.load_plugin("formats", format), "holds", "") == "motion"


def export_motion(
    store: Store, file: Path, format: str, clips: Sequence[str] = (), persons: Sequence[int] = (), media: bool = True
) -> dict[str, Any]:
    """Write the lifted motion of one clip.

    persons : only these. A format that holds one person gets a file for each (``NAME_p1.trc``) where there are
    several. A file without a suffix gets the format's. media : False: also where the clip's media are missing or
    changed. Returns the ``files``, persons and frames, and the units.
    Raises `InputError` where the media are missing or changed, `UsageError` where the clip is not clear, not lifted at
    the rate that it has, has none and the format needs one, or has no such person.
    """
    clip = _one_clip(store, clips, media)
    sequences = read_lifted(store, clip)
    if not sequences:
        raise UsageError(f"clip {clip} has no person in 3D: predict and lift it again (`emc predict`, `emc lift`)")
    if missing := [person for person in persons if person not in sequences]:
        known = ", ".join(str(number) for number in sequences)
        raise UsageError(f"clip {clip} has no person {missing[0]} in 3D: use one of {known}")
    record = store.clip(clip)
    chosen = {person: one for person, one in sequences.items() if not persons or person in persons}
    writer = plugins.make_plugin("formats", format)
    if not record.fps and getattr(writer, "timed", True):
        raise UsageError(
            f"clip {clip} has no rate, and {format} needs one: give it with `emc add {record.path} --fps N`, predict "
            "and lift again, or write csv3d or npz3d, which count frames"
        )
    refuse_other_rate(store, record)
    motions = world_motions(chosen, record.fps, record.times, header_words(record))
    target = file if file.suffix else file.with_suffix(writer.writes[0])
    files = _write(writer, target, motions)
    return {
        "files": [str(path) for path in files],
        "format": format,
        "clip": clip,
        "persons": [motion.name for motion in motions],
        "frames": sum(len(motion) for motion in motions),
        "fps": record.fps or None,
        "rate": header_words(record),
        "said": _said(writer, motions),
    }


def _said(writer: Any, motions: Sequence[Motion3D]) -> list[str]:
    """Return what to know of the times in the files, which not every format has room for."""
    constant = getattr(writer, "constant_rate", False)
    said = ((at_constant_rate(motion) if constant else motion).rate for motion in motions)
    return [words for words in dict.fromkeys(said) if words]


def _one_clip(store: Store, clips: Sequence[str], media: bool) -> str:
    chosen = selected_clips(store, clips)
    if len(chosen) != 1:
        raise UsageError(f"3D motion is exported clip by clip, and {len(chosen)} are chosen: name one with --clip")
    if media:
        checked_clips(store, chosen)
    return chosen[0].id


def _write(writer: Any, file: Path, motions: Sequence[Motion3D]) -> list[Path]:
    if writer.persons != 1 or len(motions) == 1:
        writer.write(file, motions)
        return [file]
    files = [file.with_name(f"{file.stem}_{motion.name}{file.suffix}") for motion in motions]
    for path, motion in zip(files, motions, strict=True):
        writer.write(path, [motion])
    return files
