import json

import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.skeletons.skeleton import H36M17
from emc.stages.evaluate import compare_3d, score_3d


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


def test_share_within_reach_actions_and_angles_by_hand() -> None:
    truth = clips(2)
    predicted = {clip: points.copy() for clip, points in truth.items()}
    # In c0 one joint of sixteen is 160 mm off, in c1 two are 16 mm off.
    predicted["c0"][:, 5, 2] += 0.160
    predicted["c1"][:, [5, 6], 2] += 0.016
    scores = score_3d(predicted, truth, bootstrap=0, actions={"c0": "kick", "c1": "walk"})
    assert scores["pck3d"]["value"] == pytest.approx(31 / 32)  # type: ignore[index]
    # 16 mm passes the 27 thresholds from 20 mm on.
    assert scores["pck3d_auc"]["value"] == pytest.approx((29 + 2 * 27 / 31) / 32)  # type: ignore[index]
    per_action = scores["per_action"]
    assert per_action["kick"]["mpjpe"] == pytest.approx(160 / 17, abs=1e-3)  # type: ignore[index]
    assert per_action["walk"]["mpjpe"] == pytest.approx(32 / 17, abs=1e-3)  # type: ignore[index]
    assert scores["action_mean"]["mpjpe"] == pytest.approx(96 / 17, abs=1e-3)  # type: ignore[index]
    angles = scores["angles"]
    assert angles["knee"]["value"] > 0  # type: ignore[index]
    assert angles["elbow"]["value"] == 0  # type: ignore[index]
    json.dumps(scores, allow_nan=False)


def test_knee_angle_error_by_hand() -> None:
    truth = {"c": np.zeros((1, 17, 3))}
    rng = np.random.default_rng(3)
    truth["c"][0] = rng.normal(0, 0.4, (17, 3))
    for side in ("left", "right"):
        for joint, y in (("hip", 0.0), ("knee", 0.4), ("ankle", 0.8)):
            truth["c"][0, H36M17.index(f"{side}_{joint}")] = (0, y, 0)
    predicted = {"c": truth["c"].copy()}
    predicted["c"][0, H36M17.index("left_ankle")] = (0.4, 0.4, 0)
    scores = score_3d(predicted, truth, bootstrap=0)
    # The left knee is bent by 90 degrees instead of none, the right one is right.
    assert scores["angles"]["knee"]["value"] == pytest.approx(45)  # type: ignore[index]


def test_views_of_one_clip_are_one_unit() -> None:
    truth = clips(6)
    predicted = {clip: points + 0.01 for clip, points in truth.items()}
    assert score_3d(predicted, truth, bootstrap=10)["unit"] == "clip"
    units = {clip: "same" for clip in truth}
    assert score_3d(predicted, truth, bootstrap=10, units=units)["unit"] == "frame"


def test_changes_are_paired() -> None:
    truth = clips(6)
    rng = np.random.default_rng(2)
    before = {clip: points + rng.normal(0, 0.05, points.shape) for clip, points in truth.items()}
    after = {clip: points.copy() for clip, points in before.items()}
    # The right wrist's error is taken away in every frame of every clip: fewer mm for certain, however noisy the rest.
    wrist = H36M17.index("right_wrist")
    for clip, points in after.items():
        points[:, wrist] = truth[clip][:, wrist] - truth[clip][:, 0] + points[:, 0]
    change = compare_3d(before, after, truth, bootstrap=200)
    gain = np.mean([
        np.linalg.norm(
            (points[:, wrist] - points[:, 0]) - (truth[clip][:, wrist] - truth[clip][:, 0]), axis=-1
        ).mean()
        for clip, points in before.items()
    ])  # fmt: skip
    assert change["mpjpe"]["value"] == pytest.approx(-1000 * gain / 17)  # type: ignore[index]
    assert change["mpjpe"]["ci95"][1] < 0  # type: ignore[index]
    assert change["angle_knee"]["value"] == 0  # type: ignore[index]
    assert change["pck3d"]["value"] >= 0  # type: ignore[index]
