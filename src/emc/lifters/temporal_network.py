"""The temporal-convolution network that lifts 2D sequences to 3D.

Written from Pavllo, Feichtenhofer, Grangier, Auli: "3D human pose estimation in video with temporal convolutions and
semi-supervised training" (CVPR 2019), section 3. Parameters carry the names that the paper's published checkpoints
use, so that a checkpoint which a user brings can be loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from torch import nn

from emc.errors import ShapeMismatch, UsageError


class TemporalNetwork(nn.Module):
    """Residual blocks of dilated convolutions over time, in the full-sequence (not strided) form.

    joints_in, features : joints of the 2D input and values per joint (2: x, y; 3: and a confidence).
    joints_out : joints of the 3D output. filter_widths : odd kernel sizes; the first belongs to the entry
    convolution, each other one to a residual block whose dilation is the product of the widths before it.
    The receptive field is the product of all widths: (3, 3, 3, 3, 3) sees 243 frames.
    """

    def __init__(
        self,
        joints_in: int = 17,
        features: int = 2,
        joints_out: int = 17,
        filter_widths: Sequence[int] = (3, 3, 3, 3, 3),
        channels: int = 1024,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        if not filter_widths or any(width < 1 or width % 2 == 0 for width in filter_widths):
            raise UsageError(f"filter widths {tuple(filter_widths)} are not all odd and positive: use 3s, as the paper")
        self.joints_in, self.features, self.joints_out = joints_in, features, joints_out
        self.filter_widths = tuple(filter_widths)
        self.channels = channels
        self.expand_conv = nn.Conv1d(joints_in * features, channels, self.filter_widths[0], bias=False)
        self.expand_bn = nn.BatchNorm1d(channels)
        convolutions: list[nn.Module] = []
        for block, width in enumerate(self.filter_widths[1:], start=1):
            dilation = prod(self.filter_widths[:block])
            convolutions.append(nn.Conv1d(channels, channels, width, dilation=dilation, bias=False))
            convolutions.append(nn.Conv1d(channels, channels, 1, bias=False))
        self.layers_conv = nn.ModuleList(convolutions)
        self.layers_bn = nn.ModuleList(nn.BatchNorm1d(channels) for _ in convolutions)
        self.shrink = nn.Conv1d(channels, joints_out * 3, 1)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout(dropout)

    @property
    def receptive_field(self) -> int:
        """Frames of input that one frame of output sees."""
        return prod(self.filter_widths)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Lift (B, T, joints_in, features) to (B, T - receptive_field + 1, joints_out, 3).

        Raises `ShapeMismatch` where joints or features differ, or T is below the receptive field.
        """
        if x.ndim != 4 or x.shape[2:] != (self.joints_in, self.features) or x.shape[1] < self.receptive_field:
            wanted = f"(B, T >= {self.receptive_field}, {self.joints_in}, {self.features})"
            raise ShapeMismatch(f"the lifting network got input {tuple(x.shape)}: it needs {wanted}, padded in time")
        y = x.flatten(2).transpose(1, 2)
        y = self.drop(self.relu(self.expand_bn(self.expand_conv(y))))
        for block in range(len(self.filter_widths) - 1):
            y = self._block(y, block)
        return self.shrink(y).transpose(1, 2).unflatten(2, (self.joints_out, 3))

    def _block(self, y: torch.Tensor, block: int) -> torch.Tensor:
        wide, narrow = 2 * block, 2 * block + 1
        # A valid convolution shortens the sequence by this much on either side; the shortcut must follow.
        trim = prod(self.filter_widths[: block + 1]) * (self.filter_widths[block + 1] - 1) // 2
        shortcut = y[:, :, trim : y.shape[2] - trim]
        y = self.drop(self.relu(self.layers_bn[wide](self.layers_conv[wide](y))))
        return shortcut + self.drop(self.relu(self.layers_bn[narrow](self.layers_conv[narrow](y))))


def pad_edges(sequence: np.ndarray, before: int, after: int) -> np.ndarray:
    """Repeat the first and last frame of a (T, ...) `sequence`: edge padding, as the paper does at clip borders."""
    width = [(before, after)] + [(0, 0)] * (sequence.ndim - 1)
    return np.pad(sequence, width, mode="edge")


def screen_coordinates(xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Map pixels to the paper's input range: x to [-1, 1], y by the same factor.

    xy : (..., 2) pixels of a frame of `size` (width, height); NaN stays NaN. This is what networks trained after the
    paper on Human3.6M expect; the small network that ships here uses `emc.lifters.person_frame` instead.
    """
    width, height = size
    return xy / width * 2 - np.array([1.0, height / width])
