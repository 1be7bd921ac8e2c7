"""npz: 3D motion as NumPy arrays, with units, axes and rate beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.formats.whole_files import write_whole
from emc.pose.motion import MOTION_AXES, Motion3D


class Npz3dFormat:
    """Arrays ``NAME_frames``, ``_times`` (s), ``_xyz`` (T, J, 3), ``_sigma`` (T, J), ``_contact`` (T, 2); ``about``.

    ``about`` is a JSON text: units, axes, frames per second (null: no rate), where it is from, joints,
    persons. Opened with ``allow_pickle=False``.
    """

    name = "npz3d"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".npz",)
    persons = 0
    timed = False

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write all motions into one file, whole or not at all; raises `StorageError` where writing fails."""
        about = {
            "units": "m",
            "axes": MOTION_AXES,
            "fps": motions[0].fps or None,
            "rate": motions[0].rate or ("" if motions[0].fps else "no rate: frames are counted, times are NaN"),
            "joints": list(motions[0].joints),
            "persons": [motion.name for motion in motions],
        }
        arrays: dict[str, np.ndarray] = {"about": np.array(json.dumps(about))}
        for motion in motions:
            for field in ("frames", "times", "xyz", "sigma", "contact"):
                value = getattr(motion, field)
                if value is not None:
                    arrays[f"{motion.name}_{field}"] = value
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
        write_whole(path, buffer.getvalue())
