"""The Keypoint R-CNN network (He et al., ICCV 2017) on a ResNet with a feature pyramid, in plain PyTorch.

Its parameters have the names of torchvision's `keypointrcnn_resnet50_fpn`, so that weights go either way unchanged.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from emc.errors import WeightsError
from emc.estimators.keypoint_rcnn.recipe import Recipe
from emc.estimators.keypoint_rcnn.regions import pooled

KEYPOINT_BINS, BOX_BINS = 14, 7
HEATMAP = 4 * KEYPOINT_BINS
"""Cells per side of a region's heatmap."""
DEPTHS = {"conv1": 0, "bn1": 0, "layer1": 1, "layer2": 2, "layer3": 3, "layer4": 4}


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network.

    blocks : of the four stages, (3, 4, 6, 3) for ResNet-50, (3, 4, 23, 3) for ResNet-101. width : channels of the
    stem. pyramid : channels of the pyramid. hidden : of the box head. head : channels of each convolution of the
    keypoint head, which has `convolutions` of them. joints : heatmaps.
    """

    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    width: int = 64
    pyramid: int = 256
    hidden: int = 1024
    head: int = 512
    convolutions: int = 8
    joints: int = 17

    def document(self) -> dict[str, Any]:
        """Return the sizes as a saved model's card holds them."""
        return asdict(self) | {"blocks": list(self.blocks)}


RESNET50 = Shape()
RESNET101 = Shape(blocks=(3, 4, 23, 3))


def shape_from(document: Mapping[str, Any], origin: str) -> Shape:
    """Return the sizes that a saved model's card holds; raises `WeightsError` that names `origin`."""
    try:
        first, second, third, fourth = (int(count) for count in document["blocks"])
        rest = {name: int(value) for name, value in document.items() if name != "blocks"}
        shape = Shape(blocks=(first, second, third, fourth), **rest)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{origin} does not give the network's sizes ({error!r}): save the model again") from error
    if min(*shape.blocks, *rest.values(), 1) < 1:
        raise WeightsError(f"{origin} gives the network a size below 1: save the model again")
    return shape


class FrozenNorm(nn.Module):
    """Batch norm whose statistics and factors never change."""

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight: Tensor
        self.bias: Tensor
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, image: Tensor) -> Tensor:
        """Return (B, C, H, W) features shifted and scaled channel by channel."""
        scale = self.weight * (self.running_var + self.epsilon).rsqrt()
        shift = self.bias - self.running_mean * scale
        return image * scale[:, None, None] + shift[:, None, None]


class LiveNorm(nn.BatchNorm2d):
    """Batch norm that learns, with the names of `FrozenNorm`: either reads what the other wrote."""

    def __init__(self, channels: int, epsilon: float) -> None:
        super().__init__(channels, eps=epsilon)
        self.num_batches_tracked = None

    def _load_from_state_dict(self, *given: Any, **named: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        # PyTorch's own would ask for the count of batches, which nothing here uses.
        nn.Module._load_from_state_dict(self, *given, **named)


class Bottleneck(nn.Module):
    """Three convolutions with a shortcut (He et al., CVPR 2016)."""

    def __init__(self, inner: int, before: int, stride: int, recipe: Recipe, live: bool) -> None:
        super().__init__()
        first, second = (stride, 1) if recipe.stride_first else (1, stride)
        self.conv1 = nn.Conv2d(before, inner, 1, first, bias=False)
        self.bn1 = _norm(inner, recipe, live)
        self.conv2 = nn.Conv2d(inner, inner, 3, second, 1, bias=False)
        self.bn2 = _norm(inner, recipe, live)
        self.conv3 = nn.Conv2d(inner, 4 * inner, 1, bias=False)
        self.bn3 = _norm(4 * inner, recipe, live)
        self.downsample = None
        if stride != 1 or before != 4 * inner:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, 4 * inner, 1, stride, bias=False), _norm(4 * inner, recipe, live)
            )

    def forward(self, image: Tensor) -> Tensor:
        """Return the features after the block."""
        found = functional.relu(self.bn1(self.conv1(image)))
        found = functional.relu(self.bn2(self.conv2(found)))
        found = self.bn3(self.conv3(found))
        return functional.relu(found + (image if self.downsample is None else self.downsample(image)))


class Trunk(nn.Module):
    """A ResNet without its classifier: (B, 3, H, W) in, four maps of strides 4, 8, 16, 32 out."""

    def __init__(self, shape: Shape, recipe: Recipe, live: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, shape.width, 7, 2, 3, bias=False)
        self.bn1 = _norm(shape.width, recipe, live)
        before = shape.width
        for stage, count in enumerate(shape.blocks):
            inner = shape.width * 2**stage
            blocks = [
                Bottleneck(inner, before if block == 0 else 4 * inner, 2 if block == 0 and stage else 1, recipe, live)
                for block in range(count)
            ]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            before = 4 * inner

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return the features of the four stages."""
        found = functional.max_pool2d(functional.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        stages: list[Tensor] = []
        for number in range(1, 5):
            found = self.get_submodule(f"layer{number}")(found)
            stages.append(found)
        return stages


class Pyramid(nn.Module):
    """A feature pyramid: every level sees what the coarser ones know."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        widths = [4 * shape.width * 2**stage for stage in range(4)]
        self.inner_blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(width, shape.pyramid, 1)) for width in widths)
        self.layer_blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(shape.pyramid, shape.pyramid, 3, padding=1)) for _ in widths
        )

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        """Return five maps of strides 4 to 64; the last one is every other cell of the one before."""
        laterals = [inner(stage) for inner, stage in zip(self.inner_blocks, stages, strict=True)]
        for level in (2, 1, 0):
            above = functional.interpolate(laterals[level + 1], size=laterals[level].shape[2:], mode="nearest")
            laterals[level] = laterals[level] + above
        found = [layer(lateral) for layer, lateral in zip(self.layer_blocks, laterals, strict=True)]
        return [*found, found[-1][:, :, ::2, ::2]]


class ProposalHead(nn.Module):
    """Objectness and box offsets of three anchors per cell."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU()))
        self.cls_logits = nn.Conv2d(channels, 3, 1)
        self.bbox_pred = nn.Conv2d(channels, 12, 1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return (B, cells * 3) logits and (B, cells * 3, 4) offsets, cells row by row."""
        seen = self.conv(features)
        logits = self.cls_logits(seen).permute(0, 2, 3, 1).flatten(1)
        offsets = self.bbox_pred(seen).permute(0, 2, 3, 1).reshape(len(features), -1, 4)
        return logits, offsets


class KeypointRcnnNetwork(nn.Module):
    """Images and person boxes in, a heatmap of 56 x 56 logits per box and joint out.

    `forward` is what calibration trains; `detect` of `keypoint_rcnn_detection` uses the rest. Norms are frozen, as in
    the published models, unless `live`.
    """

    def __init__(self, shape: Shape, recipe: Recipe, live: bool = False) -> None:
        super().__init__()
        self.shape, self.recipe, self.live = shape, recipe, live
        self.backbone = nn.ModuleDict({"body": Trunk(shape, recipe, live), "fpn": Pyramid(shape)})
        self.rpn = nn.ModuleDict({"head": ProposalHead(shape.pyramid)})
        box_head = OrderedDict(
            fc6=nn.Linear(shape.pyramid * BOX_BINS**2, shape.hidden), fc7=nn.Linear(shape.hidden, shape.hidden)
        )
        box_predictor = OrderedDict(cls_score=nn.Linear(shape.hidden, 2), bbox_pred=nn.Linear(shape.hidden, 8))
        layers: list[nn.Module] = []
        for number in range(shape.convolutions):
            layers += [nn.Conv2d(shape.head if number else shape.pyramid, shape.head, 3, padding=1), nn.ReLU()]
        last = OrderedDict(kps_score_lowres=nn.ConvTranspose2d(shape.head, shape.joints, 4, 2, 1))
        self.roi_heads = nn.ModuleDict(
            {
                "box_head": nn.ModuleDict(box_head),
                "box_predictor": nn.ModuleDict(box_predictor),
                "keypoint_head": nn.Sequential(*layers),
                "keypoint_predictor": nn.ModuleDict(last),
            }
        )

    def features(self, image: Tensor) -> list[Tensor]:
        """Return the pyramid, five maps of strides 4 to 64, of (B, 3, H, W) images, sides multiples of 32."""
        return self.backbone["fpn"](self.backbone["body"](image))

    def heatmaps(self, pyramid: list[Tensor], regions: Tensor) -> Tensor:
        """Return (N, joints, 56, 56) logits of (N, 5) regions: index of the image, then the box in input pixels."""
        seen = pooled(pyramid[:4], regions, KEYPOINT_BINS, self.recipe.aligned, self.recipe.sampling)
        return self.maps_of(seen)

    def maps_of(self, seen: Tensor) -> Tensor:
        """Return (N, joints, 56, 56) logits of (N, C, 14, 14) features of regions."""
        seen = self.roi_heads["keypoint_head"](seen)
        logits = self.get_submodule("roi_heads.keypoint_predictor.kps_score_lowres")(seen)
        return functional.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)

    def proposals(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return objectness logits (B, cells * 3) and box offsets (B, cells * 3, 4) of one level."""
        return self.rpn["head"](features)

    def boxes(self, pyramid: list[Tensor], regions: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 2) logits of background and person, and (N, 4) box offsets of the person, of (N, 5) regions."""
        seen = pooled(pyramid[:4], regions, BOX_BINS, self.recipe.aligned, self.recipe.sampling).flatten(1)
        for layer in ("fc6", "fc7"):
            seen = functional.relu(self.get_submodule(f"roi_heads.box_head.{layer}")(seen))
        scores, offsets = (self.get_submodule(f"roi_heads.box_predictor.{name}") for name in ("cls_score", "bbox_pred"))
        return scores(seen), offsets(seen)[:, 4:]

    def forward(self, image: Tensor, regions: Tensor) -> Tensor:
        """Return (N, joints, 56, 56) logits of (N, 5) regions of (B, 3, H, W) images."""
        return self.heatmaps(self.features(image), regions)

    def parameter_depths(self) -> dict[str, int]:
        """Return parameter name -> depth: 0 the stem, 1 to 4 the stages, 5 pyramid and heads."""
        return {name: DEPTHS.get(name.split(".")[2], 5) for name, _ in self.named_parameters()}


def _norm(channels: int, recipe: Recipe, live: bool) -> nn.Module:
    return LiveNorm(channels, recipe.epsilon) if live else FrozenNorm(channels, recipe.epsilon)


def freeze(network: KeypointRcnnNetwork) -> None:
    """Keep still what calibration must not move: the finder of boxes, and in a trained network its first two stages.

    The labels of a calibration name single persons; a finder trained on them would learn that all others are not there.
    Stem and first stage stay as both training codes leave them.
    """
    still = ("rpn.", "roi_heads.box_") + (() if network.live else ("backbone.body.conv1.", "backbone.body.layer1."))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(still))


def initialise(network: KeypointRcnnNetwork) -> None:
    """Give a network random weights from which it can be trained, by PyTorch's global generator."""
    for name, part in network.named_modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            fan = part.weight.shape[0] * math.prod(part.weight.shape[2:])
            spread = 0.01 if name.startswith(("rpn.", "roi_heads.box_predictor")) else math.sqrt(2 / fan)
            nn.init.normal_(part.weight, 0.0, spread)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, Bottleneck) and isinstance(part.bn3, LiveNorm):
            nn.init.zeros_(part.bn3.weight)
