import numpy as np
import pytest

from emc.errors import InputError
from emc.formats.motion.mocap import read_mocap, read_mocap_npz
from emc.formats.motion.recording import y_up


def test_npz_clips_by_name(tmp_path):
    walk = np.arange(2 * 17 * 3, dtype=np.float32).reshape(2, 17, 3)
    np.savez(tmp_path / "mocap.npz", **{"cmu/walk_1": walk, "deepmimic/kick": walk[:1]})
    first, second = read_mocap(tmp_path / "mocap.npz")
    assert (first.name, first.fps, second.name, second.xyz.shape) == ("cmu/walk_1", 30.0, "deepmimic/kick", (1, 17, 3))
    assert first.xyz.dtype == np.float64
    np.testing.assert_array_equal(first.xyz, walk)


def test_faults_name_the_file_and_the_clip(tmp_path):
    with pytest.raises(InputError, match="cannot read motion capture .*none.npz"):
        list(read_mocap_npz(tmp_path / "none.npz"))
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(InputError, match="text.npz"):
        list(read_mocap_npz(tmp_path / "text.npz"))
    np.savez(tmp_path / "flat.npz", kick=np.zeros((4, 32, 3)))
    with pytest.raises(InputError, match=r"clip kick is \(4, 32, 3\)"):
        list(read_mocap_npz(tmp_path / "flat.npz"))
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(InputError, match="holds no clips"):
        list(read_mocap_npz(tmp_path / "empty.npz"))
    np.savez(tmp_path / "code.npz", kick=np.array({"a": 1}, dtype=object))
    with pytest.raises(InputError, match=r"code.npz"):
        list(read_mocap_npz(tmp_path / "code.npz"))
    with pytest.raises(InputError, match=r"give a .npz, .bvh or .c3d"):
        read_mocap(tmp_path / "walk.fbx")


def test_z_up_becomes_y_up_and_stays_right_handed():
    axes = y_up(np.eye(3))
    assert axes.tolist() == [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    assert np.linalg.det(axes) == 1


@pytest.mark.shared_data
def test_the_shared_clips_stand_on_their_feet(shared_data):
    clips = list(read_mocap_npz(shared_data / "mocap" / "mocap.npz"))
    assert len(clips) == 111
    walk = next(clip for clip in clips if clip.name == "cmu/walking_6_test")
    heights = walk.xyz[:, :, 1].mean(axis=0)
    assert heights[10] > heights[0] > heights[3]
