import numpy as np
import pytest
from tests.formats.motion.motions import kick

from emc.formats.motion.mot import MotFormat
from emc.pose.motion.opensim_angles import OPENSIM_COORDINATES


def test_header_and_table_are_what_opensim_reads(tmp_path):
    motion = kick()
    MotFormat().write(tmp_path / "kick.mot", [motion])
    head, _, body = (tmp_path / "kick.mot").read_text().partition("endheader\n")
    fields = dict(line.split("=") for line in head.splitlines() if "=" in line)
    lines = body.splitlines()
    assert fields == {"version": "1", "nRows": "24", "nColumns": str(1 + len(OPENSIM_COORDINATES)), "inDegrees": "yes"}
    assert lines[0].split("\t") == ["time", *OPENSIM_COORDINATES]
    table = np.array([[float(cell) for cell in line.split("\t")] for line in lines[1:]])
    assert table.shape == (24, 26)
    assert table[:, 0] == pytest.approx(motion.times, abs=1e-6)
    column = {name: table[:, 1 + i] for i, name in enumerate(OPENSIM_COORDINATES)}
    assert column["pelvis_ty"] == pytest.approx(motion.xyz[:, 0, 1], abs=1e-6)
    # The right thigh swings from 10 to 120 degrees while the knee goes from 80 to 0.
    assert column["knee_angle_r"][[0, -1]] == pytest.approx([80, 0], abs=1e-3)
    assert column["knee_angle_l"] == pytest.approx(0, abs=1e-4)
