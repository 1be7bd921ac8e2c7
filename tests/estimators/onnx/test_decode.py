"""Reading places off outputs: hand-made SimCC curves, heatmaps and MoveNet maps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.estimators.onnx.card import HeatmapOutput, InputPart, MovenetOutput, SimccOutput
from emc.estimators.onnx.decode import read_heatmaps, read_movenet, read_simcc


def bump(centre: float, length: int, sigma: float, height: float = 1.0) -> np.ndarray:
    return height * np.exp(-((np.arange(length) - centre) ** 2) / (2 * sigma**2))


def test_simcc_takes_the_highest_bins_and_the_mean_of_their_values() -> None:
    x, y = np.zeros((1, 2, 16)), np.zeros((1, 2, 24))
    x[0, 0, 4], y[0, 0, 18] = 0.8, 0.4
    x[0, 1, 15], y[0, 1, 0] = 0.2, 0.6
    given = InputPart(size=(8, 12))
    places, score = read_simcc(x, y, SimccOutput(), given)
    np.testing.assert_allclose(places[0], [[2 / 8, 9 / 12], [7.5 / 8, 0]])
    np.testing.assert_allclose(score[0], [0.6, 0.4])
    _, least = read_simcc(x, y, SimccOutput(score="min"), given)
    np.testing.assert_allclose(least[0], [0.4, 0.2])


def test_simcc_split_ratio() -> None:
    x, y = np.zeros((1, 1, 32)), np.zeros((1, 1, 32))
    x[0, 0, 8], y[0, 0, 20] = 1, 1
    places, _ = read_simcc(x, y, SimccOutput(split=4), InputPart(size=(8, 8)))
    np.testing.assert_allclose(places[0, 0] * 8, [2, 5])


def test_a_gaussian_curve_is_read_between_its_bins() -> None:
    x, y = bump(10.3, 64, 6)[None, None], bump(41.75, 64, 6)[None, None]
    given = InputPart(size=(32, 32))
    places, _ = read_simcc(x, y, SimccOutput(refine="gaussian"), given)
    np.testing.assert_allclose(places[0, 0] * 32, [10.3 / 2, 41.75 / 2], atol=1e-9)
    edge, _ = read_simcc(bump(0, 64, 6)[None, None], np.zeros((1, 1, 64)), SimccOutput(refine="gaussian"), given)
    np.testing.assert_allclose(edge[0, 0], [0, 0])


def heatmap(x: float, y: float, height: float = 0.8) -> np.ndarray:
    return (bump(y, 24, 2)[:, None] * bump(x, 18, 2) * height)[None, None]


def test_heatmaps_highest_cell_and_its_value() -> None:
    maps = heatmap(7.4, 11.2)
    places, score = read_heatmaps(maps, HeatmapOutput(heatmaps="h"))
    np.testing.assert_allclose(places[0, 0], [7 / 18, 11 / 24])
    assert score[0, 0] == pytest.approx(maps.max())
    unbiased, _ = read_heatmaps(maps, HeatmapOutput(heatmaps="h", cells="centres"))
    np.testing.assert_allclose(unbiased[0, 0], [7 / 17, 11 / 23])


def test_a_quarter_cell_goes_to_the_higher_neighbour() -> None:
    places, _ = read_heatmaps(heatmap(7.4, 10.7), HeatmapOutput(heatmaps="h", refine="quarter"))
    np.testing.assert_allclose(places[0, 0], [7.25 / 18, 10.75 / 24])
    corner, _ = read_heatmaps(heatmap(0, 23), HeatmapOutput(heatmaps="h", refine="quarter"))
    np.testing.assert_allclose(corner[0, 0], [0, 23 / 24])


def test_dark_reads_a_gaussian_between_its_cells() -> None:
    places, score = read_heatmaps(heatmap(7.4, 11.2), HeatmapOutput(heatmaps="h", refine="dark", kernel=5))
    np.testing.assert_allclose(places[0, 0] * [18, 24], [7.4, 11.2], atol=1e-3)
    assert score[0, 0] == pytest.approx(heatmap(7.4, 11.2).max())


def whole_map_dark(maps: np.ndarray, kernel: int) -> np.ndarray:
    """Return (N, K, 2) cells as OpenMMLab and rtmlib find them: each map blurred as a whole, then its logarithm."""
    persons, joints, height, width = maps.shape
    places = np.zeros((persons, joints, 2))
    for n, k in np.ndindex(persons, joints):
        row, column = np.unravel_index(maps[n, k].argmax(), (height, width))
        blurred = cv2.GaussianBlur(maps[n, k], (kernel, kernel), 0)
        near = np.pad(np.log(np.clip(blurred, 1e-3, 50)), 1, mode="edge")[row : row + 3, column : column + 3]
        (nw, up, _), (left, middle, right), (_, down, se) = near.astype(np.float64)
        slope = np.array([right - left, down - up]) / 2
        mixed = (se - right - down + 2 * middle - left - up + nw) / 2
        bend = np.array([[right + left - 2 * middle, mixed], [mixed, down + up - 2 * middle]])
        places[n, k] = (column, row) - np.linalg.solve(bend + np.finfo(np.float32).eps * np.eye(2), slope)
    return places


@pytest.mark.parametrize("kernel", [5, 11, 17])
def test_dark_of_few_cells_equals_dark_of_whole_maps(kernel: int) -> None:
    inside = np.random.default_rng(0).uniform([2, 2], [15, 21], (9, 2))
    edges = [(x, y) for x in (0, 0.4, 8.3, 16.6, 17) for y in (0, 0.4, 11.7, 22.6, 23)]
    peaks = np.stack([heatmap(x, y)[0] for x, y in [*inside, *edges]], axis=1).astype(np.float32)
    peaks += np.random.default_rng(1).normal(0, 0.002, peaks.shape).astype(np.float32)
    how = HeatmapOutput(heatmaps="h", refine="dark", kernel=kernel)
    places, score = read_heatmaps(peaks, how)
    np.testing.assert_allclose(places * [18, 24], whole_map_dark(peaks, kernel), atol=1e-5)
    np.testing.assert_array_equal(score, peaks.max(axis=(2, 3)))


def test_dark_of_a_sigmoid_is_dark_of_the_map_after_it() -> None:
    peaks = np.concatenate([heatmap(x, y) for x, y in ((7.4, 11.2), (0, 0.3), (17, 23))], axis=1).astype(np.float32)
    logits = np.log(peaks.clip(1e-6) / (1 - peaks.clip(1e-6)))
    places, score = read_heatmaps(logits, HeatmapOutput(heatmaps="h", refine="dark", activation="sigmoid"))
    np.testing.assert_allclose(places * [18, 24], whole_map_dark(peaks, 11), atol=1e-4)
    np.testing.assert_allclose(score, peaks.max(axis=(2, 3)), atol=1e-6)


def test_dark_of_noise_takes_the_same_steps() -> None:
    """Of a map without a peak the step is a slope over a bend near 0, which magnifies every rounding."""
    maps = np.random.default_rng(2).uniform(0, 1, (20, 17, 64, 48)).astype(np.float32)
    places, _ = read_heatmaps(maps, HeatmapOutput(heatmaps="h", refine="dark"))
    np.testing.assert_allclose(places * [48, 64], whole_map_dark(maps, 11), rtol=1e-4, atol=1e-5)


def test_dark_leaves_an_empty_map_where_it_is() -> None:
    places, score = read_heatmaps(np.zeros((1, 1, 8, 8)), HeatmapOutput(heatmaps="h", refine="dark"))
    np.testing.assert_array_equal(places[0, 0], [0, 0])
    assert score[0, 0] == 0


def test_sigmoid_comes_first() -> None:
    maps = np.full((1, 1, 4, 4), -10.0)
    maps[0, 0, 1, 2] = 0.0
    places, score = read_heatmaps(maps, HeatmapOutput(heatmaps="h", activation="sigmoid"))
    np.testing.assert_allclose(places[0, 0], [0.5, 0.25])
    assert score[0, 0] == pytest.approx(0.5)


def two_people() -> tuple[np.ndarray, ...]:
    """A joint of the centred person at cell (5, 6), a brighter one of somebody else at (10, 2)."""
    maps, centre = np.zeros((1, 1, 12, 12)), np.zeros((1, 1, 12, 12))
    regression, offsets = np.zeros((1, 2, 12, 12)), np.zeros((1, 2, 12, 12))
    maps[0, 0, 6, 5], maps[0, 0, 2, 10] = 0.6, 0.9
    centre[0, 0, 6, 6] = 1
    regression[0, :, 6, 6] = [-1.2, 0.3]
    offsets[0, :, 6, 5], offsets[0, :, 2, 10] = [0.25, 0.75], [0.5, 1.5]
    return maps, centre, regression, offsets


def test_movenet_starts_from_the_centre() -> None:
    places, score = read_movenet(*two_people(), MovenetOutput())
    np.testing.assert_allclose(places[0, 0] * 12, [5.25, 6.75])
    assert score[0, 0] == pytest.approx(0.6)


def test_movenet_maxima_take_the_brightest_and_stay_in_the_cell() -> None:
    places, score = read_movenet(*two_people(), MovenetOutput(decode="maxima"))
    np.testing.assert_allclose(places[0, 0] * 12, [10.5, 3.0])
    assert score[0, 0] == pytest.approx(0.9)


def test_movenet_without_offsets_takes_the_middle_of_the_cell() -> None:
    maps, centre, regression, _ = two_people()
    places, _ = read_movenet(maps, centre, regression, None, MovenetOutput(offsets=""))
    np.testing.assert_allclose(places[0, 0] * 12, [5.5, 6.5])


def test_outputs_of_another_kind_are_refused() -> None:
    with pytest.raises(ShapeMismatch, match=r"shapes \[\(1, 1, 8, 8\)"):
        read_simcc(np.zeros((1, 1, 8, 8)), np.zeros((1, 1, 8)), SimccOutput(), InputPart(size=(4, 4)))
