import json

import numpy as np
import pytest
from tests.formats.motion.motions import kick, with_hole

from emc.errors import StorageError
from emc.formats.motion.npz_3d import Npz3dFormat


def test_arrays_and_what_they_mean_come_back(tmp_path):
    first, second = kick(), with_hole(kick(10, name="p3", first=4), 2, 0)
    Npz3dFormat().write(tmp_path / "two.npz", [first, second])
    with np.load(tmp_path / "two.npz", allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        assert about["units"] == "m" and about["fps"] == 30 and about["persons"] == ["p0", "p3"]
        assert about["axes"] == "x right, y up, z towards the camera"
        assert np.array_equal(arrays["p0_xyz"], first.xyz)
        assert np.array_equal(arrays["p3_xyz"], second.xyz, equal_nan=True)
        assert arrays["p3_frames"].tolist() == list(range(4, 14))
        assert "p0_sigma" not in arrays.files


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(StorageError, match="nowhere"):
        Npz3dFormat().write(tmp_path / "nowhere" / "two.npz", [kick()])
