"""Make edits of the journal: from a person's action in the editor, or from labels that were brought along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.pose.geometry import outside
from emc.pose.records import Clip, Edit, JointChange, Pose, Provenance, Visibility
from emc.pose.skeletons import Skeleton

_ARM_PARTS = ("shoulder", "elbow", "wrist")


class Label(NamedTuple):
    """Labels of one person on one frame.

    xy : (J, 2) pixels of the original frame, NaN where not labelled. visibility : (J,) of `Visibility`.
    provenance : (J,) of `Provenance`, or None: all the same. A joint of `MODEL` is no label and is left out.
    """

    frame: int
    person: int
    xy: np.ndarray
    visibility: np.ndarray
    provenance: np.ndarray | None = None


def edit_from_labels(
    labels: Iterable[Label],
    clip: Clip,
    skeleton: Skeleton,
    kind: str = "import",
    provenance: Provenance = Provenance.HUMAN,
    author: str = "",
) -> Edit:
    """Turn labels into one edit that is taken back as a whole.

    provenance : of labels that do not say their own. A joint of visibility 0 without coordinates was not labelled and
    is left as it is, unless the label says that a person decided it; one with coordinates keeps them as absent. Raises
    `InputError` that names frame, person and joint for a frame outside the clip, a wrong number of joints, a labelled
    joint without finite coordinates or far outside the frame, and where there is no label at all.
    """
    changes: list[JointChange] = []
    for label in labels:
        _check_label(label, clip, skeleton)
        where = f"clip {clip.id}, frame {label.frame}, person {label.person}"
        for joint in range(len(skeleton)):
            x, y = (float(v) for v in label.xy[joint])
            shown = _visibility(int(label.visibility[joint]), f"{where}, {skeleton.joints[joint]}")
            own = provenance if label.provenance is None else Provenance(int(label.provenance[joint]))
            placed = np.isfinite(x) and np.isfinite(y)
            told = label.provenance is not None
            said = told and own >= Provenance.HUMAN
            if (told and own is Provenance.MODEL) or (shown is Visibility.ABSENT and not placed and not said):
                continue
            fault = _place_fault(clip, x, y) if placed or shown is not Visibility.ABSENT else ""
            if fault:
                raise InputError(f"{where}, {skeleton.joints[joint]}: {fault}")
            changes.append(JointChange(label.frame, label.person, joint, x, y, shown, own))
    if not changes:
        raise InputError(f"no labelled joint for clip {clip.id}: check that the file belongs to it")
    return Edit(clip.id, kind, tuple(changes), author)


def place_joint(
    clip: Clip,
    skeleton: Skeleton,
    frame: int,
    person: int,
    joint: str | int,
    xy: tuple[float, float],
    visibility: Visibility = Visibility.VISIBLE,
    author: str = "",
    seconds: float = 0.0,
) -> Edit:
    """Place one joint by hand: `xy` in pixels of the original frame.

    Raises `UsageError` for an unknown joint, a frame outside the clip, and a place that is not finite or far outside
    the frame.
    """
    index = _joint(skeleton, joint)
    _check_frame(clip, frame)
    fault = _place_fault(clip, *xy)
    if fault:
        raise UsageError(f"clip {clip.id}, frame {frame}, person {person}, {skeleton.joints[index]}: {fault}")
    change = JointChange(frame, person, index, float(xy[0]), float(xy[1]), visibility, Provenance.HUMAN)
    return Edit(clip.id, "drag", (change,), author, seconds)


def set_visibility(
    clip: Clip,
    skeleton: Skeleton,
    poses: Sequence[Pose],
    joints: Iterable[str | int],
    visibility: Visibility,
    author: str = "",
    seconds: float = 0.0,
) -> Edit:
    """Say of joints whether they are visible, occluded or absent; the coordinates are kept, whatever is said.

    Raises `UsageError` for an unknown joint, a frame outside the clip, and where a joint that has no place is said to
    be visible or occluded.
    """
    indices = [_joint(skeleton, joint) for joint in joints]
    changes: list[JointChange] = []
    for pose in poses:
        _check_frame(clip, pose.frame)
        for joint in indices:
            if visibility is not Visibility.ABSENT and not _placed(pose, joint):
                raise UsageError(
                    f"clip {clip.id}, frame {pose.frame}, person {pose.person}: {skeleton.joints[joint]} has no "
                    f"place, so it cannot be {visibility.name.lower()}: place it first"
                )
            changes.append(_change(pose, joint, pose.xy[joint], visibility, Provenance.HUMAN))
    return Edit(clip.id, "visibility", tuple(changes), author, seconds)


def swap_left_right(
    clip: Clip,
    skeleton: Skeleton,
    poses: Iterable[Pose],
    person: int,
    first: int,
    last: int,
    limb: str = "body",
    author: str = "",
    seconds: float = 0.0,
) -> Edit:
    """Exchange left and right of one person on frames first..last (inclusive).

    limb : ``body`` (every pair), ``arm``, or a part of the skeleton such as ``leg`` or ``knee``. Place and visibility
    are exchanged; a joint and its mirror that both have no place are left alone.
    Raises `UsageError` for an unknown limb or person, or a frame range outside the clip.
    """
    pairs = _pairs(skeleton, limb)
    _check_range(clip, first, last)
    changes: list[JointChange] = []
    for pose in poses:
        if pose.person != person or not first <= pose.frame <= last:
            continue
        for a, b in pairs:
            if _placed(pose, a) or _placed(pose, b):
                for joint, other in ((a, b), (b, a)):
                    shown = Visibility(int(pose.visibility[other]))
                    changes.append(_change(pose, joint, pose.xy[other], shown, Provenance.HUMAN))
    if not changes:
        raise UsageError(
            f"clip {clip.id} has no pose of person {person} on frames {first} to {last}: choose frames where it is seen"
        )
    return Edit(clip.id, "swap", tuple(changes), author, seconds)


def confirm(
    clip: Clip,
    skeleton: Skeleton,
    poses: Iterable[Pose],
    joints: Iterable[str | int] | None = None,
    author: str = "",
    seconds: float = 0.0,
) -> Edit:
    """Confirm that joints are right where they are (None: all that have a place or were said to be absent by hand).

    Raises `UsageError` for an unknown joint, a frame outside the clip, and where there is nothing to confirm.
    """
    indices = range(len(skeleton)) if joints is None else [_joint(skeleton, joint) for joint in joints]
    changes: list[JointChange] = []
    for pose in poses:
        _check_frame(clip, pose.frame)
        for joint in indices:
            by_hand = pose.provenance[joint] in (Provenance.HUMAN, Provenance.CONFIRMED)
            if _placed(pose, joint) or by_hand:
                shown = Visibility(int(pose.visibility[joint]))
                changes.append(_change(pose, joint, pose.xy[joint], shown, Provenance.CONFIRMED))
    if not changes:
        raise UsageError(f"clip {clip.id} has no placed joint to confirm there: place the joints first")
    return Edit(clip.id, "confirm", tuple(changes), author, seconds)


def _change(pose: Pose, joint: int, xy: np.ndarray, visibility: Visibility, provenance: Provenance) -> JointChange:
    return JointChange(pose.frame, pose.person, joint, float(xy[0]), float(xy[1]), visibility, provenance)


def _placed(pose: Pose, joint: int) -> bool:
    return bool(np.isfinite(pose.xy[joint]).all())


def _joint(skeleton: Skeleton, joint: str | int) -> int:
    if isinstance(joint, str):
        return skeleton.index(joint)
    if 0 <= joint < len(skeleton):
        return joint
    raise UsageError(f"unknown joint {joint} in skeleton {skeleton.name}: use 0 to {len(skeleton) - 1} or a name")


def _pairs(skeleton: Skeleton, limb: str) -> list[tuple[int, int]]:
    if limb == "arm":
        chosen = {joint for part in _ARM_PARTS for joint in skeleton.parts.get(part, ())}
    else:
        chosen = set(skeleton.part("total" if limb == "body" else limb))
    return [(i, j) for i, j in enumerate(skeleton.flip) if i < j and i in chosen and j in chosen]


def _check_frame(clip: Clip, frame: int) -> None:
    if not 0 <= frame < clip.frames:
        raise UsageError(f"clip {clip.id} has no frame {frame}: use 0 to {clip.frames - 1}")


def _check_range(clip: Clip, first: int, last: int) -> None:
    _check_frame(clip, first)
    _check_frame(clip, last)
    if first > last:
        raise UsageError(f"frames {first} to {last} of clip {clip.id} run backwards: give the smaller one first")


def _check_label(label: Label, clip: Clip, skeleton: Skeleton) -> None:
    where = f"clip {clip.id}, frame {label.frame}, person {label.person}"
    if not 0 <= label.frame < clip.frames:
        raise InputError(f"{where}: the clip has frames 0 to {clip.frames - 1}: check that the labels belong to it")
    joints = len(skeleton)
    if np.shape(label.xy) != (joints, 2) or np.shape(label.visibility) != (joints,):
        raise ShapeMismatch(
            f"{where}: labels have xy {np.shape(label.xy)} and visibility {np.shape(label.visibility)}, skeleton "
            f"{skeleton.name} needs ({joints}, 2) and ({joints},): map the joints first"
        )


def _visibility(value: int, where: str) -> Visibility:
    try:
        return Visibility(value)
    except ValueError:
        raise InputError(f"{where}: visibility is {value}: use 0 (none), 1 (occluded) or 2 (visible)") from None


def _place_fault(clip: Clip, x: float, y: float) -> str:
    """Return what is wrong with a place, and what to do; "" where nothing is."""
    if not (np.isfinite(x) and np.isfinite(y)):
        return f"({x}, {y}) is no place: give finite pixels, or visibility 0"
    if not outside(np.array([x, y]), clip.width, clip.height):
        return ""
    return (
        f"({x:.1f}, {y:.1f}) is far outside the {clip.width} x {clip.height} frame: give pixels of the original frame"
    )
