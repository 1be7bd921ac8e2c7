"""Operations on a run of frames: one key for what goes wrong in runs, each one edit of the journal.

On a bounded run, and on the frame that the person looks at, the result is the person's (`HUMAN`). Beyond that frame
(from here on) it is the machine's (`PROPAGATED`): it stands until somebody decides, and stays on the list of what to
look at. Where a person decided a joint before, the person's operation takes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from emc.errors import UsageError
from emc.pose.records import Clip, Edit, JointChange, Pose, Provenance, Visibility
from emc.pose.skeletons import COCO17, Skeleton
from emc.stages.candidates import mirrored_place

MAX_JOINTS = 300_000
"""Joints that one operation may change: more would keep the project busy for too long."""
ARM, LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
NEAR = 30
"""Frames around a new person in which another one is looked for whose pose can be taken over."""


class Operation(StrEnum):
    """What can be done to a run."""

    SWAP = "swap"
    IDENTITY = "identity"
    MIRROR = "mirror"
    COPY = "copy"
    VISIBILITY = "visibility"
    CONFIRM = "confirm"
    ADD_PERSON = "add_person"


KINDS = {
    Operation.SWAP: "swap run",
    Operation.IDENTITY: "identity",
    Operation.MIRROR: "mirror",
    Operation.COPY: "copy",
    Operation.VISIBILITY: "visibility run",
    Operation.CONFIRM: "confirm run",
    Operation.ADD_PERSON: "add person",
}


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """An operation on one person.

    frame : that the person looks at. first, last : the run, inclusive; last None = from here on. joints : which ones
    (None: by `limb`, else all). limb : ``body``, ``arm``, ``leg``, ``left_arm``, or a part such as ``knee``. other :
    the person to change identities with. visibility : to be set. xy : where a new person is put.
    """

    operation: Operation
    person: int
    frame: int
    first: int
    last: int | None
    joints: tuple[int, ...] | None = None
    limb: str | None = None
    other: int | None = None
    visibility: Visibility | None = None
    xy: tuple[float, float] | None = None
    seconds: float = 0.0
    author: str = ""


def operation_edit(
    order: OperationRequest,
    clip: Clip,
    skeleton: Skeleton,
    poses: Callable[[int, int], Iterable[Pose]],
    newcomer: int = 0,
) -> Edit:
    """Return the edit that an order makes.

    poses : (first, last) -> current poses of these frames. newcomer : number for a person who is added.
    Raises `UsageError` for frames, joints or persons that there are not, and where there is nothing to do.
    """
    first, last = _range(order, clip)
    if order.operation is Operation.ADD_PERSON:
        changes = _added(order, clip, skeleton, poses, newcomer)
    elif order.operation is Operation.COPY:
        changes = _copied(order, skeleton, poses)
    elif order.operation is Operation.IDENTITY:
        changes = _exchanged(order, poses(first, last))
    else:
        changes = _per_pose(order, skeleton, poses(first, last))
    if not changes:
        raise UsageError(
            f"clip {clip.id}, person {order.person}, frames {first} to {last}: there is nothing to "
            f"{order.operation.replace('_', ' ')}; choose frames on which the person is seen"
        )
    if len(changes) > MAX_JOINTS:
        raise UsageError(
            f"clip {clip.id}: frames {first} to {last} have {len(changes)} joints to change, one operation takes "
            f"{MAX_JOINTS}: give a shorter run"
        )
    return Edit(clip.id, KINDS[order.operation], tuple(changes), order.author, order.seconds)


def chosen_joints(skeleton: Skeleton, joints: Sequence[int] | None, limb: str | None) -> list[int]:
    """Return joint indices: the given ones, those of a limb, or all; raises `UsageError` for unknown ones."""
    if joints is not None:
        wrong = [j for j in joints if not 0 <= j < len(skeleton)]
        if wrong or not joints:
            raise UsageError(f"joints {list(joints)} of skeleton {skeleton.name}: use 0 to {len(skeleton) - 1}")
        return sorted(set(joints))
    side, _, part = (limb or "body").rpartition("_")
    words = {"arm": ARM, "leg": LEG}.get(part, (part,))
    found = {j for word in words for j in skeleton.parts.get("total" if word == "body" else word, ())}
    if side:
        found = {j for j in found if skeleton.joints[j].startswith(f"{side}_")}
    if not found:
        raise UsageError(f"skeleton {skeleton.name} has no limb '{limb}': use body, arm, leg, left_arm, or a part")
    return sorted(found)


def middle_undecided(first: int, last: int, every: int, decided: Iterable[int]) -> tuple[int | None, int]:
    """Return the frame in the middle of the longest stretch of a run that nobody decided, and how many are left.

    every : frames from one predicted frame to the next. decided : frames on which the joint is decided.
    """
    frames = np.arange(first, last + 1, every)
    left = frames[~np.isin(frames, list(decided))]
    if not len(left):
        return None, 0
    stretches = np.split(left, np.flatnonzero(np.diff(left) > every) + 1)
    longest = max(stretches, key=len)
    return int(longest[(len(longest) - 1) // 2]), len(left)


def _range(order: OperationRequest, clip: Clip) -> tuple[int, int]:
    last = clip.frames - 1 if order.last is None else order.last
    for frame in (order.frame, order.first, last):
        if not 0 <= frame < clip.frames:
            raise UsageError(f"clip {clip.id} has no frame {frame}: use 0 to {clip.frames - 1}")
    if order.first > last:
        raise UsageError(f"frames {order.first} to {last} of clip {clip.id} run backwards: give the smaller one first")
    return order.first, last


def _by(order: OperationRequest, pose: Pose, joints: Sequence[int]) -> Provenance:
    """Return who the result on a frame is to be: see the module."""
    if order.last is not None or pose.frame == order.frame:
        return Provenance.HUMAN
    decided = any(pose.provenance[joint] >= Provenance.HUMAN for joint in joints)
    return Provenance.HUMAN if decided else Provenance.PROPAGATED


def _per_pose(order: OperationRequest, skeleton: Skeleton, poses: Iterable[Pose]) -> list[JointChange]:
    make = {
        Operation.SWAP: _swapped,
        Operation.MIRROR: _mirrored,
        Operation.VISIBILITY: _shown,
        Operation.CONFIRM: _confirmed,
    }[order.operation]
    joints = chosen_joints(skeleton, order.joints, order.limb)
    return [change for pose in poses if pose.person == order.person for change in make(order, skeleton, pose, joints)]


def _swapped(order: OperationRequest, skeleton: Skeleton, pose: Pose, joints: Sequence[int]) -> list[JointChange]:
    pairs = sorted({(min(j, skeleton.flip[j]), max(j, skeleton.flip[j])) for j in joints if skeleton.flip[j] != j})
    changes: list[JointChange] = []
    for a, b in pairs:
        if _placed(pose, a) or _placed(pose, b):
            by = _by(order, pose, (a, b))
            changes += [_change(pose, a, pose.xy[b], pose.visibility[b], by)]
            changes += [_change(pose, b, pose.xy[a], pose.visibility[a], by)]
    return changes


def _mirrored(order: OperationRequest, skeleton: Skeleton, pose: Pose, joints: Sequence[int]) -> list[JointChange]:
    xy = pose.xy.astype(np.float64)
    places = [(j, mirrored_place(xy, skeleton, j)) for j in joints]
    return [_change(pose, j, place, 2, _by(order, pose, (j,))) for j, place in places if place is not None]


def _shown(order: OperationRequest, skeleton: Skeleton, pose: Pose, joints: Sequence[int]) -> list[JointChange]:
    if order.visibility is None:
        raise UsageError("the operation 'visibility' needs one: send 0 (absent), 1 (occluded) or 2 (visible)")
    shown = order.visibility
    return [
        _change(pose, j, pose.xy[j], shown, _by(order, pose, (j,)))
        for j in joints
        if _placed(pose, j) or shown is Visibility.ABSENT
    ]


def _confirmed(order: OperationRequest, skeleton: Skeleton, pose: Pose, joints: Sequence[int]) -> list[JointChange]:
    return [
        _change(pose, j, pose.xy[j], pose.visibility[j], Provenance.CONFIRMED)
        for j in joints
        if _placed(pose, j) or pose.provenance[j] >= Provenance.HUMAN
    ]


def _exchanged(order: OperationRequest, poses: Iterable[Pose]) -> list[JointChange]:
    if order.other is None or order.other == order.person:
        raise UsageError("the operation 'identity' needs another person: send 'other'")
    by_frame: dict[int, dict[int, Pose]] = {}
    for pose in poses:
        if pose.person in (order.person, order.other):
            by_frame.setdefault(pose.frame, {})[pose.person] = pose
    changes: list[JointChange] = []
    for pair in by_frame.values():
        some = next(iter(pair.values()))
        one = pair.get(order.person) or _empty_pose(some, order.person)
        two = pair.get(order.other) or _empty_pose(some, order.other)
        for joint in range(len(some.xy)):
            by = max(_by(order, one, (joint,)), _by(order, two, (joint,)))
            changes.append(_change(one, joint, two.xy[joint], two.visibility[joint], by))
            changes.append(_change(two, joint, one.xy[joint], one.visibility[joint], by))
    return changes


def _empty_pose(like: Pose, person: int) -> Pose:
    nothing = np.zeros_like(like.visibility)
    return replace(like, person=person, xy=np.full_like(like.xy, np.nan), visibility=nothing, provenance=nothing)


def _copied(
    order: OperationRequest, skeleton: Skeleton, poses: Callable[[int, int], Iterable[Pose]]
) -> list[JointChange]:
    joints = chosen_joints(skeleton, order.joints, order.limb)
    own = [p for p in poses(max(0, order.frame - NEAR), order.frame) if p.person == order.person]
    before = next((p for p in reversed(own) if p.frame < order.frame), None)
    if before is None:
        return []
    here = next((p for p in own if p.frame == order.frame), replace(before, frame=order.frame))
    return [
        _change(here, j, before.xy[j], before.visibility[j], Provenance.HUMAN) for j in joints if _placed(before, j)
    ]


def _added(
    order: OperationRequest, clip: Clip, skeleton: Skeleton, poses: Callable[[int, int], Iterable[Pose]], newcomer: int
) -> list[JointChange]:
    span = (max(0, order.frame - NEAR), min(clip.frames - 1, order.frame + NEAR))
    others = [p for p in poses(*span) if np.isfinite(p.xy).all(axis=1).sum() > len(skeleton) // 2]
    nearest = min(others, key=lambda p: abs(p.frame - order.frame), default=None)
    xy = _standing(clip, skeleton) if nearest is None else nearest.xy.astype(np.float64)
    centre = np.array(order.xy or ((clip.width - 1) / 2, (clip.height - 1) / 2))
    xy = xy + centre - np.nanmean(xy, axis=0)
    blank = np.zeros(len(xy), dtype=np.int8)
    pose = Pose(order.frame, newcomer, xy, blank, blank)
    # A first guess, not a person's word: it stays open until each joint is placed or confirmed.
    return [_change(pose, j, xy[j], 2, Provenance.PROPAGATED) for j in range(len(xy)) if np.isfinite(xy[j]).all()]


_STANDING = np.array(
    [
        [0.0, -0.92], [0.02, -0.94], [-0.02, -0.94], [0.04, -0.93], [-0.04, -0.93], [0.11, -0.82], [-0.11, -0.82],
        [0.14, -0.63], [-0.14, -0.63], [0.15, -0.47], [-0.15, -0.47], [0.08, -0.50], [-0.08, -0.50], [0.09, -0.27],
        [-0.09, -0.27], [0.09, -0.03], [-0.09, -0.03],
    ]
)  # fmt: skip
"""A person who stands and faces the camera, COCO-17, in shares of the height, y down, the floor at 0."""


def standing_in(skeleton: Skeleton, box: np.ndarray) -> np.ndarray:
    """Return (J, 2) places of a standing figure that fills the height of a (4,) xywh box: a first guess to drag."""
    x, y, w, h = (float(v) for v in box)
    return _figure(skeleton) * h + np.array([x + w / 2, y + h])


def _standing(clip: Clip, skeleton: Skeleton) -> np.ndarray:
    return _figure(skeleton) * 0.5 * clip.height


def _figure(skeleton: Skeleton) -> np.ndarray:
    if skeleton.name == COCO17.name:
        return _STANDING
    index = {name: i for i, name in enumerate(COCO17.joints)}
    return np.array([_STANDING[index[name]] if name in index else (0.0, -0.6) for name in skeleton.joints])


def _placed(pose: Pose, joint: int) -> bool:
    return bool(np.isfinite(pose.xy[joint]).all())


def _change(pose: Pose, joint: int, xy: np.ndarray, visibility: int, by: Provenance) -> JointChange:
    shown = Visibility(int(visibility))
    return JointChange(pose.frame, pose.person, joint, float(xy[0]), float(xy[1]), shown, by)
