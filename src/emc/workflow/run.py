"""From videos to overlays and labels in one go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import Settings
from emc.errors import InputError
from emc.interfaces import Progress, Store
from emc.pose.records import Clip, Prediction
from emc.workflow.labels import export_clip
from emc.workflow.media import clip_sound, open_clip, video_notes
from emc.workflow.people import refuse_unknown
from emc.workflow.predict import newest_run, predict_clips, wanted_frames
from emc.workflow.progress import Silent
from emc.workflow.project import add_clips, new_project, open_project, project_folder, skeleton_called


def run_videos(
    videos: Sequence[Path],
    out: Path,
    name: str,
    settings: Settings,
    boxes: Path | None,
    progress: Progress | None = None,
    persons: Sequence[int] = (),
    fps: float = 0.0,
) -> dict[str, Any]:
    """Make (or go on with) the project `out`/NAME.emc, add and predict the videos, write overlays and COCO labels.

    Writes ``overlay_<clip>.mp4`` and ``coco_<clip>.json`` (image_id = frame index from 0) into `out`. A video that
    cannot be read is named in ``failed``; the others go on. persons : only these are drawn and written. fps : frames
    per second of real time, 0: the files' own. Raises `InputError` where none can be read.
    """
    progress = progress or Silent()
    out.mkdir(parents=True, exist_ok=True)
    folder = project_folder(out / name)
    with open_project(folder) if folder.exists() else new_project(folder) as store:
        fresh = [video for video in videos if fps or not known(store, video)]
        added = add_clips(store, fresh, settings=settings.video, progress=progress, fps=fps)
        clips = [clip for clip in store.clips() if any(Path(clip.path) == video.resolve() for video in videos)]
        if not clips:
            raise InputError(added.failures[0] if added.failures else "no video was given: name at least one")
        predicted = predict_clips(store, clips, settings, boxes, progress)
        refuse_unknown(store, [clip.id for clip in clips], persons)
        rows = [write_outputs(store, store.clip(clip.id), out, settings, progress, persons) for clip in clips]
    for row, one in zip(rows, predicted, strict=True):
        row |= {"frames": one.frames, "persons": one.persons, "alerts": one.alerts, "model": one.model}
        row |= {"looked": one.looked, "hints": list(one.hints)}
    return {"project": str(folder), "clips": rows, "failed": list(added.failures)}


def known(store: Store, video: Path) -> bool:
    """Return whether a video is a clip of the project already."""
    return any(Path(clip.path) == video.resolve() for clip in store.clips())


def write_outputs(
    store: Store, clip: Clip, out: Path, settings: Settings, progress: Progress, persons: Sequence[int] = ()
) -> dict[str, Any]:
    """Write a clip's overlay video and COCO labels; returns where they are."""
    overlay, coco = out / f"overlay_{clip.id}.mp4", out / f"coco_{clip.id}.json"
    write_overlay(store, clip, overlay, settings, progress, persons)
    export_clip(store, clip, coco, persons)
    return {"clip": clip.id, "overlay": str(overlay), "coco": str(coco)}


def write_overlay(
    store: Store, clip: Clip, path: Path, settings: Settings, progress: Progress, persons: Sequence[int] = ()
) -> None:
    """Write a video of the clip with the predicted skeletons of its newest run drawn over it.

    persons : only these, all where none is named.
    """
    from emc.stages.overlay import write_video

    frames = wanted_frames(store, clip, settings.video)
    progress.start(f"draw {clip.id}", len(frames))
    rate = clip.played_fps * len(frames) / clip.frames
    played = clip.played_times
    times = played[np.asarray(frames)] if played is not None and len(frames) > 1 else None
    with clip_sound(clip, frames[0]) as sound:
        drawn = frames_with_poses(store, clip, frames, settings, progress, persons)
        write_video(path, drawn, rate, times, sound=sound)
    progress.finish()
    for note in video_notes(clip, path, sound):
        progress.say(note)


def frames_with_poses(
    store: Store, clip: Clip, frames: list[int], settings: Settings, progress: Progress, persons: Sequence[int] = ()
) -> Iterator[np.ndarray]:
    """Yield the frames with the skeletons of the newest run."""
    from emc.stages.overlay import draw_overlay
    from emc.stages.video import on_canvas

    run = newest_run(store, clip.id)
    skeleton = skeleton_called(store, run.skeleton)
    found: dict[int, list[Prediction]] = defaultdict(list)
    for prediction in store.predictions(run.id):
        if not persons or prediction.person in persons:
            found[prediction.frame].append(prediction)
    with open_clip(clip) as reader:
        for number, image in reader.chosen(frames):
            yield draw_overlay(
                on_canvas(image, clip.width, clip.height),
                found[number],
                skeleton,
                settings.alerts.low,
                settings.alerts.lost,
            )
            progress.advance()
