"""MOT: joint angles as OpenSim reads them.

Format: OpenSim documentation, "Motion (.mot) Files". Angles in degrees, the pelvis' place in metres, y up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emc.formats.whole_files import write_text
from emc.pose.motion import OPENSIM_COORDINATES, Motion3D, at_constant_rate, opensim_coordinates, without_holes


class MotFormat:
    """Coordinates of one person by the names of OpenSim's full-body model (Rajagopal et al., 2016)."""

    name = "mot"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".mot",)
    persons = 1
    constant_rate = True

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write one person's motion; raises `StorageError` where writing fails."""
        motion = without_holes(at_constant_rate(motions[0]))
        values = opensim_coordinates(motion)
        lines = [
            motion.name,
            "version=1",
            f"nRows={len(motion)}",
            f"nColumns={len(OPENSIM_COORDINATES) + 1}",
            "inDegrees=yes",
            "",
            f"Angles in degrees, translations in metres, y up, {motion.fps:.6g} frames per second.",
            *([f"Time: {motion.rate}."] if motion.rate else []),
            "Coordinates and signs: OpenSim full-body model of Rajagopal et al. (2016).",
            "",
            "endheader",
            "\t".join(["time", *OPENSIM_COORDINATES]),
        ]
        for row, time in enumerate(motion.times):
            lines.append("\t".join([f"{time:.6f}", *(f"{values[name][row]:.6f}" for name in OPENSIM_COORDINATES)]))
        write_text(path, "\n".join(lines) + "\n")
