"""How far two annotators agree: joints that both placed, by their distance and by object keypoint similarity (OKS)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emc.errors import UsageError
from emc.pose.journal import JointKey, standing_edits
from emc.pose.records import Provenance, Visibility
from emc.pose.skeletons import COCO17, Skeleton
from emc.store import SqlStore
from emc.workflow.project import declared_skeleton, skeleton_called

FALLBACK_SIGMA = 0.1
"""COCO's constant for hips and shoulders is about this; of joints for which the skeleton names none."""


@dataclass(frozen=True, slots=True)
class JointAgreement:
    """Of one joint: on how many poses both placed it, and their distance in pixels, median and 95 % of them."""

    joint: str
    count: int
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two annotators agree on a clip.

    joints : those that both placed anywhere. poses : (frame, person) with such joints. oks : mean over poses of the
    mean similarity of these joints, NaN where there is no pose or none has a size. visibility : share of joints that
    both decided to which both gave the same visibility, NaN for none.
    """

    clip: str
    one: str
    other: str
    joints: tuple[JointAgreement, ...]
    poses: int
    oks: float
    visibility: float


Placed = Mapping[JointKey, tuple[float, float, Visibility]]


def agreement(store: SqlStore, clip: str, one: str, other: str, beside: SqlStore | None = None) -> Agreement:
    """Compare what two annotators decided on a clip, each by their last word on each joint.

    beside : the project that holds the other one's work (default: the same one, where the second saw the first's).
    Sizes for OKS are the areas of the predicted boxes, in px². Raises `UsageError` for an unknown clip, and where one
    of them decided nothing.
    """
    found = store.clip(clip).id
    ours, theirs = decided_by(store, found, one), decided_by(beside or store, found, other)
    for name, placed in ((one, ours), (other, theirs)):
        if not placed:
            raise UsageError(f"{name or 'somebody without a name'} decided no joint of clip {clip}: see its journal")
    both = sorted(ours.keys() & theirs.keys())
    skeleton = _skeleton(store, found)
    apart: dict[int, list[float]] = defaultdict(list)
    by_pose: dict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
    for key in both:
        frame, person, joint = key
        distance = float(np.hypot(ours[key][0] - theirs[key][0], ours[key][1] - theirs[key][1]))
        if np.isfinite(distance):
            apart[joint].append(distance)
            by_pose[frame, person].append((joint, distance))
    same = [ours[key][2] == theirs[key][2] for key in both]
    return Agreement(
        found,
        one,
        other,
        tuple(_joint(skeleton, joint, distances) for joint, distances in sorted(apart.items())),
        len(by_pose),
        _mean_oks(by_pose, _areas(store, found), skeleton),
        float(np.mean(same)) if same else float("nan"),
    )


def decided_by(store: SqlStore, clip: str, author: str) -> dict[JointKey, tuple[float, float, Visibility]]:
    """Return what an annotator said last of each joint (x, y in px, NaN for no place), of edits that stand."""
    return {
        (change.frame, change.person, change.joint): (change.x, change.y, change.visibility)
        for edit in standing_edits(store.edits(clip))
        if edit.author == author
        for change in edit.changes
        if change.provenance >= Provenance.HUMAN
    }


def _joint(skeleton: Skeleton, joint: int, distances: list[float]) -> JointAgreement:
    name = skeleton.joints[joint] if joint < len(skeleton) else f"joint {joint}"
    median, p95 = np.percentile(distances, [50, 95])
    return JointAgreement(name, len(distances), float(median), float(p95))


def _mean_oks(
    by_pose: Mapping[tuple[int, int], list[tuple[int, float]]],
    areas: Mapping[tuple[int, int], float],
    skeleton: Skeleton,
) -> float:
    sigmas = skeleton.sigmas or (FALLBACK_SIGMA,) * len(skeleton)
    scores: list[float] = []
    for pose, joints in by_pose.items():
        area = areas.get(pose, 0.0)
        known = [(distance, 2 * sigmas[joint]) for joint, distance in joints if joint < len(sigmas)]
        if area > 0 and known:
            # As COCO has it: exp(-d² / (2 s² k²)) with s² the area and k twice the annotators' deviation.
            scores.append(float(np.mean([np.exp(-(d**2) / (2 * area * k**2)) for d, k in known])))
    return float(np.mean(scores)) if scores else float("nan")


def _areas(store: SqlStore, clip: str) -> dict[tuple[int, int], float]:
    run = store.current_run(clip)
    if run is None:
        return {}
    boxes = ((one.frame, one.person, one.box) for one in store.predictions(run.id))
    return {(frame, person): float(box[2] * box[3]) for frame, person, box in boxes}


def _skeleton(store: SqlStore, clip: str) -> Skeleton:
    run = store.current_run(clip)
    return declared_skeleton(store) or COCO17 if run is None else skeleton_called(store, run.skeleton)
