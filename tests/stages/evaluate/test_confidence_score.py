import numpy as np
import pytest
from tests.stages.evaluate.scored_people import prediction, sample

from emc.errors import ShapeMismatch
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.evaluate import compare_confidence, confidence_figures, score_confidence
from emc.stages.evaluate.confidence_score import _figures, _Joints


def test_by_hand() -> None:
    truth = np.zeros((17, 2))
    moved = truth.copy()
    moved[:4, 0] = 50  # four of 17 joints are wrong
    confidence = np.full(17, 0.9)
    confidence[:3] = 0.1  # three of them are known to be doubtful, the fourth is not
    scores = score_confidence([prediction(moved, confidence)], [sample(truth)], COCO17)
    assert scores["n"] == 17
    # Low bin: 3 joints, none right, |0.1 - 0|; high bin: 14 joints, 13 right, |0.9 - 13/14|.
    assert np.isclose(scores["ece"], (3 * 0.1 + 14 * abs(0.9 - 13 / 14)) / 17, atol=1e-6)  # type: ignore[arg-type]
    # 4 x 13 pairs: three wrong joints win all 13, the fourth ties all: (39 + 6.5) / 52.
    assert np.isclose(scores["auroc_wrong"], 45.5 / 52)  # type: ignore[arg-type]
    # Precision 1 up to recall 3/4, then 4/17 for the last quarter.
    assert np.isclose(scores["ap_wrong"], 0.75 + 0.25 * 4 / 17)  # type: ignore[arg-type]
    assert np.isclose(scores["wrong"], 4 / 17)  # type: ignore[arg-type]


def test_all_right_has_no_wrong_joint_to_find() -> None:
    truth = np.zeros((17, 2))
    scores = score_confidence([prediction(truth)], [sample(truth)], COCO17)
    assert scores["auroc_wrong"] is None
    assert scores["ap_wrong"] is None
    assert scores["wrong"] == 0.0


def doubtful() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A label, its prediction with four of 17 joints wrong, and a confidence that knows three of them."""
    truth = np.zeros((17, 2))
    moved = truth.copy()
    moved[:4, 0] = 50
    confidence = np.full(17, 0.9)
    confidence[:3] = 0.1
    return truth, moved, confidence


def test_precision_of_the_queue_by_hand() -> None:
    truth, moved, confidence = doubtful()
    people, labels = [prediction(moved, confidence)] * 6, [sample(truth, clip=f"c{i}") for i in range(6)]
    scores = score_confidence(people, labels, COCO17)
    # The 18 doubtful joints are all wrong; the next 32 are drawn from 84 equal ones, of which 6 are wrong.
    precise = scores["precision_at"]
    assert list(precise) == ["50", "100"]  # type: ignore[call-overload]
    assert np.isclose(precise["50"], (18 + 32 * 6 / 84) / 50)  # type: ignore[index]
    assert np.isclose(precise["100"], (18 + 82 * 6 / 84) / 100)  # type: ignore[index]
    assert "ci95" not in scores


def test_intervals_hold_the_figures_and_agree_with_plain_resampling() -> None:
    rng = np.random.default_rng(0)
    people, labels = [], []
    for i in range(12):
        truth, moved, confidence = doubtful()
        people.append(prediction(moved, np.clip(confidence + rng.normal(0, 0.3, 17), 0, 1)))
        labels.append(sample(truth, clip=f"c{i}"))
    figures = confidence_figures(score_confidence(people, labels, COCO17, bootstrap=300))
    for figure in figures.values():
        assert figure["n"] == 12 * 17
    for name in ("ece", "auroc_wrong", "ap_wrong", "precision_at_50"):
        low, high = figures[name]["ci95"]
        assert low < high
        assert low <= figures[name]["value"] <= high or name == "ece"
    # A resample is nothing but the same people drawn again: its figure is that of the drawn people.
    drawn = [0, 0, 3, 5, 5, 5, 7, 8, 9, 10, 11, 11]
    plain = score_confidence([people[i] for i in drawn], [labels[i] for i in drawn], COCO17)
    unit = np.repeat(np.arange(12), 17)
    confidence = np.stack([p.confidence for p in people]).astype(float).ravel()
    joints = _Joints(confidence, np.tile(np.arange(17) >= 4, 12), unit, 12, "clip")
    resampled = _figures(joints, 15, np.bincount(drawn, minlength=12)[None].astype(float))
    for name in ("ece", "auroc_wrong", "ap_wrong"):
        assert np.isclose(resampled[name][1], plain[name])  # type: ignore[arg-type]
    assert np.isclose(resampled["precision_at_100"][1], plain["precision_at"]["100"])  # type: ignore[index]


def test_comparison_is_paired() -> None:
    truth, moved, confidence = doubtful()
    labels = [sample(truth, clip=f"c{i}") for i in range(6)]
    knowing = confidence.copy()
    knowing[3] = 0.1
    before, after = [prediction(moved, confidence)] * 6, [prediction(moved, knowing)] * 6
    change = compare_confidence(before, after, labels, COCO17, bootstrap=50)
    assert np.isclose(change["auroc_wrong"]["value"], 1 - 45.5 / 52)  # type: ignore[index]
    # All people are alike, so no resample can differ.
    low, high = change["auroc_wrong"]["ci95"]  # type: ignore[index]
    assert np.isclose(low, 1 - 45.5 / 52)
    assert np.isclose(high, 1 - 45.5 / 52)
    with pytest.raises(ShapeMismatch, match="6 predictions before, 1 after"):
        compare_confidence(before, after[:1], labels, COCO17)
