"""Skeletons as COCO categories: joint names in storage order, limbs as pairs that count from 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emc.errors import InputError
from emc.pose.skeletons import SKELETONS, Skeleton, build_skeleton, joint_word


def skeleton_of(
    path: Path, categories: Sequence[Mapping[str, Any]], wanted: Skeleton | None
) -> tuple[Skeleton, tuple[int, ...]]:
    """Return the skeleton of a file's categories and the ids of those that have it.

    Built-in skeletons are known by their joints' names in their order; other names make a skeleton of their own.
    Raises `InputError` naming `path` where no category has joints, two have different ones, names are missing, double
    or strange, or other than those of `wanted`.
    """
    with_joints = [category for category in categories if category.get("keypoints")]
    if not with_joints:
        raise InputError(
            f"{path} names no keypoints in its categories: export it as COCO *keypoints*, or give it as boxes"
        )
    names = [_names(path, category) for category in with_joints]
    if any(other != names[0] for other in names[1:]):
        raise InputError(f"{path} has categories with different keypoints: split it into one file for each")
    ids = tuple(id for category in with_joints if isinstance(id := category.get("id"), int))
    if len(ids) < len(with_joints):
        raise InputError(f"{path} has a category without a whole number as 'id': give each category its own")
    if wanted is not None:
        _refuse_other(path, names[0], wanted)
        return wanted, ids
    known = next((skeleton for skeleton in SKELETONS.values() if skeleton.joints == names[0]), None)
    return known or _own(path, with_joints[0], names[0]), ids


def category_of(skeleton: Skeleton) -> dict[str, Any]:
    """Return the COCO category of a skeleton, id 1, name ``person``."""
    return {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(skeleton.joints),
        "skeleton": [[a + 1, b + 1] for a, b in skeleton.limbs],
    }


def _names(path: Path, category: Mapping[str, Any]) -> tuple[str, ...]:
    raw = category["keypoints"]
    if not isinstance(raw, list) or not all(isinstance(name, str) and name.strip() for name in raw):
        raise InputError(f"{path} has keypoint names {raw!r:.60}: write a list of words")
    names = tuple(joint_word(name) for name in raw)
    twin = next((name for name in names if names.count(name) > 1), None)
    if twin is not None:
        raise InputError(f"{path} names the keypoint '{twin}' twice: give every keypoint its own name")
    return names


def _refuse_other(path: Path, names: tuple[str, ...], wanted: Skeleton) -> None:
    if names == wanted.joints:
        return
    unknown = [name for name in names if name not in wanted.joints]
    missing = [joint for joint in wanted.joints if joint not in names]
    fault = f"unknown {', '.join(unknown)}" if unknown else f"without {', '.join(missing)}" if missing else "reordered"
    raise InputError(
        f"{path} has other keypoints than skeleton {wanted.name} ({fault}): rename or reorder them, or choose the "
        "skeleton that the file was made with"
    )


def _own(path: Path, category: Mapping[str, Any], names: tuple[str, ...]) -> Skeleton:
    limbs: list[tuple[str, str]] = []
    for pair in category.get("skeleton") or []:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(end, int) and 1 <= end <= len(names) for end in pair)
        ):
            raise InputError(f"{path} has a limb {pair!r:.40} in 'skeleton': write two numbers from 1 to {len(names)}")
        limbs.append((names[pair[0] - 1], names[pair[1] - 1]))
    label = str(category.get("name") or "custom").strip().lower().replace(" ", "_")
    return build_skeleton(f"{label}{len(names)}", names, tuple(limbs))
