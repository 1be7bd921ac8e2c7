"""Cards of networks with part affinity fields: the two of docs/openpose.md, and what a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emc.errors import InputError, WeightsError
from emc.estimators.openpose.card import paf_skeleton, read_paf_card
from emc.pose.skeletons.skeleton import BODY25, COCO18

DOCS = Path(__file__).parents[3] / "docs" / "openpose.md"
# Two joints by number, and the first of the limb's two channels, as OpenPose's own src/openpose/pose/poseParameters.cpp
# has them (POSE_BODY_PART_PAIRS, POSE_MAP_INDEX).
BODY25_CHANNELS = {
    0: (1, 8), 14: (1, 2), 22: (1, 5), 16: (2, 3), 18: (3, 4), 24: (5, 6), 26: (6, 7), 6: (8, 9), 2: (9, 10),
    4: (10, 11), 8: (8, 12), 10: (12, 13), 12: (13, 14), 30: (1, 0), 32: (0, 15), 36: (15, 17), 34: (0, 16),
    38: (16, 18), 20: (2, 17), 28: (5, 18), 40: (14, 19), 42: (19, 20), 44: (14, 21), 46: (11, 22), 48: (22, 23),
    50: (11, 24),
}  # fmt: skip
COCO_CHANNELS = {
    12: (1, 2), 20: (1, 5), 14: (2, 3), 16: (3, 4), 22: (5, 6), 24: (6, 7), 0: (1, 8), 2: (8, 9), 4: (9, 10),
    6: (1, 11), 8: (11, 12), 10: (12, 13), 28: (1, 0), 30: (0, 14), 34: (14, 16), 32: (0, 15), 36: (15, 17),
    18: (2, 16), 26: (5, 17),
}  # fmt: skip
BODY25_JOINTS = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear left_big_toe left_small_toe "
    "left_heel right_big_toe right_small_toe right_heel"
)
COCO_JOINTS = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear"
)


def documented(tmp_path: Path) -> dict[str, Path]:
    """The card of the docs, and the same with what they say of the COCO network."""
    first, second = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    other = re.sub(r"limbs = \[.*?\n\]\n", lambda _: second, first, flags=re.DOTALL)
    other = other.replace('"body25"', '"coco18"').replace("pafs_first = 26", "pafs_first = 19")
    for name, text in (("body25", first), ("coco18", other)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return {name: tmp_path / f"{name}.toml" for name in ("body25", "coco18")}


@pytest.mark.parametrize(
    ("name", "joints", "channels", "maps"),
    [("body25", BODY25_JOINTS, BODY25_CHANNELS, 26), ("coco18", COCO_JOINTS, COCO_CHANNELS, 19)],
)
def test_documented_cards_have_openposes_channel_order(
    name: str, joints: str, channels: dict[int, tuple[int, int]], maps: int, tmp_path: Path
) -> None:
    card = read_paf_card(documented(tmp_path)[name])
    skeleton, limbs = paf_skeleton(card, tmp_path / "x.toml")
    assert skeleton.joints == tuple(joints.split())
    assert {2 * place: pair for place, pair in enumerate(limbs)} == channels
    # Maps, then the background's, then the fields: 78 and 57 channels.
    assert (card.output.pafs_first, maps + 2 * len(limbs)) == (maps, {"body25": 78, "coco18": 57}[name])
    assert (card.input.channels, set(card.input.mean), set(card.input.std)) == ("bgr", {128.0}, {256.0})


def test_the_skeletons_are_the_built_in_ones(tmp_path: Path) -> None:
    cards = documented(tmp_path)
    assert paf_skeleton(read_paf_card(cards["body25"]), cards["body25"])[0] is BODY25
    assert paf_skeleton(read_paf_card(cards["coco18"]), cards["coco18"])[0] is COCO18


def test_a_wrong_card_is_told(tmp_path: Path) -> None:
    card = documented(tmp_path)["body25"]
    with pytest.raises(WeightsError, match=r"gone\.toml is missing: this model needs its card, see docs/openpose\.md"):
        read_paf_card(tmp_path / "gone.toml")
    card.write_text(card.read_text().replace("size = [656, 368]", "size = [4, 4]"))
    with pytest.raises(WeightsError, match=r"unusable .*input\.size must be at least 8 x 8.*docs/openpose\.md"):
        read_paf_card(card)
    cards = documented(tmp_path)
    cards["coco18"].write_text(cards["coco18"].read_text().replace('["left_eye", "left_ear"]', '["left_eye", "tail"]'))
    with pytest.raises(InputError, match=r"output\.limbs with \['tail'\], which skeleton coco18 lacks"):
        paf_skeleton(read_paf_card(cards["coco18"]), cards["coco18"])
    cards["body25"].write_text(cards["body25"].read_text().replace('"body25"', '"cow"'))
    with pytest.raises(InputError, match=r"names the skeleton 'cow'.*docs/openpose\.md"):
        paf_skeleton(read_paf_card(cards["body25"]), cards["body25"])
