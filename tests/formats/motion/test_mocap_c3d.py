from pathlib import Path

import numpy as np
import pytest

from emc.errors import InputError
from emc.formats.motion.mocap import read_mocap
from emc.formats.motion.mocap_c3d import hip_centre, human36m_from_markers, with_y_up
from emc.pose.skeletons.skeleton import H36M17

GAIT = {
    "LASI": (-0.12, 0.10, 1.0), "RASI": (0.12, 0.10, 1.0), "LPSI": (-0.05, -0.10, 1.0), "RPSI": (0.05, -0.10, 1.0),
    "T10": (0, -0.1, 1.25), "STRN": (0, 0.1, 1.25), "C7": (0, -0.05, 1.5), "CLAV": (0, 0.05, 1.4),
    "LFHD": (-0.07, 0.1, 1.7), "RFHD": (0.07, 0.1, 1.7), "LBHD": (-0.07, -0.1, 1.7), "RBHD": (0.07, -0.1, 1.7),
    **{f"{s}{name}": (x * sign, 0.0, z) for s, sign in (("L", -1), ("R", 1)) for name, x, z in (
        ("KNE", 0.1, 0.55), ("ANK", 0.1, 0.1), ("SHO", 0.2, 1.4), ("ELB", 0.2, 1.1), ("WRA", 0.18, 0.85),
        ("WRB", 0.22, 0.85),
    )},
}  # fmt: skip


def write_c3d(path, markers, frames=3, missing=()):
    """Markers (metres, z up) as a C3D file in millimetres; `missing`: (frame, label) that were not seen."""
    c3d = pytest.importorskip("c3d", reason="C3D files need the package c3d (extra c3d)")
    writer = c3d.Writer(point_rate=100)
    writer.set_point_labels(list(markers))
    for frame in range(frames):
        points = np.zeros((len(markers), 5), dtype=np.float32)
        for row, (label, place) in zip(points, markers.items(), strict=True):
            row[:3] = np.array(place) * 1000 + [frame, 0, 0]
            row[3] = -1 if (frame, label) in missing else 0
        writer.add_frames([(points, np.zeros((0, 0)))])
    writer.set_screen_axis("+X", "+Z")
    with path.open("wb") as file:
        writer.write(file)


def test_gait_markers_become_joints_y_up(tmp_path):
    write_c3d(
        tmp_path / "gait.c3d", {f"Anna:{label}": place for label, place in GAIT.items()}, missing={(1, "Anna:LKNE")}
    )
    (clip,) = read_mocap(tmp_path / "gait.c3d")
    assert (clip.name, clip.fps, clip.xyz.shape) == ("gait", 100.0, (3, 17, 3))
    first = dict(zip(H36M17.joints, clip.xyz[0], strict=True))
    heights = {"pelvis": 1.0, "left_knee": 0.55, "right_ankle": 0.1, "thorax": 1.45, "head_top": 1.7}
    heights |= {"left_wrist": 0.85, "spine": 1.25, "neck_nose": 1.575}
    assert {joint: pytest.approx(first[joint][1], abs=1e-4) for joint in heights} == heights
    # One millimetre a frame along the laboratory's x, which is an axis of the floor.
    step = clip.xyz[1, 0] - clip.xyz[0, 0]
    assert np.linalg.norm(step) == pytest.approx(0.001, rel=1e-3) and abs(step[1]) < 1e-6
    assert np.isnan(clip.xyz[1, H36M17.index("left_knee")]).all()
    assert np.isfinite(np.delete(clip.xyz, H36M17.index("left_knee"), axis=1)).all()


def test_hip_centres_by_hand() -> None:
    # The front markers 0.2 m apart: the hips 28 mm inwards, 38 mm back, 60 mm down from them.
    markers = {"LASI": np.array([[-0.1, 0.1, 1.0]]), "RASI": np.array([[0.1, 0.1, 1.0]])}
    pelvis = np.array([[0.0, 0.0, 1.0]])
    np.testing.assert_allclose(hip_centre(markers, pelvis, "left"), [[-0.072, 0.062, 0.94]])
    np.testing.assert_allclose(hip_centre(markers, pelvis, "right"), [[0.072, 0.062, 0.94]])


def test_joints_under_their_own_names_come_first() -> None:
    own = {joint.replace("_", "").upper(): np.full((2, 3), float(i)) for i, joint in enumerate(H36M17.joints)}
    points = human36m_from_markers(own | {"LKNE": np.zeros((2, 3))}, Path("x.c3d"))
    np.testing.assert_array_equal(points[:, :, 0], [list(range(17))] * 2)


@pytest.mark.parametrize("up", ["+X", "-X", "+Y", "-Y", "+Z", "-Z"])
def test_the_named_axis_becomes_up_and_hands_stay(up: str) -> None:
    vector = np.zeros(3)
    vector["XYZ".index(up[1])] = 1.0 if up[0] == "+" else -1.0
    np.testing.assert_allclose(with_y_up(vector, up), [0, 1, 0])
    assert np.linalg.det(with_y_up(np.eye(3), up)) == pytest.approx(1)


def test_faults_name_the_file(tmp_path):
    pytest.importorskip("c3d", reason="C3D files need the package c3d (extra c3d)")
    (tmp_path / "text.c3d").write_bytes(b"no c3d file" * 100)
    with pytest.raises(InputError, match=r"text.c3d"):
        read_mocap(tmp_path / "text.c3d")
    with pytest.raises(InputError, match=r"none.c3d"):
        read_mocap(tmp_path / "none.c3d")
    write_c3d(tmp_path / "few.c3d", {label: GAIT[label] for label in ("LASI", "RASI", "LKNE")})
    with pytest.raises(InputError, match="no markers for pelvis, right_knee.*it has LASI"):
        read_mocap(tmp_path / "few.c3d")
