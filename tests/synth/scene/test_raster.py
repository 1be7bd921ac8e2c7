"""The z-buffer: coverage, nearness, facing and interpolation on triangles that are worked by hand."""

from __future__ import annotations

import numpy as np

from emc.synth.scene.raster import interpolated, rasterize

# Front faces run against the clock as one looks at the picture (y points down).
SQUARE = np.array([[1.0, 1.0], [1.0, 6.0], [6.0, 6.0], [6.0, 1.0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def at_depth(depth: float) -> np.ndarray:
    return np.column_stack([SQUARE, np.full(4, depth)])


def test_a_square_covers_its_pixels_once_and_knows_its_depth() -> None:
    found = rasterize(at_depth(2.0), FACES, 10, 8)
    rows, columns = np.divmod(found.pixel, 10)
    assert len(found.pixel) == len(np.unique(found.pixel)) == 36
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (1, 6, 1, 6)
    np.testing.assert_allclose(found.depth, 2.0, rtol=1e-4)


def test_back_faces_and_things_behind_the_camera_are_not_drawn() -> None:
    assert len(rasterize(at_depth(2.0), FACES[:, ::-1], 10, 8).pixel) == 0
    assert len(rasterize(at_depth(-1.0), FACES, 10, 8).pixel) == 0


def test_the_nearer_square_wins_whatever_the_order() -> None:
    both = np.concatenate([at_depth(3.0), at_depth(2.0)])
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        faces = np.concatenate([FACES, FACES + 4])[order]
        found = rasterize(both, faces, 10, 8)
        assert (faces[found.face].min(axis=1) >= 4).all()


def test_a_square_beyond_the_edge_is_cut() -> None:
    found = rasterize(at_depth(1.0), FACES, 4, 3)
    assert len(found.pixel) == 3 * 2
    away = at_depth(1.0) + [50.0, 0.0, 0.0]
    assert len(rasterize(away, FACES, 10, 8).pixel) == 0


def test_values_are_interpolated_linearly() -> None:
    screen = at_depth(2.0)
    found = rasterize(screen, FACES, 10, 8)
    values = np.column_stack([screen[:, 0], 3 * screen[:, 1] - screen[:, 0]])
    smooth = interpolated(screen, FACES, values, found, 10)
    rows, columns = np.divmod(found.pixel, 10)
    np.testing.assert_allclose(smooth[:, 0], columns, atol=1e-4)
    np.testing.assert_allclose(smooth[:, 1], 3 * rows - columns, atol=1e-4)
