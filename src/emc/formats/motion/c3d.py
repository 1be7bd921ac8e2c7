"""C3D: marker trajectories as laboratories exchange them.

Format: "The C3D File Format, User Guide", Motion Lab Systems, and https://www.c3d.org. Written here, as Intel floats:
millimetres (``POINT:UNITS``), y up (``POINT:Y_SCREEN``), the rate in ``POINT:RATE``; a missing marker is at the origin
with the residual -1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.formats.whole_files import write_whole
from emc.pose.motion import MOTION_AXES, Motion3D, at_constant_rate

MM = 1000.0
BLOCK = 512
INTEL = 84
_WORD_MOST = 65535


class C3dFormat:
    """The 17 joints as points of one person, at a constant rate."""

    name = "c3d"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".c3d",)
    persons = 1
    constant_rate = True

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write one person's motion; raises `StorageError` where writing fails."""
        motion = at_constant_rate(motions[0])
        # The parameters say at which block the data starts, so they are laid out once to count their blocks.
        blocks = len(_parameters(motion, 0)) // BLOCK
        start = 2 + blocks
        write_whole(path, _header(motion, start) + _parameters(motion, start) + _data(motion))


def _header(motion: Motion3D, start: int) -> bytes:
    last = min(len(motion), _WORD_MOST)
    # A negative scale says that the data are floats.
    words = struct.pack("<BBHHHHHfHHf", 2, 80, len(motion.joints), 0, 1, last, 0, -1.0, start, 0, motion.fps)
    return words + bytes(BLOCK - len(words))


def _parameters(motion: Motion3D, start: int) -> bytes:
    """Return the parameter section, padded to whole blocks."""
    frames = len(motion)
    split = (frames % 65536, frames // 65536)
    groups = {
        "POINT": [
            _words("USED", [len(motion.joints)]),
            _floats("SCALE", [-1.0]),
            _floats("RATE", [motion.fps]),
            _words("DATA_START", [start]),
            _words("FRAMES", [min(frames, _WORD_MOST)]),
            _texts("LABELS", motion.joints),
            _texts("DESCRIPTIONS", [joint.replace("_", " ") for joint in motion.joints]),
            _texts("UNITS", ["mm"]),
            _texts("X_SCREEN", ["+X"]),
            _texts("Y_SCREEN", ["+Y"]),
        ],
        "ANALOG": [_words("USED", [0]), _floats("RATE", [0.0]), _floats("GEN_SCALE", [1.0])],
        "FORCE_PLATFORM": [_words("USED", [0])],
        "TRIAL": [
            _words("ACTUAL_START_FIELD", [1, 0]),
            _words("ACTUAL_END_FIELD", list(split)),
            _floats("CAMERA_RATE", [motion.fps]),
        ],
        "MANUFACTURER": [_texts("COMPANY", ["EMC"]), _texts("SOFTWARE", ["EMC"])],
        "EMC": [
            _texts("AXES", [MOTION_AXES]),
            _texts("SUBJECT", [motion.name]),
            *([_texts("TIME", [motion.rate])] if motion.rate else []),
        ],
    }
    body = b""
    for number, (name, parameters) in enumerate(groups.items(), start=1):
        body += struct.pack("<bb", len(name), -number) + name.encode("ascii") + struct.pack("<hB", 3, 0)
        for title, content in parameters:
            # The offset counts from its own first byte to the next entry; no description (its length is 0).
            body += struct.pack("<bb", len(title), number) + title.encode("ascii")
            body += struct.pack("<h", len(content) + 3) + content + b"\0"
    body += bytes(2)
    blocks = -(-(len(body) + 4) // BLOCK)
    head = struct.pack("<BBBB", 1, 80, blocks, INTEL)
    return head + body + bytes(blocks * BLOCK - len(body) - 4)


def _words(name: str, values: Sequence[int]) -> tuple[str, bytes]:
    return name, struct.pack("<bB", 2, 1) + bytes([len(values)]) + np.array(values, dtype="<u2").tobytes()


def _floats(name: str, values: Sequence[float]) -> tuple[str, bytes]:
    if len(values) == 1:
        return name, struct.pack("<bBf", 4, 0, values[0])
    return name, struct.pack("<bBB", 4, 1, len(values)) + np.array(values, dtype="<f4").tobytes()


def _texts(name: str, values: Sequence[str]) -> tuple[str, bytes]:
    width = max(len(value) for value in values)
    cells = b"".join(value.encode("ascii", "replace").ljust(width) for value in values)
    if len(values) == 1:
        return name, struct.pack("<bBB", -1, 1, width) + cells
    return name, struct.pack("<bBBB", -1, 2, width, len(values)) + cells


def _data(motion: Motion3D) -> bytes:
    known = np.asarray(np.isfinite(motion.xyz).all(axis=-1))
    cells = np.zeros((*known.shape, 4), dtype="<f4")
    cells[..., :3] = np.where(known[..., None], motion.xyz * MM, 0.0)
    cells[..., 3] = np.where(known, 0.0, -1.0)
    raw = cells.tobytes()
    return raw + bytes(-len(raw) % BLOCK)
