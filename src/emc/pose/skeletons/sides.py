"""Left and right in the names of joints: ``left_hip``, ``l_hip``, ``hip_left``, ``LHip``, ``Left Hip``, ``hip.L``."""

from __future__ import annotations

import re
from collections.abc import Collection

OTHER = {"left": "right", "right": "left", "l": "r", "r": "l"}
SIDE = {"left": "left", "right": "right", "l": "left", "r": "right"}
LEAST_REST = 2
"""Letters that must be left of a name whose side is not set apart, such as ``lhip``."""


def joint_word(name: str) -> str:
    """Return a joint's name as a word of a-z, digits and _: ``Left Hip`` is left_hip, ``LHip`` is l_hip."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[\s.\-_]+", "_", apart).strip("_").lower()


def mirror_joint(joint: str, joints: Collection[str]) -> str:
    """Return the joint on the other side of the body, the joint itself where `joints` has none."""
    return next((other for other, _ in _readings(joint) if other in joints), joint)


def plain_name(joint: str, joints: Collection[str]) -> str:
    """Return a joint's name with its side in front (``left_hip``), as it is where `joints` has no mirror joint."""
    return next((plain for other, plain in _readings(joint) if other in joints), joint)


def _readings(joint: str) -> list[tuple[str, str]]:
    """Return the ways to read a side in a name: (name of the mirror joint, name with the side in front)."""
    found: list[tuple[str, str]] = []
    words = joint.split("_")
    for place, word in enumerate(words):
        rest = [*words[:place], *words[place + 1 :]]
        if word in OTHER and rest:
            other = "_".join([*words[:place], OTHER[word], *words[place + 1 :]])
            found.append((other, "_".join([SIDE[word], *rest])))
    for word, other in OTHER.items():
        if joint.startswith(word) and len(rest := joint.removeprefix(word)) >= LEAST_REST and rest[0] != "_":
            found.append((other + rest, f"{SIDE[word]}_{rest}"))
        if joint.endswith(word) and len(rest := joint.removesuffix(word)) >= LEAST_REST and rest[-1] != "_":
            found.append((rest + other, f"{SIDE[word]}_{rest}"))
    return found
