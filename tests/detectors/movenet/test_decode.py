"""Heads of the multi-person network, made by hand, to boxes and rough poses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emc.detectors.movenet.decode import read_centres, read_poses

HEIGHT, WIDTH = 40, 64


def empty() -> dict[str, torch.Tensor]:
    """Heads that say nothing."""
    return {
        "center": torch.full((1, 1, HEIGHT, WIDTH), -20.0),
        "box_scale": torch.zeros(1, 2, HEIGHT, WIDTH),
        "box_offset": torch.zeros(1, 2, HEIGHT, WIDTH),
        "kpt_heatmap": torch.full((1, 17, HEIGHT, WIDTH), -20.0),
        "kpt_regress": torch.zeros(1, 34, HEIGHT, WIDTH),
        "kpt_offset": torch.zeros(1, 34, HEIGHT, WIDTH),
    }


def person(heads: dict[str, torch.Tensor], row: int, column: int, chance: float, size: tuple[float, float]) -> None:
    """Put a centre with a box of `size` (height, width) cells at a cell."""
    heads["center"][0, 0, row, column] = torch.logit(torch.tensor(chance))
    heads["box_scale"][0, :, row, column] = torch.tensor(size)


def test_a_box_lies_around_the_centre_cell_and_its_offset() -> None:
    heads = empty()
    person(heads, 20, 30, 0.9, (16.0, 8.0))
    heads["box_offset"][0, :, 20, 30] = torch.tensor([0.5, -1.0])
    found = read_centres(heads, 0, 0.1)
    # Middle 20.5 cells down, 29 across; edges in cells times 4, half a pixel before the first pixel's centre.
    np.testing.assert_allclose(found.corners, [[25 * 4 - 0.5, 12.5 * 4 - 0.5, 33 * 4 - 0.5, 28.5 * 4 - 0.5]])
    np.testing.assert_allclose(found.score, [0.9], rtol=1e-5)


def test_only_the_highest_of_five_by_five_cells_is_a_person() -> None:
    heads = empty()
    for column, chance in ((10, 0.6), (12, 0.8), (15, 0.5), (40, 0.05)):
        person(heads, 20, column, chance, (4.0, 4.0))
    found = read_centres(heads, 0, 0.1)
    # (10) is two cells from a better one, (15) three; (40) is not believed.
    assert [tuple(cell) for cell in found.cell.tolist()] == [(20, 12), (20, 15)]
    assert found.score.tolist() == [pytest.approx(0.8), pytest.approx(0.5)]


def test_nobody_is_no_box_and_no_pose() -> None:
    found = read_centres(empty(), 0, 0.1)
    assert found.corners.shape == (0, 4)
    xy, score = read_poses(empty(), 0, found)
    assert (xy.shape, score.shape) == ((0, 17, 2), (0, 17))


def test_each_person_gets_the_peaks_inside_its_box_that_its_centre_expects() -> None:
    heads = empty()
    for column in (16, 40):
        person(heads, 20, column, 0.9, (20.0, 12.0))
        heads["kpt_regress"][0, 0:2, 20, column] = torch.tensor([-6.0, 1.0])  # the nose: row 14, one to the right
    for row, column, chance in ((14, 17, 0.5), (14, 41, 0.6), (14, 28, 0.99), (26, 41, 0.7)):
        heads["kpt_heatmap"][0, 0, row, column] = torch.logit(torch.tensor(chance))
    heads["kpt_offset"][0, 0:2, 14, 41] = torch.tensor([0.25, 0.5])
    found = read_centres(heads, 0, 0.1)
    xy, score = read_poses(heads, 0, found)
    by_column = {int(cell[1]): (xy[i, 0], score[i, 0]) for i, cell in enumerate(found.cell)}
    # The highest peak, at column 28, is in nobody's box; row 26 is 12 cells away: 0.7 x exp(-144 / (0.3 x 40)).
    np.testing.assert_allclose(by_column[16][0], [17 * 4 - 0.5, 14 * 4 - 0.5])
    np.testing.assert_allclose(by_column[40][0], [41.5 * 4 - 0.5, 14.25 * 4 - 0.5])
    assert (by_column[16][1], by_column[40][1]) == (pytest.approx(0.5), pytest.approx(0.6))
