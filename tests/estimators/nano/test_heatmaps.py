"""Heatmaps of `nano`: places to maps and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emc.estimators.nano.heatmaps import CELL, cross_entropy, decode, decode_both, encode


def test_decode_finds_sub_pixel_places_of_gaussian_maps_exactly() -> None:
    xy = np.random.default_rng(0).uniform(8, 119, (4, 17, 2))
    target, weight = encode(xy, np.ones((4, 17)))
    found = decode(target.clamp(min=1e-30).log())
    assert weight.min() == 1
    np.testing.assert_allclose(found.xy, xy, atol=1e-3)
    assert (found.peak > 0.85).all()


def test_a_sure_map_has_all_its_mass_at_the_peak_and_a_flat_one_the_share_of_its_cells() -> None:
    logits = torch.zeros(1, 2, 32, 32)
    logits[0, 0, 10, 20] = 50.0
    logits[0, 1, 10, 20] = 1e-4
    found = decode(logits)
    assert found.peak[0, 0] == pytest.approx(1.0, abs=1e-4)
    assert found.peak[0, 1] == pytest.approx(25 / 1024, abs=1e-4)
    np.testing.assert_allclose(found.xy[0, 0], [20 * CELL, 10 * CELL], atol=1e-3)
    np.testing.assert_allclose(found.features[0, :, 2], [0.0, 1.0], atol=1e-4)


def test_the_second_peak_is_found_elsewhere() -> None:
    logits = torch.full((1, 1, 32, 32), -20.0)
    logits[0, 0, 5, 5] = float(np.log(3.0))
    logits[0, 0, 25, 25] = 0.0
    peak, second, _, _ = decode(logits).features[0, 0]
    assert peak == pytest.approx(0.75, abs=1e-3)
    assert second == pytest.approx(0.25, abs=1e-3)


def test_peaks_on_the_edge_stay_within_half_a_cell() -> None:
    logits = torch.zeros(1, 1, 32, 32)
    logits[0, 0, 0, 31] = 9.0
    x, y = decode(logits).xy[0, 0]
    assert abs(x - 127) <= CELL / 2
    assert abs(y) <= CELL / 2


def test_joints_without_label_or_outside_the_crop_weigh_nothing() -> None:
    xy = np.array([[[60.0, 60.0], [np.nan, np.nan], [60.0, 60.0], [-40.0, 60.0], [127.0, 0.0]]])
    target, weight = encode(xy, np.array([[2, 2, 0, 2, 1]]))
    assert weight[0].tolist() == [1, 0, 0, 0, 1]
    np.testing.assert_allclose(target.sum(dim=(2, 3)), 1.0, atol=1e-5)


def test_cross_entropy_by_hand() -> None:
    # Two cells with logits log 3 and 0: shares 3/4 and 1/4; the target is all on the second cell.
    logits = torch.tensor([[[[np.log(3.0), 0.0]], [[5.0, -5.0]]]], dtype=torch.float32)
    target = torch.tensor([[[[0.0, 1.0]], [[0.5, 0.5]]]])
    loss = cross_entropy(logits, target, torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx(np.log(4.0), abs=1e-6)


def test_two_readings_are_averaged_and_their_distance_told() -> None:
    first, second = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    first[0, 0, 10, 10] = 20.0
    second[0, 0, 13, 14] = 30.0
    found = decode_both(first, second)
    np.testing.assert_allclose(found.xy[0, 0], [14 * CELL, 13 * CELL], atol=0.01)
    assert found.features[0, 0, 3] == pytest.approx(5 / 32)
