"""TensorFlow.js graph models (``NAME.json`` and ``NAME.bin``): the weights, under the names that the graph has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from emc.errors import WeightsError
from emc.lazy import LazyLibrary

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = LazyLibrary("torch")

PREFIX = "StatefulPartitionedCall/"
_TYPES = {"float32": np.float32, "float16": np.float16, "int32": np.int32, "bool": np.bool_, "uint8": np.uint8}


def read_graph_model(graph: bytes, weights: bytes, origin: str) -> dict[str, Tensor]:
    """Return the arrays of floating point numbers of a model, as stored, by name without `PREFIX`.

    graph : the JSON file, whose ``weightsManifest`` lists all arrays in the order of the binary file `weights`, each
    with shape and type; ``quantization`` names the stored type where it is not the type computed in. Scales are not
    read: half precision is stored as such. origin : the name that errors tell. Raises `WeightsError` where the
    files do not fit each other or hold another kind of model.
    """
    found: dict[str, Tensor] = {}
    start = 0
    for entry in _entries(graph, origin):
        try:
            name, shape = str(entry["name"]), tuple(int(side) for side in entry["shape"])
            kind = _TYPES[str(entry.get("quantization", {}).get("dtype") or entry["dtype"])]
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(f"{origin} lists weights that cannot be read ({error}): fetch it again") from error
        if "scale" in entry.get("quantization", {}):
            raise WeightsError(f"{origin} has {name} as scaled integers, which are not read: take another version")
        count = int(np.prod(shape, dtype=np.int64))
        size = count * np.dtype(kind).itemsize
        if start + size > len(weights):
            raise WeightsError(f"{origin} ends within {name}: fetch it again")
        if kind in (np.float32, np.float16) and shape:
            values = np.frombuffer(weights, kind, count, start).reshape(shape)
            found[name.removeprefix(PREFIX)] = torch.from_numpy(values.copy())
        start += size
    if start != len(weights):
        raise WeightsError(f"{origin} has {len(weights)} bytes of weights and lists {start}: fetch it again")
    return found


def _entries(graph: bytes, origin: str) -> Iterator[Mapping[str, Any]]:
    try:
        document = json.loads(graph)
        if document["format"] != "graph-model":
            raise WeightsError(f"{origin} is a {document['format']!r}, not a graph model: take another version")
        groups = document["weightsManifest"]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{origin} is no TensorFlow.js model ({error!r}): fetch it again") from error
    for group in groups:
        yield from group["weights"]


def tensors_sha256(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors: of their names in order, each with type, shape and little-endian values."""
    whole = hashlib.sha256()
    for name in sorted(state):
        values = state[name].detach().cpu().contiguous().numpy()
        whole.update(f"{name} {values.dtype.name} {values.shape}\n".encode())
        whole.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
    return whole.hexdigest()
