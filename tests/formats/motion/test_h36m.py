import json

import numpy as np
import pytest

from emc.errors import InputError
from emc.formats.motion.h36m import action_name, h36m_views, motion_clips, read_keypoints, read_positions
from emc.formats.motion.h36m_cameras import read_h36m_cameras
from emc.pose.skeletons.skeleton import H36M17

# A camera at (0, -4, 1) m of a world whose z is up, looking along +y: its x is the world's x, its y points down.
LOOKING = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
PLACE = [0.0, -4.0, 1.0]


def matrices(tmp_path, distortion=(0, 0, 0, 0, 0)):
    inside = {"calibration_matrix": [[1100, 0, 510], [0, 1200, 505], [0, 0, 1]], "distortion": list(distortion)}
    # R X + t with t = -R C in millimetres.
    place = {"R": LOOKING, "t": [[0.0], [1000.0], [4000.0]]}
    document = {"intrinsics": {"54138969": inside}, "extrinsics": {"S9": {"54138969": place}}}
    (tmp_path / "cameras.json").write_text(json.dumps(document))
    return read_h36m_cameras(tmp_path / "cameras.json")["S9"][0]


def quaternions(tmp_path, **changes):
    # The rotation of the camera's axes into the world's: 90 degrees about x turned backwards.
    entry = {
        "id": "54138969", "orientation": [np.sqrt(0.5), -np.sqrt(0.5), 0, 0], "translation": [0, -4000, 1000],
        "focal_length": [1100, 1200], "center": [510, 505], "radial_distortion": [0, 0, 0],
        "tangential_distortion": [0, 0], "res_w": 1000, "res_h": 1002, **changes,
    }  # fmt: skip
    (tmp_path / "cameras.json").write_text(json.dumps({"S9": [entry], "S2": [{}]}))
    return read_h36m_cameras(tmp_path / "cameras.json")


def write_files(tmp_path, joints=32, frames=6, frames_2d=7):
    rng = np.random.default_rng(1)
    world = rng.normal(0, 0.5, (frames, joints, 3)) + [0, 0, 1]
    actions = {"Walking 1": world.astype(np.float32), "Walking": world[:3].astype(np.float32)}
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d={"S9": actions, "S11": actions})
    xy = rng.uniform(0, 1000, (frames_2d, 17, 2)).astype(np.float32)
    seen = {"Walking 1": [xy, xy + 1], "Walking": [xy[:3], xy[:3]]}
    np.savez(
        tmp_path / "data_2d_h36m_gt.npz",
        positions_2d={"S9": seen, "S11": seen},
        metadata={"layout_name": "h36m", "num_joints": 17, "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3]]},
    )
    return world, xy


def test_both_forms_give_the_same_camera(tmp_path):
    first = matrices(tmp_path)
    found = quaternions(tmp_path)
    assert sorted(found) == ["S9"]
    (second,) = found["S9"]
    for camera in (first, second):
        assert (camera.name, camera.size) == ("54138969", (1000, 1002))
        np.testing.assert_allclose(camera.rotation, LOOKING, atol=1e-12)
        np.testing.assert_allclose(camera.position, PLACE, atol=1e-12)
        # A point 4 m in front, 1 m to the right and 0.5 m up: 1100 / 4 to the right, 1200 / 8 up of the centre.
        np.testing.assert_allclose(camera.project(np.array([1.0, 0.0, 1.5])), [510 + 275, 505 - 150])
        np.testing.assert_allclose(camera.to_camera(np.array([1.0, 0.0, 1.5])), [1, -0.5, 4])
        assert np.isnan(camera.project(np.array([0.0, -5.0, 1.0]))).all()


def test_metres_and_millimetres_are_told_apart(tmp_path):
    (camera,) = quaternions(tmp_path, translation=[0, -4.0, 1.0])["S9"]
    np.testing.assert_allclose(camera.position, PLACE)


def test_lens_distortion_equals_opencvs(tmp_path):
    import cv2

    distortion = np.array([-0.2, 0.25, 0.003, -0.002, -0.05])
    camera = matrices(tmp_path, distortion)
    points = np.random.default_rng(0).normal(0, 0.6, (20, 3)) + [0, 0, 1]
    matrix = np.array([[1100, 0, 510], [0, 1200, 505], [0, 0, 1.0]])
    expected, _ = cv2.projectPoints(camera.to_camera(points), np.zeros(3), np.zeros(3), matrix, distortion)
    np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-6)


def test_positions_keep_the_joints_that_move(tmp_path):
    world, _ = write_files(tmp_path)
    positions = read_positions(tmp_path / "data_3d_h36m.npz")
    assert sorted(positions) == ["S11", "S9"]
    walking = positions["S9"]["Walking 1"]
    assert walking.shape == (6, 17, 3)
    # Of the 32: the left hip is the 7th, the crown the 16th, the right wrist the 28th.
    for joint, column in (("pelvis", 0), ("left_hip", 6), ("head_top", 15), ("right_wrist", 27)):
        np.testing.assert_allclose(walking[:, H36M17.index(joint)], world[:, column], atol=1e-6)
    clip = motion_clips(positions)[0]
    assert (clip.name, clip.fps) == ("h36m/S11/Walking", 50.0)
    np.testing.assert_allclose(clip.xyz[..., 1], positions["S11"]["Walking"][..., 2])


def test_views_cut_to_the_shorter_and_root_the_truth(tmp_path):
    world, xy = write_files(tmp_path, joints=17)
    cameras = {"S9": [matrices(tmp_path)] * 2, "S11": [matrices(tmp_path)]}
    positions, keypoints = (
        read_positions(tmp_path / "data_3d_h36m.npz"),
        read_keypoints(tmp_path / "data_2d_h36m_gt.npz"),
    )
    assert keypoints.layout == "h36m"
    views = list(h36m_views(positions, keypoints, cameras))
    assert [view.name for view in views][:2] == ["S9/Walking/54138969"] * 2
    assert len(views) == 6
    second = views[3]
    assert (second.action, second.size) == ("Walking 1", (1000, 1002))
    np.testing.assert_allclose(second.xy, xy[:6] + 1)
    expected = (world - world[:, :1]) @ np.array(LOOKING).T
    np.testing.assert_allclose(second.truth, expected, atol=1e-6)
    assert action_name(second.action) == "Walking"
    with pytest.raises(InputError, match="no cameras of subject S11: it has S9"):
        list(h36m_views(positions, keypoints, {"S9": cameras["S9"]}))


class _Harmful:
    def __reduce__(self):
        import os

        return os.mkdir, ("harm",)


def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d=np.array({"S9": _Harmful()}, dtype=object))
    with pytest.raises(InputError, match=r"data_3d_h36m.npz holds more than arrays.*posix.mkdir"):
        read_positions(tmp_path / "data_3d_h36m.npz")
    assert not (tmp_path / "harm").exists()


def test_faults_name_file_subject_and_action(tmp_path):
    with pytest.raises(InputError, match="none.npz"):
        read_positions(tmp_path / "none.npz")
    np.savez(tmp_path / "a.npz", positions_3d={"S9": {"Walking": np.zeros((3, 20, 3))}})
    with pytest.raises(InputError, match=r"S9 Walking is \(3, 20, 3\)"):
        read_positions(tmp_path / "a.npz")
    with pytest.raises(InputError, match="has no 'positions_2d'"):
        read_keypoints(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", positions_3d=np.zeros(3))
    with pytest.raises(InputError, match="b.npz"):
        read_positions(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", positions_3d={"S9": 3})
    with pytest.raises(InputError, match="not subject -> action"):
        read_positions(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", positions_2d={"S9": {"Walking": [np.zeros((3, 16, 2))]}})
    with pytest.raises(InputError, match=r"S9 Walking camera 0 is \(3, 16, 2\)"):
        read_keypoints(tmp_path / "d.npz")


@pytest.mark.parametrize(
    "changes", [{"focal_length": [1100]}, {"orientation": [1, 0, 0]}, {"center": [float("nan"), 0]}, {"res_h": None}]
)
def test_cameras_without_usable_numbers_are_told(tmp_path, changes):
    with pytest.raises(InputError, match=r"cameras.json has a camera without usable parameters"):
        quaternions(tmp_path, **changes)


def test_camera_files_that_are_none_are_told(tmp_path):
    (tmp_path / "cameras.json").write_text("[1")
    with pytest.raises(InputError, match="give a JSON file of camera parameters"):
        read_h36m_cameras(tmp_path / "cameras.json")
    (tmp_path / "cameras.json").write_text("[1]")
    with pytest.raises(InputError, match="without usable parameters"):
        read_h36m_cameras(tmp_path / "cameras.json")
