"""The `nano` network: a small residual encoder with a top-down path, spatial-softmax heatmaps out."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

INPUT_SIZE = 128
GRID_SIZE = 32
STRIDE_WIDTHS = (40, 96, 192, 288)
BLOCKS = (1, 2, 3, 2)
DECODER_WIDTH = 96


class NanoNetwork(nn.Module):
    """(B, 3, 128, 128) normalised RGB in, (B, joints, 32, 32) logits out; a softmax over the cells is P(place).

    An encoder of bottleneck blocks (He et al., CVPR 2016) at strides 4, 8, 16 and 32, and a top-down path of lateral
    1x1 convolutions (Lin et al., CVPR 2017) back to stride 4. Wide 3x3 convolutions stay at low resolution.

    Batch-norm statistics are those of the data that the weights were trained on. While `statistics_frozen`,
    ``train()`` leaves them as they are: a few hundred steps on another population would otherwise move them, and
    with them the behaviour on the first population, without any gradient having asked for it.
    """

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.statistics_frozen = False
        w1, w2, w3, w4 = STRIDE_WIDTHS
        self.stem = nn.Sequential(conv_norm(3, 24, 3, stride=2), nn.ReLU(), conv_norm(24, w1, 3, stride=2), nn.ReLU())
        self.stage1 = stage(w1, w1, BLOCKS[0], stride=1)
        self.stage2 = stage(w1, w2, BLOCKS[1], stride=2)
        self.stage3 = stage(w2, w3, BLOCKS[2], stride=2)
        self.stage4 = stage(w3, w4, BLOCKS[3], stride=2)
        d = DECODER_WIDTH
        self.lateral4 = conv_norm(w4, d, 1)
        self.lateral3 = conv_norm(w3, d, 1)
        self.lateral2 = conv_norm(w2, d, 1)
        self.lateral1 = conv_norm(w1, d, 1)
        self.merge3 = Bottleneck(d)
        self.merge2 = Bottleneck(d)
        self.head = nn.Conv2d(d, joints, 1)
        self.fine = nn.Conv2d(d, 4 * joints, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(cast(Tensor, self.head.bias))
        nn.init.zeros_(self.fine.weight)
        nn.init.zeros_(cast(Tensor, self.fine.bias))

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of each joint's place on the grid."""
        x1 = self.stage1(self.stem(image))
        x2 = self.stage2(x1)
        x3 = self.stage3(x2)
        x4 = self.stage4(x3)
        y = self.merge3(functional.relu(self.lateral3(x3) + upsample(self.lateral4(x4))))
        y = self.merge2(functional.relu(self.lateral2(x2) + upsample(y)))
        # The coarse map says which quarter of its cell each joint is in; the shallow one adds what the pixels show.
        quarters = functional.pixel_shuffle(self.fine(y), 2)
        return quarters + self.head(functional.relu(self.lateral1(x1) + upsample(y)))

    def train(self, mode: bool = True) -> NanoNetwork:
        """Switch to training mode; frozen batch-norm statistics stay frozen."""
        super().train(mode)
        if mode and self.statistics_frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def freeze_statistics(self, frozen: bool = True) -> None:
        """Say whether ``train()`` leaves the batch-norm statistics alone (their scale and shift still learn)."""
        self.statistics_frozen = frozen
        self.train(self.training)


def build_network(joints: int) -> NanoNetwork:
    """Return a network with random weights, in evaluation mode, channels last in memory (twice as fast on a CPU)."""
    network = NanoNetwork(joints).eval()
    cast(Any, network).to(memory_format=torch.channels_last)
    return network


class Bottleneck(nn.Module):
    """Residual 1x1 -> 3x3 -> 1x1 at half the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.reduce = conv_norm(width, half, 1)
        self.mix = conv_norm(half, half, 3)
        self.expand = conv_norm(half, width, 1)
        # Every block begins as the identity (Goyal et al., 2017): a deep stack is then trainable from the first step.
        nn.init.zeros_(cast(nn.BatchNorm2d, self.expand[1]).weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` plus its correction, same shape."""
        y = functional.relu(self.reduce(x))
        y = functional.relu(self.mix(y))
        return functional.relu(x + self.expand(y))


def stage(width_in: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    """Return an optional strided convolution, then `blocks` bottlenecks."""
    layers: list[nn.Module] = []
    if stride > 1:
        layers += [conv_norm(width_in, width, 3, stride), nn.ReLU()]
    return nn.Sequential(*layers, *(Bottleneck(width) for _ in range(blocks)))


def conv_norm(width_in: int, width: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution and its batch norm."""
    conv = nn.Conv2d(width_in, width, kernel, stride, kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(width))


def upsample(x: Tensor) -> Tensor:
    """Double the resolution."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
