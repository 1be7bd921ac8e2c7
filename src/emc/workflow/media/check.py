"""Whether the media of clips are what was added, and one error that says what is wrong and both remedies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emc.errors import EmcError, InputError
from emc.interfaces import Store
from emc.pose.records import Clip
from emc.store import Comparison, MediaStatus, compare_media, is_folder

NAMED = 3
"""Files of each kind that an error names."""


@dataclass(frozen=True, slots=True)
class MediaReport:
    """What became of a clip's media: ``present``, ``changed`` or ``missing``, and the error's words where it is not."""

    status: str
    detail: str = ""


def check_clip(clip: Clip) -> Comparison:
    """Compare a clip's media with what was added; raises `InputError` with both remedies where they differ."""
    found = compare_media(clip, media_names(clip))
    if found.status is not MediaStatus.SAME:
        raise InputError(_told(clip, found))
    return found


def checked_clips(store: Store, clips: Iterable[Clip]) -> list[Clip]:
    """Return clips whose media are what was added, for use; a file's new time of change is noted in the project.

    All are compared before the first is returned, so that whoever writes has written nothing where one is at fault.
    Raises `InputError` as `check_clip` does.
    """
    chosen = list(clips)
    found = [check_clip(clip) for clip in chosen]
    return [_noted(store, clip, one) for clip, one in zip(chosen, found, strict=True)]


def media_report(store: Store, clip: Clip) -> MediaReport:
    """Return what became of a clip's media, for a list of clips: nothing is raised."""
    try:
        found = compare_media(clip, media_names(clip))
    except EmcError as error:
        return MediaReport(MediaStatus.CHANGED.value, str(error))
    if found.status is MediaStatus.SAME:
        _noted(store, clip, found)
        return MediaReport(found.status.value)
    return MediaReport(found.status.value, _told(clip, found))


def media_names(clip: Clip) -> list[str]:
    """Return the names of the files that lie where a clip's media should be: of a folder its images, none too."""
    from emc.stages.video import image_names

    path = Path(clip.path)
    if not is_folder(path):
        return [path.name]
    try:
        return image_names(path)
    except InputError:
        return []


def stored_names(clip: Clip) -> tuple[str, ...]:
    """Return the image names of a clip that is a folder of images, by frame, as they were added; else nothing."""
    if clip.kind != "images" or not is_folder(Path(clip.path)):
        return ()
    return tuple(file.name for file in clip.files)


def _noted(store: Store, clip: Clip, found: Comparison) -> Clip:
    if not found.files or found.files == clip.files:
        return clip
    store.update_clip(replace(store.clip(clip.id), files=found.files))
    return replace(clip, files=found.files)


def _told(clip: Clip, found: Comparison) -> str:
    folder = is_folder(Path(clip.path))
    if found.status is MediaStatus.MISSING and not folder:
        remedy = f"bring it back, or say where it is with `emc relink {clip.id} PATH`"
        return f"clip {clip.id}: {clip.path} is missing: {remedy}"
    if not folder:
        return (
            f"clip {clip.id}: {clip.path} is not the file that was added (its content differs): bring that file back, "
            f"or say where it is with `emc relink {clip.id} PATH` (--changed: to use this content in its place)"
        )
    return (
        f"clip {clip.id}: the images of {clip.path} are not those that were added ({_differences(found)}): bring them "
        f"back as they were, or use the folder as it is now, or another one, with `emc relink {clip.id} PATH`"
        f"{'' if _only_renamed(found) else ' --changed'}"
    )


def _only_renamed(found: Comparison) -> bool:
    return bool(found.renamed) and not (found.changed or found.missing or found.added)


def _differences(found: Comparison) -> str:
    kinds = {
        "changed": found.changed,
        "missing": found.missing,
        "new": found.added,
        "renamed": tuple(f"{old} to {new}" for old, new in found.renamed),
    }
    words = [f"{kind}: {_listed(names)}" for kind, names in kinds.items() if names]
    return "; ".join(words) or "names or content differ"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
