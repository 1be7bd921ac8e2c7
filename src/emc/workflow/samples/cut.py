"""Labelled persons cut out of their frames, their labels moved along."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emc.interfaces import Store
from emc.pose.geometry import bounding_box
from emc.pose.records import Clip, Pose, Sample
from emc.pose.skeletons import COCO17
from emc.workflow.media import open_clip
from emc.workflow.samples.eligible import label_visibility, labelled_poses
from emc.workflow.samples.extras import LabelExtra, extras_of

CUT_FACTOR = 1.6
"""Side of the cut around a person, in box sides: room for augmentation to shift and turn."""
CUT_LIMIT = 320
"""Longest side of a stored cut in pixels: memory stays flat for 4K footage; networks here see at most 256."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """What to cut out of one clip: its labelled poses by frame, and what label files say of them."""

    clip: Clip
    by_frame: Mapping[int, Sequence[Pose]]
    extras: Mapping[tuple[int, int], LabelExtra]


def clip_cuts(store: Store, clip: Clip) -> Cuts:
    """Return what to cut out of a clip."""
    by_frame: dict[int, list[Pose]] = defaultdict(list)
    for pose in labelled_poses(store, clip.id):
        by_frame[pose.frame].append(pose)
    return Cuts(clip, by_frame, extras_of(store, clip.id) if by_frame else {})


def cut_clip(cuts: Cuts) -> list[Sample]:
    """Return every labelled person of a clip with its cut of the frame, decoding each frame once."""
    found: list[Sample] = []
    if not cuts.by_frame:
        return found
    with open_clip(cuts.clip) as reader:
        for number, image in reader.frames(first=min(cuts.by_frame), last=max(cuts.by_frame), step=1):
            for pose in cuts.by_frame.get(number, ()):
                extra = cuts.extras.get((number, pose.person), LabelExtra())
                found.append(cut_sample(image, pose, cuts.clip, extra))
    return found


def uncut_samples(store: Store, clip: Clip) -> list[Sample]:
    """Return every labelled person of a clip in pixels of its frames, without a picture: nothing is decoded."""
    cuts = clip_cuts(store, clip)
    nothing = np.zeros((0, 0, 3), np.uint8)
    return [
        uncut_sample(nothing, pose, clip, cuts.extras.get((frame, pose.person), LabelExtra()))
        for frame in sorted(cuts.by_frame)
        for pose in cuts.by_frame[frame]
    ]


def cut_sample(image: np.ndarray, pose: Pose, clip: Clip, extra: LabelExtra) -> Sample:
    """Cut the surroundings of one labelled person out of a frame.

    The cut is square, `CUT_FACTOR` times the box, shrunk to at most `CUT_LIMIT` pixels a side; labels move with it.
    """
    return cut_out(image, uncut_sample(image, pose, clip, extra))


def uncut_sample(image: np.ndarray, pose: Pose, clip: Clip, extra: LabelExtra) -> Sample:
    """Return one labelled person in pixels of the frame, `image` as its image."""
    visibility = label_visibility(pose)
    box = sample_box(pose, visibility, extra)
    return Sample(
        image=image,
        xy=np.where(visibility[:, None] > 0, pose.xy, np.nan).astype(np.float32),
        visibility=visibility,
        box=box,
        clip=clip.id,
        group=clip.group,
        frame=pose.frame,
        person=pose.person,
        head=extra.head,
        area=extra.area if math.isfinite(extra.area) else float(box[2] * box[3]),
        torso=guessed_torso(pose, visibility),
    )


def cut_out(image: np.ndarray, sample: Sample) -> Sample:
    """Return the sample with its image cut around its box and shrunk, everything moved along."""
    left, top, right, bottom = cut_window(sample.box, image.shape[:2])
    cut = image[top:bottom, left:right]
    factor = min(1.0, CUT_LIMIT / max(cut.shape[:2]))
    if factor < 1:
        size = (max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor)))
        import cv2

        small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    else:
        small = cut.copy()
    return replace(windowed(sample, image.shape[:2]), image=small)


def cut_window(box: np.ndarray, shape: Sequence[int]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom (exclusive) of the cut around a box in a frame of (height, width)."""
    x, y, w, h = (float(v) for v in box)
    half = CUT_FACTOR * max(w, h) / 2
    left, top = math.floor(x + w / 2 - half), math.floor(y + h / 2 - half)
    right, bottom = math.ceil(x + w / 2 + half), math.ceil(y + h / 2 + half)
    left, top = max(left, 0), max(top, 0)
    return left, top, min(max(right, left + 1), shape[1]), min(max(bottom, top + 1), shape[0])


def windowed(sample: Sample, shape: Sequence[int]) -> Sample:
    """Return the sample with everything but its image moved to its cut of a frame of (height, width)."""
    left, top, right, bottom = cut_window(sample.box, shape)
    factor = min(1.0, CUT_LIMIT / max(bottom - top, right - left))
    # A resize maps pixel centres by (x + 0.5) * factor - 0.5.
    shift = np.array([left, top], dtype=np.float32)
    xy = (sample.xy - shift + 0.5) * factor - 0.5
    corner = (sample.box[:2] - shift + 0.5) * factor - 0.5
    return replace(
        sample,
        xy=xy.astype(np.float32),
        box=np.concatenate([corner, sample.box[2:] * factor]).astype(np.float32),
        head=sample.head * factor,
        area=sample.area * factor**2,
        scale=sample.scale / factor,
        origin=(sample.origin[0] + left * sample.scale, sample.origin[1] + top * sample.scale),
        torso=sample.torso * factor,
    )


def guessed_torso(pose: Pose, visibility: np.ndarray) -> float:
    """Return the pixels from right shoulder to left hip (else left to right) of a person who is not labelled there.

    Of joints that nobody vouched for the project's own prediction is taken: it stays the same while checkpoints are
    compared. visibility : (J,) of the labels. NaN where the torso is labelled, or not predicted either, or where the
    skeleton is not COCO-17.
    """
    if len(pose.xy) != len(COCO17):
        return math.nan
    ends = [
        (COCO17.index(f"{one}_shoulder"), COCO17.index(f"{other}_hip"))
        for one, other in (("right", "left"), ("left", "right"))
    ]
    if all(visibility[joint] > 0 for joint in ends[0]):
        return math.nan
    lengths = [float(np.linalg.norm(pose.xy[a].astype(np.float64) - pose.xy[b])) for a, b in ends]
    return next((length for length in lengths if math.isfinite(length) and length > 0), math.nan)


def sample_box(pose: Pose, visibility: np.ndarray, extra: LabelExtra) -> np.ndarray:
    """Return the (4,) xywh box of a labelled person: the label file's, else around its joints, else the detector's."""
    if extra.box is not None:
        return np.asarray(extra.box, dtype=np.float32)
    if int((visibility > 0).sum()) >= len(visibility) // 2:
        return bounding_box(np.where(visibility[:, None] > 0, pose.xy, np.nan), margin=0.1)
    if pose.box is not None and np.isfinite(pose.box).all():
        return np.asarray(pose.box, dtype=np.float32)
    return bounding_box(pose.xy, margin=0.1)
