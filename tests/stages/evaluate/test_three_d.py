import json

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.stages.evaluate import score_3d


def clips(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {f"c{i}": rng.normal(0, 0.4, (6, 17, 3)) for i in range(count)}


def test_by_hand() -> None:
    truth = clips(5)
    # Every joint but the root is moved by 17 mm along x: the mean over 17 joints is 16 mm; first differences agree.
    predicted = {clip: points + np.array([0.017, 0, 0]) for clip, points in truth.items()}
    for points, true in zip(predicted.values(), truth.values(), strict=True):
        points[:, 0] = true[:, 0]
    scores = score_3d(predicted, truth, bootstrap=50)
    assert scores["mpjpe"] == {"value": pytest.approx(16), "ci95": [pytest.approx(16), pytest.approx(16)], "n": 30}
    assert scores["mpjve"]["value"] == pytest.approx(0, abs=1e-9)  # type: ignore[index]
    assert 0 < scores["p_mpjpe"]["value"] < 16  # type: ignore[index]
    assert scores["per_joint"]["pelvis"] == 0  # type: ignore[index]
    assert scores["per_joint"]["left_wrist"] == 17  # type: ignore[index]
    assert (scores["unit"], scores["missing"]) == ("clip", 0)
    json.dumps(scores, allow_nan=False)


def test_missing_joints_are_counted() -> None:
    truth = clips(1)
    predicted = {"c0": truth["c0"].copy()}
    predicted["c0"][2, 4] = np.nan
    truth["c0"][3, 5] = np.nan
    scores = score_3d(predicted, truth, bootstrap=10)
    assert scores["missing"] == 1
    assert scores["unit"] == "frame"
    assert scores["mpjpe"]["value"] == pytest.approx(0)  # type: ignore[index]


def test_other_clips_are_refused() -> None:
    with pytest.raises(ShapeMismatch, match="must be the same"):
        score_3d({}, {})
    with pytest.raises(ShapeMismatch, match="clip c0"):
        score_3d({"c0": np.zeros((5, 17, 3))}, clips(1))
