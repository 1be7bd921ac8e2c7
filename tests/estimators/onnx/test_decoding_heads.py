"""What goes around an exported network: the input as RTMPose is fed, and places drawn as curves and maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emc.estimators.onnx.card import HeatmapOutput, InputPart, SimccOutput
from emc.estimators.onnx.decode import read_heatmaps, read_simcc
from emc.estimators.onnx.decoding_heads import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ConfidenceHead,
    DarkDecodingHead,
    FlipEnsemble,
    HeatmapExport,
    RtmposeInput,
    SimccExport,
    curve,
    mirrored,
    shown,
)


def as_fed(levels: np.ndarray) -> Tensor:
    """(N, H, W, 3) RGB levels -> what rtmlib feeds: blue first, ImageNet's numbers by position."""
    blue_first = levels[..., ::-1].astype(np.float64)
    return torch.from_numpy(((blue_first - IMAGENET_MEAN) / IMAGENET_STD).transpose(0, 3, 1, 2).astype(np.float32))


def gradient(width: int, height: int) -> np.ndarray:
    """Levels that rise with x in red and with y in green: where a pixel was taken from shows in its value."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x + 40, y + 20, np.full_like(x, 7)], axis=-1)[None]


def test_normalisation_and_channels_are_turned_back() -> None:
    levels = np.random.default_rng(0).integers(1, 256, (2, 8, 6, 3))
    given = RtmposeInput((6, 8), (10.0, 20.0, 30.0), (2.0, 4.0, 5.0))
    expected = ((levels - [10, 20, 30]) / [2, 4, 5]).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(given(as_fed(levels)).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("pixels", "finer"), [("edges", 1), ("edges", 2), ("centres", 1), ("centres", 2), ("centres", 3)]
)
def test_each_pixel_of_the_network_is_taken_from_where_its_places_go(pixels: str, finer: int) -> None:
    size = (16, 24)
    given = RtmposeInput(size, (0.0,) * 3, (1.0,) * 3, pixels=pixels, finer=finer)
    seen = given(as_fed(gradient(finer * 16, finer * 24)))[0].numpy()
    y, x = np.mgrid[0:24, 0:16]
    back = given.to_input(torch.from_numpy(np.stack([x, y], axis=-1).astype(np.float32))).numpy()
    inside = (slice(None), slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(seen[0][inside[1:]], back[..., 0][inside[1:]] + 40, atol=0.26)
    np.testing.assert_allclose(seen[1][inside[1:]], back[..., 1][inside[1:]] + 20, atol=0.26)
    np.testing.assert_allclose(seen[2], 7, atol=1e-3)


def test_places_by_their_shares_of_the_box() -> None:
    centres = RtmposeInput((16, 24), (0,) * 3, (1,) * 3, pixels="centres", finer=2)
    places = torch.tensor([[0.0, 0.0], [15.0, 23.0], [7.5, 11.5]])
    np.testing.assert_allclose(centres.to_input(places), [[0, 0], [32, 48], [16, 24]], rtol=1e-6)
    edges = RtmposeInput((16, 24), (0,) * 3, (1,) * 3, pixels="edges", finer=2)
    np.testing.assert_allclose(edges.to_input(places), [[0.5, 0.5], [30.5, 46.5], [15.5, 23.5]])


def test_black_beyond_the_image_becomes_the_networks_border() -> None:
    levels = np.zeros((1, 6, 8, 3))
    levels[0, 2:5, 0:5] = 50
    levels[0, 3, 2] = 0
    given = RtmposeInput((8, 6), (0.0,) * 3, (1.0,) * 3, border=114.0)
    seen = given(as_fed(levels))[0, 0].numpy()
    expected = np.full((6, 8), 114.0)
    expected[2:5, 0:5] = 50
    expected[3, 2] = 0
    np.testing.assert_allclose(seen, expected, atol=1e-3)
    assert not shown(torch.zeros(1, 3, 4, 4)).any()


@pytest.mark.parametrize(("centre", "highest"), [(0.0, 0), (3.2, 3), (7.5, 8), (9.9, 9), (-4.0, 0), (30.0, 9)])
def test_curves_are_exactly_one_at_their_highest_bin(centre: float, highest: int) -> None:
    drawn = curve(torch.tensor([centre]), 10, 2.0)[0].numpy()
    assert drawn.max() == 1.0
    assert drawn[highest] == 1.0


class Fixed(nn.Module):
    """Stands in for a network that always sees the same places."""

    def __init__(self, places: np.ndarray, score: np.ndarray) -> None:
        super().__init__()
        self.places, self.score = torch.from_numpy(places), torch.from_numpy(score)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        return self.places.expand(len(crops), -1, -1), self.score.expand(len(crops), -1)


@pytest.fixture
def seen() -> Fixed:
    rng = np.random.default_rng(4)
    return Fixed(rng.uniform(0, 30.9, (1, 40, 2)).astype(np.float32), rng.uniform(0.05, 1, (1, 40)).astype(np.float32))


@pytest.mark.parametrize("finer", [1, 2])
def test_simcc_curves_tell_place_and_score(seen: Fixed, finer: int) -> None:
    given = RtmposeInput((32, 32), (0,) * 3, (1,) * 3, pixels="centres", finer=finer)
    side = 32 * finer
    x, y = (out.numpy() for out in SimccExport(given, seen)(torch.zeros(2, 3, side, side)))
    assert x.shape == y.shape == (2, 40, 2 * side)
    expected = seen.places.numpy()[0] / 31
    plain, score = read_simcc(x, y, SimccOutput(), InputPart(size=(side, side)))
    assert np.abs(plain[1] - expected).max() * side <= 0.25 + 1e-4
    np.testing.assert_allclose(score[1], seen.score.numpy()[0], rtol=1e-6)
    between, _ = read_simcc(x, y, SimccOutput(refine="gaussian"), InputPart(size=(side, side)))
    inside = (expected > 0.02).all(axis=-1) & (expected < 0.97).all(axis=-1)
    assert np.abs(between[1] - expected)[inside].max() * side < 1e-2


def test_scores_become_what_was_fitted(seen: Fixed) -> None:
    rng = np.random.default_rng(5)
    knots = [0.1, 0.15, 0.4, 0.8]  # some scores lie beyond both ends
    right = np.sort(rng.uniform(0, 1, (40, 4)), axis=1)
    places, sure = ConfidenceHead(seen, knots, right.tolist())(torch.zeros(3, 3, 8, 8))
    expected = [np.interp(seen.score.numpy()[0, j], knots, right[j]) for j in range(40)]
    np.testing.assert_allclose(sure.numpy(), np.tile(expected, (3, 1)), atol=1e-6)
    assert torch.equal(places[2], seen.places[0])


@pytest.mark.parametrize("finer", [1, 2])
def test_heatmaps_tell_place_and_score(seen: Fixed, finer: int) -> None:
    given = RtmposeInput((32, 32), (0,) * 3, (1,) * 3, pixels="centres", finer=finer)
    side = 32 * finer
    maps = HeatmapExport(given, seen)(torch.zeros(1, 3, side, side)).numpy()
    assert maps.shape == (1, 40, side, side)
    expected = seen.places.numpy()[0] / 31
    places, score = read_heatmaps(maps, HeatmapOutput(heatmaps="h", cells="centres", refine="dark", kernel=11))
    np.testing.assert_allclose(score[0], seen.score.numpy()[0], rtol=1e-5)
    away = ((expected > 8 / side) & (expected < 1 - 8 / side)).all(axis=-1)
    assert away.sum() > 5
    assert np.abs(places[0] - expected)[away].max() * side < 0.05
    # Near the map's edge the reader's blur, which mirrors it there, draws the place towards the edge.
    assert np.abs(places[0] - expected).max() * side < 1.5


def test_dark_in_the_graph_equals_dark_on_its_maps() -> None:
    rng = np.random.default_rng(6)
    centres = rng.uniform(8, [39, 55], (20, 2))
    x, y = np.arange(48), np.arange(64)
    maps = np.exp(-((x - centres[:, :1, None]) ** 2 + (y[:, None] - centres[:, 1:, None]) ** 2) / 8)[None]
    maps = (maps * rng.uniform(0.3, 0.9, (1, 20, 1, 1))).astype(np.float32)

    class Maps(nn.Module):
        def forward(self, crops: Tensor) -> Tensor:
            return torch.from_numpy(maps)

    places, score = DarkDecodingHead(Maps(), (192, 256), sigma=2.0)(torch.zeros(1, 3, 256, 192))
    shares, expected = read_heatmaps(maps, HeatmapOutput(heatmaps="h", cells="centres", refine="dark", kernel=11))
    np.testing.assert_allclose(places[0].numpy(), shares[0] * [191, 255], atol=0.02)
    np.testing.assert_allclose(score[0].numpy(), expected[0], rtol=1e-6)


def test_a_row_is_mirrored_about_its_ends() -> None:
    assert mirrored(4, 2).tolist() == [1, 0, 0, 1, 2, 3, 3, 2]
    assert mirrored(2, 3).tolist() == [1, 1, 0, 0, 1, 1, 0, 0]


def test_two_readings_swap_left_and_right() -> None:
    class Brightness(nn.Module):
        def forward(self, crops: Tensor) -> Tensor:
            return crops[:, :2]

    crops = torch.zeros(1, 3, 1, 4)
    crops[0, 0, 0, 0] = 1.0
    found = FlipEnsemble(Brightness(), (1, 0))(crops)
    np.testing.assert_allclose(found[0, :, 0], [[0.5, 0, 0, 0], [0.5, 0, 0, 0]])
