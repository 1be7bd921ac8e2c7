import math
import re

import numpy as np
import pytest
from tests.formats.motion.motions import kick

from emc.formats.motion.bvh import BvhFormat
from emc.pose.motion.motion import Motion3D


class Bvh:
    """A BVH reader of the test's own: a tree by a stack, then forward kinematics by 4 x 4 matrices."""

    def __init__(self, text):
        self.names, self.parents, self.offsets, self.channels = [], [], [], []
        lines = text.splitlines()
        self.first = lines[0]
        stack = []
        for number, line in enumerate(lines):
            words = line.split()
            if words[0] in ("ROOT", "JOINT", "End"):
                self.names.append(words[1] if words[0] != "End" else f"end of {self.names[stack[-1]]}")
                self.parents.append(stack[-1] if stack else -1)
                self.channels.append([])
                stack.append(len(self.names) - 1)
            elif words[0] == "OFFSET":
                self.offsets.append([float(w) for w in words[1:]])
            elif words[0] == "CHANNELS":
                self.channels[stack[-1]] = words[2:]
                assert len(words[2:]) == int(words[1])
            elif words[0] == "}":
                stack.pop()
            elif words[0] == "MOTION":
                self.count = int(re.fullmatch(r"Frames: (\d+)", lines[number + 1])[1])
                self.step = float(lines[number + 2].removeprefix("Frame Time: "))
                self.values = [[float(w) for w in row.split()] for row in lines[number + 3 :]]
                break

    def places(self):
        return np.array([self._frame(list(row)) for row in self.values])

    def _frame(self, row):
        world = []
        for parent, offset, channels in zip(self.parents, self.offsets, self.channels, strict=True):
            matrix = translation(offset)
            for channel in channels:
                value = row.pop(0)
                matrix = matrix @ (moved(channel[0], value) if "position" in channel else turned(channel[0], value))
            world.append(world[parent] @ matrix if parent >= 0 else matrix)
        assert not row
        return [matrix[:3, 3] for matrix in world]


def translation(offset):
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def moved(axis, value):
    return translation([value * (axis == a) for a in "XYZ"])


def turned(axis, degrees):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.eye(4)
    i, j = {"X": (1, 2), "Y": (2, 0), "Z": (0, 1)}[axis]
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


JOINTS = {
    "pelvis": 0, "right_hip": 1, "right_knee": 2, "end of right_knee": 3, "left_hip": 4, "left_knee": 5,
    "end of left_knee": 6, "spine": 7, "thorax": 8, "neck_nose": 9, "end of neck_nose": 10, "left_shoulder": 11,
    "left_elbow": 12, "end of left_elbow": 13, "right_shoulder": 14, "right_elbow": 15, "end of right_elbow": 16,
}  # fmt: skip


def test_joints_come_back_by_forward_kinematics(tmp_path):
    motion = kick()
    BvhFormat().write(tmp_path / "kick.bvh", [motion])
    read = Bvh((tmp_path / "kick.bvh").read_text())
    assert read.first == "HIERARCHY"
    assert read.count == len(read.values) == 24
    assert read.step == pytest.approx(1 / 30, abs=1e-7)
    places = read.places()
    for name, joint in JOINTS.items():
        assert places[:, read.names.index(name)] == pytest.approx(motion.xyz[:, joint], abs=2e-5), name


def test_our_own_reader_of_others_files_reads_it(tmp_path):
    from emc.formats.motion.mocap import read_mocap

    motion = kick()
    BvhFormat().write(tmp_path / "kick.bvh", [motion])
    (clip,) = read_mocap(tmp_path / "kick.bvh")
    assert clip.fps == pytest.approx(30, abs=1e-3)
    for joint in (1, 2, 4, 5, 12, 15):
        assert clip.xyz[:, joint] == pytest.approx(motion.xyz[:, joint], abs=1e-3)


def test_a_missing_moment_is_bridged(tmp_path):
    motion = kick()
    keep = np.delete(np.arange(24), [10, 11])
    holed = Motion3D("p0", 30.0, motion.times[keep], motion.frames[keep], motion.xyz[keep])
    BvhFormat().write(tmp_path / "kick.bvh", [holed])
    read = Bvh((tmp_path / "kick.bvh").read_text())
    assert read.count == 24
    assert np.abs(read.places()[:, 0] - motion.xyz[:, 0]).max() < 0.01
