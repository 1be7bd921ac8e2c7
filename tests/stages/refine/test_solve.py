import numpy as np
import pytest
from tests.stages.refine.seen import Seen, mm

from emc.pose.motion.angles import joint_angles
from emc.pose.skeletons.spatial import bone_lengths, length_spread, pelvis_axes, swing_forward
from emc.stages.refine import solve_motion, solve_root


@pytest.fixture(scope="module")
def walk():
    return Seen("walk")


def solved(seen, evidence, terms, contact=None):
    lengths = bone_lengths(seen.xyz)[0]
    return solve_motion(evidence, solve_root(evidence), terms, lengths, contact)


def test_without_terms_the_lifter_has_the_last_word(walk):
    wrong = walk.xyz + 0.01 * np.arange(17)[:, None]
    _, xyz = solved(walk, walk.evidence(xyz=wrong - wrong[:, :1]), ())
    assert xyz == pytest.approx(wrong - wrong[:, :1], abs=1e-6)


def test_the_truth_stays_where_it_is(walk):
    root, xyz = solved(walk, walk.evidence(), ("bones", "limits", "fit", "smooth"))
    assert mm(xyz, walk.xyz) < 6
    assert mm(root, walk.root) < 25


def test_bones_keep_their_length(walk):
    rng = np.random.default_rng(0)
    noisy = walk.xyz + rng.normal(0, 0.03, walk.xyz.shape)
    evidence = walk.evidence(xyz=noisy - noisy[:, :1])
    _, xyz = solved(walk, evidence, ("bones",))
    assert length_spread(evidence.xyz)[[2, 3, 12, 13]].min() > 0.05
    assert length_spread(xyz)[[2, 3, 12, 13]].max() < 0.01
    assert mm(xyz, walk.xyz) < mm(evidence.xyz, walk.xyz)


def test_fit_and_bones_bring_back_lost_depth(walk):
    flat = walk.xyz * [1.0, 1.0, 0.6]
    evidence = walk.evidence(xyz=flat)
    _, xyz = solved(walk, evidence, ("bones", "fit"))
    assert mm(xyz, walk.xyz) < 0.75 * mm(flat, walk.xyz)


def test_a_stray_2d_joint_is_outvoted(walk):
    xy = walk.xy.copy()
    xy[30, 9] += (90, 0)
    _, xyz = solved(walk, walk.evidence(xy=xy), ("bones", "fit", "smooth"))
    assert np.linalg.norm(xyz[30, 13] - walk.xyz[30, 13]) < 0.10


def test_no_knee_bends_forwards(walk):
    bent = walk.xyz.copy()
    thigh = bent[:, 2] - bent[:, 1]
    forward = np.cross(bent[:, 4] - bent[:, 1], bent[:, 8])
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    bent[:, 3] = bent[:, 2] + 0.8 * thigh + 0.25 * forward
    lengths = bone_lengths(walk.xyz)[0]
    evidence = walk.evidence(xyz=bent, xy=np.full_like(walk.xy, np.nan))
    root = np.tile([0.0, 0.0, 5.0], (len(bent), 1))
    _, xyz = solve_motion(evidence, root, ("limits",), lengths)

    def ahead(points):
        way = swing_forward(pelvis_axes(points), points[:, 2] - points[:, 1])
        return ((points[:, 3] - points[:, 2]) * way).sum(axis=1) / lengths[3]

    assert ahead(bent).min() > 0.3
    assert ahead(xyz).max() < 0.22
    assert ahead(walk.xyz).max() < 1e-6


def test_no_elbow_folds_through_itself(walk):
    folded = walk.xyz.copy()
    folded[:, 16] = folded[:, 14] + 0.02 * (folded[:, 15] - folded[:, 14])
    lengths = bone_lengths(walk.xyz)[0]
    evidence = walk.evidence(xyz=folded, xy=np.full_like(walk.xy, np.nan))
    root = np.tile([0.0, 0.0, 5.0], (len(folded), 1))
    _, xyz = solve_motion(evidence, root, ("bones", "limits"), lengths)
    flexion = joint_angles(xyz)["right_elbow"]
    assert joint_angles(folded)["right_elbow"].min() > 175
    assert flexion.max() < 165


def test_a_standing_foot_is_held():
    walk = Seen("stand")
    rng = np.random.default_rng(1)
    xy = walk.xy + rng.normal(0, 4, walk.xy.shape)
    contact = np.zeros((len(xy), 2))
    contact[20:40, 0] = 1.0
    slides = []
    for terms in (("bones", "fit", "smooth"), ("bones", "fit", "smooth", "contacts")):
        root, xyz = solved(walk, walk.evidence(xy=xy), terms, contact)
        slides.append(np.linalg.norm(np.diff((root + xyz[:, 3])[20:40], axis=0), axis=1).mean())
    assert slides[1] < 0.5 * slides[0]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_the_shortest_clips_work(walk, frames):
    evidence = walk.evidence().part(0, frames)
    _, xyz = solved(walk, evidence, ("bones", "limits", "fit", "smooth", "contacts"), np.ones((frames, 2)))
    assert mm(xyz, walk.xyz[:frames]) < 10
