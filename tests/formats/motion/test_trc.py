import numpy as np
import pytest
from tests.formats.motion.motions import kick, with_hole

from emc.formats.motion.trc import TrcFormat
from emc.pose.skeletons.skeleton import H36M17


def read_trc(path):
    """Parse a TRC file by OpenSim's description alone: header fields by name, cells by tab."""
    lines = path.read_text(encoding="utf-8").split("\n")
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    names = [name for name in lines[3].split("\t")[2:] if name]
    rows = [line.split("\t") for line in lines[6:] if line]
    cells = np.array([[float(c) if c else np.nan for c in row[2:]] for row in rows])
    return header, names, lines[4].split("\t"), np.array([float(r[1]) for r in rows]), cells.reshape(len(rows), -1, 3)


def test_markers_come_back(tmp_path):
    motion = kick()
    TrcFormat().write(tmp_path / "kick.trc", [motion])
    header, names, axes, times, xyz = read_trc(tmp_path / "kick.trc")
    assert header["Units"] == "m"
    assert (header["DataRate"], header["NumFrames"], header["NumMarkers"]) == ("30", "24", "17")
    assert names == list(H36M17.joints)
    assert axes[:6] == ["", "", "X1", "Y1", "Z1", "X2"]
    assert times == pytest.approx(np.arange(24) / 30, abs=1e-6)
    assert xyz == pytest.approx(motion.xyz, abs=1e-6)


def test_missing_marker_is_an_empty_cell(tmp_path):
    TrcFormat().write(tmp_path / "kick.trc", [with_hole(kick(), 3, 13)])
    _, _, _, _, xyz = read_trc(tmp_path / "kick.trc")
    assert np.isnan(xyz[3, 13]).all()
    assert np.isfinite(xyz).sum() == 24 * 17 * 3 - 3
