import numpy as np
import pytest

from emc.errors import InputError
from emc.formats.motion.mocap import read_mocap
from emc.formats.motion.mocap_bvh import joint_places, parse_bvh, read_bvh
from emc.pose.skeletons.skeleton import H36M17

ARM = """HIERARCHY
ROOT Base
{
  OFFSET 7 7 7
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Elbow
  {
    OFFSET 2 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.02
0 0 0  0 0 0  0 0 0
10 5 0  90 0 0  0 0 90
"""


def limb(names, offsets, close=True):
    """Nested joints with one offset each and an end site; `names` may be fewer than `offsets` by the end site."""
    text, ends = "", ""
    for name, offset in zip(names, offsets, strict=False):
        text += f"JOINT {name} {{ OFFSET {offset} CHANNELS 3 Zrotation Xrotation Yrotation\n"
        ends += "}"
    return text + f"End Site {{ OFFSET {offsets[-1]} }}\n" + ends + "\n"


def person(prefix="", hands=True):
    """A person of 170 cm with arms spread, in centimetres, under the names of common exporters."""
    p = prefix
    body = f"HIERARCHY ROOT {p}Hips {{ OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition "
    body += "Zrotation Xrotation Yrotation\n"
    for side, x in (("Left", 10), ("Right", -10)):
        body += limb(
            [f"{p}{side}UpLeg", f"{p}{side}Leg", f"{p}{side}Foot"], [f"{x} 0 0", "0 -41 0", "0 -41 0", "0 0 9"]
        )
    body += f"JOINT {p}Spine {{ OFFSET 0 25 0 CHANNELS 3 Zrotation Xrotation Yrotation\n"
    body += limb([f"{p}Neck", f"{p}Head"], ["0 25 0", "0 10 0", "0 20 0"])
    for side, x in (("Left", 1), ("Right", -1)):
        names = [f"{p}{side}Shoulder", f"{p}{side}Arm", f"{p}{side}ForeArm", f"{p}{side}Hand"]
        offsets = [f"{4 * x} 23 0", f"{15 * x} 0 0", f"{28 * x} 0 0", f"{25 * x} 0 0", f"{9 * x} 0 0"]
        body += limb(names if hands else names[:3], offsets if hands else offsets[:4])
    joints = body.count("Zrotation")
    return body + "}}\nMOTION Frames: 1 Frame Time: 0.0333333\n0 95 0 " + "0 " * (3 * joints) + "\n"


def test_places_by_hand(tmp_path):
    (tmp_path / "arm.bvh").write_text(ARM)
    nodes, values, seconds = parse_bvh(tmp_path / "arm.bvh")
    assert [node.name for node in nodes] == ["Base", "Elbow", "Elbow_end"]
    assert seconds == 0.02
    places = joint_places(nodes, values)
    np.testing.assert_allclose(places[0], [[0, 0, 0], [2, 0, 0], [3, 0, 0]], atol=1e-12)
    # Turned by 90 degrees about z: the upper arm points up; the forearm, turned about y, along the world's -z.
    np.testing.assert_allclose(places[1], [[10, 5, 0], [10, 7, 0], [10, 7, -1]], atol=1e-12)


def test_rotations_are_applied_in_the_order_of_the_channels(tmp_path):
    text = ARM.replace("0 0 0  0 0 0  0 0 0\n", "0 0 0  90 90 0  0 0 0\n")
    (tmp_path / "arm.bvh").write_text(text)
    zxy = joint_places(*parse_bvh(tmp_path / "arm.bvh")[:2])[0, 1]
    # First about z, then about the turned x: the arm along x is turned to y and stays there.
    np.testing.assert_allclose(zxy, [0, 2, 0], atol=1e-12)
    (tmp_path / "arm.bvh").write_text(text.replace("Zposition Zrotation Xrotation", "Zposition Xrotation Zrotation"))
    xzy = joint_places(*parse_bvh(tmp_path / "arm.bvh")[:2])[0, 1]
    np.testing.assert_allclose(xzy, [0, 0, 2], atol=1e-12)


@pytest.mark.parametrize("prefix", ["", "mixamorig:"])
def test_joints_units_and_rate(tmp_path, prefix):
    (tmp_path / "person.bvh").write_text(person(prefix))
    (clip,) = read_mocap(tmp_path / "person.bvh")
    assert (clip.name, round(clip.fps)) == ("person", 30)
    points = dict(zip(H36M17.joints, clip.xyz[0], strict=True))
    for joint, place in {
        "pelvis": (0, 0.95, 0), "left_hip": (0.10, 0.95, 0), "right_ankle": (-0.10, 0.13, 0), "spine": (0, 1.20, 0),
        "thorax": (0, 1.45, 0), "neck_nose": (0, 1.55, 0), "head_top": (0, 1.75, 0),
        "left_shoulder": (0.19, 1.43, 0), "right_wrist": (-0.72, 1.43, 0),
    }.items():  # fmt: skip
        np.testing.assert_allclose(points[joint], place, atol=1e-9, err_msg=joint)


def test_a_wrist_without_a_name_is_the_end_of_the_forearm(tmp_path):
    (tmp_path / "person.bvh").write_text(person(hands=False))
    clip = read_bvh(tmp_path / "person.bvh")
    np.testing.assert_allclose(clip.xyz[0, H36M17.index("left_wrist")], [0.72, 1.43, 0], atol=1e-9)


def test_a_given_unit_is_used(tmp_path):
    (tmp_path / "person.bvh").write_text(person())
    assert read_bvh(tmp_path / "person.bvh", metres=1.0).xyz[0, 0, 1] == pytest.approx(95)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("OFFSET 2 0 0", "OFFSET two 0 0"), "line 8: a number is expected, 'two'"),
        (("Zrotation Xrotation Yrotation\n  JOINT", "Zrotation Xrotation Wrotation\n  JOINT"), "line 5: a channel"),
        (("HIERARCHY", "HIRARCHY"), "line 1: 'HIERARCHY' is expected"),
        (("Frames: 2", "Frames: 3"), "ends too early"),
        (("Frames: 2", "Frames: 0"), "0 frames"),
        (("10 5 0", "nan 5 0"), "finite number"),
        (("End Site", "Ent Site"), "line 10: OFFSET, CHANNELS"),
    ],
)
def test_faults_name_the_line(tmp_path, change, told):
    (tmp_path / "arm.bvh").write_text(ARM.replace(*change))
    with pytest.raises(InputError, match=f"arm.bvh.*{told}"):
        read_bvh(tmp_path / "arm.bvh")


def test_missing_joints_and_files_are_named(tmp_path):
    (tmp_path / "arm.bvh").write_text(ARM)
    with pytest.raises(InputError, match="no joint known as pelvis, right_hip.*it has Base, Elbow"):
        read_bvh(tmp_path / "arm.bvh")
    with pytest.raises(InputError, match="cannot read .*none.bvh"):
        read_bvh(tmp_path / "none.bvh")
