"""TRC: marker trajectories as OpenSim reads them.

Format: OpenSim documentation, "Marker (.trc) Files". Metres, y up; a missing marker is an empty cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.formats.whole_files import write_text
from emc.pose.motion import Motion3D, at_constant_rate


class TrcFormat:
    """The 17 joints as markers of one person, at a constant rate."""

    name = "trc"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".trc",)
    persons = 1
    constant_rate = True

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write one person's motion; raises `StorageError` where writing fails."""
        motion = at_constant_rate(motions[0])
        count, markers = len(motion), len(motion.joints)
        rate, own = f"{motion.fps:.6g}", f"{motions[0].fps:.6g}"
        # The format has no room for words but behind the name of its file.
        told = f" ({motion.rate})" if motion.rate else ""
        lines = [
            f"PathFileType\t4\t(X/Y/Z)\t{path.name}{told}",
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
            f"{rate}\t{rate}\t{count}\t{markers}\tm\t{own}\t1\t{len(motions[0])}",
            "Frame#\tTime\t" + "\t\t\t".join(motion.joints) + "\t\t",
            "\t\t" + "\t".join(f"{axis}{i}" for i in range(1, markers + 1) for axis in "XYZ"),
            "",
        ]
        for number, (time, points) in enumerate(zip(motion.times, motion.xyz, strict=True), start=1):
            cells = [f"{v:.6f}" if np.isfinite(v) else "" for v in points.ravel().tolist()]
            lines.append("\t".join([str(number), f"{time:.6f}", *cells]))
        write_text(path, "\n".join(lines) + "\n")
