from dataclasses import replace

import numpy as np
import pytest
from tests.stages.confidence.noted_people import STANDING, people

from emc.errors import ShapeMismatch, UsageError
from emc.pose.records import Prediction
from emc.pose.skeletons.skeleton import COCO17, build_skeleton
from emc.stages.confidence import joint_signals, signal_names


def standing(score: float = 0.5, scale: float = 1.0, features: int = 0) -> Prediction:
    """The standing figure in a box of 40 x 100 at (30, 0), times `scale`."""
    scores = np.full(17, score, np.float32)
    own = np.full((17, features), 0.25, np.float32) if features else None
    box = np.array([30, 0, 40, 100], np.float32) * scale
    return Prediction(0, 0, (STANDING * scale).astype(np.float32), scores, scores, box, own)


def named(prediction: Prediction, kind: str = "pose") -> dict[str, np.ndarray]:
    features = 0 if prediction.features is None else prediction.features.shape[1]
    found = joint_signals([prediction], COCO17, kind)[0]
    return dict(zip(signal_names(kind, features), found.T, strict=True))


def test_signals_by_hand() -> None:
    seen = named(standing(features=1))
    knee, hip, nose = COCO17.index("left_knee"), COCO17.index("left_hip"), COCO17.index("nose")
    assert seen["box_side"][0] == pytest.approx(np.log(100))
    assert seen["feature_0_mean"] == pytest.approx(np.full(17, 0.25))
    # Knees at x = 58 and 42, box side 100.
    assert seen["mirror_apart"][knee] == pytest.approx(0.16)
    assert np.isnan(seen["mirror_apart"][nose])
    # Hips at y = 52, knees at 75; the middle of the hips is at x = 50.
    assert seen["above_hips"][knee] == pytest.approx(-0.23, abs=1e-6)
    assert seen["beside_hips"][knee] == pytest.approx(0.08)
    # The left hip's limbs end at the left knee, the right hip and the left shoulder.
    limbs = [np.hypot(1, 23), 14, np.hypot(5, 30)]
    assert seen["limb"][hip] == pytest.approx(np.mean(limbs) / 100, rel=1e-5)
    assert seen["upright"][0] == pytest.approx(1.0)
    assert seen["torso"][0] == pytest.approx(0.30)
    assert seen["outside"] == pytest.approx(np.zeros(17))


def test_an_upside_down_person_is_told() -> None:
    person = standing()
    turned = replace(person, xy=np.array([100, 100], np.float32) - person.xy)
    assert named(turned)["upright"][0] == pytest.approx(-1.0)


def test_lengths_do_not_depend_on_the_resolution() -> None:
    small, large = named(standing()), named(standing(scale=4))
    for name, values in small.items():
        if name == "box_side":
            assert large[name] == pytest.approx(values + np.log(4))
        else:
            np.testing.assert_allclose(large[name], values, atol=1e-5)


def test_the_stored_confidence_is_never_read() -> None:
    person = standing()
    other = replace(person, confidence=np.zeros(17, np.float32))
    np.testing.assert_array_equal(joint_signals([person], COCO17, "pose"), joint_signals([other], COCO17, "pose"))


def test_a_joint_that_was_not_found_is_unknown_and_spoils_no_other() -> None:
    person = standing()
    xy = person.xy.copy()
    xy[COCO17.index("left_ankle")] = np.nan
    seen = named(replace(person, xy=xy))
    assert np.isnan(seen["score"][COCO17.index("left_ankle")])
    assert np.isfinite(seen["limb"][COCO17.index("left_knee")])
    assert seen["score_mean"][0] == pytest.approx(0.5)


def test_a_skeleton_without_shoulders_has_no_torso() -> None:
    legs = build_skeleton("legs", ("nose", "left_ankle"), (("nose", "left_ankle"),))
    two = np.array([[0, 0], [0, 10]], np.float32)
    person = Prediction(0, 0, two, np.ones(2, np.float32), np.ones(2, np.float32), np.array([0, 0, 5, 10], np.float32))
    found = joint_signals([person], legs, "pose")[0]
    assert np.isnan(found[:, signal_names("pose", 0).index("upright")]).all()
    assert found[:, signal_names("pose", 0).index("limb")] == pytest.approx([1.0, 1.0])


def test_errors_name_what_does_not_fit() -> None:
    with pytest.raises(UsageError, match="heatmap, pose"):
        signal_names("colour", 0)
    with pytest.raises(ShapeMismatch, match=r"\[0, 2\]"):
        joint_signals([standing(), people(1, 0)[0][0]], COCO17, "heatmap")
    assert joint_signals([], COCO17, "heatmap").shape == (0, 17, 5)
