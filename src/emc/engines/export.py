"""A network as an ONNX graph without weights: what of an export takes long, and is the same for every checkpoint.

Each weight stands in the graph under its own name, with its place in a file of weights (`filled`). Nothing is computed
from weights in advance, so that other ones may take their place; engines fold batch norm into convolutions themselves.
"""

# onnx_ir and onnxscript have no complete types.
# pyright: reportPrivateImportUsage=false, reportMissingImports=false

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from emc.engines.exporter import missing_package, onnx_program
from emc.engines.filled import WEIGHTS_FILE, Place, places

ONE, PART = "maps", "part_"
"""Name of the only output of a network, and what begins the names of several that have none of their own."""


def weightless_graph(network: nn.Module, example: Tensor, free: Mapping[int, str]) -> bytes:
    """Return a network's graph as an ONNX file without its weights; takes 10 to 20 seconds of one core.

    example : an input (B, 3, H, W). free : its dimensions that may vary, by name, of which each is a multiple of the
    number before the name. Outputs: `ONE` for a tensor, its keys
    for a dict, `PART` and a number for a tuple. Raises `PluginError` where a package for the export is missing, and
    whatever the exporter raises where the network cannot be exported.
    """
    still = copy.deepcopy(network).float().cpu().eval()
    with torch.inference_mode():
        names = output_names(still(example))
    shapes = {axis: _dimension(name) for axis, name in free.items()}
    try:
        import onnx_ir
        import onnxscript.optimizer
    except ImportError as error:
        raise missing_package(error) from error
    program = onnx_program(still, example, names, shapes, optimize=False)
    _optimize(program.model, set(still.state_dict()), onnxscript.optimizer.optimize)
    return _without_weights(onnx_ir.to_proto(program.model), places(still.state_dict()))


def _dimension(name: str) -> Any:
    factor, _, word = name.rpartition(" ")
    return int(factor) * torch.export.Dim(word) if factor else torch.export.Dim(word)


def output_names(found: Any) -> list[str]:
    """Return the names of what a network returned: a tensor, a dict or a tuple."""
    if isinstance(found, Tensor):
        return [ONE]
    return list(found) if isinstance(found, dict) else [f"{PART}{number}" for number in range(len(found))]


def _optimize(model: Any, weights: set[str], optimize: Any) -> None:
    """Simplify a graph in which weights are inputs for the while: nothing is computed from them then."""
    graph = model.graph
    held = {name: graph.initializers[name].const_value for name in list(graph.initializers) if name in weights}
    for name in held:
        value = graph.initializers.pop(name)
        value.const_value = None
        graph.inputs.append(value)
    optimize(model)
    used = {value.name for node in graph for value in node.inputs if value is not None}
    for value in [value for value in graph.inputs if value.name in held]:
        graph.inputs.remove(value)
        if value.name in used:
            value.const_value = held[value.name]
            graph.initializers[value.name] = value


def _without_weights(model: Any, held: Mapping[str, Place]) -> bytes:
    """Return a model's bytes: weights by their place in the file of weights, and no notes of the exporter."""
    graph = model.graph
    for entry in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del entry.metadata_props[:]
        entry.doc_string = ""
    del graph.value_info[:]
    for weight in graph.initializer:
        if weight.name not in held:
            continue
        place = held[weight.name]
        weight.ClearField("raw_data")
        weight.data_location = type(weight).EXTERNAL
        told = {"location": WEIGHTS_FILE, "offset": place.offset, "length": place.length}
        for key, value in told.items():
            entry = weight.external_data.add()
            entry.key, entry.value = key, str(value)
    return cast(bytes, model.SerializeToString(deterministic=True))
