from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame

from emc.stages.video.area import Area
from emc.stages.video.container import Converter
from emc.stages.video.info import Orientation


@pytest.mark.parametrize(
    ("reaches", "expected"),
    [
        ([[70.5, 9.2, 130.1, 50.0]], (64, 8, 192, 52)),
        ([[70, 9, 80, 20], [190, 30, 199.5, 41]], (64, 8, 256, 44)),
        ([[-50, -9, 10, 3]], (0, 0, 64, 4)),
        ([[1700, 900, 1900, 1100]], (1664, 898, 1768, 994)),
        ([[-90, -90, -10, -10]], (0, 0, 64, 4)),
        ([[4000, 4000, 5000, 5000]], (1728, 990, 1768, 994)),
        ([[0, 0, 1768, 994]], (0, 0, 1768, 994)),
    ],
)
def test_the_area_holds_what_is_read_and_begins_where_conversion_allows(reaches, expected):
    area = Area.around(np.array(reaches, float), 1768, 994)
    assert (area.x0, area.y0, area.x1, area.y1) == expected


@pytest.mark.parametrize(
    ("size", "pixels"),
    [((1768, 994), "yuv420p"), ((333, 200), "yuv420p"), ((320, 201), "yuv420p"), ((640, 480), "nv12")],
)
@pytest.mark.parametrize("space", ["ITU709", "ITU601"])
def test_an_area_converted_alone_has_the_same_bits_as_in_the_whole(size, pixels, space):
    from av.video.reformatter import ColorRange, Colorspace

    rng = np.random.default_rng(3)
    width, height = size
    frame = VideoFrame.from_ndarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8), format="rgb24")
    frame = frame.reformat(format=pixels)
    frame.colorspace, frame.color_range = Colorspace[space], ColorRange.MPEG
    converter = Converter(Orientation())
    whole = converter.rgb(frame)
    alone = 0
    for _ in range(30):
        ends = np.sort(rng.uniform(-20, 1.1 * np.array(size), (2, 2)), axis=0)
        area = Area.around(ends.reshape(1, 4), width, height)
        alone += area.alone
        np.testing.assert_array_equal(converter.rgb_part(frame, area), whole[area.y0 : area.y1, area.x0 : area.x1])
    assert alone > 5


def test_a_turned_picture_is_cut_upright():
    frame = VideoFrame.from_ndarray(np.random.default_rng(0).integers(0, 256, (96, 192, 3), np.uint8), format="rgb24")
    frame = frame.reformat(format="yuv420p")
    converter = Converter(Orientation(True, True, False))
    area = Area(0, 64, 64, 128)
    np.testing.assert_array_equal(converter.rgb_part(frame, area), converter.rgb(frame)[64:128, :64])
