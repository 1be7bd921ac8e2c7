"""Heatmaps of ViTPose: decoding equal to transformers, targets and loss by hand, signals of doubt."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.estimators.vitpose.vitpose_reference import GRID, SIZE, random_boxes, their_places
from torch import Tensor, nn

from emc.estimators.vitpose.crops import windows
from emc.estimators.vitpose.heatmaps import (
    FEATURES,
    Decoded,
    confidence,
    decode,
    encode,
    flipped_back,
    signals,
    squared_error,
    to_image,
    with_teacher_targets,
)
from emc.pose.skeletons.skeleton import COCO17


def bumps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gaussians of spread 2 at (x, y), each (B, J), on maps of 64 x 48."""
    rows, columns = np.mgrid[:64, :48]
    square = (columns - x[..., None, None]) ** 2 + (rows - y[..., None, None]) ** 2
    return np.exp(-square / 8).astype(np.float32)


def uniform(rng: np.random.Generator) -> np.ndarray:
    return rng.random((8, 17, *GRID), dtype=np.float32)


def normal(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((8, 17, *GRID), dtype=np.float32)


def noisy_bumps(rng: np.random.Generator) -> np.ndarray:
    noise = 0.01 * rng.standard_normal((8, 17, *GRID), dtype=np.float32)
    return 0.8 * bumps(rng.uniform(0, 47, (8, 17)), rng.uniform(0, 63, (8, 17))) + noise


def at_the_edge(rng: np.random.Generator) -> np.ndarray:
    return bumps(rng.choice([0, 0.3, 46.8, 47, 20], (8, 17)), rng.choice([0, 0.4, 62.7, 63, 31], (8, 17)))


@pytest.mark.parametrize("make", [uniform, normal, noisy_bumps, at_the_edge])
def test_places_are_those_of_transformers(make: Callable[[np.random.Generator], np.ndarray]) -> None:
    pytest.importorskip("transformers", reason="the reference is transformers' processor")
    rng = np.random.default_rng(3)
    for _ in range(3):
        heatmaps, boxes = make(rng), random_boxes(rng, 8)
        decoded = decode(torch.from_numpy(heatmaps))
        ours = to_image(decoded.cells, windows(boxes, SIZE), GRID)
        np.testing.assert_allclose(ours, their_places(heatmaps, boxes), atol=0.01)
        np.testing.assert_array_equal(decoded.score, heatmaps.max(axis=(2, 3)))


def test_a_bump_is_found_to_a_hundredth_of_a_cell() -> None:
    x, y = np.array([[10.0, 20.3, 31.45]]), np.array([[5.0, 40.75, 12.5]])
    decoded = decode(torch.from_numpy(bumps(x, y)))
    np.testing.assert_allclose(decoded.cells, np.stack([x, y], axis=-1), atol=0.01)
    np.testing.assert_allclose(decoded.offset[0, 1], np.hypot(0.3, 0.25), atol=0.01)


def test_a_map_with_nothing_above_zero_has_no_place() -> None:
    decoded = decode(torch.zeros(1, 2, *GRID))
    assert np.isnan(decoded.cells).all()
    assert confidence(decoded).tolist() == [[0.0, 0.0]]


def test_cells_span_the_window() -> None:
    cells = np.array([[[0.0, 0], [47, 63], [23.5, 31.5], [np.nan, np.nan]]])
    xy = to_image(cells, np.array([[100.0, 50, 60, 80]]), GRID)
    np.testing.assert_allclose(xy[0, :3], [[70, 10], [130, 90], [100, 50]])
    assert np.isnan(xy[0, 3]).all()


def test_targets_are_bumps_at_the_exact_place() -> None:
    # Pixel 191 is cell 47: pixel 100 is cell 24.607; pixel 51 of 255 is cell 12.6 of 63.
    target, weight = encode(np.array([[[100.0, 51.0]]]), np.ones((1, 1)), SIZE, GRID)
    assert weight.tolist() == [[1.0]]
    x, y = 100 * 47 / 191, 51 * 63 / 255
    assert target[0, 0, 13, 25] == pytest.approx(np.exp(-((25 - x) ** 2 + (13 - y) ** 2) / 8))
    # Cut off three spreads, six cells, from the nearest cell.
    assert target[0, 0, 13, 31] > 0
    assert target[0, 0, 13, 32] == 0
    decoded = decode(torch.from_numpy(target))
    np.testing.assert_allclose(decoded.cells, [[[x, y]]], atol=0.02)


def test_joints_far_outside_or_unlabelled_do_not_count() -> None:
    xy = np.array([[[-10.0, 50], [-40, 50], [np.nan, np.nan], [50, 50]]])
    target, weight = encode(xy, np.array([[1.0, 1, 1, 0]]), SIZE, GRID)
    # Ten pixels are 2.5 cells beyond the edge: part of the bump is still seen.
    assert weight.tolist() == [[1.0, 0.0, 0.0, 0.0]]
    assert target[0, 0].max() > 0.3
    assert target[0, 1:].max() == 0


def test_the_loss_by_hand() -> None:
    heatmaps, target = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    heatmaps[0, 0, 0, 0], heatmaps[0, 1, 1, 1] = 0.6, 9.0
    target[0, 0, 1, 1] = 0.8
    # Joint 0: (0.36 + 0.64) / 4 cells; joint 1 is masked, but stands in the mean over both.
    assert float(squared_error(heatmaps, target, torch.tensor([[1.0, 0.0]]))) == pytest.approx(0.125)


def test_turning_back_swaps_sides() -> None:
    heatmaps = torch.zeros(1, 17, 4, 6)
    heatmaps[0, COCO17.index("left_wrist"), 1, 0] = 1.0
    back = flipped_back(heatmaps, COCO17.flip)
    assert float(back[0, COCO17.index("right_wrist"), 1, 5]) == 1.0
    assert float(back.sum()) == 1.0


def test_a_refinement_that_runs_away_is_not_trusted() -> None:
    cells = np.zeros((1, 3, 2), np.float32)
    decoded = Decoded(cells, np.array([[0.9, 1.3, 0.8]], np.float32), np.array([[0.2, 0.4, 30.0]], np.float32))
    np.testing.assert_allclose(confidence(decoded), [[0.9, 1.0, 0.0]])


def test_signals_tell_of_doubles_and_disagreement() -> None:
    heatmaps = bumps(np.array([[10.0, 10.0]]), np.array([[10.0, 10.0]]))
    heatmaps[0, 1] += 0.7 * bumps(np.array([[40.0]]), np.array([[50.0]]))[0, 0]
    other = np.roll(heatmaps, 12, axis=-1)
    maps = torch.from_numpy(heatmaps)
    found = signals(maps, decode(maps), torch.from_numpy(other))
    named = dict(zip(FEATURES, np.moveaxis(found[0], -1, 0), strict=True))
    np.testing.assert_allclose(named["peak"], [1.0, 1.0], atol=1e-3)
    # What is left six cells from the first bump's top: exp(-36 / 8).
    np.testing.assert_allclose(named["second_peak"], [np.exp(-36 / 8), 0.7], atol=1e-3)
    np.testing.assert_allclose(named["mirror_distance"], [12 / 48, 12 / 48])
    assert signals(maps, decode(maps), None)[..., FEATURES.index("mirror_distance")].max() == 0


class Teacher(nn.Module):
    """Answers 0.5 everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.5))

    def forward(self, image: Tensor) -> Tensor:
        return self.level.expand(len(image), 2, 4, 4)


def test_a_teacher_fills_targets_by_hand() -> None:
    batch = {
        "image": torch.zeros(3, 3, 8, 8),
        "target": torch.ones(3, 2, 4, 4),
        "weight": torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),
    }
    common = torch.tensor([True, False, False])
    found = with_teacher_targets(batch, Teacher(), common, distil=0.4, fill=0.25)
    # Common, labelled: 0.6 x 1 + 0.4 x 0.5; without a label: the teacher's, weight 0.4. Target: 1; teacher's, 0.25.
    assert found["target"][:, :, 0, 0].tolist() == [[pytest.approx(0.8), 0.5], [1.0, 0.5], [1.0, 1.0]]
    assert found["weight"].tolist() == [[1.0, pytest.approx(0.4)], [1.0, 0.25], [1.0, 1.0]]
    assert not found["target"].requires_grad
    assert batch["target"].min() == 1
    assert with_teacher_targets(batch, Teacher(), common, distil=0.0, fill=0.0) is batch
