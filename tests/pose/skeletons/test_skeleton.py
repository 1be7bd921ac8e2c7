from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.skeletons.skeleton import (
    BODY25,
    COCO17,
    COCO18,
    H36M17,
    HALPE26,
    LSP14,
    SKELETONS,
    joint_mapping,
    skeleton_named,
)


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


def test_openpose_and_halpe_orders() -> None:
    assert [COCO18.index(j) for j in ("neck", "right_ankle", "left_hip", "left_ear")] == [1, 10, 11, 17]
    assert [BODY25.index(j) for j in ("mid_hip", "left_ankle", "left_heel", "right_heel")] == [8, 14, 21, 24]
    assert HALPE26.joints[:17] == COCO17.joints
    assert [HALPE26.index(j) for j in ("head_top", "neck", "mid_hip", "left_big_toe", "right_heel")] == [
        17, 18, 19, 20, 25,
    ]  # fmt: skip
    assert (len(COCO18), len(BODY25), len(HALPE26)) == (18, 25, 26)
    assert len(HALPE26.sigmas) == 26
