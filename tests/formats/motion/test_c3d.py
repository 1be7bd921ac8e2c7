import numpy as np
import pytest
from tests.formats.motion.motions import kick, with_hole

from emc.formats.motion.c3d import C3dFormat
from emc.pose.skeletons.skeleton import H36M17

c3d = pytest.importorskip("c3d", reason="the reader c3d is not installed")


def read(path):
    with path.open("rb") as file:
        reader = c3d.Reader(file)
        frames = [points for _, points, _ in reader.read_frames()]
        units = reader.get("POINT:UNITS").string_value.strip()
        return reader, np.array(frames), units


def test_points_come_back_through_an_independent_reader(tmp_path):
    motion = kick()
    C3dFormat().write(tmp_path / "kick.c3d", [motion])
    reader, points, units = read(tmp_path / "kick.c3d")
    assert reader.point_rate == 30
    assert units == "mm"
    assert [label.strip() for label in reader.point_labels] == list(H36M17.joints)
    assert reader.get("POINT:Y_SCREEN").string_value.strip() == "+Y"
    assert points[:, :, :3] / 1000 == pytest.approx(motion.xyz, abs=1e-6)


def test_a_missing_marker_has_the_residual_minus_one(tmp_path):
    C3dFormat().write(tmp_path / "kick.c3d", [with_hole(kick(), 5, 3)])
    _, points, _ = read(tmp_path / "kick.c3d")
    assert points[5, 3, 3] == -1
    assert (points[:, :, 3] < 0).sum() == 1


def test_it_is_motion_capture_to_our_own_reader(tmp_path):
    from emc.formats.motion.mocap import read_mocap

    motion = kick()
    C3dFormat().write(tmp_path / "kick.c3d", [motion])
    (clip,) = read_mocap(tmp_path / "kick.c3d")
    assert clip.fps == 30
    assert clip.xyz == pytest.approx(motion.xyz, abs=1e-5)


def test_ezc3d_reads_it_as_well(tmp_path):
    ezc3d = pytest.importorskip("ezc3d", reason="a second reader, only where it is installed")
    motion = with_hole(kick(), 5, 3)
    C3dFormat().write(tmp_path / "kick.c3d", [motion])
    document = ezc3d.c3d(str(tmp_path / "kick.c3d"))
    points = document["data"]["points"][:3].transpose(2, 1, 0) / 1000
    assert document["parameters"]["POINT"]["RATE"]["value"][0] == 30
    assert np.isnan(points[5, 3]).all()
    known = np.isfinite(motion.xyz)
    assert points[known] == pytest.approx(motion.xyz[known], abs=1e-6)
