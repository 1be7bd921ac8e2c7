import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.stages.refine import gather_evidence


def given(frames=2):
    return np.zeros((frames, 17, 3)), np.full((frames, 17, 2), 100.0), np.ones((frames, 17))


def test_rays_are_places_at_one_metre_before_the_middle():
    xyz, xy, confidence = given()
    xy[0, 5] = (349.5, 99.5)
    found = gather_evidence(xyz, xy, confidence, (300, 200), 25.0, focal=400.0)
    assert found.rays[0, 5].tolist() == [0.5, 0.0]
    assert found.focal == 400 and found.fps == 25


def test_focal_defaults_to_the_longer_side():
    assert gather_evidence(*given(), (300, 200), 25.0).focal == 300


def test_what_is_not_seen_or_not_trusted_says_nothing():
    xyz, xy, confidence = given()
    xy[0, 1] = np.nan
    confidence[0, 2], confidence[1, 3] = 0.01, np.nan
    found = gather_evidence(xyz, xy, confidence, (300, 200), 25.0)
    for frame, joint in ((0, 1), (0, 2), (1, 3)):
        assert np.isnan(found.rays[frame, joint]).all()
        assert found.confidence[frame, joint] == 0
    assert np.isfinite(found.rays).all(axis=-1).sum() == 31


def test_wrong_shapes_are_named():
    xyz, xy, confidence = given()
    with pytest.raises(ShapeMismatch, match=r"\(1, 17, 2\)"):
        gather_evidence(xyz, xy[:1], confidence, (300, 200), 25.0)
    with pytest.raises(ShapeMismatch, match=r"\(2, 16\)"):
        gather_evidence(xyz, xy, confidence[:, :16], (300, 200), 25.0)
