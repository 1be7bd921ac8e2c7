"""Images of more than eight bits."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from emc.errors import DecodeError
from emc.stages.video.deep import by_range
from emc.stages.video.images import read_image


@pytest.mark.parametrize(
    ("values", "most", "expected", "words"),
    [
        ([0, 128, 255], None, [0, 128, 255], "8 bits"),
        ([0, 512, 1023], None, [0, 128, 255], "10 bits"),
        ([0, 2048, 4095], None, [0, 128, 255], "12 bits"),
        ([0, 2048, 4096], None, [0, 32, 64], "14 bits"),
        ([0, 2048, 65535], None, [0, 8, 255], "16 bits"),
        ([0, 100, 200], 4095, [0, 6, 12], "12 bits"),
    ],
)
def test_integers_by_the_bits_in_use(values: list[int], most: float | None, expected: list[int], words: str) -> None:
    small, said = by_range(np.array([values], np.uint16), most)
    assert (small.tolist(), said) == ([expected], words)


@pytest.mark.parametrize(
    ("values", "expected", "words"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255], "0 to 1"),
        ([0.1, 0.2, 0.4], [26, 51, 102], "0 to 1"),
        ([0.0, 0.75, 1.5], [0, 128, 255], "0 to 1.5"),
        ([0.0, 100.4, 200.0], [0, 100, 200], "0 to 255"),
        ([0.0, 2.0, 4.0], [0, 128, 255], "0 to 4"),
        ([-1.0, 0.0, 1.0], [0, 128, 255], "-1 to 1"),
        ([float("nan"), 0.5, float("inf")], [0, 128, 0], "0 to 1"),
    ],
)
def test_floating_point_by_its_range(values: list[float], expected: list[int], words: str) -> None:
    small, said = by_range(np.array([values], np.float32), None)
    assert (small.tolist(), said) == ([expected], words)


def test_deep_colours_keep_their_order_and_are_turned_once(tmp_path: Path) -> None:
    stored = np.zeros((2, 3, 3), np.uint16)
    stored[0, 0] = (4095, 2048, 16)
    cv2.imwrite(str(tmp_path / "a.png"), stored[..., ::-1])
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [255, 128, 1]
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored[..., 0]).save(tmp_path / "turned.tif", exif=exif)
    turned = read_image(tmp_path / "turned.tif")
    assert turned.shape == (3, 2, 3)
    assert turned[0, 1].tolist() == [255] * 3, "what was left at the top is right at the top after a clockwise turn"


def test_doubles_are_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.tif"), np.array([[0.0, 0.5, 1.0]]))
    assert read_image(tmp_path / "a.tif").tolist() == [[[0, 0, 0], [128, 128, 128], [255, 255, 255]]]


def test_damage_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 64, 3), 4000, np.uint16))
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:80])
    with pytest.raises(DecodeError, match=r"cut\.png cannot be decoded"):
        read_image(tmp_path / "cut.png")
    (tmp_path / "text.tif").write_text("no picture")
    with pytest.raises(DecodeError, match=r"text\.tif cannot be decoded \(no image format that is known\)"):
        read_image(tmp_path / "text.tif")
