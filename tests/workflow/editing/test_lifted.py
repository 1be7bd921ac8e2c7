from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.records import Pose
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.workflow.editing.lifted import projected


def flat() -> tuple[np.ndarray, Pose]:
    """Return a made-up 3D pose, and the 2D pose that a distant camera sees of it at 200 pixels per metre."""
    rng = np.random.default_rng(2)
    xyz = rng.uniform(-0.8, 0.8, (17, 3))
    xy = np.full((17, 2), np.nan, np.float32)
    for i, name in enumerate(COCO17.joints):
        if name in H36M17.joints:
            xy[i] = 200 * xyz[H36M17.index(name), :2] + (320, 240)
    visibility = np.where(np.isfinite(xy[:, 0]), 2, 0).astype(np.int8)
    return xyz, Pose(0, 0, xy, visibility, np.zeros(17, np.int8), box=np.array([100, 50, 300, 400.0]))


def test_scale_and_places_are_found_again() -> None:
    xyz, pose = flat()
    lifted = projected(xyz, pose)
    assert lifted.scale == pytest.approx(200, rel=1e-4)
    np.testing.assert_allclose(lifted.pixel, 200 * xyz[:, :2] + (320, 240), atol=0.05)
    assert np.isfinite(lifted.off).sum() == 12
    np.testing.assert_allclose(lifted.off[5:], 0, atol=0.05)
    assert lifted.side == 400


def test_one_wrong_joint_stands_out_and_spoils_no_other() -> None:
    xyz, pose = flat()
    pose.xy[15] += (80, 0)
    lifted = projected(xyz, pose)
    assert lifted.off[15] == pytest.approx(80, abs=3)
    assert np.delete(lifted.off[5:], 10).max() < 3


def test_too_few_joints_are_refused() -> None:
    xyz, pose = flat()
    pose.visibility[8:] = 0
    with pytest.raises(UsageError, match="3 limb joints"):
        projected(xyz, pose)
