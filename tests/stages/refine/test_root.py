import numpy as np
import pytest
from tests.stages.refine.seen import FOCAL, SIZE, Seen

from emc.pose.motion.sequences import LiftedSequence
from emc.stages.refine import Camera2D, refine_sequence
from emc.stages.refine.root import place_root, reachable, solve_root


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


def test_a_spell_that_shows_somebody_nearer_is_passed_over(walk):
    xy = walk.xy.copy()
    middle = xy[18:24, 11:13].mean(axis=1, keepdims=True)
    xy[18:24] = middle + 2.0 * (xy[18:24] - middle)
    found, believed = place_root(walk.evidence(xy=xy))
    assert np.flatnonzero(~believed).tolist() == [18, 19, 20, 21, 22, 23]
    straight = np.linspace(walk.root[17], walk.root[24], 8)[1:-1]
    assert found[18:24] == pytest.approx(straight, abs=1e-6)
    frames = np.arange(len(xy), dtype=np.int64)
    lifted = LiftedSequence(0, frames, walk.xyz.astype(np.float32), np.ones(len(xy), dtype=np.float32))
    camera = Camera2D(SIZE, walk.fps, FOCAL)
    refined = refine_sequence(lifted, xy, walk.confidence, camera, ("root", "bones", "fit", "smooth"))
    assert np.linalg.norm(np.diff(refined.root, axis=0), axis=1).max() < 0.2


def test_the_longest_way_that_somebody_can_have_gone():
    root = np.zeros((8, 3))
    root[:, 2] = [5.0, 5.1, 9.0, 9.0, 5.2, 5.3, 1.0, 5.4]
    good = np.array([True, True, True, True, True, False, True, True])
    kept = reachable(root, good, fps=30.0)
    assert kept.tolist() == [True, True, False, False, True, False, False, True]
    # The same places with seconds between them: anyone gets there.
    assert reachable(root, good, fps=1.0).tolist() == good.tolist()
    assert not reachable(root, np.zeros(8, dtype=bool), fps=30.0).any()
