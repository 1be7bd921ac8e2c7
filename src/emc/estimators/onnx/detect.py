"""Guess the card of an ONNX file that has none from its outputs, and refuse what cannot be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emc.engines import GraphShapes
from emc.errors import WeightsError
from emc.estimators.onnx.card import IMAGENET_MEAN, IMAGENET_STD, OnnxCard, card_path
from emc.pose.skeletons import SKELETONS

SIMCC_SPLIT = 2.0
MOVENET_OUTPUTS = ("heatmaps", "center", "regression", "offsets")
MOVENET_SIZE = (192, 192)
MOVENET_PADDING = 1.1
SKELETON_OF = {17: "coco17", 18: "coco18", 25: "body25", 26: "halpe26"}
"""Skeleton of a published model by its number of joints, most likely; one that differs needs a card."""


def detect_card(path: Path, shapes: GraphShapes) -> OnnxCard:
    """Return the card of a file without one.

    MoveNet's four outputs by their names; two outputs (N, K, .) as RTMPose's SimCC; one output (N, K, h, w) as
    heatmaps of OpenMMLab's and ViTPose's kind. Raises `WeightsError` that says what the graph has and that a card is
    needed.
    """
    axes = {name: len(shape) for name, shape in shapes.outputs.items()}
    if set(MOVENET_OUTPUTS) <= axes.keys():
        return OnnxCard.model_validate(_movenet())
    if len(axes) == 2 and set(axes.values()) == {3}:
        return OnnxCard.model_validate(_simcc(path, shapes))
    if len(axes) == 1 and set(axes.values()) == {4}:
        return OnnxCard.model_validate(_heatmaps(path, shapes))
    raise _unknown(path, shapes, "its outputs fit none of RTMPose (SimCC), heatmaps and MoveNet")


def _movenet() -> dict[str, Any]:
    return {
        "family": "movenet",
        "input": {"size": MOVENET_SIZE},
        "box": {"padding": MOVENET_PADDING},
        "about": {"licence": "MIT (movenet.pytorch)"},
    }


def _simcc(path: Path, shapes: GraphShapes) -> dict[str, Any]:
    named = {"simcc_x", "simcc_y"} <= shapes.outputs.keys()
    x, y = ("simcc_x", "simcc_y") if named else tuple(shapes.outputs)
    lengths = shapes.outputs[x][2], shapes.outputs[y][2]
    size = _input_size(shapes)
    if size is None and None not in lengths:
        size = tuple(int(length / SIMCC_SPLIT) for length in lengths if length)
    if size is None:
        raise _unknown(path, shapes, "its input size is open")
    told = [length for length in lengths if length is not None]
    if len(told) == 2 and told != [SIMCC_SPLIT * side for side in size]:
        raise _unknown(path, shapes, f"outputs of {told} bins are not twice the input's {list(size)} pixels")
    return {
        "family": "simcc",
        "skeleton": _skeleton(path, shapes, shapes.outputs[x][1]),
        "input": {"size": size, "mean": IMAGENET_MEAN, "std": IMAGENET_STD},
        "output": {"x": x, "y": y},
    }


def _heatmaps(path: Path, shapes: GraphShapes) -> dict[str, Any]:
    name, shape = next(iter(shapes.outputs.items()))
    size = _input_size(shapes)
    if size is None:
        raise _unknown(path, shapes, "its input size is open")
    return {
        "family": "heatmap",
        "skeleton": _skeleton(path, shapes, shape[1]),
        "input": {"size": size, "mean": IMAGENET_MEAN, "std": IMAGENET_STD},
        "output": {"heatmaps": name, "cells": "centres", "refine": "dark"},
    }


def _input_size(shapes: GraphShapes) -> tuple[int, ...] | None:
    """Return (width, height) of the only image-like input, None where it is open."""
    shape = next(iter(shapes.inputs.values()), ())
    if len(shapes.inputs) != 1 or len(shape) != 4 or shape[2] is None or shape[3] is None:
        return None
    return shape[3], shape[2]


def _skeleton(path: Path, shapes: GraphShapes, joints: int | None) -> str:
    name = SKELETON_OF.get(joints or 0, "")
    if name not in SKELETONS:
        raise _unknown(path, shapes, f"it has {joints or 'an open number of'} joints, a skeleton that is not built in")
    return name


def _unknown(path: Path, shapes: GraphShapes, why: str) -> WeightsError:
    def told(nodes: dict[str, Any]) -> str:
        return ", ".join(f"{name} {list(shape)}".replace("None", "?") for name, shape in nodes.items())

    return WeightsError(
        f"{path} (inputs {told(dict(shapes.inputs))}; outputs {told(dict(shapes.outputs))}) has no card and {why}: "
        f"describe it in {card_path(path).name} beside it (docs/onnx.md)"
    )
