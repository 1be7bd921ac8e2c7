"""Clips whose media lie elsewhere now, or were replaced: role, group, tags, predictions and corrections stay."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emc.errors import EmcError, InputError, UsageError
from emc.interfaces import Store
from emc.pose.rates import with_rate
from emc.pose.records import Clip, MediaFile
from emc.store import MediaStatus, compare_media, hash_files, is_folder, read_files
from emc.workflow.media.check import media_names

if TYPE_CHECKING:
    from emc.stages.video import MediaInfo


@dataclass(frozen=True, slots=True)
class _Match:
    """A clip's files at a new place, by frame; `changed`: those with other content, `added`: new ones at the end."""

    files: tuple[MediaFile, ...]
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def relink_clip(store: Store, name: str, path: Path, changed: bool = False) -> dict[str, Any]:
    """Say where a clip's media lie now; frames keep their numbers, also where images got other names.

    changed : accept other content in the old one's place. Predictions and corrections then stay on their frames and
    pixels, so it must show the same moments: a video must have as many frames of the same size; of a folder of images
    some may have other content and new ones become frames at the end. Such a clip is predicted again by the next
    `emc predict`. Raises `InputError` where the content differs and `changed` is not given, or does not fit even so.
    """
    from emc.stages.video import probe

    clip = store.clip(name)
    clip = replace(clip, path=str(path.resolve()))
    info = probe(path)
    if info.kind != clip.kind:
        raise InputError(f"clip {name} is {_kind(clip.kind)}, {path} is {_kind(info.kind)}: name media of its own kind")
    match = _matched(clip, path, info)
    if (match.changed or match.added) and not changed:
        raise InputError(_refusal(clip, path, match))
    if match.changed or match.added:
        _refuse_other_frames(clip, path, info, bool(match.changed))
    store.update_clip(_relinked(clip, match, info))
    return {
        "clip": name,
        "path": clip.path,
        "frames": len(match.files) if info.kind == "images" else clip.frames,
        "changed": list(match.changed),
        "added": list(match.added),
    }


def relink_folder(store: Store, folder: Path) -> list[dict[str, Any]]:
    """Find the media of all clips under a folder by size and hash, and link those that are found.

    Returns a row per clip: ``clip``, ``path`` and ``state``: ``relinked``, ``unchanged`` (it lies where it did) or
    ``not found`` (left as it was). Raises `UsageError` where `folder` is none.
    """
    if not is_folder(folder):
        raise UsageError(f"{folder} is no folder: name the one under which the media of the clips lie")
    by_size = _files_by_size(folder)
    rows: list[dict[str, Any]] = []
    for clip in store.clips():
        place = _found(clip, by_size)
        state = "not found" if place is None else "unchanged"
        if place is not None and place != Path(clip.path):
            relink_clip(store, clip.id, place)
            state = "relinked"
        rows.append({"clip": clip.id, "path": str(place or clip.path), "state": state})
    return rows


def _matched(clip: Clip, path: Path, info: MediaInfo) -> _Match:
    """Compare what lies at `path` with a clip's files; raises `InputError` where images of the clip are not there."""
    files = read_files(path, info.files)
    if not clip.files:
        found = compare_media(clip, media_names(clip))
        if found.status is MediaStatus.SAME:
            return _Match(found.files or files)
        return _Match(files, changed=(path.name,))
    if not path.is_dir():
        same = len(clip.files) == 1 and files[0].sha256 == clip.files[0].sha256
        return _Match(files, changed=() if same else (path.name,))
    return _matched_images(clip, path, files)


def _matched_images(clip: Clip, path: Path, files: Sequence[MediaFile]) -> _Match:
    left = {file.name: file for file in files}
    by_frame: list[MediaFile | None] = [_taken(left, file.name, file.sha256) for file in clip.files]
    for frame, noted in enumerate(clip.files):
        if by_frame[frame] is None:
            twin = next((name for name, file in left.items() if file.sha256 == noted.sha256), None)
            by_frame[frame] = None if twin is None else left.pop(twin)
    changed: list[str] = []
    missing: list[str] = []
    for frame, noted in enumerate(clip.files):
        if by_frame[frame] is None:
            other = left.pop(noted.name, None)
            by_frame[frame] = other
            (missing if other is None else changed).append(noted.name)
    if missing:
        raise InputError(
            f"clip {clip.id}: {path} lacks {len(missing)} of its images ({', '.join(missing[:3])}): bring them back, "
            "or add the folder as a clip of its own and import the corrections of this one (`emc export coco`)"
        )
    kept = [file for file in by_frame if file is not None]
    added = [file for file in files if file.name in left]
    return _Match((*kept, *added), tuple(changed), tuple(file.name for file in added))


def _taken(left: dict[str, MediaFile], name: str, sha256: str) -> MediaFile | None:
    found = left.get(name)
    return left.pop(name) if found is not None and found.sha256 == sha256 else None


def _relinked(clip: Clip, match: _Match, info: MediaInfo) -> Clip:
    sha256 = hash_files(match.files, folder=Path(clip.path).is_dir())
    if not (match.changed or match.added):
        return replace(clip, files=match.files, sha256=sha256)
    earlier = tuple(dict.fromkeys((*clip.earlier, clip.sha256)))
    times = info.times if len(info.times) else None
    now = replace(clip, files=match.files, sha256=sha256, earlier=earlier, frames=info.frames)
    if clip.file_fps or clip.film:
        return with_rate(now, clip.fps, info.fps, times)
    return replace(now, fps=info.fps, times=times)


def _refusal(clip: Clip, path: Path, match: _Match) -> str:
    names = [*match.changed, *match.added]
    what = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return (
        f"clip {clip.id}: {path} differs from what was added ({what}): name the original, or give --changed if it "
        "shows the same moments (all corrections stay on their frames and pixels, and the clip is predicted again)"
    )


def _refuse_other_frames(clip: Clip, path: Path, info: MediaInfo, changed: bool) -> None:
    fits = info.frames >= clip.frames if clip.kind == "images" else info.frames == clip.frames
    if changed and info.sizes:
        raise InputError(
            f"clip {clip.id}: the images of {path} have several sizes, and those that it had before are not "
            "known: bring the originals back, or add the folder as a clip of its own"
        )
    if not fits or (info.width, info.height) != (clip.width, clip.height):
        raise InputError(
            f"clip {clip.id} has {clip.frames} frames of {clip.width} x {clip.height}, {path} has {info.frames} of "
            f"{info.width} x {info.height}: corrections would land on other places; add it as a clip of its own"
        )


def _kind(kind: str) -> str:
    return "a video" if kind == "video" else "made of images"


def _files_by_size(folder: Path) -> dict[int, list[Path]]:
    sizes: dict[int, list[Path]] = {}
    for place in _walked(folder):
        try:
            sizes.setdefault(place.stat().st_size, []).append(place)
        except OSError:
            continue
    return sizes


def _walked(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in sorted(names) if not name.startswith("."))


def _found(clip: Clip, by_size: dict[int, list[Path]]) -> Path | None:
    """Return where the media of a clip lie: the file, or the folder that holds all its images."""
    if not clip.files:
        return _found_by_name(clip, by_size)
    first = clip.files[0]
    # Where it lies now comes first: a copy elsewhere is no reason to move.
    now = Path(clip.path)
    places = sorted(by_size.get(first.size, ()), key=lambda place: (now not in (place, place.parent), place))
    for place in places:
        try:
            if read_files(place, [])[0].sha256 != first.sha256:
                continue
            if len(clip.files) == 1 and clip.sha256 == first.sha256:
                return place.resolve()
            match = _matched_images(clip, place.parent, read_files(place.parent, _images(place.parent)))
        except EmcError:
            continue
        if not (match.changed or match.added):
            return place.parent.resolve()
    return None


def _found_by_name(clip: Clip, by_size: dict[int, list[Path]]) -> Path | None:
    """Return where the video of a clip lies that remembers no size."""
    name = Path(clip.path).name
    for place in sorted(place for places in by_size.values() for place in places if place.name == name):
        try:
            if clip.sha256 and read_files(place, [])[0].sha256 == clip.sha256:
                return place.resolve()
        except EmcError:
            continue
    return None


def _images(folder: Path) -> list[str]:
    from emc.stages.video import image_names

    return image_names(folder)
