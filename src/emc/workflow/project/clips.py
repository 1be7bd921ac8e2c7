"""Adding clips to a project and taking them out again; the user's media are read, never moved or changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emc.config import VideoSettings
from emc.errors import EmcError, InputError, StorageError, UsageError
from emc.interfaces import Progress, Store
from emc.pose.label_frames import ClipFrames
from emc.pose.rates import rate_words, with_rate
from emc.pose.records import TEST_TAG, Clip, Role
from emc.store import is_there
from emc.workflow.media import known_info
from emc.workflow.progress import Silent


@dataclass(frozen=True, slots=True)
class Added:
    """What `add_clips` did: the clips that are in, one message for each path that is not, and what else to know."""

    clips: tuple[Clip, ...]
    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def add_clips(
    store: Store,
    paths: Sequence[Path],
    role: Role | None = None,
    group: str = "",
    tags: Mapping[str, str] | None = None,
    settings: VideoSettings | None = None,
    progress: Progress | None = None,
    fps: float = 0.0,
) -> Added:
    """Add videos and folders of images; one that cannot be used is reported and the others go on.

    role : None: target. group : athlete or session, kept together by every split; default: each clip its own.
    Media that were in the project before come back with their corrections, and with the role, group and tags that they
    had where none are given: a clip that was held out for tests stays held out.
    fps : frames per second of real time, where the file does not say or is slow motion; a clip that is in already gets
    this rate. 0: the file's own; of pictures none.
    A full disk or a damaged project still raises, for then no further clip can be added either.
    """
    progress, settings = progress or Silent(), settings or VideoSettings()  # pyright: ignore[reportCallIssue]
    added: list[Clip] = []
    failures: list[str] = []
    notes: list[str] = []
    progress.start("add", len(paths))
    for path in paths:
        try:
            said = _Said(role, group, tags or {}, fps)
            clip, news = _added(store, path, said, settings)
            added.append(clip)
            notes += news
            for note in news:
                progress.say(note)
        except StorageError:
            raise
        except EmcError as error:
            failures.append(str(error))
            progress.say(f"left out: {error}")
        progress.advance(note=path.name)
    progress.finish()
    return Added(tuple(added), tuple(failures), tuple(notes))


@dataclass(frozen=True, slots=True)
class _Said:
    """What whoever adds a clip says of it."""

    role: Role | None
    group: str
    tags: Mapping[str, str]
    fps: float


class _AlreadyIn(InputError):
    """The media are in the project as `clip`."""

    def __init__(self, path: Path, clip: Clip) -> None:
        self.clip = clip
        lost = "" if is_there(Path(clip.path)) else f" whose media are missing: `emc relink {clip.id} {path}`"
        super().__init__(f"{path} is already in the project as clip '{clip.id}'" + (lost or ": nothing to do"))


def _added(store: Store, path: Path, said: _Said, settings: VideoSettings) -> tuple[Clip, list[str]]:
    """Put a clip into the project, or give one that is in the rate that is said; returns it and what else to know."""
    try:
        clip = read_clip(path, said.role or Role.TARGET, said.group, said.tags, store.clips(), settings, said.fps)
    except _AlreadyIn as found:
        if not said.fps:
            raise
        info = known_info(found.clip, settings.max_pixels)
        now = with_rate(store.clip(found.clip.id), said.fps, info.fps, info.times)
        store.update_clip(now)
        return now, [f"note: {path} is in the project as clip '{now.id}', which has {rate_words(now)} from now on"]
    clip, note = _as_before(store, clip, said)
    store.add_clip(clip)
    told = known_info(clip, settings.max_pixels).notes if clip.kind == "images" else ()
    return clip, [*([note] if note else []), *told]


def read_clip(
    path: Path,
    role: Role,
    group: str,
    tags: Mapping[str, str],
    known: Sequence[Clip],
    settings: VideoSettings,
    fps: float = 0.0,
) -> Clip:
    """Return the record of a media file or folder; raises `InputError` where it cannot be read or is in already.

    fps : as a person says; 0: as the file says.
    """
    from emc.stages.video import probe
    from emc.store import hash_files, read_files

    info = probe(path, max_pixels=settings.max_pixels)
    files = read_files(path, info.files)
    sha256 = hash_files(files, folder=path.is_dir())
    twin = next((clip for clip in known if clip.sha256 == sha256), None)
    if twin is not None:
        raise _AlreadyIn(path, twin)
    name = clip_id(path, {clip.id for clip in known})
    clip = Clip(
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
        times=info.times if len(info.times) else None,
        files=files,
        pixel_aspect=info.pixel_aspect,
    )
    return with_rate(clip, fps, info.fps, info.times) if fps else clip


def _as_before(store: Store, clip: Clip, said: _Said) -> tuple[Clip, str]:
    """Return a new clip with what its media had when they were in the project before, and a note that says so.

    What is said of it now comes first.
    """
    known, removed = store.clips(), store.removed_clips()
    before = _known_before(known, removed, clip.sha256)
    if before is None:
        return clip, ""
    # Its corrections are kept under its id: whatever the file is called now, they come back with it.
    back = before in removed and (before.sha256, before.frames) == (clip.sha256, clip.frames)
    now = replace(
        clip,
        id=before.id if back else clip.id,
        role=said.role or before.role,
        group=said.group or before.group,
        tags={**before.tags, **said.tags},
        earlier=before.earlier if back else (),
    )
    if not said.fps and (before.file_fps or before.film):
        now = with_rate(now, before.fps, now.fps, now.times)
    return now, _told(before, now)


def _known_before(known: Sequence[Clip], removed: Sequence[Clip], sha256: str) -> Clip | None:
    """Return the clip whose media had that content: a removed one, or one that has other content now."""
    same = [clip for clip in removed if clip.sha256 == sha256]
    same += [clip for clip in (*known, *removed) if sha256 in clip.earlier]
    # Whatever was held out once stays held out, however often it came and went.
    return next((clip for clip in same if clip.tags.get(TEST_TAG[0]) == TEST_TAG[1]), next(iter(same), None))


def _told(before: Clip, clip: Clip) -> str:
    path = clip.path
    if _held_out(before) and not _held_out(clip):
        return (
            f"note: {path} was held out for tests (split=test) as clip '{before.id}' and is not any more, as you say: "
            "scores of models that are calibrated from now on cannot be compared with earlier ones"
        )
    said = f"role {clip.role}, group {clip.group}" + "".join(f", {key}={value}" for key, value in clip.tags.items())
    back = "it comes back with its corrections" if clip.id == before.id else "its content belonged to that clip"
    why = " and was held out for tests (split=test): it stays so" if _held_out(before) else ""
    return f"note: {path} was in the project before as clip '{before.id}'{why}; {back} ({said})"


def _held_out(clip: Clip) -> bool:
    return clip.tags.get(TEST_TAG[0]) == TEST_TAG[1]


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


def clip_frames(clip: Clip) -> ClipFrames:
    """Return the frames of a clip as labels and boxes need them: their count, names and sizes.

    Where the media of a folder cannot be read, its frames count as of the clip's size.
    """
    from emc.stages.video import probe

    if clip.kind != "images":
        return ClipFrames(clip.id, clip.frames, clip.width, clip.height)
    names = tuple(file.name for file in clip.files)
    try:
        info = probe(Path(clip.path), names=names)
    except EmcError:
        return ClipFrames(clip.id, clip.frames, clip.width, clip.height, names)
    return ClipFrames(clip.id, clip.frames, clip.width, clip.height, info.files, info.sizes)


def image_names(clip: Clip) -> tuple[str, ...]:
    """Return the file names of a clip that is made of images, by frame, as they were when it was added."""
    from emc.stages.video import probe

    return tuple(file.name for file in clip.files) or probe(Path(clip.path)).files
