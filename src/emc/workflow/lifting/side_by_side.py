"""Lifted clip -> a video of it join_side_by_side its 3D skeletons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emc.config import AlertSettings
from emc.errors import UsageError
from emc.interfaces import Progress, Store
from emc.pose.motion import LiftedSequence, world_motions
from emc.pose.records import Clip, Pose
from emc.pose.skeletons import COCO17
from emc.stages.overlay import draw_overlay, draw_scene, floor_extent, join_side_by_side, view_camera, write_video
from emc.stages.video import MediaReader, on_canvas
from emc.workflow.lifting.lift import named_persons, read_lifted
from emc.workflow.media import clip_sound, open_clip, video_notes
from emc.workflow.progress import Silent

HIGHEST = 720
"""Pixels: clips are made smaller to at most this height."""
SEEN_SHARE = 0.3
"""Share of the frames of the person seen longest from which a person decides what the 3D view shows."""


def write_videos(
    store: Store,
    rows: Sequence[dict[str, Any]],
    video: Path,
    alerts: AlertSettings,
    progress: Progress | None = None,
    turn: float = 60.0,
) -> None:
    """Write a video for each row that `lift_project` returned, and note its path in the row as ``video``.

    video : the file; with several rows a folder for ``CLIP.mp4``.
    """
    if len(rows) > 1:
        video.mkdir(parents=True, exist_ok=True)
    for row in rows:
        path = video / f"{row['clip']}.mp4" if len(rows) > 1 or video.is_dir() else video
        write_side_by_side(store, store.clip(row["clip"]), path, alerts, progress, turn)
        row["video"] = str(path)


def write_side_by_side(
    store: Store, clip: Clip, path: Path, alerts: AlertSettings, progress: Progress | None = None, turn: float = 60.0
) -> int:
    """Write the clip's lifted frames, with its 2D poses, join_side_by_side the 3D scene; returns the number of frames.

    From the first lifted frame to the last. turn : degrees from which the scene is seen, 0 = as the clip's camera.
    Raises `UsageError` where the clip is not lifted or nobody is in it.
    """
    progress = progress or Silent()
    sequences = read_lifted(store, clip.id)
    if not any(len(sequence) for sequence in sequences.values()):
        raise UsageError(f"clip {clip.id} has no person in 3D: predict and lift it again")
    frames = _span(sequences)
    poses: dict[int, list[Pose]] = {}
    everyone = not (store.people(clip.id).athletes or named_persons(store, clip.id))
    for pose in store.poses(clip.id, first=frames[0], last=frames[-1]):
        if not everyone and pose.person not in sequences:
            continue
        poses.setdefault(pose.frame, []).append(pose)
    progress.start(f"video {clip.id}", len(frames))
    with open_clip(clip) as reader, clip_sound(clip, frames[0]) as sound:
        played = clip.played_times
        times = None if played is None else played[frames]
        images = _images(reader, frames, clip, sequences, poses, alerts, turn)
        write_video(path, images, clip.played_fps, times, lambda _: progress.advance(), sound)
    progress.finish()
    for note in video_notes(clip, path, sound):
        progress.say(note)
    return len(frames)


def _span(sequences: Mapping[int, LiftedSequence]) -> list[int]:
    known = np.concatenate([sequence.frames for sequence in sequences.values()])
    return list(range(int(known.min()), int(known.max()) + 1))


def _images(
    reader: MediaReader,
    frames: Sequence[int],
    clip: Clip,
    sequences: Mapping[int, LiftedSequence],
    poses: Mapping[int, list[Pose]],
    alerts: AlertSettings,
    turn: float,
) -> Iterator[np.ndarray]:
    scale = min(1.0, HIGHEST / clip.height)
    size = (round(clip.width * scale), round(clip.height * scale))
    motions = world_motions(sequences, clip.fps, clip.times)
    # Whoever is there for a moment only is drawn, but does not push the camera away from the others.
    watched = [m for m in motions if len(m) >= SEEN_SHARE * max(len(other) for other in motions)]
    camera = view_camera(watched, (size[1], size[1]), turn)
    extent = floor_extent(watched)
    for frame, image in reader.chosen(frames):
        drawn = draw_overlay(
            on_canvas(image, clip.width, clip.height), poses.get(frame, ()), COCO17, alerts.low, alerts.lost
        )
        if scale < 1.0:
            drawn = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
        rows = {m.name: int(np.searchsorted(m.frames, frame)) for m in motions if frame in m.frames}
        yield join_side_by_side(drawn, draw_scene(motions, rows, camera, extent))
