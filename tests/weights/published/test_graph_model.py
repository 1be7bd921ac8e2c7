"""TensorFlow.js graph models, made by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from emc.errors import WeightsError
from emc.weights.published import read_graph_model, tensors_sha256

KERNEL = np.arange(6, dtype=np.float16).reshape(1, 1, 2, 3) / 4
AXIS = np.array(3, dtype=np.int32)
BIAS = np.array([0.5, -0.5], dtype=np.float32)
BYTES = KERNEL.tobytes() + AXIS.tobytes() + BIAS.tobytes()


def graph(**changes: Any) -> bytes:
    weights = [
        {
            "name": "StatefulPartitionedCall/a/Conv2D",
            "shape": [1, 1, 2, 3],
            "dtype": "float32",
            "quantization": {"dtype": "float16", "original_dtype": "float32"},
        },
        {"name": "StatefulPartitionedCall/axis", "shape": [], "dtype": "int32"},
        {"name": "a/bias", "shape": [2], "dtype": "float32"},
    ]
    document = {"format": "graph-model", "weightsManifest": [{"paths": ["a.bin"], "weights": weights}]}
    return json.dumps(document | changes).encode()


def test_weights_come_as_stored_under_the_names_of_the_graph() -> None:
    found = read_graph_model(graph(), BYTES, "a.json")
    assert sorted(found) == ["a/Conv2D", "a/bias"]  # no numbers that the graph alone needs
    assert found["a/Conv2D"].dtype == torch.float16
    np.testing.assert_array_equal(found["a/Conv2D"].numpy(), KERNEL)
    np.testing.assert_array_equal(found["a/bias"].numpy(), BIAS)


@pytest.mark.parametrize(
    ("graph_bytes", "weights", "message"),
    [
        (graph(), BYTES[:-1], "a.json ends within StatefulPartitionedCall|a.json ends within a/bias"),
        (graph(), BYTES + b"0000", "has 28 bytes of weights and lists 24"),
        (graph(format="layers-model"), BYTES, "is a 'layers-model', not a graph model"),
        (b"{}", BYTES, "is no TensorFlow.js model"),
        (b"<html>", BYTES, "is no TensorFlow.js model"),
    ],
)
def test_damage_is_told(graph_bytes: bytes, weights: bytes, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        read_graph_model(graph_bytes, weights, "a.json")


def test_scaled_integers_are_refused() -> None:
    one = {"name": "w", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.1, "min": 0}}
    with pytest.raises(WeightsError, match="w as scaled integers"):
        read_graph_model(graph(weightsManifest=[{"weights": [one]}]), b"ab", "a.json")


def test_the_checksum_sees_names_types_shapes_and_values() -> None:
    state = {"a": torch.ones(2, 3), "b": torch.zeros(2)}
    found = tensors_sha256(state)
    assert found == tensors_sha256(dict(reversed(state.items())))
    others = [
        {"a": torch.ones(3, 2), "b": torch.zeros(2)},
        {"a": torch.ones(2, 3).half(), "b": torch.zeros(2)},
        {"a": torch.ones(2, 3), "c": torch.zeros(2)},
        {"a": torch.ones(2, 3), "b": torch.tensor([0.0, 1e-9])},
    ]
    assert len({found, *map(tensors_sha256, others)}) == 5
