from __future__ import annotations

import numpy as np
import pytest

from emc.errors import InputError, UsageError
from emc.pose.skeleton import COCO17, H36M17, LSP14, SKELETONS, joint_mapping, skeleton_from_toml, skeleton_named


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)
def test_mirroring_twice_changes_nothing(skeleton) -> None:  # noqa: ANN001
    assert [skeleton.flip[i] for i in skeleton.flip] == list(range(len(skeleton)))
    for i, joint in enumerate(skeleton.joints):
        other = skeleton.joints[skeleton.flip[i]]
        assert other == joint or {joint.split("_")[0], other.split("_")[0]} == {"left", "right"}


def test_coco_parts() -> None:
    assert COCO17.part("hip") == (11, 12)
    assert COCO17.part("leg") == (11, 12, 13, 14, 15, 16)
    assert COCO17.part("wrist") == (9, 10)
    assert COCO17.part("total") == tuple(range(17))
    assert len(COCO17.sigmas) == 17
    assert H36M17.index("thorax") == 8


def test_mapping_lsp_to_coco_follows_names() -> None:
    mapping = joint_mapping(LSP14, COCO17)
    assert list(mapping[:5]) == [-1] * 5
    assert LSP14.joints[mapping[COCO17.index("left_ankle")]] == "left_ankle"
    assert np.count_nonzero(mapping >= 0) == 12


def test_unknown_names_list_what_exists() -> None:
    with pytest.raises(UsageError, match="unknown joint 'tail'.*nose"):
        COCO17.index("tail")
    with pytest.raises(UsageError, match="unknown skeleton 'dog'.*coco17"):
        skeleton_named("dog")


def test_user_skeleton_from_toml() -> None:
    joints = '["left_hip", "left_knee", "right_hip", "right_knee"]'
    text = f'name = "leg"\njoints = {joints}\nlimbs = [["left_hip", "left_knee"]]'
    skeleton = skeleton_from_toml(text)
    assert skeleton.limbs == ((0, 1),)
    assert skeleton.flip == (2, 3, 0, 1)
    assert skeleton.part("knee") == (1, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("joints = [", "not valid TOML"),
        ('joints = ["a", "a"]', "different names"),
        ('joints = ["a"]\nlimbs = [["a", "b"]]', "unknown joints"),
        ('joints = ["a"]\nsigmas = [0.1, 0.2]', "2 sigmas for 1 joints"),
    ],
)
def test_bad_toml_skeletons_name_the_fault(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        skeleton_from_toml(text)
