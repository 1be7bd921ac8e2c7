"""CSV: 3D motion as a table, one row per person and frame."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.formats.whole_files import write_text
from emc.pose.motion import MOTION_AXES, Motion3D


class Csv3dFormat:
    """Columns ``person, frame, time_s``, then ``<joint>_x_m, _y_m, _z_m`` and ``<joint>_sigma_mm``; missing = empty.

    The first line is a comment (``#``) with units, axes and rate: pandas reads the file with ``comment="#"``.
    """

    name = "csv3d"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".csv",)
    persons = 0
    timed = False

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write all motions into one table; raises `StorageError` where writing fails."""
        out = io.StringIO()
        fps, rate = motions[0].fps, motions[0].rate
        words = f"{fps:.6g} frames per second" if fps else "no rate: frames are counted, time_s is empty"
        out.write(f"# EMC 3D motion; metres; {MOTION_AXES}; {words}{f'; {rate}' if rate else ''}\n")
        table = csv.writer(out, lineterminator="\n")
        places = [f"{joint}_{axis}_m" for joint in motions[0].joints for axis in "xyz"]
        table.writerow(["person", "frame", "time_s", *places, *(f"{joint}_sigma_mm" for joint in motions[0].joints)])
        for motion in motions:
            sigma = np.full(motion.xyz.shape[:2], np.nan) if motion.sigma is None else motion.sigma * 1000.0
            for row in range(len(motion)):
                table.writerow([
                    motion.name, int(motion.frames[row]), *_cells(motion.times[row : row + 1], 6),
                    *_cells(motion.xyz[row].ravel(), 6), *_cells(sigma[row], 2),
                ])  # fmt: skip
        write_text(path, out.getvalue())


def _cells(values: np.ndarray, places: int) -> list[str]:
    return [f"{value:.{places}f}" if np.isfinite(value) else "" for value in values.tolist()]
