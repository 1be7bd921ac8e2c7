"""Adding clips to a project and taking them out again; the user's media are read, never moved or changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emc.config import VideoSettings
from emc.errors import EmcError, InputError, StorageError, UsageError
from emc.interfaces import Progress, Store
from emc.pose.records import Clip, Role
from emc.workflow.progress import Silent


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_clips` did: the clips that are in, and one message for each path that is not."""

    clips: tuple[Clip, ...]
    failures: tuple[str, ...]


def add_clips(
    store: Store,
    paths: Sequence[Path],
    role: Role = Role.TARGET,
    group: str = "",
    tags: Mapping[str, str] | None = None,
    settings: VideoSettings | None = None,
    progress: Progress | None = None,
) -> Added:
    """Add videos and folders of images; one that cannot be used is reported and the others go on.

    group : athlete or session, kept together by every split; default: each clip its own.
    A full disk or a damaged project still raises, for then no further clip can be added either.
    """
    progress, settings = progress or Silent(), settings or VideoSettings()  # pyright: ignore[reportCallIssue]
    added: list[Clip] = []
    failures: list[str] = []
    progress.start("add", len(paths))
    for path in paths:
        try:
            clip = read_clip(path, role, group, tags or {}, store.clips(), settings)
            store.add_clip(clip)
            added.append(clip)
        except StorageError:
            raise
        except EmcError as error:
            failures.append(str(error))
            progress.say(f"left out: {error}")
        progress.advance(note=path.name)
    progress.finish()
    return Added(tuple(added), tuple(failures))


def read_clip(
    path: Path, role: Role, group: str, tags: Mapping[str, str], known: Sequence[Clip], settings: VideoSettings
) -> Clip:
    """Return the record of a media file or folder; raises `InputError` where it cannot be read or is in already."""
    from emc.stages.video import probe
    from emc.store import hash_media

    info = probe(path, max_pixels=settings.max_pixels)
    sha256 = hash_media(path)
    twin = next((clip for clip in known if clip.sha256 == sha256), None)
    if twin is not None:
        raise InputError(f"{path} is already in the project as clip '{twin.id}': nothing to do")
    name = clip_id(path, {clip.id for clip in known})
    return Clip(
        id=name,
        path=str(path.resolve()),
        role=role,
        group=group or name,
        frames=info.frames,
        width=info.width,
        height=info.height,
        kind=info.kind,
        fps=info.fps,
        sha256=sha256,
        tags=dict(tags),
        times=info.times,
    )


def clip_id(path: Path, taken: set[str]) -> str:
    """Return a short id made of the file's name, with a number where that is taken."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.stem if path.is_file() else path.name).strip("._") or "clip"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def parse_tags(words: Sequence[str]) -> dict[str, str]:
    """Turn ``key=value`` words into tags; raises `UsageError` naming the word that is none."""
    tags: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key.strip() or not value.strip():
            raise UsageError(f"tag '{word}' is not of the form key=value: write for example --tag clothing=uniform")
        tags[key.strip()] = value.strip()
    return tags


def selected_clips(store: Store, names: Sequence[str], role: Role | None = None) -> list[Clip]:
    """Return the named clips, or all (of a role) where none is named; raises `UsageError` where there are none."""
    if names:
        return [store.clip(name) for name in names]
    clips = store.clips(role)
    if not clips:
        what = f"{role} clip" if role else "clip"
        raise UsageError(f"the project {store.folder} has no {what} yet: add one with `emc add VIDEO`")
    return clips


def image_names(clip: Clip) -> tuple[str, ...]:
    """Return the file names of a clip that is a folder of images, by frame."""
    from emc.stages.video import probe

    return probe(Path(clip.path)).files
