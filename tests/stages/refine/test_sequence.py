import numpy as np
import pytest
from tests.stages.refine.seen import FOCAL, SIZE, Seen, mm

import emc.stages.refine.sequence as module
from emc.errors import UsageError
from emc.pose.motion.sequences import LiftedSequence
from emc.pose.skeletons.spatial import bone_lengths, length_spread, stature_of
from emc.stages.refine import Camera2D, refine_sequence

DEFAULT = ("root", "bones", "fit", "smooth", "contacts")
CAMERA = Camera2D(SIZE, 30.0, FOCAL)


def lifted(xyz, frames=None):
    frames = np.arange(len(xyz)) if frames is None else np.asarray(frames)
    return LiftedSequence(4, frames, xyz.astype(np.float32), np.ones(len(xyz), dtype=np.float32))


@pytest.fixture(scope="module")
def kick():
    return Seen("front_kick", seconds=2.0)


@pytest.fixture(scope="module")
def noisy(kick):
    """Depth too flat and jittery, 2D with errors of some pixels: what a lifter answers on uncommon motion."""
    rng = np.random.default_rng(3)
    xyz = kick.xyz * [1.0, 1.0, 0.75] + rng.normal(0, 0.02, kick.xyz.shape)
    return lifted(xyz - xyz[:, :1]), kick.xy + rng.normal(0, 3.0, kick.xy.shape)


def test_the_default_comes_closer_to_the_truth(kick, noisy):
    sequence, xy = noisy
    found = refine_sequence(sequence, xy, kick.confidence, CAMERA, DEFAULT)
    assert mm(found.xyz, kick.xyz) < 0.6 * mm(sequence.xyz, kick.xyz)
    assert length_spread(found.xyz)[[2, 3, 5, 6]].max() < 0.01
    assert mm(found.root, kick.root) < 150
    assert found.person == 4 and found.xyz.dtype == np.float32
    assert (found.xyz[:, 0] == 0).all()
    assert np.linalg.norm(found.floor[:3]) == pytest.approx(1)
    assert ((found.contact >= 0) & (found.contact <= 1)).all()


def test_the_peak_of_a_kick_keeps_its_height():
    def peak(xyz):
        return np.linalg.norm(np.diff(xyz[:, [3, 6]], axis=0), axis=-1).max() * 30

    kept = {DEFAULT: [], ("savgol",): []}
    for number, name in enumerate(("front_kick", "side_kick")):
        seen = Seen(name, seconds=1.5, seed=1)
        rng = np.random.default_rng(number)
        xyz = seen.xyz + rng.normal(0, 0.004, seen.xyz.shape)
        xy = seen.xy + rng.normal(0, 1.0, seen.xy.shape)
        for names, shares in kept.items():
            found = refine_sequence(lifted(xyz - xyz[:, :1]), xy, seen.confidence, CAMERA, names)
            shares.append(peak(found.xyz) / peak(seen.xyz))
    assert min(kept[DEFAULT]) > 0.93
    assert max(kept[DEFAULT]) < 1.05
    assert np.mean(kept["savgol",]) < 0.92


def test_each_name_can_be_switched_on_alone(kick, noisy):
    sequence, xy = noisy
    short = lifted(sequence.xyz[:20])
    for name in module.REFINEMENTS:
        found = refine_sequence(short, xy[:20], kick.confidence[:20], CAMERA, (name,))
        assert np.isfinite(found.xyz).all(), name
        assert found.sigma is not None
        assert (found.root is not None) == (name in ("root", "fit", "contacts")), name


def test_the_lifters_place_is_kept_where_no_piece_finds_another(kick, noisy):
    sequence, xy = noisy
    given = np.tile(np.float32([0.5, 0.0, 4.0]), (20, 1))
    short = LiftedSequence(4, np.arange(20), sequence.xyz[:20], sequence.confidence[:20], given)
    tall = Camera2D(SIZE, 30.0, FOCAL, height=2 * 1.70)
    kept = refine_sequence(short, xy[:20], kick.confidence[:20], CAMERA, ("bones",)).root
    grown = refine_sequence(short, xy[:20], kick.confidence[:20], tall, ("bones",)).root
    found = refine_sequence(short, xy[:20], kick.confidence[:20], CAMERA, ("root",)).root
    np.testing.assert_array_equal(kept, given)
    np.testing.assert_allclose(grown, 2 * given, rtol=1e-6)
    assert np.abs(found - given).max() > 0.1


def test_an_unknown_name_lists_the_known(kick, noisy):
    with pytest.raises(UsageError, match=r"unknown refinement 'magic': use some of root, bones"):
        refine_sequence(*noisy, kick.confidence, CAMERA, ("magic",))


def test_a_gap_splits_motion_but_not_the_body(kick, noisy):
    sequence, xy = noisy
    frames = np.concatenate([np.arange(30), np.arange(100, 130)])
    apart = lifted(sequence.xyz, frames)
    found = refine_sequence(apart, xy, kick.confidence, CAMERA, DEFAULT)
    assert found.frames.tolist() == frames.tolist()
    lengths = bone_lengths(found.xyz)
    assert lengths[:30, 2].mean() == pytest.approx(lengths[30:, 2].mean(), abs=0.002)


def test_long_clips_are_solved_in_parts_that_blend(kick, monkeypatch):
    monkeypatch.setattr(module, "PART", 40)
    found = refine_sequence(lifted(kick.xyz), kick.xy, kick.confidence, CAMERA, DEFAULT)
    monkeypatch.undo()
    whole = refine_sequence(lifted(kick.xyz), kick.xy, kick.confidence, CAMERA, DEFAULT)
    assert len(found) == 60
    assert mm(found.xyz, whole.xyz) < 2
    steps = np.linalg.norm(np.diff(found.xyz - whole.xyz, axis=0), axis=-1).max()
    assert steps < 0.01


def test_the_height_scales_the_person(kick):
    tall = refine_sequence(lifted(kick.xyz), kick.xy, kick.confidence, Camera2D(SIZE, 30.0, FOCAL, 1.90), DEFAULT)
    assert stature_of(np.median(bone_lengths(tall.xyz), axis=0)) == pytest.approx(1.90, abs=0.02)
    assert tall.root[:, 2].mean() == pytest.approx(kick.root[:, 2].mean() * 1.90 / 1.70, rel=0.02)


def test_uncertainty_is_larger_where_joints_are_not_seen(kick):
    xy, confidence = kick.xy.copy(), kick.confidence.copy()
    xy[:, 9], confidence[:, 9] = np.nan, 0.0
    found = refine_sequence(lifted(kick.xyz), xy, confidence, CAMERA, DEFAULT)
    left, right = found.sigma[:, 13].mean(), found.sigma[:, 16].mean()
    assert (found.sigma[:, 0] == 0).all()
    assert left > 1.1 * right


def test_nothing_to_refine_comes_back_as_it_is(kick):
    empty = lifted(np.zeros((0, 17, 3)))
    assert refine_sequence(empty, kick.xy[:0], kick.confidence[:0], CAMERA, DEFAULT) is empty
    unknown = lifted(np.full((5, 17, 3), np.nan))
    assert refine_sequence(unknown, kick.xy[:5], kick.confidence[:5], CAMERA, DEFAULT) is unknown
