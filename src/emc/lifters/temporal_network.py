"""The temporal-convolution network that lifts 2D sequences to 3D.

Written from Pavllo, Feichtenhofer, Grangier, Auli: "3D human pose estimation in video with temporal convolutions and
semi-supervised training" (CVPR 2019), section 3. Parameters carry the names that the paper's published checkpoints
use, so that a checkpoint which a user brings can be loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from emc.errors import ShapeMismatch, UsageError


class TemporalNetwork(nn.Module):
    """Residual blocks of convolutions over time, in two forms with the same parameters.

    Calling the network takes a sequence (dilated convolutions, every frame lifted, for use); `lift_windows` takes
    windows of exactly the receptive field (strided convolutions, one frame lifted, for training).

    joints_in, features : joints of the 2D input and values per joint (2: x, y; 3: and a confidence).
    joints_out : joints of the 3D output. filter_widths : odd kernel sizes; the first belongs to the entry
    convolution, each other one to a residual block whose dilation is the product of the widths before it.
    The receptive field is the product of all widths: (3, 3, 3, 3, 3) sees 243 frames. causal : the frame that is
    lifted is the last of its receptive field, not the middle one. With joints_out = 1 it is the trajectory head.
    """

    def __init__(
        self,
        joints_in: int = 17,
        features: int = 2,
        joints_out: int = 17,
        filter_widths: Sequence[int] = (3, 3, 3, 3, 3),
        channels: int = 1024,
        dropout: float = 0.25,
        causal: bool = False,
    ) -> None:
        super().__init__()
        if not filter_widths or any(width < 1 or width % 2 == 0 for width in filter_widths):
            raise UsageError(f"filter widths {tuple(filter_widths)} are not all odd and positive: use 3s, as the paper")
        self.joints_in, self.features, self.joints_out = joints_in, features, joints_out
        self.filter_widths = tuple(filter_widths)
        self.channels = channels
        self.causal = causal
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

    @property
    def padding(self) -> tuple[int, int]:
        """Frames to repeat before and after a sequence so that every frame of it is lifted."""
        reach = self.receptive_field - 1
        return (reach, 0) if self.causal else (reach // 2, reach // 2)

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

    def lift_windows(self, windows: torch.Tensor) -> torch.Tensor:
        """Lift (B, receptive_field, joints_in, features) windows to their one frame: (B, joints_out, 3).

        The same function as the full-sequence form, with strides in the place of dilations, so that nothing is
        computed that does not reach the one output frame. Raises `ShapeMismatch` for windows of another shape.
        """
        wanted = (self.receptive_field, self.joints_in, self.features)
        if windows.ndim != 4 or windows.shape[1:] != wanted:
            raise ShapeMismatch(f"the lifting network got windows {tuple(windows.shape)}: they must be (B, *{wanted})")
        y = windows.flatten(2).transpose(1, 2)
        y = functional.conv1d(y, self.expand_conv.weight, stride=self.filter_widths[0])
        y = self.drop(self.relu(self.expand_bn(y)))
        for block in range(len(self.filter_widths) - 1):
            y = self._strided_block(y, block)
        return self.shrink(y)[:, :, 0].unflatten(1, (self.joints_out, 3))

    def _block(self, y: torch.Tensor, block: int) -> torch.Tensor:
        wide, narrow = 2 * block, 2 * block + 1
        # A valid convolution shortens the sequence by this much in all; the shortcut must follow.
        cut = prod(self.filter_widths[: block + 1]) * (self.filter_widths[block + 1] - 1)
        before = cut if self.causal else cut // 2
        shortcut = y[:, :, before : y.shape[2] - (cut - before)]
        y = self.drop(self.relu(self.layers_bn[wide](self.layers_conv[wide](y))))
        return shortcut + self.drop(self.relu(self.layers_bn[narrow](self.layers_conv[narrow](y))))

    def _strided_block(self, y: torch.Tensor, block: int) -> torch.Tensor:
        wide, narrow = 2 * block, 2 * block + 1
        width = self.filter_widths[block + 1]
        kernel: torch.Tensor = self.layers_conv[wide].weight  # pyright: ignore[reportAssignmentType]
        shortcut = y[:, :, (width - 1 if self.causal else width // 2) :: width]
        y = self.drop(self.relu(self.layers_bn[wide](functional.conv1d(y, kernel, stride=width))))
        return shortcut + self.drop(self.relu(self.layers_bn[narrow](self.layers_conv[narrow](y))))


class FoldedNetwork:
    """A `TemporalNetwork` in evaluation mode with each normalisation folded into its convolution: the same, faster."""

    def __init__(self, network: TemporalNetwork) -> None:
        self.padding = network.padding
        self.joints_out = network.joints_out
        self._trims: list[tuple[int, int]] = []
        self._layers = [_folded(network.expand_conv, network.expand_bn, 1)]
        for block, width in enumerate(network.filter_widths[1:]):
            dilation = prod(network.filter_widths[: block + 1])
            cut = dilation * (width - 1)
            self._trims.append((cut, 0) if network.causal else (cut // 2, cut // 2))
            for layer, step in ((2 * block, dilation), (2 * block + 1, 1)):
                self._layers.append(_folded(network.layers_conv[layer], network.layers_bn[layer], step))
        self._last = (network.shrink.weight.detach(), _bias(network.shrink))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Lift as `TemporalNetwork.forward`; to be called in inference mode, without checks."""
        return self._answer(self._blocks(self._layer(0, x.flatten(2).transpose(1, 2))))

    def _blocks(self, y: torch.Tensor) -> torch.Tensor:
        for block, (before, after) in enumerate(self._trims):
            inner = self._layer(2 * block + 2, self._layer(2 * block + 1, y))
            y = inner.add_(y[:, :, before : y.shape[2] - after])
        return y

    def _answer(self, y: torch.Tensor) -> torch.Tensor:
        return functional.conv1d(y, *self._last).transpose(1, 2).unflatten(2, (self.joints_out, 3))

    def _layer(self, layer: int, y: torch.Tensor) -> torch.Tensor:
        weight, bias, dilation = self._layers[layer]
        return functional.conv1d(y, weight, bias, dilation=dilation).relu_()


class AveragedNetwork(FoldedNetwork):
    """The mean of a network's answer and of that to the mirror image, mirrored back (flip averaging of the paper).

    The mirroring is in the weights: the first layer reads one input as it is and as it would be mirrored, the last adds
    both halves up. Nothing is mirrored, stacked or averaged while lifting.

    flip_in, flip_out : each joint's counterpart on the other side, of the input and of the output.
    """

    def __init__(self, network: TemporalNetwork, flip_in: Sequence[int], flip_out: Sequence[int]) -> None:
        super().__init__(network)
        self._channels = network.channels
        weight, bias, dilation = self._layers[0]
        order, sign = _mirror(flip_in, network.features)
        mirrored = weight[:, order] * sign[:, None]
        self._layers[0] = (torch.cat([weight, mirrored]), torch.cat([bias, bias]), dilation)
        weight, bias = self._last
        order, sign = _mirror(flip_out, 3)
        self._last = (
            torch.cat([weight, weight[order] * sign[:, None, None]], dim=1) / 2,
            (bias + bias[order] * sign) / 2,
        )

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Lift (1, T, joints_in, features) to (1, T - receptive_field + 1, joints_out, 3); in inference mode."""
        y = self._layer(0, x.flatten(2).transpose(1, 2)).view(2, self._channels, -1)
        return self._answer(self._blocks(y).reshape(1, 2 * self._channels, -1))


def _bias(conv: Any) -> torch.Tensor:
    return conv.bias.detach()


def _mirror(flip: Sequence[int], values: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the order and the signs that mirror flattened (joints, values): sides exchanged, x negated."""
    order = torch.tensor([joint * values + value for joint in flip for value in range(values)])
    return order, torch.tensor([-1.0] + [1.0] * (values - 1)).repeat(len(flip))


def _folded(conv: Any, norm: Any, dilation: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    return conv.weight.detach() * scale[:, None, None], norm.bias.detach() - norm.running_mean * scale, dilation


def lift_pieces(network: FoldedNetwork, sequence: np.ndarray, piece: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield which frames, and their (N, joints_out, 3), of a (T, joints_in, features) float32 sequence, edges padded.

    piece : frames lifted at once, which bounds the memory of very long clips and keeps each step in the cache.
    """
    before, after = network.padding
    padded = torch.from_numpy(pad_edges(sequence, before, after))[None]
    with torch.inference_mode():
        for start in range(0, len(sequence), piece):
            lifted = network(padded[:, start : start + piece + before + after])[0].numpy()
            yield slice(start, start + len(lifted)), lifted


def lift_sequence(network: FoldedNetwork, sequence: np.ndarray, piece: int) -> np.ndarray:
    """Return (T, joints_out, 3) float32 of a whole sequence; otherwise as `lift_pieces`."""
    out = np.empty((len(sequence), network.joints_out, 3), dtype=np.float32)
    for frames, lifted in lift_pieces(network, sequence, piece):
        out[frames] = lifted
    return out


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
