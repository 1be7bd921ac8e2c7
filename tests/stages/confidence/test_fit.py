import numpy as np
import pytest
from tests.stages.confidence.noted_people import people

from emc.errors import ShapeMismatch, UsageError
from emc.pose.metrics.reliability import auroc, expected_calibration_error
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.confidence import fit_confidence, with_confidence
from emc.stages.confidence.fit import _curve, folds_of


def errors_of(confidence: np.ndarray, hits: np.ndarray) -> tuple[float, float]:
    counted = np.isfinite(hits)
    right = hits[counted] > 0
    return expected_calibration_error(confidence[counted], right), auroc(-confidence[counted], ~right)


def test_an_overconfident_score_becomes_honest() -> None:
    fit = fit_confidence(*people(300, 0), COCO17)
    fresh, hits, _ = people(300, 1)
    raw = np.stack([p.confidence for p in fresh]).astype(float)
    fitted = np.stack([p.confidence for p in with_confidence(fresh, fit.model, COCO17)]).astype(float)
    ece_raw, found_raw = errors_of(raw, hits)
    ece, found = errors_of(fitted, hits)
    assert ece_raw > 0.2
    assert ece < 0.04
    assert found > found_raw - 0.01
    assert fit.crossed_by == "group"
    assert set(fit.log_loss) == {"heatmap", "pose"}
    # The pose of these people says nothing, so the smaller set wins.
    assert fit.model.kind == "heatmap"


def test_what_is_told_was_not_fitted_on_the_same_people() -> None:
    # Signals that know nothing: the cross-fitted confidence finds no wrong joint, and the fit does not hide it.
    predictions, hits, groups = people(60, 2, knowing=0.0)
    fit = fit_confidence(predictions, hits, groups, COCO17, kinds=("pose",))
    assert errors_of(fit.cross_fitted, hits)[1] == pytest.approx(0.5, abs=0.06)


def test_a_joint_without_labels_follows_the_others() -> None:
    predictions, hits, groups = people(120, 3)
    nose = COCO17.index("nose")
    hits[:, nose] = np.nan
    model = fit_confidence(predictions, hits, groups, COCO17).model
    assert model.labels[nose] == 0
    assert len(model.curves[nose][0]) == 0
    found = np.stack([p.confidence for p in with_confidence(predictions, model, COCO17)])
    score = np.stack([p.score for p in predictions])
    assert np.corrcoef(found[:, nose], score[:, nose])[0, 1] > 0.8


def test_mirror_joints_share_their_weights() -> None:
    weights = fit_confidence(*people(80, 4), COCO17).model.weights
    np.testing.assert_array_equal(weights[COCO17.index("left_knee")], weights[COCO17.index("right_knee")])
    assert not np.array_equal(weights[COCO17.index("left_knee")], weights[COCO17.index("left_hip")])


def test_few_labels_stay_near_the_prior() -> None:
    base = fit_confidence(*people(300, 5), COCO17).model
    fresh, hits, _ = people(300, 6)
    few = people(8, 7)
    alone = fit_confidence(*few, COCO17, kinds=(base.kind,)).model
    near = fit_confidence(*few, COCO17, base).model
    assert near.kind == base.kind
    losses = []
    for model in (alone, near):
        p = np.clip(np.stack([f.confidence for f in with_confidence(fresh, model, COCO17)]).astype(float), 1e-6, 1)
        counted = np.isfinite(hits)
        losses.append(-np.log(np.where(hits[counted] > 0, p[counted], 1 - p[counted])).mean())
    assert losses[1] < losses[0]


def test_folds_keep_groups_whole_and_are_even() -> None:
    groups = ["a"] * 6 + ["b"] * 3 + ["c"] * 3
    fold, kept = folds_of(groups, 0)
    assert kept == "group"
    assert {g: len(set(fold[np.array(groups) == g])) for g in "abc"} == {"a": 1, "b": 1, "c": 1}
    many = [f"g{i}" for i in range(20)]
    fold, _ = folds_of(many, 0)
    assert np.bincount(fold).tolist() == [4] * 5
    fold, kept = folds_of(["one"] * 10, 0)
    assert kept == "stretch"
    assert fold.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_curve_by_hand() -> None:
    at, share = _curve(np.array([0.0, 1.0, 2.0, 3.0]), np.array([False, True, False, True]))
    # With a made-up right and wrong at either end: (1, 0 | 0), (1, 0), (1 | 1, 0) pool to 1/3, 1/2, 2/3.
    assert share == pytest.approx([1 / 3, 1 / 2, 2 / 3])
    assert at == pytest.approx([0.0, 1.5, 3.0])
    assert (np.diff(at) > 0).all()
    assert len(_curve(np.zeros(0), np.zeros(0, bool))[0]) == 0


def test_too_few_and_misfitting_are_refused() -> None:
    predictions, hits, groups = people(40, 8)
    with pytest.raises(UsageError, match="too few"):
        fit_confidence(predictions[:3], hits[:3], groups[:3], COCO17)
    with pytest.raises(UsageError, match=r"\(0 wrong\)"):
        fit_confidence(predictions, np.ones_like(hits), groups, COCO17)
    with pytest.raises(ShapeMismatch, match="40 predictions"):
        fit_confidence(predictions, hits[:5], groups, COCO17)
