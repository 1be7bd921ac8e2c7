"""BVH: a jointed rig and its rotations, as Blender and most animation tools read them.

Format: Meredith, Maddock, "Motion Capture File Formats Explained", University of Sheffield, 2001. The format has no
field for units: lengths are metres (Blender's import at scale 1 gives true size), y up; the frame time states the rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.formats.whole_files import write_text
from emc.pose.motion import RIG_NODES, Motion3D, at_constant_rate, euler_zxy, rig_motion, without_holes

TURNS = "Zrotation Xrotation Yrotation"


class BvhFormat:
    """The rig of `emc.pose.motion.rig`: one person at a constant rate; bones have their median length."""

    name = "bvh"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".bvh",)
    persons = 1
    constant_rate = True

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write one person's motion; raises `StorageError` where writing fails."""
        motion = without_holes(at_constant_rate(motions[0]))
        rig = rig_motion(motion)
        order = [i for i in _depth_first(0) if _children(i)]
        angles = np.degrees(np.unwrap(euler_zxy(rig.rotations), axis=0))[:, order].reshape(len(motion), -1)
        table = np.concatenate([rig.root, angles], axis=1)
        rows = [" ".join(f"{value:.6f}" for value in row) for row in table.tolist()]
        frame_time = f"Frame Time: {1.0 / motion.fps:.8f}"
        head = ["HIERARCHY", *_node_lines(0, rig.offsets, 0), "MOTION", f"Frames: {len(rows)}", frame_time]
        write_text(path, "\n".join([*head, *rows]) + "\n")


def _children(index: int) -> list[int]:
    return [i for i, node in enumerate(RIG_NODES) if node.parent == index]


def _depth_first(index: int) -> list[int]:
    return [index, *(found for child in _children(index) for found in _depth_first(child))]


def _node_lines(index: int, offsets: np.ndarray, depth: int) -> list[str]:
    pad = "  " * depth
    x, y, z = offsets[index].tolist()
    children = _children(index)
    if not children:
        return [f"{pad}End Site", pad + "{", f"{pad}  OFFSET {x:.6f} {y:.6f} {z:.6f}", pad + "}"]
    kind = "JOINT" if index else "ROOT"
    channels = f"3 {TURNS}" if index else f"6 Xposition Yposition Zposition {TURNS}"
    inner = [line for child in children for line in _node_lines(child, offsets, depth + 1)]
    return [
        f"{pad}{kind} {RIG_NODES[index].name}", pad + "{", f"{pad}  OFFSET {x:.6f} {y:.6f} {z:.6f}",
        f"{pad}  CHANNELS {channels}", *inner, pad + "}",
    ]  # fmt: skip
