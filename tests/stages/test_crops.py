from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.pose.geometry import crop_affine, transform
from emc.pose.records import Box
from emc.stages.crops import cut, stabilised_crops


def boxes(xywh: np.ndarray) -> list[Box | None]:
    return [Box(frame, (float(x), float(y), float(w), float(h))) for frame, (x, y, w, h) in enumerate(xywh)]


def test_a_still_box_gives_its_padded_square():
    squares = stabilised_crops(boxes(np.tile([100.0, 50.0, 40.0, 80.0], (20, 1))), 64, padding=1.25)
    assert squares == pytest.approx(np.tile([120.0, 90.0, 100.0], (20, 1)))


def test_trembling_boxes_give_a_steady_window_that_holds_them():
    rng = np.random.default_rng(0)
    centre = np.column_stack([np.linspace(200, 400, 90), np.full(90, 300.0)])
    shaken = np.column_stack([centre - 50 + rng.normal(0, 4, (90, 2)), 100 + rng.normal(0, 6, (90, 2))])
    squares = stabilised_crops(boxes(shaken), 64)
    raw = shaken[:, :2] + shaken[:, 2:] / 2
    jitter = np.abs(np.diff(squares[:, :2], n=2, axis=0)).mean()
    assert jitter < 0.05 * np.abs(np.diff(raw, n=2, axis=0)).mean()
    low, high = squares[:, :2] - squares[:, 2:] / 2, squares[:, :2] + squares[:, 2:] / 2
    assert (shaken[:, :2] >= low).all()
    assert (shaken[:, :2] + shaken[:, 2:] <= high).all()


def test_a_lone_wrong_box_does_not_move_the_window():
    xywh = np.tile([100.0, 50.0, 40.0, 80.0], (30, 1))
    xywh[15] = [900.0, 700.0, 300.0, 300.0]
    assert stabilised_crops(boxes(xywh), 64) == pytest.approx(np.tile([120.0, 90.0, 100.0], (30, 1)))


def test_gaps_are_bridged_and_ends_held():
    row = boxes(np.tile([100.0, 50.0, 40.0, 80.0], (12, 1)))
    row[0] = row[5] = row[6] = row[11] = None
    assert stabilised_crops(row, 64) == pytest.approx(np.tile([120.0, 90.0, 100.0], (12, 1)))


def test_window_of_a_tiny_person_is_not_smaller_than_a_quarter_of_the_crop():
    squares = stabilised_crops(boxes(np.tile([10.0, 10.0, 4.0, 4.0], (3, 1))), 256)
    assert squares[:, 2].tolist() == [64.0, 64.0, 64.0]


def test_no_box_at_all():
    with pytest.raises(UsageError, match="no box on any of 3 frames"):
        stabilised_crops([None, None, None], 64)


@pytest.mark.parametrize("side", [31.0, 63.0, 200.0, 511.0])
def test_cut_puts_points_where_the_affine_says(side):
    # A wide soft spot: its centre of mass survives every scale.
    y, x = np.mgrid[:600, :600].astype(np.float64)
    place = np.array([310.0, 287.0])
    spot = 255 * np.exp(-(((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * (side / 20) ** 2)))
    image = np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2)
    square = np.array([300.0, 290.0, side])
    crop = cut(image, square, 64)
    assert crop.shape == (64, 64, 3)
    weight = crop[..., 0].astype(np.float64)
    v, u = np.mgrid[:64, :64]
    found = np.array([(u * weight).sum(), (v * weight).sum()]) / weight.sum()
    if side > 31:
        assert found == pytest.approx(transform(place, crop_affine(square, 64)), abs=0.1)
    else:
        assert found[0] == pytest.approx(transform(place, crop_affine(square, 64))[0], abs=0.5)


def test_cut_beyond_the_edge_is_black():
    crop = cut(np.full((50, 50, 3), 200, dtype=np.uint8), np.array([0.0, 0.0, 41.0]), 42)
    assert crop[:18, :18].max() == 0
    assert crop[24:, 24:].min() == 200
