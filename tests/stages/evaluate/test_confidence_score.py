import numpy as np
from scored_people import prediction, sample

from emc.pose.skeleton import COCO17
from emc.stages.evaluate import score_confidence


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
