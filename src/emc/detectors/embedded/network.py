"""The embedded person detector's network: a small residual encoder, a top-down path, a centre-and-sides head."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDE = 8
WIDTHS = (32, 64, 96, 124)
BLOCKS = (1, 2, 3, 2)
HEAD_WIDTH = 64
# Box sides are regressed as the softplus of the output times this, in input pixels.
SIDE_UNIT = 16.0


class DetectorNetwork(nn.Module):
    """(B, 3, H, W) RGB in [0, 1], H and W multiples of 32, to centres and sides on the stride-8 grid.

    An encoder of bottleneck blocks (He et al., CVPR 2016) at strides 4 to 32 and a top-down path (Lin et al.,
    CVPR 2017) back to stride 8. The head says, per cell, whether a person's centre is there (Zhou et al., *Objects
    as points*, 2019) and how far the four sides of the box are from the cell (Tian et al., ICCV 2019).
    """

    def __init__(self) -> None:
        super().__init__()
        w1, w2, w3, w4 = WIDTHS
        d = HEAD_WIDTH
        self.stem = nn.Sequential(conv_norm(3, 16, 3, 2), nn.ReLU(), conv_norm(16, w1, 3, 2), nn.ReLU())
        self.stage1 = nn.Sequential(*(Bottleneck(w1) for _ in range(BLOCKS[0])))
        self.stage2 = stage(w1, w2, BLOCKS[1])
        self.stage3 = stage(w2, w3, BLOCKS[2])
        self.stage4 = stage(w3, w4, BLOCKS[3])
        self.lateral4 = conv_norm(w4, d, 1)
        self.lateral3 = conv_norm(w3, d, 1)
        self.lateral2 = conv_norm(w2, d, 1)
        self.merge3 = Bottleneck(d)
        self.merge2 = Bottleneck(d)
        self.tower = nn.Sequential(conv_norm(d, d, 3), nn.ReLU())
        self.centre = nn.Conv2d(d, 1, 1)
        self.sides = nn.Conv2d(d, 4, 1)
        for layer in (self.centre, self.sides):
            nn.init.normal_(layer.weight, std=0.01)
        # A prior of about 2 % keeps the first steps from being spent on learning that most cells are empty.
        nn.init.constant_(cast(Tensor, self.centre.bias), -4.0)
        nn.init.constant_(cast(Tensor, self.sides.bias), 1.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return centre logits (B, 1, H/8, W/8) and distances left, top, right, bottom (B, 4, H/8, W/8) in pixels."""
        x2 = self.stage2(self.stage1(self.stem((image - 0.45) * 4.0)))
        x3 = self.stage3(x2)
        x4 = self.stage4(x3)
        y = self.merge3(functional.relu(self.lateral3(x3) + upsample(self.lateral4(x4))))
        y = self.merge2(functional.relu(self.lateral2(x2) + upsample(y)))
        y = self.tower(y)
        return self.centre(y), functional.softplus(self.sides(y)) * SIDE_UNIT


class Bottleneck(nn.Module):
    """Residual 1x1 -> 3x3 -> 1x1 at half the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.reduce = conv_norm(width, half, 1)
        self.mix = conv_norm(half, half, 3)
        self.expand = conv_norm(half, width, 1)
        nn.init.zeros_(cast(nn.BatchNorm2d, self.expand[1]).weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` plus its correction, same shape."""
        y = functional.relu(self.mix(functional.relu(self.reduce(x))))
        return functional.relu(x + self.expand(y))


def stage(width_in: int, width: int, blocks: int) -> nn.Sequential:
    """Return a convolution of stride 2, then `blocks` bottlenecks."""
    return nn.Sequential(conv_norm(width_in, width, 3, 2), nn.ReLU(), *(Bottleneck(width) for _ in range(blocks)))


def conv_norm(width_in: int, width: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution and its batch norm."""
    conv = nn.Conv2d(width_in, width, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(width))


def upsample(x: Tensor) -> Tensor:
    """Double the resolution."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def cell_centres(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return the (2, height, width) x and y of the grid's cell centres, pixels of the network's input.

    Cell (0, 0) covers input pixels 0 to 7, whose middle is 3.5 when a pixel's centre is a whole number.
    """
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return torch.stack([x, y]).float() * STRIDE + (STRIDE - 1) / 2


def fold_norms(network: DetectorNetwork) -> DetectorNetwork:
    """Fold every batch norm into its convolution, in place, for prediction alone; returns the network."""
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2:
            convolution, norm = module[0], module[1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                module[0], module[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return network
