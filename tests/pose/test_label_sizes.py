from __future__ import annotations

import pytest

from emc.errors import InputError
from emc.pose.label_sizes import refuse_box, scale_between, scaled


@pytest.mark.parametrize(
    ("said", "actual", "factor"),
    [
        ((200, 100), (200, 100), 1), ((100, 50), (200, 100), 2), ((400, 200), (200, 100), 0.5),
        ((0, 0), (200, 100), 1), ((200, 100), (0, 0), 1),
        # 1080 / 1920 of 640 is 360; a program that rounds 853.33 up still made the same picture.
        ((640, 360), (1920, 1080), 3), ((854, 480), (1920, 1080), 1920 / 854),
    ],
)  # fmt: skip
def test_the_factor_between_two_sizes_of_a_picture(
    said: tuple[int, int], actual: tuple[int, int], factor: float
) -> None:
    assert scale_between(said, actual, "x") == pytest.approx(factor)


@pytest.mark.parametrize("said", [(100, 200), (200, 110), (640, 480)])
def test_another_picture_is_refused(said: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=rf"x is {said[0]} x {said[1]}, the clip's frame 200 x 100"):
        scale_between(said, (200, 100), "x")


def test_a_scaled_box_keeps_the_corner_of_its_first_pixel() -> None:
    # Pixel centres: -0.5 is the picture's left edge at any size.
    assert scaled((-0.5, 9.5, 100, 50), 2) == (-0.5, 19.5, 200, 100)


@pytest.mark.parametrize("box", [(0, 0, 200, 100), (-50, -20, 100, 60), (199, 99, 30, 30), (-100, -50, 400, 200)])
def test_boxes_that_can_be(box: tuple[float, float, float, float]) -> None:
    refuse_box(box, (200, 100), "x")
    with pytest.raises(InputError, match="frame of 10 x 5|than its frame"):
        refuse_box(box, (10, 5), "x")


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((0.1, 0.2, 0.5, 1.0), r"shares of the frame: write pixels \(times 200 and 100"),
        ((200, 0, 30, 30), "outside of its frame of 200 x 100"),
        ((-31, 0, 30, 30), "outside of its frame"),
        ((0, 0, 401, 30), "far larger than its frame"),
    ],
)
def test_boxes_that_cannot_be(box: tuple[float, float, float, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        refuse_box(box, (200, 100), "x")
