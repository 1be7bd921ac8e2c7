import numpy as np
import pytest
from tests.stages.refine.seen import Seen

from emc.pose.motion.ground import height_above, tilt_between
from emc.stages.refine import find_contacts
from emc.stages.refine.contacts import stretches


def test_stretches_are_half_open():
    flags = np.array([True, True, False, False, True, False, True])
    assert stretches(flags) == [(0, 2), (4, 5), (6, 7)]
    assert stretches(np.zeros(3, dtype=bool)) == []


@pytest.mark.parametrize("eye", [(1.0, 1.4, 5.0), (2.0, 3.2, 4.5)])
def test_a_kick_shows_its_floor_and_which_foot_stands(eye):
    seen = Seen("side_kick", seconds=3.0, eye=eye)
    contact, floor = find_contacts(seen.root, seen.xyz, 30.0, 1.70)
    assert tilt_between(floor, seen.floor) < 6
    ankles = seen.root[:, None] + seen.xyz[:, [3, 6]]
    speed = np.linalg.norm(np.gradient(ankles, axis=0), axis=-1) * 30
    height = height_above(ankles, seen.floor)
    stands = (speed < 0.15) & (height < 0.10)
    assert stands.sum() > 40
    assert (contact[stands] > 0.5).mean() > 0.9
    assert (contact[height > 0.3] == 0).all()
    # Only speed across the line of sight is judged, so a true speed may be a little above the limit.
    assert (speed[contact > 0.5] < 0.8).all()


def test_a_raised_foot_that_rests_does_not_stand():
    seen = Seen("stand", seconds=2.0)
    xyz = seen.xyz.copy()
    xyz[:, 3] = xyz[:, 2] + [0.0, -0.1, -0.38]
    contact, _ = find_contacts(seen.root, xyz, 30.0, 1.70)
    assert contact[:, 0].max() < 0.5
    assert contact[:, 1].mean() > 0.8


def test_too_few_frames_have_no_contact():
    seen = Seen("stand", seconds=0.5)
    contact, floor = find_contacts(seen.root[:2], seen.xyz[:2], 30.0, 1.70)
    assert (contact == 0).all()
    assert floor[:3].tolist() == [0, -1, 0]
