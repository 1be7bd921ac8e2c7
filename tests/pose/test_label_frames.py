from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import InputError, UsageError
from emc.pose.label_frames import (
    ClipFrames,
    FrameRule,
    first_number,
    frame_field,
    named_place,
    place_images,
    trailing_number,
)
from emc.pose.labels import LabelledImage

FILE = Path("labels.json")
VIDEO = ClipFrames("kick", 10, 200, 100)
FOLDER = ClipFrames("photos", 3, 200, 100, ("a.png", "b.png", "c.png"), ((200, 100), (50, 100), (200, 20)))


def images(*rows: tuple[int, str, dict[str, object]]) -> list[LabelledImage]:
    return [LabelledImage(id, name, 200, 100, extra) for id, name, extra in rows]


def numbered(*numbers: int) -> list[LabelledImage]:
    return images(*((90 + number, f"f_{number:03d}.png", {}) for number in numbers))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("frame_000012.PNG", 12), ("kick_7.jpg", 7), ("/data/upload/1/1a2b3c4d-out_0009.png", 9), ("12", 12),
        ("frame_0012_png.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f9.jpg", 12), ("kick.png", None), ("", None),
    ],
)  # fmt: skip
def test_the_number_at_the_end_of_a_name(name: str, number: int | None) -> None:
    assert trailing_number(name) == number


def test_a_field_may_stand_among_the_attributes() -> None:
    assert frame_field({"frame_index": 3}, "x") == 3
    assert frame_field({"attributes": {"frame": 4.0}}, "x") == 4
    assert frame_field({"id": 9, "attributes": None}, "x") is None
    for value in ("5", 1.5, True):
        with pytest.raises(InputError, match="x has .* as 'frame': write a whole number"):
            frame_field({"frame": value}, "x")


def test_a_folders_image_is_found_by_name_as_programs_rename_it() -> None:
    places = {"a.png": 0, "deadbeef-b.png": 1, "c.png": 2}
    assert named_place("sub/a.png", places) == 0
    assert named_place("C:\\shots\\c.png", places) == 2
    assert named_place("0123abcd-c.png", places) == 2
    assert named_place("deadbeef-b.png", places) == 1
    assert named_place("c_png.rf.0a1b2c3d.jpg", places) == 2
    assert named_place("b.png", places) is None


def test_a_field_is_taken_before_a_name_that_says_nothing() -> None:
    found = place_images(images((1, "kick.mp4", {"frame": 4}), (2, "kick.mp4", {"frame": 2})), VIDEO, FILE)
    assert dict(found.frames) == {1: 4, 2: 2}
    assert found.said == "frames by the field 'frame', from 0"


def test_a_name_is_taken_before_the_order_and_never_the_id() -> None:
    assert dict(place_images(numbered(8, 3), VIDEO, FILE).frames) == {98: 8, 93: 3}


def test_the_order_counts_only_where_there_is_an_image_for_every_frame() -> None:
    ten = images(*((50 - i, "kick", {}) for i in range(10)))
    assert place_images(ten, VIDEO, FILE).frames[41] == 9
    with pytest.raises(InputError, match="9 images for the 10 frames of clip kick"):
        place_images(ten[:9], VIDEO, FILE)
    assert dict(place_images(ten[:2], VIDEO, FILE, FrameRule("order")).frames) == {50: 0, 49: 1}


def test_emcs_own_files_count_from_zero() -> None:
    own = images(*((n, f"kick_{n:06d}.png", {"clip": "kick", "frame": n}) for n in (1, 2, 3)))
    assert dict(place_images(own, VIDEO, FILE).frames) == {1: 1, 2: 2, 3: 3}


def test_images_of_a_folder_are_placed_by_name_and_others_left_out() -> None:
    found = place_images(images((7, "c.png", {"frame_id": 812}), (8, "z.png", {}), (9, "a.png", {})), FOLDER, FILE)
    assert dict(found.frames) == {7: 2, 9: 0}
    assert found.said == "frames by file name"
    with pytest.raises(InputError, match=r"images 1 \('x/a\.png'\) and 2 \('y/a\.png'\) are both frame 0"):
        place_images(images((1, "x/a.png", {}), (2, "y/a.png", {})), FOLDER, FILE)
    with pytest.raises(InputError, match=r"image 1 says frame 1, but a\.png is frame 0 of clip photos"):
        place_images(images((1, "a.png", {"clip": "photos", "frame": 1})), FOLDER, FILE)
    assert [FOLDER.size(frame) for frame in range(3)] == [(200, 100), (50, 100), (200, 20)]


@pytest.mark.parametrize(
    ("numbers", "first"),
    [([0, 1, 2], 0), ([4, 8], 0), ([1], 0), ([1, 3], 0), ([2, 3, 4], 0), (list(range(1, 11)), 1), ([], 0)],
)
def test_what_numbers_count_from(numbers: list[int], first: int) -> None:
    assert first_number(numbers, VIDEO, "f")[0] == first


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([1, 2], "f goes from 1 to 2 without a gap, which may count from 0 or from 1"),
        ([3, 10], "f goes up to 10, clip kick has frames 0 to 9: if the file counts from 1"),
        ([0, 10], "f names frame 10, clip kick has frames 0 to 9"),
        ([-1, 5], "f names frame -1, clip kick"),
    ],
)
def test_numbers_in_doubt_or_outside_are_refused(numbers: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        first_number(numbers, VIDEO, "f")


def test_the_user_settles_it() -> None:
    assert first_number([1, 2], VIDEO, "f", 1) == (1, "from 1")
    assert first_number([1, 2], VIDEO, "f", 0)[0] == 0
    with pytest.raises(InputError, match="f names frame 0, clip kick has frames 1 to 10"):
        first_number([0, 4], VIDEO, "f", 1)
    with pytest.raises(UsageError, match="--frames-by guess is unknown: use field, name, order, id"):
        FrameRule("guess")
    with pytest.raises(UsageError, match="--first-frame -1 cannot be"):
        FrameRule(first=-1)


def test_by_id_where_the_user_says_so() -> None:
    found = place_images(images((4, "kick.mp4", {}), (2, "kick.mp4", {})), VIDEO, FILE, FrameRule("id"))
    assert dict(found.frames) == {4: 4, 2: 2}


@pytest.mark.parametrize(
    ("rows", "rule", "lacking"),
    [
        ([(1, "f_001.png", {"frame": 1}), (2, "f_002.png", {})], FrameRule(), "2 .'f_002.png'. lacks"),
        ([(1, "f_001.png", {}), (2, "kick.png", {})], FrameRule("name"), "2 .'kick.png'. lacks"),
    ],
)
def test_an_image_without_what_the_others_have_is_named(rows: list, rule: FrameRule, lacking: str) -> None:
    with pytest.raises(InputError, match=f"labels.json: image {lacking}"):
        place_images(images(*rows), VIDEO, FILE, rule)
