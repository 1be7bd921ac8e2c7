"""RTMPose's network with random weights: CSPNeXt and the head of coordinate classes, for benchmarks of speed.

Written from the papers (Lyu et al. 2022, arXiv 2212.07784; Jiang et al. 2023, arXiv 2303.07399): what a convolution or
an attention costs does not depend on its weights. The published numbers of parameters are met (`PARAMETERS`).
"""

from __future__ import annotations

import torch
from torch import nn

SCALES = {"t": (0.167, 0.375), "s": (0.33, 0.5), "m": (0.67, 0.75), "l": (1.0, 1.0)}
"""Depth and width of each size."""
PARAMETERS = {"t": 3.34e6, "s": 5.47e6, "m": 13.59e6, "l": 27.66e6}
"""Published parameters of each size, input 256 x 192, 17 joints."""
STAGES = ((128, 3, True), (256, 6, True), (512, 6, True), (1024, 3, False))
"""Of each stage at full scale: channels out, blocks, whether a block adds what it was given."""
SIZE = (192, 256)


def block(given: int, wide: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(given, wide, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(wide), nn.SiLU())


class NextBlock(nn.Module):
    """3 x 3, then 5 x 5 by channel and 1 x 1."""

    def __init__(self, wide: int, adds: bool) -> None:
        super().__init__()
        self.adds = adds
        self.steps = nn.Sequential(block(wide, wide), block(wide, wide, 5, groups=wide), block(wide, wide, 1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of the same shape."""
        return self.steps(maps) + maps if self.adds else self.steps(maps)


class Stage(nn.Module):
    """Half the side: two branches, one through the blocks, weighed channel by channel where they meet."""

    def __init__(self, given: int, wide: int, blocks: int, adds: bool, pools: bool) -> None:
        super().__init__()
        self.down = block(given, wide, stride=2)
        self.pool = Pyramid(wide) if pools else nn.Identity()
        half = wide // 2
        self.short, self.main, self.last = block(wide, half, 1), block(wide, half, 1), block(wide, wide, 1)
        self.blocks = nn.Sequential(*(NextBlock(half, adds) for _ in range(blocks)))
        self.weigh = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, wide, 1), nn.Hardsigmoid())

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of half the side."""
        maps = self.pool(self.down(maps))
        both = torch.cat([self.blocks(self.main(maps)), self.short(maps)], 1)
        return self.last(both * self.weigh(both))


class Pyramid(nn.Module):
    """Maxima over three reaches beside the maps themselves."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.first, self.last = block(wide, wide // 2, 1), block(wide * 2, wide, 1)
        self.pools = nn.ModuleList(nn.MaxPool2d(side, 1, side // 2) for side in (5, 9, 13))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Return maps of the same shape."""
        maps = self.first(maps)
        return self.last(torch.cat([maps, *(pool(maps) for pool in self.pools)], 1))


class ScaleNorm(nn.Module):
    """Divide by the length, without a mean."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.scale, self.gain = wide**-0.5, nn.Parameter(torch.ones(1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows of one length, times the gain."""
        return rows / (rows.norm(dim=-1, keepdim=True) * self.scale).clamp(min=1e-5) * self.gain


class GatedAttention(nn.Module):
    """One gated attention unit over the joints."""

    def __init__(self, wide: int = 256, inner: int = 512, keys: int = 128) -> None:
        super().__init__()
        self.inner, self.keys = inner, keys
        self.norm = ScaleNorm(wide)
        self.into = nn.Linear(wide, 2 * inner + keys, bias=False)
        self.gain, self.shift = nn.Parameter(torch.rand(2, keys)), nn.Parameter(torch.zeros(2, keys))
        self.out = nn.Linear(inner, wide, bias=False)
        self.weight = nn.Parameter(torch.ones(wide))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Return rows of the same shape."""
        gate, values, base = nn.functional.silu(self.into(self.norm(rows))).split(
            [self.inner, self.inner, self.keys], dim=-1
        )
        query, key = (base.unsqueeze(2) * self.gain + self.shift).unbind(2)
        weights = torch.relu(query @ key.transpose(1, 2) / self.keys**0.5).square()
        return rows * self.weight + self.out(gate * (weights @ values))


class RtmPose(nn.Module):
    """(N, 3, 256, 192) float32 to simcc_x (N, 17, 384) and simcc_y (N, 17, 512)."""

    def __init__(self, size: str) -> None:
        super().__init__()
        deep, wide = SCALES[size]
        first = int(64 * wide)
        self.stem = nn.Sequential(
            block(3, first // 2, stride=2), block(first // 2, first // 2), block(first // 2, first)
        )
        channels, stages = first, []
        for number, (full, blocks, adds) in enumerate(STAGES):
            stages.append(Stage(channels, int(full * wide), max(round(blocks * deep), 1), adds, number == 3))
            channels = int(full * wide)
        self.stages = nn.Sequential(*stages)
        self.final = nn.Conv2d(channels, 17, 7, padding=3)
        cells = SIZE[0] // 32 * (SIZE[1] // 32)
        self.rows = nn.Sequential(ScaleNorm(cells), nn.Linear(cells, 256, bias=False))
        self.attention = GatedAttention()
        self.x, self.y = (nn.Linear(256, 2 * side, bias=False) for side in SIZE)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores of the columns and of the rows."""
        rows = self.attention(self.rows(self.final(self.stages(self.stem(image))).flatten(2)))
        return self.x(rows), self.y(rows)
