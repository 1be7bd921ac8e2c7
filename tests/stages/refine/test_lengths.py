import numpy as np
import pytest
from tests.stages.refine.seen import Seen

from emc.pose.skeletons.spatial import STANDARD_LENGTHS, bone_lengths
from emc.stages.refine import solve_lengths

LIMBS = [2, 3, 5, 6, 12, 13, 15, 16]


@pytest.fixture(scope="module")
def walk():
    return Seen("walk")


def test_true_poses_give_the_true_lengths(walk):
    true = bone_lengths(walk.xyz)[0]
    assert solve_lengths([walk.evidence()])[LIMBS] == pytest.approx(true[LIMBS], rel=0.01)


def test_left_and_right_are_alike_and_the_pelvis_has_none(walk):
    xyz = walk.xyz * np.where(np.arange(17) < 4, 1.1, 1.0)[:, None]
    found = solve_lengths([walk.evidence(xyz=xyz)])
    assert found[0] == 0
    assert found[[1, 2, 3, 11, 12, 13]].tolist() == found[[4, 5, 6, 14, 15, 16]].tolist()


def test_lengths_are_solved_for_and_not_averaged():
    """Depth halved, as a lifter that doubts it answers: an average shortens every bone, the solution much less."""
    seen = Seen("squat", seconds=3.0)
    flat = seen.xyz * [1.0, 1.0, 0.5]
    true = bone_lengths(seen.xyz)[0]
    averaged = bone_lengths(flat).mean(axis=0)
    solved = solve_lengths([seen.evidence(xyz=flat)])
    lost_by_averaging = np.abs(averaged[LIMBS] / true[LIMBS] - 1).mean()
    lost_by_solving = np.abs(solved[LIMBS] / true[LIMBS] - 1).mean()
    assert lost_by_averaging > 0.06
    assert lost_by_solving < 0.6 * lost_by_averaging


def test_a_given_height_sets_the_size(walk):
    found = solve_lengths([walk.evidence(xyz=walk.xyz * 1.9 / 1.7)], height=1.90)
    assert found.sum() == pytest.approx(STANDARD_LENGTHS.sum() * 1.90 / 1.70, rel=0.01)


def test_parts_of_one_person_share_their_bones(walk):
    whole = walk.evidence()
    apart = solve_lengths([whole.part(0, 20), whole.part(30, 60)])
    assert apart[LIMBS] == pytest.approx(solve_lengths([whole])[LIMBS], rel=0.01)
