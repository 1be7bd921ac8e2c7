from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import InputError
from emc.pose.skeletons.file import read_skeleton, skeleton_from_toml, skeleton_text
from emc.pose.skeletons.skeleton import HALPE26

DOG = """
name = "dog"
joints = ["nose", "left_ear", "right_ear", "withers", "tail_base", "tail_tip"]
limbs = [["nose", "withers"], ["withers", "tail_base"], ["tail_base", "tail_tip"]]
sigmas = [0.03, 0.04, 0.04, 0.08, 0.08, 0.06]
[parts]
tail = ["tail_base", "tail_tip"]
[derived]
withers = ["left_shoulder", "right_shoulder"]
"""


def test_an_animal() -> None:
    dog = skeleton_from_toml(DOG)
    assert dog.name == "dog"
    assert dog.limbs == ((0, 3), (3, 4), (4, 5))
    assert dog.flip == (0, 2, 1, 3, 4, 5)
    assert dog.sigmas == (0.03, 0.04, 0.04, 0.08, 0.08, 0.06)
    assert dog.part("tail") == (4, 5)
    assert dog.part("total") == (0, 1, 2, 3, 4, 5)
    assert dog.derived == {"withers": ("left_shoulder", "right_shoulder")}


def test_flip_pairs_of_a_robot_by_hand() -> None:
    text = 'name = "arm"\njoints = ["base", "finger_1", "finger_2"]\nflip = [["finger_1", "finger_2"]]'
    assert skeleton_from_toml(text).flip == (0, 2, 1)


def test_person_like_names_keep_the_usual_parts() -> None:
    joints = '["left_hip", "left_knee", "right_hip", "right_knee"]'
    text = f'name = "legs"\njoints = {joints}\nlimbs = [["left_hip", "left_knee"]]'
    skeleton = skeleton_from_toml(text)
    assert skeleton.limbs == ((0, 1),)
    assert skeleton.flip == (2, 3, 0, 1)
    assert skeleton.part("knee") == (1, 3)
    assert skeleton.part("leg") == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("joints = [", "not valid TOML"),
        ('joints = ["a", "a"]', "different names"),
        ("name = 'x'", "needs a list 'joints'"),
        ('joints = "nose"', "needs a list 'joints'"),
        ('joints = ["Left Kne\u00e9"]', "'left_kne\u00e9'.*left_knee"),
        ("joints = [3]", "joint 3"),
        ('joints = ["a"]\nlimbs = [["a", "b"]]', r"limbs with unknown joints \['b'\]"),
        ('joints = ["a"]\nlimbs = ["a"]', "'a' in 'limbs'.*pairs"),
        ('joints = ["a"]\nlimbs = [["a", "a"]]', "two different joints"),
        ('joints = ["a"]\nlimbs = 3', "limbs = 3.*list"),
        ('joints = ["a"]\nsigmas = [0.1, 0.2]', "2 sigmas for 1 joints"),
        ('joints = ["a"]\nsigmas = [-0.1]', "-0.1 in 'sigmas'"),
        ('joints = ["a", "b", "c"]\nflip = [["a", "b"], ["b", "c"]]', "'b' in two pairs"),
        ('joints = ["a"]\n[parts]\ntail = ["z"]', r"part 'tail' with unknown joints \['z'\]"),
        ('joints = ["a"]\n[parts]\ntotal = ["a"]', "stands for all joints"),
        ('joints = ["a"]\n[parts]\ntail = "a"', "parts.tail = 'a'.*list"),
        ('joints = ["a"]\n[derived]\nb = ["c"]', r"derived with unknown joints \['b'\]"),
        ('joints = ["a"]\nbones = []', "unknown entry 'bones'.*limbs"),
        ('name = "coco17"\njoints = ["a"]', "'coco17'.*built in"),
        ('name = "my dog"\njoints = ["a"]', "'my dog'.*one word"),
    ],
)
def test_bad_skeletons_name_the_fault(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        skeleton_from_toml(text, "dog.toml")
    assert str(caught.value).startswith("dog.toml")


def test_text_and_skeleton_are_the_same_thing() -> None:
    dog = skeleton_from_toml(DOG)
    assert skeleton_from_toml(skeleton_text(dog)) == dog
    again = skeleton_from_toml(skeleton_text(HALPE26).replace('"halpe26"', '"mine"'))
    assert (again.joints, again.limbs, again.flip) == (HALPE26.joints, HALPE26.limbs, HALPE26.flip)
    assert (again.sigmas, again.parts) == (HALPE26.sigmas, HALPE26.parts)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "dog.toml").write_text("\ufeff" + DOG, encoding="utf-8")
    assert read_skeleton(tmp_path / "dog.toml").name == "dog"
    with pytest.raises(InputError, match=r"cat\.toml does not exist: give one of coco17"):
        read_skeleton(tmp_path / "cat.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"bad\.toml cannot be read as UTF-8"):
        read_skeleton(tmp_path / "bad.toml")
