"""poses -> 3D, for the clips of a project."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import LiftSettings, Settings
from emc.errors import UsageError
from emc.interfaces import Lifter, Progress, Store
from emc.pose.motion import LiftedSequence
from emc.pose.records import Clip, Prediction
from emc.stages.lift import lift_clip, motion_change
from emc.untrusted import safe_name
from emc.workflow.compute import set_threads
from emc.workflow.files import write_bytes
from emc.workflow.lifting.lifters import lifter_of
from emc.workflow.lifting.rates import refuse_single_pictures
from emc.workflow.lifting.refine import (
    Observations,
    find_residual_alerts,
    refine_lifted,
    store_residual_alerts,
    trusted_observations,
)
from emc.workflow.media import checked_clips, clip_shots
from emc.workflow.people import refuse_unknown
from emc.workflow.predict import newest_run
from emc.workflow.progress import Silent
from emc.workflow.project import liftable, selected_clips

LAST = "last"


def lift_project(
    store: Store,
    settings: Settings,
    clips: Sequence[str] = (),
    progress: Progress | None = None,
    compare: str = "",
    persons: Sequence[int] = (),
) -> list[dict[str, Any]]:
    """Lift the current poses of clips, refine them, and keep them as ``lifted/<clip>.npz`` in the project.

    The file holds, for each person p, ``p_frames`` (T,), ``p_xyz`` (T, 17, 3) metres (Human3.6M-17, camera axes: x
    right, y down, z forward; pelvis at the origin), ``p_confidence`` (T,), and what refinement found out: ``p_sigma``,
    ``p_root``, ``p_contact``, ``p_floor`` (see `emc.pose.motion.LiftedSequence`). Joints whose 2D place does not fit
    the motion become alerts of the clip's newest run. persons : only these (none named: the clip's athletes, everyone
    where it has none). compare : ``last``, or a run's id: each row then says under
    ``changed`` how far the motion differs from what was last lifted, or from that run before any correction.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    lifter = lifter_of(settings.lift)
    chosen = checked_clips(store, selected_clips(store, clips))
    refuse_unknown(store, [clip.id for clip in chosen], persons)
    rows: list[dict[str, Any]] = []
    progress.start("lift", len(chosen))
    for clip in chosen:
        rows.append(_lift_one(store, clip, lifter, settings, compare, persons))
        progress.advance(note=clip.id)
    progress.finish()
    return rows


def _lift_one(
    store: Store, clip: Clip, lifter: Lifter, settings: Settings, compare: str, persons: Sequence[int]
) -> dict[str, Any]:
    liftable(store, clip.id)
    path = lifted_path(store, clip.id)
    before = _compared(store, clip, lifter, settings, compare) if compare else None
    newest = newest_run(store, clip.id)
    refuse_single_pictures(clip, newest)
    run = newest.id
    observed = _chosen(store, clip.id, trusted_observations(store, clip.id, run), persons)
    sequences = _lifted(store, observed, clip, lifter, settings.lift)
    found = find_residual_alerts(clip, sequences, observed, store.poses(clip.id), settings.lift, settings.alerts)
    write_bytes(path, packed(sequences))
    frames = sum(len(sequence) for sequence in sequences.values())
    row: dict[str, Any] = {"clip": clip.id, "persons": len(sequences), "frames": frames, "file": str(path)}
    row["alerts"] = store_residual_alerts(store, run, found)
    kept = row | {"lifter": settings.lift.lifter, "refine": list(settings.lift.refine), "named": list(persons)}
    kept["fps"] = clip.fps or None
    if before is not None:
        changed = [motion_change(before[p], sequences[p]).as_json() for p in sequences if p in before]
        row["changed"] = kept["changed"] = changed
    store.put_document("lifted", clip.id, kept)
    return row


def lifted_path(store: Store, clip: str) -> Path:
    """Return where a clip's lifted sequences are kept."""
    return store.folder / "lifted" / f"{safe_name(clip, 'clip id')}.npz"


def read_lifted(store: Store, clip: str) -> dict[int, LiftedSequence]:
    """Return a clip's lifted sequences, of the people who are still there and count.

    Raises `UsageError` where it was not lifted yet.
    """
    path = lifted_path(store, clip)
    if not path.is_file():
        raise UsageError(f"clip {clip} is not lifted yet: run `emc lift --clip {clip}` first")
    people, named = store.people(clip), named_persons(store, clip)
    here = {p: one for p, one in unpacked(path).items() if people.number(p) == p}
    return {p: one for p, one in here.items() if p in named or people.counts(p)}


def named_persons(store: Store, clip: str) -> list[int]:
    """Return the persons that a clip's lifting was asked for by number, none where it was of all who count."""
    return list((store.document("lifted", clip) or {}).get("named", ()))


def _compared(store: Store, clip: Clip, lifter: Lifter, settings: Settings, compare: str) -> dict[int, LiftedSequence]:
    if compare == LAST:
        return read_lifted(store, clip.id)
    runs = [run.id for run in store.runs(clip.id) if run.complete]
    if compare not in runs:
        known = ", ".join(runs) or "none"
        raise UsageError(f"--compare {compare}: clip {clip.id} has no such run; give last, or one of {known}")
    return lift_run(store, clip, compare, lifter, settings.lift)


def lift_poses(
    store: Store, clip: Clip, lifter: Lifter, settings: LiftSettings | None = None
) -> dict[int, LiftedSequence]:
    """Return a clip's persons in 3D, from its newest predictions with all corrections, refined as settings say."""
    run = newest_run(store, clip.id).id
    return _lifted(store, _chosen(store, clip.id, trusted_observations(store, clip.id, run)), clip, lifter, settings)


def lift_run(
    store: Store, clip: Clip, run: str, lifter: Lifter, settings: LiftSettings | None = None
) -> dict[int, LiftedSequence]:
    """Return a clip's persons in 3D from one run's raw predictions, to compare models before any correction."""
    return _lifted(store, list(store.predictions(run)), clip, lifter, settings)


def _chosen(store: Store, clip: str, observed: Sequence[Prediction], persons: Sequence[int] = ()) -> list[Prediction]:
    people = store.people(clip)
    return [one for one in observed if (one.person in persons if persons else people.counts(one.person))]


def _lifted(
    store: Store, observations: Observations, clip: Clip, lifter: Lifter, settings: LiftSettings | None
) -> dict[int, LiftedSequence]:
    lifted = lift_clip(observations, lifter, (clip.width, clip.height), cuts=clip_shots(store, clip))
    return refine_lifted(lifted, observations, clip, settings or LiftSettings())  # pyright: ignore[reportCallIssue]


OPTIONAL = ("root", "sigma", "contact", "floor", "cuts")
"""Fields of a sequence that not every one has."""


def packed(sequences: dict[int, LiftedSequence]) -> bytes:
    """Return the bytes of an ``.npz`` with the sequences of all persons."""
    arrays: dict[str, np.ndarray] = {}
    for person, sequence in sequences.items():
        arrays[f"{person}_frames"] = sequence.frames
        arrays[f"{person}_xyz"] = sequence.xyz
        arrays[f"{person}_confidence"] = sequence.confidence
        for name in OPTIONAL:
            value = getattr(sequence, name)
            if value is not None:
                arrays[f"{person}_{name}"] = value
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def unpacked(path: Path) -> dict[int, LiftedSequence]:
    """Return the sequences of a file that `packed` wrote."""
    with np.load(path) as arrays:
        persons = sorted({int(key.partition("_")[0]) for key in arrays.files})
        return {p: _sequence(p, arrays) for p in persons}


def _sequence(person: int, arrays: Mapping[str, np.ndarray]) -> LiftedSequence:
    needed = (arrays[f"{person}_{name}"] for name in ("frames", "xyz", "confidence"))
    extra = {name: arrays[f"{person}_{name}"] for name in OPTIONAL if f"{person}_{name}" in arrays}
    return LiftedSequence(person, *needed, **extra)
