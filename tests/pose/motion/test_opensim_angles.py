import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emc.pose.motion.motion import Motion3D
from emc.pose.motion.opensim_angles import OPENSIM_COORDINATES, opensim_coordinates
from emc.pose.skeletons.spatial import H36M_PARENTS, STANDARD_LENGTHS

FORWARD, UP, RIGHT = np.eye(3)
"""OpenSim's axes: a person who faces x, with z to the right."""


def turn(z, x, y):
    return Rotation.from_euler("ZXY", [z, x, y], degrees=True).as_matrix()


def person(pelvis=(0, 0, 0), lumbar=(0, 0, 0), **limbs):
    """Pose a body by OpenSim's own forward kinematics: angles in degrees, (flexion, adduction, rotation, hinge)."""
    base = turn(*pelvis)
    chest = base @ turn(*lumbar)
    points = np.zeros((17, 3))
    points[0] = (0.1, 0.9, 0.2)

    def put(joint, way):
        points[joint] = points[H36M_PARENTS[joint]] + STANDARD_LENGTHS[joint] * way

    put(7, base @ UP), put(8, chest @ UP), put(9, chest @ UP), put(10, chest @ UP)
    for side, sign, hip, shoulder in (("r", 1, 1, 14), ("l", -1, 4, 11)):
        put(hip, sign * base @ RIGHT), put(shoulder, sign * chest @ RIGHT)
        for first, frame, name, bend in ((hip, base, "leg", -1), (shoulder, chest, "arm", 1)):
            flexion, adduction, rotation, hinge = limbs.get(f"{name}_{side}", (0, 0, 0, 0))
            upper = frame @ turn(flexion, sign * adduction, sign * rotation)
            put(first + 1, -upper @ UP)
            put(first + 2, -upper @ turn(bend * hinge, 0, 0) @ UP)
    return points


def coordinates(*rows):
    frames = np.arange(len(rows))
    return opensim_coordinates(Motion3D("p0", 30.0, frames / 30, frames, np.array(rows)))


def test_a_standing_person_has_no_angles():
    found = coordinates(person())
    assert tuple(found) == OPENSIM_COORDINATES
    assert [float(found[f"pelvis_t{axis}"][0]) for axis in "xyz"] == pytest.approx([0.1, 0.9, 0.2])
    angles = [name for name in OPENSIM_COORDINATES if not name.startswith("pelvis_t") or name == "pelvis_tilt"]
    assert all(abs(float(found[name][0])) < 1e-9 for name in angles)


def test_a_seated_person():
    found = coordinates(person(leg_r=(90, 0, 0, 90), leg_l=(90, 0, 0, 90)))
    for side in "rl":
        assert found[f"hip_flexion_{side}"][0] == pytest.approx(90)
        assert found[f"knee_angle_{side}"][0] == pytest.approx(90)
        assert found[f"hip_adduction_{side}"][0] == pytest.approx(0, abs=1e-9)


def test_all_angles_come_back():
    points = person(
        pelvis=(-12, 7, 35), lumbar=(-20, 5, 15), leg_r=(70, -25, 12, 60), leg_l=(-10, 8, -15, 25),
        arm_r=(40, -60, 20, 95), arm_l=(-30, -15, -35, 50),
    )  # fmt: skip
    found = {name: float(values[0]) for name, values in coordinates(points).items()}
    expected = {
        "pelvis_tilt": -12, "pelvis_list": 7, "pelvis_rotation": 35, "lumbar_extension": -20, "lumbar_bending": 5,
        "lumbar_rotation": 15, "hip_flexion_r": 70, "hip_adduction_r": -25, "hip_rotation_r": 12, "knee_angle_r": 60,
        "hip_flexion_l": -10, "hip_adduction_l": 8, "hip_rotation_l": -15, "knee_angle_l": 25, "arm_flex_r": 40,
        "arm_add_r": -60, "arm_rot_r": 20, "elbow_flex_r": 95, "arm_flex_l": -30, "arm_add_l": -15, "arm_rot_l": -35,
        "elbow_flex_l": 50,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_legs_apart_are_abducted_on_both_sides():
    found = coordinates(person(leg_r=(0, -30, 0, 0), leg_l=(0, -30, 0, 0)))
    assert found["hip_adduction_r"][0] == pytest.approx(-30)
    assert found["hip_adduction_l"][0] == pytest.approx(-30)


def test_the_turn_of_a_straight_leg_is_interpolated():
    bent, straight = person(leg_r=(30, 0, 20, 40)), person(leg_r=(30, 0, 0, 0))
    again = person(leg_r=(30, 0, 10, 40))
    found = coordinates(bent, straight, again)
    assert found["hip_rotation_r"] == pytest.approx([20, 15, 10], abs=1e-6)
    assert found["knee_angle_r"] == pytest.approx([40, 0, 40], abs=1e-6)


def test_turning_round_does_not_jump():
    found = coordinates(*(person(pelvis=(0, 0, angle)) for angle in range(0, 400, 40)))
    assert found["pelvis_rotation"] == pytest.approx(np.arange(0, 400, 40), abs=1e-6)
