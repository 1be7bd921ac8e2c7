"""Cells around peaks: gathered, folded and repeated at the edges, as OpenCV and whole maps have it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emc.estimators.heatmap_patches import mirrored, patches, reflected, repeat_edge


@pytest.mark.parametrize("fold, border", [(reflected, cv2.BORDER_REFLECT), (mirrored, cv2.BORDER_REFLECT_101)])
@pytest.mark.parametrize("length", [2, 3, 7])
def test_indices_beyond_the_edge_are_folded_as_opencv_does(fold, border: int, length: int) -> None:
    index = np.arange(-11, length + 11)
    np.testing.assert_array_equal(fold(index, length), [cv2.borderInterpolate(int(i), length, border) for i in index])


def test_a_map_of_one_cell_has_no_other_index() -> None:
    np.testing.assert_array_equal(mirrored(np.arange(-3, 4), 1), np.zeros(7))
    np.testing.assert_array_equal(reflected(np.arange(-3, 4), 1), np.zeros(7))


def test_patches_come_each_from_its_own_map() -> None:
    maps = np.arange(2 * 4 * 5).reshape(2, 4, 5)
    found = patches(maps, np.array([[0, 1], [3, 3]]), np.array([[1, 2, 3], [4, 0, 4]]))
    np.testing.assert_array_equal(found, [[[1, 2, 3], [6, 7, 8]], [[39, 35, 39], [39, 35, 39]]])


def test_beyond_the_edge_stand_the_outermost_cells() -> None:
    whole = np.random.default_rng(0).uniform(0, 1, (4, 3))
    padded = np.pad(whole, 1, mode="edge")
    row, column = (each.ravel() for each in np.indices(whole.shape))
    expected = np.stack([padded[y : y + 3, x : x + 3] for y, x in zip(row, column, strict=True)])
    near = np.stack([np.pad(whole, 1)[y : y + 3, x : x + 3] for y, x in zip(row, column, strict=True)])
    repeat_edge(near, row, column, (4, 3))
    np.testing.assert_array_equal(near, expected)
