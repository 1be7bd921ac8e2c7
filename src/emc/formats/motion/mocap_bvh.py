"""Reading BVH motion capture (Biovision hierarchy) as Human3.6M-17 points.

The format: a tree of joints, each with its offset from its parent and its channels (positions and rotations in degrees,
applied in the order they are listed), then one line of channel values per frame. Lengths have no unit: it is told from
the length of the legs. BVH is y up by custom, and joints have no standard names: those of common exporters are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
from scipy.spatial.transform import Rotation

from emc.errors import InputError
from emc.formats.motion.recording import MotionClip
from emc.pose.skeletons import H36M17
from emc.untrusted import one_line

UNITS = (1.0, 0.1, 0.01, 0.0254, 0.001, 0.0254 / 0.45)
"""Metres per unit: metres, decimetres, centimetres, inches, millimetres, and the unit of the CMU collection's files."""
LEG = 0.82
"""Metres from hip to ankle of an adult."""

_BRACE = re.compile(r"([{}])")
_SIDED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "hip": ("upleg", "thigh", "hip", "upperleg", "hipjoint"),
    "knee": ("leg", "shin", "calf", "knee", "lowleg", "lowerleg"),
    "ankle": ("foot", "ankle"),
    "shoulder": ("arm", "uparm", "upperarm", "shldr", "shoulder"),
    "elbow": ("forearm", "elbow", "lowarm", "lowerarm"),
    "wrist": ("hand", "wrist"),
})  # fmt: skip
_MIDDLE: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "pelvis": ("hips", "pelvis", "hip", "root"),
    "spine": ("spine1", "spine", "chest", "abdomen", "torso"),
    "thorax": ("neck", "thorax", "neck1", "upperneck", "spine3", "chest2"),
    "neck_nose": ("head", "necknose"),
    "head_top": ("headtopend", "headend", "headtop", "headnub"),
})  # fmt: skip
_END_OF: Mapping[str, str] = MappingProxyType(
    {"left_ankle": "left_knee", "right_ankle": "right_knee", "left_wrist": "left_elbow", "right_wrist": "right_elbow",
     "head_top": "neck_nose"}
)  # fmt: skip
"""Joints that stand at the end site of another one's bone where they have no name of their own."""


@dataclass(slots=True)
class _Node:
    name: str
    parent: int
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))
    channels: tuple[str, ...] = ()


@one_line("export it again")
def read_bvh(path: Path, metres: float | None = None) -> MotionClip:
    """Return the motion of a BVH file.

    metres : length of one unit of the file; None: the unit of `UNITS` that makes the legs most like an adult's.
    Raises `InputError` that names the file and the line or the joint that is missing.
    """
    nodes, values, seconds = parse_bvh(path)
    places = joint_places(nodes, values)
    points = _human36m({node.name: places[:, i] for i, node in enumerate(nodes)}, path)
    return MotionClip(path.stem, 1 / seconds, points * (_unit(points) if metres is None else metres))


def parse_bvh(path: Path) -> tuple[list[_Node], np.ndarray, float]:
    """Return the joints (end sites as ``<parent>_end``), (T, C) channel values and the seconds per frame."""
    try:
        words = _Words(path.read_text(encoding="utf-8", errors="replace"), path)
    except OSError as error:
        raise InputError(f"cannot read {path} ({error}): give a BVH file") from error
    words.expect("HIERARCHY")
    nodes = _hierarchy(words)
    words.expect("MOTION")
    words.expect("Frames:")
    frames = int(words.number())
    words.expect("Frame")
    words.expect("Time:")
    seconds = words.number()
    count = sum(len(node.channels) for node in nodes)
    if frames < 1 or not seconds > 0:
        raise InputError(f"{path} has {frames} frames of {seconds} s: a motion needs at least one and a positive time")
    values = np.array([words.number() for _ in range(frames * count)]).reshape(frames, count)
    return nodes, values, seconds


def joint_places(nodes: list[_Node], values: np.ndarray) -> np.ndarray:
    """Return (T, N, 3) positions in the file's own unit from (T, C) channel values."""
    frames = len(values)
    places = np.zeros((frames, len(nodes), 3))
    turns = np.broadcast_to(np.eye(3), (len(nodes), frames, 3, 3)).copy()
    column = 0
    for index, node in enumerate(nodes):
        move = np.broadcast_to(node.offset, (frames, 3)).copy()
        turn = np.broadcast_to(np.eye(3), (frames, 3, 3))
        for channel in node.channels:
            axis = "XYZ".index(channel[0].upper())
            if channel.lower().endswith("position"):
                # As the common exporters write it: a position stands in the place of the offset, not on top of it.
                move[:, axis] = values[:, column]
            else:
                vector = np.radians(values[:, column, None]) * np.eye(3)[axis]
                turn = turn @ Rotation.from_rotvec(vector).as_matrix()
            column += 1
        if node.parent < 0:
            places[:, index], turns[index] = move, turn
        else:
            places[:, index] = places[:, node.parent] + np.einsum("tij,tj->ti", turns[node.parent], move)
            turns[index] = turns[node.parent] @ turn
    return places


class _Words:
    """The file as a stream of words that knows where it is."""

    def __init__(self, text: str, path: Path) -> None:
        self._path = path
        self._words: Iterator[tuple[int, str]] = (
            (number, word)
            for number, line in enumerate(text.splitlines(), start=1)
            for word in _BRACE.sub(r" \1 ", line).split()
        )

    def next(self) -> str:
        self.line, word = next(self._words, (-1, ""))
        if self.line < 0:
            raise InputError(f"{self._path} ends too early: copy it again from its source")
        return word

    def expect(self, wanted: str) -> None:
        word = self.next()
        if word.lower() != wanted.lower():
            raise self.fault(f"'{wanted}' is expected, '{word}' found")

    def number(self) -> float:
        word = self.next()
        try:
            value = float(word)
        except ValueError:
            raise self.fault(f"a number is expected, '{word}' found") from None
        if not np.isfinite(value):
            raise self.fault(f"a finite number is expected, '{word}' found")
        return value

    def fault(self, what: str) -> InputError:
        return InputError(f"{self._path} line {self.line}: {what}: correct the line, or export the file again")


def _hierarchy(words: _Words) -> list[_Node]:
    words.expect("ROOT")
    nodes = [_Node(words.next(), -1)]
    words.expect("{")
    open_nodes = [0]
    while open_nodes:
        word = words.next()
        here = open_nodes[-1]
        if word.upper() == "OFFSET":
            nodes[here].offset = np.array([words.number() for _ in range(3)])
        elif word.upper() == "CHANNELS":
            nodes[here].channels = tuple(_channel(words) for _ in range(int(words.number())))
        elif word.upper() in ("JOINT", "END"):
            name = words.next()
            nodes.append(_Node(name if word.upper() == "JOINT" else f"{nodes[here].name}_end", here))
            words.expect("{")
            open_nodes.append(len(nodes) - 1)
        elif word == "}":
            open_nodes.pop()
        else:
            raise words.fault(f"OFFSET, CHANNELS, JOINT, End Site or a brace is expected, '{word}' found")
    return nodes


def _channel(words: _Words) -> str:
    word = words.next()
    if word[:1].upper() not in ("X", "Y", "Z") or word[1:].lower() not in ("position", "rotation"):
        raise words.fault(f"a channel such as Xrotation is expected, '{word}' found")
    return word


def _plain(name: str) -> str:
    """Return a joint's name in one spelling: no maker's prefix, no marks, lower case."""
    return "".join(c for c in name.rpartition(":")[2].lower() if c.isalnum())


def _human36m(named: Mapping[str, np.ndarray], path: Path) -> np.ndarray:
    known = {_plain(name): (name, points) for name, points in named.items()}
    found: dict[str, tuple[str, np.ndarray]] = {}
    for joint, words in _MIDDLE.items():
        _take(found, joint, words, known)
    for side in ("left", "right"):
        for joint, words in _SIDED.items():
            spelled = [f"{lead}{word}" for word in words for lead in (side, side[0])]
            _take(found, f"{side}_{joint}", [*spelled, *(f"{word}{side[0]}" for word in words)], known)
    for joint, before in _END_OF.items():
        if joint not in found and before in found and f"{found[before][0]}_end" in named:
            found[joint] = ("", named[f"{found[before][0]}_end"])
    points = {joint: places for joint, (_, places) in found.items()}
    if "spine" not in points and {"pelvis", "thorax"} <= points.keys():
        points["spine"] = (points["pelvis"] + points["thorax"]) / 2
    missing = [joint for joint in H36M17.joints if joint not in points]
    if missing:
        raise InputError(
            f"{path} has no joint known as {', '.join(missing)} (it has {', '.join(list(named)[:8])}, ...): rename its "
            "joints to LeftUpLeg, LeftLeg, LeftFoot, LeftArm, LeftForeArm, LeftHand, Hips, Spine, Neck, Head"
        )
    return np.stack([points[joint] for joint in H36M17.joints], axis=1)


def _take(
    found: dict[str, tuple[str, np.ndarray]],
    joint: str,
    spelled: tuple[str, ...] | list[str],
    known: Mapping[str, tuple[str, np.ndarray]],
) -> None:
    for word in spelled:
        if word in known:
            found[joint] = known[word]
            return


def _unit(points: np.ndarray) -> float:
    legs = [
        np.linalg.norm(points[:, H36M17.index(f"{side}_{a}")] - points[:, H36M17.index(f"{side}_{b}")], axis=-1)
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    length = float(np.mean(legs)) * 2
    return min(UNITS, key=lambda unit: abs(np.log(max(length * unit, 1e-9) / LEG)))
