"""Small Keypoint R-CNN checkpoints in the layouts of Detectron2 and torchvision, names written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.network import Shape
from emc.estimators.keypoint_rcnn.recipe import TORCHVISION

R50, R101 = (3, 4, 6, 3), (3, 4, 23, 3)
TINY = Shape(blocks=(1, 1, 1, 1), width=8, pyramid=16, hidden=16, head=16, convolutions=2)
SMALL = replace(TORCHVISION, short_side=128, long_side=224)


def tiny_estimator(seed: int = 0) -> KeypointRcnnEstimator:
    """An untrained estimator that takes milliseconds."""
    return KeypointRcnnEstimator.untrained(seed, TINY, SMALL)


def detectron2_arrays(blocks: Sequence[int], width: int = 4, wide: int = 8) -> dict[str, np.ndarray]:
    """Random weights as Detectron2's GeneralizedRCNN names and shapes them (model zoo, frozen norms).

    width : channels of the stem (64 in the zoo). wide : of pyramid, box head and keypoint head.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, out: int, into: int, kernel: int, norm: bool) -> None:
        shapes[f"{name}.weight"] = (out, into, kernel, kernel)
        if not norm:
            shapes[f"{name}.bias"] = (out,)
            return
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.norm.{part}"] = (out,)

    convolution("backbone.bottom_up.stem.conv1", width, 3, 7, norm=True)
    before = width
    for stage, count in enumerate(blocks):
        inner, out = width * 2**stage, 4 * width * 2**stage
        for block in range(count):
            name = f"backbone.bottom_up.res{stage + 2}.{block}"
            if block == 0:
                convolution(f"{name}.shortcut", out, before, 1, norm=True)
            convolution(f"{name}.conv1", inner, before, 1, norm=True)
            convolution(f"{name}.conv2", inner, inner, 3, norm=True)
            convolution(f"{name}.conv3", out, inner, 1, norm=True)
            before = out
        convolution(f"backbone.fpn_lateral{stage + 2}", wide, out, 1, norm=False)
        convolution(f"backbone.fpn_output{stage + 2}", wide, wide, 3, norm=False)
    convolution("proposal_generator.rpn_head.conv", wide, wide, 3, norm=False)
    convolution("proposal_generator.rpn_head.objectness_logits", 3, wide, 1, norm=False)
    convolution("proposal_generator.rpn_head.anchor_deltas", 12, wide, 1, norm=False)
    for name, out, into in (
        ("box_head.fc1", wide, wide * 49),
        ("box_head.fc2", wide, wide),
        ("box_predictor.cls_score", 2, wide),
        ("box_predictor.bbox_pred", 4, wide),
    ):
        shapes[f"roi_heads.{name}.weight"] = (out, into)
        shapes[f"roi_heads.{name}.bias"] = (out,)
    for number in range(1, 9):
        convolution(f"roi_heads.keypoint_head.conv_fcn{number}", wide, wide, 3, norm=False)
    shapes["roi_heads.keypoint_head.score_lowres.weight"] = (wide, 17, 4, 4)
    shapes["roi_heads.keypoint_head.score_lowres.bias"] = (17,)
    return {name: _values(name, shape, number) for number, (name, shape) in enumerate(shapes.items())}


def _values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    if name.endswith("running_var"):
        values = 1 + 0.3 * np.abs(values)
    elif name.endswith("norm.weight"):
        values = 0.5 + 0.1 * values
    elif len(shape) > 1:
        values *= np.sqrt(2 / np.prod(shape[1:]))
    else:
        values *= 0.1
    return values.astype(np.float32)
