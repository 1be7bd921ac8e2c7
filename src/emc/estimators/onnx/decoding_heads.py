"""What `emc export onnx` puts around a network, inside the graph: RTMPose's input, and places drawn as its outputs.

Programs that load RTMPose files cut a crop around the box, normalise it with ImageNet's mean and spread in the order
blue, green, red (OpenCV's; rtmlib and Pose2Sim do not turn it), and read each joint off two 1D curves or one heatmap.
The graph undoes their normalisation and applies the network's own; it decodes places as our estimator does, then
draws each as a Gaussian whose highest value is the joint's score: P(right) where the model has been fitted so, since
these programs leave out joints by fixed thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from emc.estimators.onnx.card import IMAGENET_MEAN, IMAGENET_STD

SPLIT = 2
SIMCC_SIGMA = 6.0
"""Bins: standard deviation of the drawn 1D curves, about RTMPose's own training targets."""
HEATMAP_SIGMA = 2.0
"""Cells, one per pixel of the input: the reader's blur misleads it by up to 1.5 cells at the very edge of a map."""


class RtmposeInput(nn.Module):
    """(N, 3, F H, F W) as RTMPose is fed -> (N, 3, H, W) as a network is: RGB, its own mean, spread, border, pixels.

    size : (W, H) of the network. mean, std : its own, RGB, for values 0 to 255. border : grey level that it saw beyond
    an image's edge; programs leave black there, so whole rows and columns of pure black at the crop's edge become
    that grey. pixels : where its crop's pixels lie (see `BoxPart`). finer : F. Each pixel of the network is the mean
    of what it covers of the input.
    """

    def __init__(
        self,
        size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        border: float = 0.0,
        pixels: str = "edges",
        finer: int = 1,
    ) -> None:
        super().__init__()
        self.border, self.finer, self.pixels, self.size = border, finer, pixels, size
        self.same = finer == 1 and pixels == "edges"
        for name, values in (("their_mean", IMAGENET_MEAN), ("their_std", IMAGENET_STD), ("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(list(values), dtype=torch.float32).view(1, 3, 1, 1))
        for name, side in zip(("across", "down"), size, strict=True):
            self.register_buffer(name, self._means(side))

    def forward(self, crops: Tensor) -> Tensor:
        """Return the network's own input."""
        levels = crops * cast(Tensor, self.their_std) + cast(Tensor, self.their_mean)
        if self.border > 0:
            levels = torch.where(shown(levels), levels, torch.full_like(levels, self.border))
        if not self.same:
            levels = cast(Tensor, self.down) @ levels @ cast(Tensor, self.across).T
        return (levels.flip(1) - cast(Tensor, self.mean)) / cast(Tensor, self.std)

    def to_input(self, places: Tensor) -> Tensor:
        """Turn places (..., 2) in the network's pixels into pixels of the finer input (pixel centres on both)."""
        if self.pixels == "edges":
            return self.finer * places + (self.finer - 1) / 2
        # Their pixel v lies at the share v / W of the box, the network's pixel n at n / (W - 1).
        return places * torch.tensor([self._step(side) for side in self.size])

    def _step(self, side: int) -> float:
        return float(self.finer) if self.pixels == "edges" else self.finer * side / (side - 1)

    def _means(self, side: int) -> Tensor:
        """Return (side, F side): the share of each input pixel in each pixel of the network."""
        own = torch.arange(side, dtype=torch.float64)
        step = self._step(side)
        middle = step * own + ((self.finer - 1) / 2 if self.pixels == "edges" else 0.0)
        theirs = torch.arange(self.finer * side, dtype=torch.float64)
        low = torch.maximum(middle[:, None] - step / 2, theirs - 0.5)
        high = torch.minimum(middle[:, None] + step / 2, theirs + 0.5)
        covered = (high - low).clamp(min=0.0)
        return (covered / covered.sum(dim=1, keepdim=True)).float()


def shown(levels: Tensor) -> Tensor:
    """Return (N, 1, H, W) bool: inside of the black rows and columns at the edge of (N, 3, H, W) levels, if any."""
    brightest = levels.amax(dim=1, keepdim=True)
    rows, columns = brightest.amax(dim=3, keepdim=True) > 0.5, brightest.amax(dim=2, keepdim=True) > 0.5
    return _between_ends(rows, 2) & _between_ends(columns, 3)


def _between_ends(bright: Tensor, dim: int) -> Tensor:
    """Return whether each place of `dim` has a bright one at or before it, and at or after it."""
    counted = bright.float().cumsum(dim)
    return (counted > 0) & (counted - bright.float() < counted.amax(dim=dim, keepdim=True))


class SimccExport(nn.Module):
    """A network as RTMPose: crops in, ``simcc_x`` (N, K, 2 F W) and ``simcc_y`` (N, K, 2 F H) out.

    head : module from the network's input (N, 3, H, W) to places (N, K, 2) in its pixels and scores (N, K). The
    highest bin / 2 is the place in input pixels, to a quarter of a pixel and cut to the crop; the highest value of
    either curve is the score.
    """

    def __init__(self, given: RtmposeInput, head: nn.Module) -> None:
        super().__init__()
        self.given, self.head = given, head
        self.lengths = tuple(SPLIT * given.finer * side for side in given.size)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the two curves of each joint."""
        places, score = self.head(self.given(crops))
        bins = SPLIT * self.given.to_input(places)
        x, y = (curve(bins[..., axis], self.lengths[axis], SIMCC_SIGMA) for axis in (0, 1))
        return score[..., None] * x, score[..., None] * y


class HeatmapExport(nn.Module):
    """A network as ViTPose's ONNX files: crops in, ``heatmaps`` (N, K, F H, F W) out, drawn, not measured.

    Reads back by rtmlib's ViTPose (DARK on the map's logarithm). The highest value of a map is the score.
    """

    def __init__(self, given: RtmposeInput, head: nn.Module) -> None:
        super().__init__()
        self.given, self.head = given, head
        self.sides = tuple(given.finer * side for side in given.size)

    def forward(self, crops: Tensor) -> Tensor:
        """Return one map per joint."""
        places, score = self.head(self.given(crops))
        # The reader puts the last cell, not the one after it, on the box's edge.
        cells = self.given.to_input(places) * torch.tensor([(side - 1) / side for side in self.sides])
        x, y = (curve(cells[..., axis], self.sides[axis], HEATMAP_SIGMA) for axis in (0, 1))
        return score[..., None, None] * y[..., :, None] * x[..., None, :]


def curve(centre: Tensor, length: int, sigma: float) -> Tensor:
    """Return (..., length): a Gaussian around `centre`, in bins, scaled so that its highest bin is exactly 1.

    A centre outside of the bins is put on the first or last one.
    """
    held = centre.clamp(0, length - 1)[..., None]
    bins = torch.arange(length, dtype=torch.float32)
    lowest = (held - torch.round(held)) ** 2
    return torch.exp((lowest - (bins - held) ** 2) / (2 * sigma**2))


class DarkDecodingHead(nn.Module):
    """Heatmaps of a network -> places in its pixels and scores, by DARK: for estimators that train on heatmaps.

    network : (N, 3, H, W) -> (N, K, h, w). size : (W, H). Cell c of w stands for pixel c (W - 1) / (w - 1)
    ("unbiased data processing"). The highest cell's value is the score; the place is refined on the logarithm of the
    map after a Gaussian blur of `sigma` cells, cut off at `radius`, edge cells repeated beyond the map, values held
    between 0.001 and 50.
    """

    def __init__(self, network: nn.Module, size: tuple[int, int], sigma: float = 0.8, radius: int = 5) -> None:
        super().__init__()
        self.network, self.size, self.radius = network, size, radius
        profile = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / sigma) ** 2)
        self.register_buffer("profile", (profile / profile.sum()).float())

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return places (N, K, 2) and scores (N, K)."""
        maps = self.network(crops)
        height, width = maps.shape[-2:]
        score, best = maps.flatten(2).max(dim=-1)
        row, column = best // width, best % width
        step = newton(self._blurred(maps).clamp(1e-3, 50.0).log(), row, column)
        cells = torch.stack([column, row], dim=-1).float() + step
        scale = [(self.size[0] - 1) / (width - 1), (self.size[1] - 1) / (height - 1)]
        return cells * torch.tensor(scale), score

    def _blurred(self, maps: Tensor) -> Tensor:
        joints = maps.shape[1]
        weight = cast(Tensor, self.profile).expand(joints, 1, 2 * self.radius + 1)
        rows, columns = (mirrored(length, self.radius) for length in maps.shape[-2:])
        padded = maps.index_select(2, rows).index_select(3, columns)
        across = functional.conv2d(padded, weight[:, :, None, :], groups=joints)
        return functional.conv2d(across, weight[:, :, :, None], groups=joints)


class ConfidenceHead(nn.Module):
    """A reading whose scores are P(the joint is right), interpolated between fitted points.

    head : crops -> places (N, K, 2), scores (N, K). knots : (M,) scores, rising. right : (K, M) P(right) at them.
    A score beyond the outermost knots has their value.
    """

    def __init__(self, head: nn.Module, knots: Sequence[float], right: Sequence[Sequence[float]]) -> None:
        super().__init__()
        self.head = head
        self.register_buffer("knots", torch.tensor(list(knots), dtype=torch.float32))
        self.register_buffer("right", torch.tensor([list(row) for row in right], dtype=torch.float32))

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return places and P(right)."""
        places, score = self.head(crops)
        knots, right = cast(Tensor, self.knots), cast(Tensor, self.right)
        held = torch.minimum(torch.maximum(score, knots[0]), knots[-1])
        # How many of the inner knots lie at or below the score: the number of the piece that it lies in.
        piece = (held[..., None] >= knots[1:-1]).sum(dim=-1)
        rows = right.expand(score.shape[0], -1, -1)
        low, high = (rows.gather(2, (piece + side)[..., None])[..., 0] for side in (0, 1))
        return places, low + (high - low) * (held - knots[piece]) / (knots[piece + 1] - knots[piece])


class FlipEnsemble(nn.Module):
    """The mean of a network's maps of a crop and of its mirror image, turned back.

    network : (N, 3, H, W) -> (N, K, h, w). flip : for each joint the index of its mirror joint.
    """

    def __init__(self, network: nn.Module, flip: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("twin", torch.tensor(list(flip)), persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """Return the mean maps."""
        turned = self.network(crops.flip(-1)).flip(-1)
        return (self.network(crops) + turned.index_select(1, cast(Tensor, self.twin))) / 2


def mirrored(length: int, beyond: int) -> Tensor:
    """Return the indices of a row of `length` with `beyond` more on each side: d c b a | a b c d | d c b a."""
    folded = torch.arange(-beyond, length + beyond).remainder(2 * length)
    return torch.minimum(folded, 2 * length - 1 - folded)


def newton(maps: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Return (N, K, 2): cells (x, y) from a cell of (N, K, h, w) to the top of the paraboloid around it."""
    height, width = maps.shape[-2:]
    padded = functional.pad(maps, (1, 1, 1, 1), mode="replicate").flatten(2)

    def at(dy: int, dx: int) -> Tensor:
        place = (row + 1 + dy) * (width + 2) + column + 1 + dx
        return padded.gather(2, place[..., None])[..., 0]

    middle = at(0, 0)
    gx, gy = (at(0, 1) - at(0, -1)) / 2, (at(1, 0) - at(-1, 0)) / 2
    hxx, hyy = at(0, 1) + at(0, -1) - 2 * middle, at(1, 0) + at(-1, 0) - 2 * middle
    hxy = (at(1, 1) - at(0, 1) - at(1, 0) + 2 * middle - at(0, -1) - at(-1, 0) + at(-1, -1)) / 2
    area = hxx * hyy - hxy**2
    usable = area.abs() > 1e-12
    area = torch.where(usable, area, torch.ones_like(area))
    step = -torch.stack([hyy * gx - hxy * gy, hxx * gy - hxy * gx], dim=-1) / area[..., None]
    return torch.where(usable[..., None], step, torch.zeros_like(step))
