import numpy as np
import pytest
from seen import Seen

from emc.stages.refine import solve_root


@pytest.fixture(scope="module")
def walk():
    return Seen("walk")


def test_exact_joints_give_the_exact_place(walk):
    assert solve_root(walk.evidence()) == pytest.approx(walk.root, abs=1e-6)


def test_a_pose_twice_as_large_stands_twice_as_far(walk):
    assert solve_root(walk.evidence(xyz=2 * walk.xyz)) == pytest.approx(2 * walk.root, abs=1e-5)


def test_a_stray_joint_moves_it_little(walk):
    xy = walk.xy.copy()
    xy[10, 15] += (80, -60)
    off = np.linalg.norm(solve_root(walk.evidence(xy=xy))[10] - walk.root[10])
    assert off < 0.15


def test_frames_with_too_few_joints_are_bridged(walk):
    xy = walk.xy.copy()
    xy[20:23, 3:] = np.nan
    found = solve_root(walk.evidence(xy=xy))
    assert found[19] == pytest.approx(walk.root[19], abs=1e-6)
    middle = walk.root[19] + (walk.root[23] - walk.root[19]) * 0.5
    assert found[21] == pytest.approx(middle, abs=1e-6)


def test_nobody_seen_stands_four_metres_away(walk):
    found = solve_root(walk.evidence(xy=np.full_like(walk.xy, np.nan)))
    assert (found == [0, 0, 4]).all()
