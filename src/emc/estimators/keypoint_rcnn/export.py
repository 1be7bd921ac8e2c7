"""Keypoint R-CNN as a graph for ONNX: a crop about one person in, places and scores out.

Programs that load such files cut out each person by themselves. The graph takes the crop for the whole image and the
middle of it, without the padding, for the person's box: the network as it is, at one fixed box.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from emc.estimators.keypoint_rcnn.heatmaps import near_cells
from emc.estimators.keypoint_rcnn.network import KEYPOINT_BINS, KeypointRcnnNetwork
from emc.estimators.keypoint_rcnn.recipe import Recipe
from emc.estimators.keypoint_rcnn.regions import FIRST_LEVEL, levels, sample_grid
from emc.estimators.onnx import ExportForm
from emc.interfaces import ModelInfo

PADDING = 1.25
BORDER = 116.0
"""Grey level beyond the image: about the mean, which the network knows as padding."""


def crop_size(recipe: Recipe) -> tuple[int, int]:
    """Return (width, height) of the crops, multiples of 32: 288 x 384 at a shorter side of 800."""
    width, height = (32 * math.ceil(share * recipe.short_side / 32) for share in (0.36, 0.48))
    return width, height


def crop_box(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 of the person's box in a crop of (width, height)."""
    margin = (1 - 1 / PADDING) / 2
    return margin * size[0], margin * size[1], (1 - margin) * size[0], (1 - margin) * size[1]


class CropDecodingHead(nn.Module):
    """(B, 3, H, W) normalised RGB crops in, places (B, 17, 2) in crop pixels and scores (B, 17) above 0 out.

    Places and scores are those of `decode`: the middle of the highest pixel, and the probability near it.
    """

    def __init__(self, network: KeypointRcnnNetwork, size: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        recipe = network.recipe
        box = torch.tensor([crop_box(size)])
        self.level = int(levels(box))
        scale = 1.0 / 2 ** (self.level + FIRST_LEVEL)
        cells = (size[1] // 2 ** (self.level + FIRST_LEVEL), size[0] // 2 ** (self.level + FIRST_LEVEL))
        grid, self.points = sample_grid(box, cells, KEYPOINT_BINS, scale, recipe.aligned, recipe.sampling)
        self.corner: Tensor
        self.side: Tensor
        self.grid: Tensor
        self.register_buffer("grid", grid)
        self.register_buffer("corner", box[0, :2])
        self.register_buffer("side", box[0, 2:] - box[0, :2])
        width, height = (math.ceil(length) for length in self.side.tolist())
        self.large = (height, width)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return places and scores."""
        network = self.network
        level = network.features(crops.flip(1) if network.recipe.bgr else crops)[self.level]
        grid = self.grid.expand(level.shape[0], -1, -1, -1)
        seen = functional.grid_sample(level, grid, padding_mode="border", align_corners=False)
        across, down = self.points
        seen = functional.avg_pool2d(seen, (down, across))
        maps = network.maps_of(seen)
        enlarged = functional.interpolate(maps, size=self.large, mode="bicubic", align_corners=False)
        place = enlarged.flatten(2).argmax(dim=-1)
        ratio = self.side / torch.tensor([self.large[1], self.large[0]], dtype=torch.float32)
        whole = torch.stack([place % self.large[1], place // self.large[1]], dim=-1)
        xy = self.corner + (whole + 0.5) * ratio
        cells = ((xy - self.corner) / self.side * maps.shape[-1]).long().clamp(0, maps.shape[-1] - 1)
        shares = maps.flatten(2).softmax(dim=-1)
        score = (shares * near_cells(cells, maps.shape[-1]).flatten(2)).sum(dim=-1)
        return xy - network.recipe.half_pixel, score.clamp(1e-6, 1.0)


def keypoint_rcnn_form(network: KeypointRcnnNetwork, info: ModelInfo) -> ExportForm:
    """Return the form of a network, which it keeps on the CPU in float32."""
    network = network.float().cpu().eval()
    recipe = network.recipe
    size = crop_size(recipe)
    turned = slice(None, None, -1) if recipe.bgr else slice(None)
    return ExportForm(
        head=CropDecodingHead(network, size),
        size=size,
        mean=recipe.mean[turned],
        std=recipe.spread[turned],
        skeleton=info.skeleton,
        padding=PADDING,
        border=BORDER,
        pixels="edges",
        licence=info.licence,
        source=info.weights,
    )
