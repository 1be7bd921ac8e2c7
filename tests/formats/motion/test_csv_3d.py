import csv
from dataclasses import replace

import numpy as np
import pytest
from tests.formats.motion.motions import kick, with_hole

from emc.formats.motion.csv_3d import Csv3dFormat


def test_rows_come_back(tmp_path):
    motion = replace(with_hole(kick(), 7, 2), sigma=np.full((24, 17), 0.025))
    Csv3dFormat().write(tmp_path / "motion.csv", [motion, kick(5, name="p1")])
    text = (tmp_path / "motion.csv").read_text()
    comment, _, table = text.partition("\n")
    assert comment == "# EMC 3D motion; metres; x right, y up, z towards the camera; 30 frames per second"
    rows = list(csv.DictReader(table.splitlines()))
    assert len(rows) == 29
    assert [rows[7][f"right_knee_{axis}_m"] for axis in "xyz"] == ["", "", ""]
    assert rows[0]["pelvis_sigma_mm"] == "25.00"
    assert rows[24]["person"] == "p1" and rows[24]["pelvis_sigma_mm"] == ""
    found = [float(rows[23][f"right_ankle_{axis}_m"]) for axis in "xyz"]
    assert found == pytest.approx(motion.xyz[23, 3].tolist(), abs=1e-6)
    assert float(rows[23]["time_s"]) == pytest.approx(23 / 30, abs=1e-6)
