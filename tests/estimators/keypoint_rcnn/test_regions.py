from __future__ import annotations

import pytest
import torch
from torch import Tensor

from emc.estimators.keypoint_rcnn.regions import levels, pooled, roi_align


def ramp(height: int, width: int) -> Tensor:
    """Two channels: each cell's column, and its row."""
    y, x = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
    return torch.stack([x, y])[None]


def test_a_ramp_is_read_at_the_middle_of_each_bin() -> None:
    # Box (4, 8) to (20, 24) pixels at 1/4 cell per pixel: cells 1..5 and 2..6, two bins of two cells.
    found = roi_align(ramp(10, 12), torch.tensor([[0, 4.0, 8, 20, 24]]), 2, 0.25, aligned=False, sampling=2)
    assert found.shape == (1, 2, 2, 2)
    assert found[0, 0].flatten().tolist() == pytest.approx([2.0, 4.0, 2.0, 4.0])
    assert found[0, 1].flatten().tolist() == pytest.approx([3.0, 3.0, 5.0, 5.0])


def test_aligned_reads_half_a_cell_before() -> None:
    found = roi_align(ramp(10, 12), torch.tensor([[0, 4.0, 8, 20, 24]]), 2, 0.25, aligned=True, sampling=2)
    assert found[0, 0].flatten().tolist() == pytest.approx([1.5, 3.5, 1.5, 3.5])
    assert found[0, 1].flatten().tolist() == pytest.approx([2.5, 2.5, 4.5, 4.5])


def test_an_unaligned_region_has_at_least_a_cell() -> None:
    tiny = torch.tensor([[0, 8.0, 8, 9, 9]])
    assert roi_align(ramp(10, 12), tiny, 1, 0.25, aligned=False)[0, 0].item() == pytest.approx(2.5)
    assert roi_align(ramp(10, 12), tiny, 1, 0.25, aligned=True)[0, 0].item() == pytest.approx(1.625)


def test_points_beyond_the_border_take_its_value_and_further_ones_count_as_nothing() -> None:
    # Four points at x = -1.5, -0.5, 0.5, 1.5: nothing, border, between 0 and 1, border.
    feature = torch.tensor([[[[10.0, 20.0]]]])
    found = roi_align(feature, torch.tensor([[0, -2.0, 0.0, 2.0, 0.0]]), 1, 1.0, aligned=False, sampling=4)
    assert found.item() == pytest.approx((0 + 10 + 15 + 20) / 4)


def test_adaptive_sampling_takes_as_many_points_as_cells() -> None:
    spike = torch.zeros(1, 1, 8, 8)
    spike[0, 0, 2, 2] = 9.0
    region = torch.tensor([[0, 0.5, 0.5, 6.5, 6.5]])
    # Aligned: from 0 to 6, one bin: 6 x 6 points at 0.5, 1.5, ...; four of them see a quarter of the spike.
    assert roi_align(spike, region, 1, 1.0, aligned=True, sampling=0).item() == pytest.approx(9.0 / 36)


def naive(feature: Tensor, region: list[float], size: int, scale: float, aligned: bool, sampling: int) -> Tensor:
    """ROIAlign by its definition, point by point."""
    channels, height, width = feature.shape
    offset = 0.5 if aligned else 0.0
    x0, y0, x1, y1 = (value * scale - offset for value in region)
    across, down = (x1 - x0, y1 - y0) if aligned else (max(x1 - x0, 1.0), max(y1 - y0, 1.0))
    found = torch.zeros(channels, size, size)
    nx = sampling or max(1, -(-across / size // 1).__int__())
    ny = sampling or max(1, -(-down / size // 1).__int__())
    for row in range(size):
        for column in range(size):
            for j in range(ny):
                for i in range(nx):
                    y = y0 + (row + (j + 0.5) / ny) * down / size
                    x = x0 + (column + (i + 0.5) / nx) * across / size
                    if not (-1 <= y <= height and -1 <= x <= width):
                        continue
                    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
                    low_y, low_x = int(y), int(x)
                    high_y, high_x = min(low_y + 1, height - 1), min(low_x + 1, width - 1)
                    v, u = y - low_y, x - low_x
                    upper = feature[:, low_y, low_x] * (1 - u) + feature[:, low_y, high_x] * u
                    lower = feature[:, high_y, low_x] * (1 - u) + feature[:, high_y, high_x] * u
                    found[:, row, column] += (upper * (1 - v) + lower * v) / (nx * ny)
    return found


@pytest.mark.parametrize(("aligned", "sampling"), [(False, 2), (True, 0), (True, 3), (False, 0)])
def test_equals_the_definition_on_random_regions(aligned: bool, sampling: int) -> None:
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(2, 3, 9, 13, generator=generator)
    low = torch.rand(8, 2, generator=generator) * 80 - 20
    regions = torch.cat([torch.arange(8)[:, None] % 2, low, low + torch.rand(8, 2, generator=generator) * 70], dim=1)
    found = roi_align(features, regions, 3, 0.125, aligned, sampling)
    for region, own in zip(regions.tolist(), found, strict=True):
        expected = naive(features[int(region[0])], region[1:], 3, 0.125, aligned, sampling)
        assert torch.allclose(own, expected, atol=1e-5)


def test_gradients_are_the_weights_of_the_reading() -> None:
    features = torch.zeros(1, 1, 6, 6, requires_grad=True)
    # One point per bin, in the middle of four cells and on one cell.
    found = roi_align(features, torch.tensor([[0, 1.0, 1.0, 2.0, 2.0], [0, 3.5, 3.5, 4.5, 4.5]]), 1, 1.0, sampling=1)
    (found[0] + 10 * found[1]).sum().backward()
    expected = torch.zeros(6, 6)
    expected[1:3, 1:3] = 0.25
    expected[4, 4] = 10.0
    assert features.grad is not None
    assert torch.allclose(features.grad[0, 0], expected, atol=1e-4)


def test_levels_by_size() -> None:
    sides = torch.tensor([20.0, 111.0, 112.0, 223.0, 224.0, 447.0, 448.0, 900.0, 0.0])
    boxes = torch.stack([sides * 0, sides * 0, sides, sides], dim=1)
    assert levels(boxes).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 0]


def test_regions_of_several_levels_and_images_keep_their_order() -> None:
    pyramid = [torch.full((2, 1, 32 // 2**level, 32 // 2**level), float(level)) for level in range(4)]
    for level in pyramid:
        level[1] += 10
    regions = torch.tensor([[1, 0, 0, 100, 100.0], [0, 0, 0, 10, 10.0], [1, 0, 0, 10, 10.0], [0, 0, 0, 120, 120.0]])
    found = pooled(pyramid, regions, 2, aligned=False, sampling=2)
    assert found[:, 0].mean(dim=(1, 2)).tolist() == [10.0, 0.0, 10.0, 1.0]


def test_no_regions() -> None:
    pyramid = [torch.zeros(1, 5, 8, 8)] * 4
    assert pooled(pyramid, torch.zeros(0, 5), 7, True, 0).shape == (0, 5, 7, 7)
    assert roi_align(pyramid[0], torch.zeros(0, 5), 7, 0.25).shape == (0, 5, 7, 7)
