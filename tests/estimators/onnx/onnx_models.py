"""Tiny ONNX pose models with random weights, made node by node."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(path: Path, nodes: list, weights: dict[str, np.ndarray], given: list, outputs: dict[str, list]) -> Path:
    """Write a graph whose input is `given` (a shape, names where open) and whose outputs have the shapes given."""
    graph = helper.make_graph(
        nodes,
        "pose",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, given)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def simcc_model(
    path: Path,
    batch: int | str = "batch",
    joints: int = 17,
    size: tuple[int, int] = (192, 256),
    open_joints: bool = False,
) -> Path:
    """Write an RTMPose-like file: patches, one map per joint, one linear layer per axis."""
    rng = np.random.default_rng(7)
    width, height = size
    cells = (width // 32) * (height // 32)
    weights = {
        "patch": rng.normal(0, 0.02, (joints, 3, 32, 32)).astype(np.float32),
        "flat": np.array([0, joints, cells], np.int64),
        "wx": rng.normal(0, 0.3, (cells, 2 * width)).astype(np.float32),
        "wy": rng.normal(0, 0.3, (cells, 2 * height)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["input", "patch"], ["maps"], strides=[32, 32]),
        helper.make_node("Relu", ["maps"], ["bright"]),
        helper.make_node("Reshape", ["bright", "flat"], ["rows"]),
        helper.make_node("MatMul", ["rows", "wx"], ["simcc_x"]),
        helper.make_node("MatMul", ["rows", "wy"], ["simcc_y"]),
    ]
    if open_joints:
        # A shape that is computed, not written down, as exporters leave it.
        nodes.insert(2, helper.make_node("ReduceMax", ["input"], ["any"], keepdims=0))
        nodes.insert(3, helper.make_node("Mul", ["any", "nothing"], ["zero"]))
        nodes.insert(4, helper.make_node("Cast", ["zero"], ["whole"], to=TensorProto.INT64))
        nodes.insert(5, helper.make_node("Add", ["flat", "whole"], ["shape"]))
        nodes[6] = helper.make_node("Reshape", ["bright", "shape"], ["rows"])
        weights["nothing"] = np.zeros((), np.float32)
    told = "joints" if open_joints else joints
    outputs = {"simcc_x": [batch, told, 2 * width], "simcc_y": [batch, told, 2 * height]}
    return save(path, nodes, weights, [batch, 3, height, width], outputs)


def heatmap_model(path: Path, joints: int = 17, size: tuple[int, int] = (192, 256)) -> Path:
    """Write a heatmap file: smoothed random patches, (N, K, h / 4, w / 4)."""
    rng = np.random.default_rng(8)
    width, height = size
    smooth = np.exp(-((np.arange(9) - 4.0) ** 2) / 8)
    kernel = (smooth[:, None] * smooth / smooth.sum() ** 2).astype(np.float32)
    weights = {
        "patch": rng.normal(0, 0.05, (joints, 3, 4, 4)).astype(np.float32),
        "blur": np.broadcast_to(kernel, (joints, 1, 9, 9)).copy(),
    }
    nodes = [
        helper.make_node("Conv", ["input", "patch"], ["maps"], strides=[4, 4]),
        helper.make_node("Relu", ["maps"], ["bright"]),
        helper.make_node("Conv", ["bright", "blur"], ["heatmaps"], pads=[4, 4, 4, 4], group=joints),
    ]
    return save(
        path, nodes, weights, ["batch", 3, height, width], {"heatmaps": ["batch", joints, height // 4, width // 4]}
    )


def picture(seed: int = 0, size: tuple[int, int] = (320, 240)) -> np.ndarray:
    """Return a smooth random (height, width, 3) uint8 picture."""
    import cv2

    noise = np.random.default_rng(seed).integers(0, 256, (size[1] // 8, size[0] // 8, 3)).astype(np.uint8)
    return cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
