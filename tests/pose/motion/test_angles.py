import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.pose.motion.angles import ANGLE_KINDS, ANGLES, angle_errors, by_kind, joint_angles
from emc.pose.skeletons.skeleton import H36M17


def standing() -> np.ndarray:
    """A person who stands upright facing the camera, arms hanging; camera axes (y down), metres."""
    points = {
        "pelvis": (0, 0, 0), "spine": (0, -0.25, 0), "thorax": (0, -0.5, 0), "neck_nose": (0, -0.6, 0),
        "head_top": (0, -0.8, 0),
    }  # fmt: skip
    for side, x in (("left", 0.1), ("right", -0.1)):
        points |= {f"{side}_hip": (x, 0, 0), f"{side}_knee": (x, 0.4, 0), f"{side}_ankle": (x, 0.8, 0)}
        points |= {f"{side}_shoulder": (2 * x, -0.5, 0), f"{side}_elbow": (2 * x, -0.2, 0)}
        points |= {f"{side}_wrist": (2 * x, 0.05, 0)}
    return np.array([[points[joint] for joint in H36M17.joints]], dtype=float)


def moved(**joints: tuple[float, float, float]) -> np.ndarray:
    out = standing()
    for joint, place in joints.items():
        out[0, H36M17.index(joint)] = place
    return out


def test_standing_straight_is_zero_everywhere() -> None:
    angles = joint_angles(standing())
    assert tuple(angles) == ANGLES
    for values in angles.values():
        np.testing.assert_allclose(values, [0.0], atol=1e-9)


def test_angles_by_hand() -> None:
    # The left thigh points forward (towards the camera), the shank down: seated.
    seated = joint_angles(moved(left_knee=(0.1, 0, -0.4), left_ankle=(0.1, 0.4, -0.4)))
    assert (seated["left_hip"][0], seated["left_knee"][0], seated["left_ankle"][0]) == pytest.approx((90, 90, 0))
    assert (seated["right_hip"][0], seated["right_knee"][0]) == pytest.approx((0, 0))
    # The right forearm folded up by 120 degrees: cos 120 = -1/2 along the upper arm, sin 120 forward.
    arm = joint_angles(moved(right_wrist=(-0.2, -0.2 - 0.125, -0.25 * np.sqrt(3) / 2)))
    assert arm["right_elbow"][0] == pytest.approx(120)
    # The left arm raised sideways to the horizontal.
    raised = joint_angles(moved(left_elbow=(0.5, -0.5, 0), left_wrist=(0.75, -0.5, 0)))
    assert (raised["left_shoulder"][0], raised["left_elbow"][0]) == pytest.approx((90, 0))
    # The left shank leans 30 degrees forward over its foot.
    leaning = joint_angles(moved(left_ankle=(0.1, 0.4 + 0.4 * np.cos(np.pi / 6), 0.4 * np.sin(np.pi / 6))))
    assert (leaning["left_ankle"][0], leaning["left_knee"][0]) == pytest.approx((30, 30))


def test_upside_down_turns_trunk_and_shanks_but_not_the_joints() -> None:
    turned = joint_angles(standing() * [1, -1, -1])
    assert (turned["trunk"][0], turned["left_ankle"][0]) == pytest.approx((180, 180))
    assert (turned["left_knee"][0], turned["left_shoulder"][0]) == pytest.approx((0, 0), abs=1e-6)
    world_up = joint_angles(standing() * [1, -1, -1], up=(0, 1, 0))
    assert world_up["trunk"][0] == pytest.approx(0)


def test_the_way_up_may_change_from_frame_to_frame() -> None:
    twice = np.concatenate([standing(), standing()])
    up = np.array([[0, -1, 0], [1, 0, 0]], dtype=float)
    np.testing.assert_allclose(joint_angles(twice, up)["trunk"], [0, 90])


def test_a_missing_or_coinciding_joint_leaves_its_angles_undefined() -> None:
    missing = joint_angles(moved(left_knee=(np.nan, 0, 0)))
    unknown = {name for name, values in missing.items() if np.isnan(values[0])}
    assert unknown == {"left_knee", "left_hip", "left_ankle"}
    assert np.isnan(joint_angles(moved(left_knee=(0.1, 0, 0)))["left_knee"][0])


def test_errors_in_degrees_and_by_kind() -> None:
    bent = moved(left_ankle=(0.1, 0.4, 0.4))
    errors = angle_errors(bent, standing())
    assert errors["left_knee"][0] == pytest.approx(90)
    assert errors["right_knee"][0] == pytest.approx(0)
    kinds = by_kind(errors)
    assert tuple(kinds) == ANGLE_KINDS
    np.testing.assert_allclose(kinds["knee"], [[90, 0]], atol=1e-6)
    assert kinds["trunk"].shape == (1, 1)


def test_shapes_are_named() -> None:
    with pytest.raises(ShapeMismatch, match=r"\(1, 14, 3\)"):
        joint_angles(np.zeros((1, 14, 3)))
    with pytest.raises(ShapeMismatch, match="cannot be compared"):
        angle_errors(np.zeros((1, 17, 3)), np.zeros((2, 17, 3)))
