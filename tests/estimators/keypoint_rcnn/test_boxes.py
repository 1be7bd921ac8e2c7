from __future__ import annotations

import math

import pytest
import torch

from emc.estimators.keypoint_rcnn.boxes import (
    cell_anchors,
    clipped,
    grid_anchors,
    moved,
    overlaps,
    suppressed,
    suppressed_in_groups,
)


def test_anchors_have_the_square_s_area_and_their_shape() -> None:
    exact = cell_anchors(32.0, whole=False)
    assert exact[0].tolist() == pytest.approx([-22.6274, -11.3137, 22.6274, 11.3137], abs=1e-3)
    assert exact[1].tolist() == [-16, -16, 16, 16]
    assert exact[2].tolist() == pytest.approx([-11.3137, -22.6274, 11.3137, 22.6274], abs=1e-3)
    assert cell_anchors(32.0, whole=True).tolist() == [[-23, -11, 23, 11], [-16, -16, 16, 16], [-11, -23, 11, 23]]


def test_anchors_lie_on_the_grid_row_by_row() -> None:
    anchors = grid_anchors((2, 3), (8, 4), 64.0, whole=True)
    assert anchors.shape == (18, 4)
    centres = ((anchors[:, :2] + anchors[:, 2:]) / 2)[1::3]
    assert centres.tolist() == [[0, 0], [4, 0], [8, 0], [0, 8], [4, 8], [8, 8]]


def test_moved_by_hand() -> None:
    boxes = torch.tensor([[10.0, 20, 30, 60]])
    # Right by half a width, up by a quarter of a height, twice as wide, half as high.
    offsets = torch.tensor([[0.5, -0.25, math.log(2), math.log(0.5)]])
    assert moved(boxes, offsets, (1, 1, 1, 1))[0].tolist() == pytest.approx([10, 20, 50, 40])
    assert moved(boxes, offsets * torch.tensor([10.0, 10, 5, 5]), (10, 10, 5, 5))[0].tolist() == pytest.approx(
        [10, 20, 50, 40]
    )


def test_growth_is_bounded() -> None:
    found = moved(torch.tensor([[0.0, 0, 16, 16]]), torch.tensor([[0.0, 0, 50, 0]]), (1, 1, 1, 1))
    assert (found[0, 2] - found[0, 0]).item() == pytest.approx(1000, rel=1e-4)


def test_clipped() -> None:
    boxes = torch.tensor([[-5.0, 3, 50, 90], [60, 70, 80, 90]])
    assert clipped(boxes, (40, 30)).tolist() == [[0, 3, 30, 40], [30, 40, 30, 40]]


def test_overlaps_by_hand() -> None:
    first = torch.tensor([[0.0, 0, 4, 4], [1, 1, 1, 1]])
    second = torch.tensor([[2.0, 0, 6, 4], [0, 0, 4, 4], [1, 1, 1, 1]])
    assert overlaps(first, second)[0].tolist() == pytest.approx([8 / 24, 1.0, 0.0])
    assert overlaps(first, second)[1].tolist() == [0.0, 0.0, 0.0]


def test_suppression_keeps_the_best_of_each_heap() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10], [2, 0, 12, 10]])
    scores = torch.tensor([0.6, 0.9, 0.3, 0.8])
    # Box 1 hides 0 and 3 (overlap 9/11); box 2 stands alone.
    assert suppressed(boxes, scores, 0.5).tolist() == [1, 2]
    assert suppressed(boxes, scores, 0.9).tolist() == [1, 3, 0, 2]


def test_a_hidden_box_hides_nothing() -> None:
    # 0 hides 1 (overlap 1/3), which alone would have hidden 2.
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10]])
    assert suppressed(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.3).tolist() == [0, 2]


def test_exactly_the_limit_stays_and_ties_go_to_the_first() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 1], [0.0, 0, 1, 1], [0.0, 0, 2, 1]])
    assert suppressed(boxes, torch.tensor([0.5, 0.5, 0.5]), 0.5).tolist() == [0, 1]


def test_groups_do_not_hide_each_other() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10]] * 4)
    scores = torch.tensor([0.1, 0.4, 0.3, 0.2])
    groups = [torch.tensor([0, 1]), torch.tensor([2, 3])]
    assert suppressed_in_groups(boxes, scores, groups, 0.5).tolist() == [1, 2]


def test_nothing_to_suppress() -> None:
    assert suppressed(torch.zeros(0, 4), torch.zeros(0), 0.5).shape == (0,)
