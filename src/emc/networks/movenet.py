"""The MoveNet family: MobileNetV2, a top-down path to a quarter of the resolution, and small heads.

Written from the published graphs; the parts are those of MobileNetV2 (Sandler et al., CVPR 2018), feature pyramids (Lin
et al., CVPR 2017) and CenterNet (Zhou et al., 2019). Batch norm is folded into the convolutions, so there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from emc.errors import WeightsError

STRIDE = 4
"""Input pixels per cell of the heads' grid."""
MULTIPLE = 32
"""What the sides of an input must be a multiple of."""
GAIN, SHIFT = 0.00784301758, 1.0
"""The network reads RGB x GAIN - SHIFT of grey levels 0 to 255; the gain is 2/255 in the graph's half precision."""
_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
"""Channels at width 1, blocks, stride of the first block."""
_EXPANSION = 6
_LAST = 1280
_TAPS = (2, 5, 9)
"""Blocks whose output the top-down path takes up, from fine to coarse."""
_MERGED = ((64, 32), (32, 24), (24, 24))
"""Channels that each merging step of the top-down path takes and gives, from coarse to fine."""
_HEAD_WIDTH = 96
_RARE = -2.19
"""Logit of 0.1: where heatmaps of untrained networks begin, as in CenterNet."""
_FEATURES = "center_net_mobile_net_v2fpn_feature_extractor/model_1/"


@dataclass(frozen=True, slots=True)
class MoveNetForm:
    """What tells one network of the family from another. width : factor on MobileNetV2's channels.

    heads : name -> output channels, in the graph's order.
    """

    width: float
    heads: Mapping[str, int]


def pose_heads(joints: int) -> Mapping[str, int]:
    """Return the heads of the networks for one person, by name: output channels."""
    return {"center": 1, "kpt_heatmap": joints, "kpt_regress": 2 * joints, "kpt_offset": 2 * joints}


def people_heads(joints: int) -> Mapping[str, int]:
    """Return the heads of the network for several persons."""
    center, *pose = pose_heads(joints).items()
    return dict([center, ("box_scale", 2), ("box_offset", 2), *pose])


class MoveNet(nn.Module):
    """(B, 3, H, W) RGB in [-1, 1], sides multiples of 32, in; heads (B, channels, H / 4, W / 4) out, by name.

    ``center`` : logit that a person's centre lies in a cell. ``kpt_heatmap`` : logit for each joint. ``kpt_regress`` :
    dy, dx in cells from a centre's cell to each joint. ``kpt_offset`` : dy, dx in cells from a joint's cell to the
    joint. ``box_scale`` : height, width of a person's box in cells. ``box_offset`` : dy, dx from a centre's cell to the
    box's centre.
    """

    def __init__(self, form: MoveNetForm) -> None:
        super().__init__()
        self.form = form
        widths = [divisible(channels * form.width) for channels, _, _ in _STAGES]
        self.stem = Conv(3, divisible(32 * form.width), 3, stride=2)
        blocks: list[Block] = []
        channels = divisible(32 * form.width)
        for (_, count, stride), width in zip(_STAGES, widths, strict=True):
            for number in range(count):
                blocks.append(Block(channels, width, stride if number == 0 else 1, expand=bool(blocks)))
                channels = width
        self.blocks = nn.ModuleList(blocks)
        self.last = Conv(channels, _LAST, 1)
        taps = [blocks[tap].width for tap in reversed(_TAPS)]
        inputs = [_LAST, *taps]
        outputs = [_MERGED[0][0], *(taken for taken, _ in _MERGED)]
        self.laterals = nn.ModuleList(nn.Conv2d(taken, given, 1) for taken, given in zip(inputs, outputs, strict=True))
        self.merges = nn.ModuleList(Separable(taken, given) for taken, given in _MERGED)
        width = _MERGED[-1][1]
        self.heads = nn.ModuleDict({name: Head(width, count) for name, count in form.heads.items()})
        for name in {"center", "kpt_heatmap"} & form.heads.keys():
            # One cell of thousands is right: a network that begins at even chances spends its first steps unlearning.
            nn.init.constant_(cast(Any, self.heads[name]).out.bias, _RARE)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the heads by name."""
        y = functional.relu6(self.stem(image))
        kept: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            y = block(y)
            if number in _TAPS:
                kept.append(y)
        y = self.laterals[0](functional.relu6(self.last(y)))
        for lateral, merge, fine in zip(list(self.laterals)[1:], self.merges, reversed(kept), strict=True):
            y = functional.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
            y = merge(y + lateral(fine))
        return {name: head(y) for name, head in self.heads.items()}


class Conv(nn.Module):
    """A convolution with bias; at stride 2 it pads right and bottom alone, as TensorFlow pads even sides."""

    def __init__(self, taken: int, given: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        padding = kernel // 2 if stride == 1 else 0
        self.strided = stride > 1
        self.conv = nn.Conv2d(taken, given, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolved features."""
        return self.conv(functional.pad(x, (0, 1, 0, 1)) if self.strided else x)


class Block(nn.Module):
    """MobileNetV2's inverted residual: expand, depthwise, project; added to its input where shapes allow."""

    def __init__(self, taken: int, width: int, stride: int, expand: bool) -> None:
        super().__init__()
        inner = taken * _EXPANSION if expand else taken
        self.width = width
        self.residual = stride == 1 and taken == width
        self.expand = Conv(taken, inner, 1) if expand else None
        self.depthwise = Conv(inner, inner, 3, stride, groups=inner)
        self.project = Conv(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's features."""
        y = x if self.expand is None else functional.relu6(self.expand(x))
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class Separable(nn.Module):
    """A depthwise 3 x 3 without bias, then 1 x 1 with bias and ReLU."""

    def __init__(self, taken: int, given: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(taken, taken, 3, padding=1, groups=taken, bias=False)
        self.pointwise = nn.Conv2d(taken, given, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mixed features."""
        return functional.relu(self.pointwise(self.depthwise(x)))


class Head(nn.Module):
    """What reads one quantity off the features."""

    def __init__(self, taken: int, given: int) -> None:
        super().__init__()
        self.mix = Separable(taken, _HEAD_WIDTH)
        self.out = nn.Conv2d(_HEAD_WIDTH, given, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the head's maps."""
        return self.out(self.mix(x))


def divisible(channels: float, by: int = 8) -> int:
    """Return channels rounded to a multiple of 8, never down by more than a tenth: MobileNetV2's rule."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def build_movenet(form: MoveNetForm) -> MoveNet:
    """Return a network with random weights, in evaluation mode, channels last in memory (faster on a CPU)."""
    network = MoveNet(form).eval()
    cast(Any, network).to(memory_format=torch.channels_last)
    return network


def to_input(levels: Tensor) -> Tensor:
    """Turn (B, 3, H, W) float grey levels, in place, into what the network reads."""
    return levels.mul_(GAIN).sub_(SHIFT)


def depths(network: MoveNet) -> dict[str, int]:
    """Return parameter name -> depth: 0 at the stem, one more each block, the largest for all heads."""
    blocks = len(network.blocks)
    after = {"stem": 0, "last": blocks + 1, "laterals": blocks + 2, "merges": blocks + 2, "heads": blocks + 3}
    return {
        name: int(name.split(".")[1]) + 1 if name.startswith("blocks.") else after[name.split(".")[0]]
        for name, _ in network.named_parameters()
    }


def from_graph(graph: Mapping[str, Tensor], form: MoveNetForm, origin: str) -> dict[str, Tensor]:
    """Return published weights, by the names of their graph, as the float32 state of a `MoveNet`.

    origin : the place that errors name. Raises `WeightsError` where weights are missing.
    """
    state: dict[str, Tensor] = {}
    for own, (weight, bias) in graph_names(form).items():
        missing = [name for name in (weight, bias) if name and name not in graph]
        if missing:
            raise WeightsError(f"{origin} lacks {missing[0]}: these are the weights of another network")
        values = graph[weight].float()
        # TensorFlow keeps height, width, then input and output channels; depthwise kernels have their channels third.
        depthwise = own.endswith("depthwise") or own.endswith("depthwise.conv")
        state[f"{own}.weight"] = values.permute(2, 3, 0, 1) if depthwise else values.permute(3, 2, 0, 1)
        if bias:
            state[f"{own}.bias"] = graph[bias].float()
    return {name: value.contiguous() for name, value in state.items()}


def graph_names(form: MoveNetForm) -> dict[str, tuple[str, str]]:
    """Return own name of each convolution -> names of its weights and bias ("": none) in the published graph."""
    names = {"stem.conv": _folded("model/Conv1/Conv2D"), "last.conv": _folded("model/Conv_1/Conv2D")}
    for number in range(sum(count for _, count, _ in _STAGES)):
        block = f"model/block_{number}_" if number else "model/expanded_conv_"
        if number:
            names[f"blocks.{number}.expand.conv"] = _folded(f"{block}expand/Conv2D")
        names[f"blocks.{number}.depthwise.conv"] = _folded(f"{block}depthwise/depthwise")
        names[f"blocks.{number}.project.conv"] = _folded(f"{block}project/Conv2D")
    for number in range(len(_TAPS) + 1):
        names[f"laterals.{number}"] = _plain(f"{_FEATURES}conv2d{_nth(number)}")
    for number in range(len(_MERGED)):
        layer = f"{_FEATURES}separable_conv2d{_nth(number)}/separable_conv2d"
        names[f"merges.{number}.depthwise"] = (f"{layer}/ReadVariableOp", "")
        names[f"merges.{number}.pointwise"] = (f"{layer}_weights", f"{layer}_bn_offset")
    for number, head in enumerate(form.heads):
        layer = f"{head}_0/separable_conv2d{_nth(number + len(_MERGED))}"
        names[f"heads.{head}.mix.depthwise"] = (f"{layer}/separable_conv2d/ReadVariableOp", "")
        names[f"heads.{head}.mix.pointwise"] = (
            f"{layer}/separable_conv2d/ReadVariableOp_1",
            f"{layer}/BiasAdd/ReadVariableOp",
        )
        names[f"heads.{head}.out"] = _plain(f"{head}_0/conv2d{_nth(number + len(_TAPS) + 1)}")
    return names


def _folded(layer: str) -> tuple[str, str]:
    return f"{_FEATURES}{layer}_weights", f"{_FEATURES}{layer}_bn_offset"


def _plain(layer: str) -> tuple[str, str]:
    return f"{layer}/Conv2D/ReadVariableOp", f"{layer}/BiasAdd/ReadVariableOp"


def _nth(number: int) -> str:
    return f"_{number}" if number else ""
