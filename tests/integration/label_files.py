"""Label files as people bring them, and small projects that they are brought to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import Settings
from emc.interfaces import Store
from emc.pose.records import Prediction
from emc.pose.skeletons import COCO17, Skeleton
from emc.stages.overlay import write_video
from emc.workflow.project import add_clips, new_project

SIZE = (200, 120)
FRAMES = 60
# A figure 40 x 80: x and y of each joint of COCO-17.
FIGURE = np.array([
    [20, 4], [18, 2], [22, 2], [15, 4], [25, 4], [10, 18], [30, 18], [6, 32], [34, 32], [4, 46], [36, 46],
    [14, 44], [26, 44], [13, 62], [27, 62], [12, 78], [28, 78],
], dtype=np.float64)  # fmt: skip


def settings(**evaluate: Any) -> Settings:
    """Return settings without intervals, and with what the test is about."""
    return Settings.model_validate({"evaluate": {"bootstrap": 0, **evaluate}, "predict": {"estimator": "nano"}})


def figure(x: float, y: float = 20.0) -> np.ndarray:
    """Return (17, 2) joints of somebody whose box begins at (x, y)."""
    return FIGURE + [x, y]


def project(folder: Path, *clips: str, frames: int = FRAMES, skeleton: str = "") -> Store:
    """Return a project of dark videos of 200 x 120 pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    store = new_project(folder / "p", skeleton)
    for number, name in enumerate(clips or ("kick",)):
        path = folder / f"{name}.mp4"
        shade = 10 * number
        images = (np.full((SIZE[1], SIZE[0], 3), shade + i % 7, np.uint8) for i in range(frames))
        write_video(path, images, fps=10)
        add_clips(store, [path])
    return store


def predicted(store: Store, clip: str, people: Mapping[int, Sequence[np.ndarray]], confidence: float = 0.5) -> str:
    """Store people by frame as a complete run; returns its id."""
    run = store.start_run(clip, "model-1", COCO17.name, {})
    sure = np.full(17, confidence, np.float32)
    rows = [
        Prediction(frame, person, xy.astype(np.float32), sure, sure, box_of(xy))
        for frame, poses in sorted(people.items())
        for person, xy in enumerate(poses)
    ]
    store.write_predictions(run.id, rows, upto=FRAMES)
    store.finish_run(run.id)
    return run.id


def box_of(xy: np.ndarray) -> np.ndarray:
    """Return the (4,) box around joints."""
    return np.concatenate([xy.min(axis=0), np.ptp(xy, axis=0)]).astype(np.float32)


def annotation(
    number: int, image: int, xy: np.ndarray, box: Any = "around", seen: Any = 2, **more: Any
) -> dict[str, Any]:
    """Return one person; `box`: ``around`` its joints, None for none, or xywh."""
    table = np.column_stack([xy, np.broadcast_to(np.asarray(seen), len(xy))])
    row = {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "keypoints": table.ravel().tolist(), **more}
    if box is not None:
        row["bbox"] = [float(v) for v in (box_of(xy) if isinstance(box, str) else box)]
    return row


def coco(path: Path, images: Sequence[dict[str, Any]], people: Sequence[dict[str, Any]], joints: Any = COCO17) -> Path:
    """Write a COCO keypoints file; images lack nothing but what is under test."""
    names = joints.joints if isinstance(joints, Skeleton) else joints
    rows = [{"width": SIZE[0], "height": SIZE[1], "file_name": "", **image} for image in images]
    document = {
        "images": rows,
        "annotations": list(people),
        "categories": [{"id": 1, "name": "person", "keypoints": list(names), "skeleton": []}],
    }
    path.write_text(json.dumps(document))
    return path


# The layouts of these three were taken from files that sleap-io 0.9.5, datumaro 1.13 (what CVAT exports with) and
# label-studio-sdk 2.1.2 wrote of the same labels.
def sleap(path: Path, frames: Sequence[int]) -> Path:
    """Write labels as SLEAP does: ids count the labelled frames from 1, the name ends in the frame."""
    images = [{"id": i, "file_name": f"kick_frame_{frame:06d}.png"} for i, frame in enumerate(frames, 1)]
    people = [
        annotation(i, i, figure(frame), num_keypoints=17, area=3200.0, attributes={"object_id": 1})
        for i, frame in enumerate(frames, 1)
    ]
    return coco(path, images, people)


def cvat(path: Path, frames: Sequence[int]) -> Path:
    """Write labels as CVAT does by datumaro: ids count from 1, names are of the frame, fields of COCO filled in."""
    images = [
        {"id": i, "file_name": f"frame_{frame:06d}.PNG", "license": 0, "flickr_url": "", "coco_url": "",
         "date_captured": 0}
        for i, frame in enumerate(frames, 1)
    ]  # fmt: skip
    people = [
        annotation(frame + 1, i, figure(frame), segmentation=[], num_keypoints=17, area=3200.0,
                   attributes={"occluded": False, "track_id": 3, "keyframe": True})
        for i, frame in enumerate(frames, 1)
    ]  # fmt: skip
    return coco(path, images, people)


def label_studio(path: Path, frames: Sequence[int]) -> Path:
    """Write labels as Label Studio does: ids count tasks from 0, names have a prefix, boxes are another category."""
    images = [
        {"id": i, "file_name": f"/data/upload/1/1a2b3c4{i % 10}-kick_{frame:04d}.png"} for i, frame in enumerate(frames)
    ]
    people: list[dict[str, Any]] = []
    for i, frame in enumerate(frames):
        box = {"id": 2 * i, "image_id": i, "category_id": 3, "segmentation": [], "bbox": [4.0, 3.6, 80.0, 72.0],
               "ignore": 0, "iscrowd": 0, "area": 5760.0}  # fmt: skip
        people += [box, annotation(2 * i + 1, i, figure(frame).round(), num_keypoints=17)]
    coco(path, images, people)
    document = json.loads(path.read_text())
    document["categories"] = [
        {"id": 3, "name": "person"},
        {"id": 1, "name": "default", "supercategory": "default", "keypoints": list(COCO17.joints), "skeleton": []},
    ]
    path.write_text(json.dumps(document))
    return path


def places(store: Store, clip: str = "kick") -> dict[int, list[np.ndarray]]:
    """Return frame -> the joints of everybody on it."""
    found: dict[int, list[np.ndarray]] = {}
    for pose in store.poses(clip):
        found.setdefault(pose.frame, []).append(pose.xy)
    return found
