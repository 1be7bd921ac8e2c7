"""npz: 3D motion as NumPy arrays, with units, axes and rate beside them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.errors import StorageError
from emc.pose.motion_3d import AXES, Motion3D


class Npz3dFormat:
    """Arrays ``NAME_frames``, ``_times`` (s), ``_xyz`` (T, J, 3), ``_sigma`` (T, J), ``_contact`` (T, 2); ``about``.

    ``about`` is a JSON text: units, axes, frames per second, joints, persons. Opened with ``allow_pickle=False``.
    """

    name = "npz3d"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".npz",)
    persons = 0

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write all motions into one file, whole or not at all; raises `StorageError` where writing fails."""
        about = {
            "units": "m",
            "axes": AXES,
            "fps": motions[0].fps,
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


def write_whole(path: Path, data: bytes) -> None:
    """Write bytes whole or not at all: to a temporary name, then renamed; raises `StorageError` naming the file."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}): free some space or check the folder's permissions"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
