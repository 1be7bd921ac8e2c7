"""The tracker part of `predict.py`: the whole pipeline against rtmlib's PoseTracker, same networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from race import Job, race, ratio, shown

from emc.formats.poses.coco import CocoFormat
from networks import nano_file, rendered, yolox_file

DETECT_EVERY = 5
NEAR = 0.1


def tracker_part(folder: Path, quick: bool, rounds: int) -> dict[str, Any]:
    frames = 24 if quick else 150
    video, labels = rendered(folder, frames)
    path, size = nano_file(folder)
    detector = str(yolox_file(folder))
    found = race({
        f"emc_every_{k}": ("emc", Job(str(video), frames, str(path), settings={"detect_every": k}))
        for k in (1, DETECT_EVERY)
    } | {
        f"tracker_every_{k}": ("tracker", Job(str(video), frames, str(path), size=size, detector=detector, every=k))
        for k in (1, DETECT_EVERY)
    } | {"bare": ("bare", Job("", frames, str(path), persons=frames))}, rounds)  # fmt: skip
    truth = [(person.image, person) for person in CocoFormat().read(labels).persons]
    order = {image.id: number for number, image in enumerate(CocoFormat().read(labels).images)}
    right = {
        name: share_right(row["found"], [(order[i], p) for i, p in truth])
        for name, row in found.items()
        if name != "bare"
    }
    ours = f"emc_every_{DETECT_EVERY}"
    return {"clip": video.name, "frames": frames, "contestants": shown(found), "joints_right": right} | {
        "vs_pose_tracker": ratio(found, ours, "tracker_every_1"),
        "vs_pose_tracker_as_seldom": ratio(found, ours, f"tracker_every_{DETECT_EVERY}"),
        "ceiling": ratio(found, "bare", "tracker_every_1"),
        "accuracy_difference": right[ours] - right["tracker_every_1"],
    }


def share_right(found: list[tuple[int, Any]], truth: list[tuple[int, Any]]) -> float:
    """Return the share of labelled joints that the best person of the frame puts within a tenth of the box."""
    near: list[np.ndarray] = []
    for frame, person in truth:
        labelled = np.asarray(person.visibility) > 0
        reach = NEAR * max(person.box[2:])
        people = [np.asarray(xy, float) for number, xy in found if number == frame]
        hits = [np.linalg.norm(xy - person.xy, axis=1)[labelled] < reach for xy in people]
        near.append(max(hits, key=np.sum) if hits else np.zeros(labelled.sum(), bool))
    return float(np.concatenate(near).mean())
