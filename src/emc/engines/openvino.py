"""OpenVINO behind `OnnxGraph`, on the processor and in float32."""

# OpenVINO has no complete types.
# pyright: reportPrivateImportUsage=false, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from openvino.frontend import FrontEndManager

from emc.engines.engine import Dimension, GraphShapes, compute_threads
from emc.errors import WeightsError

END_OF_NAME = "/sink_port_0"
"""What OpenVINO appends to an ONNX output's name to name the node behind it."""


class OpenVinoEngine:
    """A file in OpenVINO; see `Engine`. Raises `WeightsError` naming the file where it cannot be read or compiled.

    As many calls as there are compute threads run side by side, each in a stream of one thread; further ones wait.
    """

    on_cuda = False

    def __init__(self, path: Path) -> None:
        threads = compute_threads()
        told = {
            # It would compute in bfloat16 where the processor can, and joints would move.
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": threads,
            "INFERENCE_NUM_THREADS": threads,
            # Programs side by side would all be tied to the same first cores.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            # Of a file that is no ONNX every other reader would complain on the terminal.
            if not FrontEndManager().load_by_framework("onnx").supported(str(path)):
                raise ValueError("it is no ONNX file")
            core = openvino.Core()
            model = core.read_model(str(path))
            self.shapes = GraphShapes(_inputs(model), _outputs(model))
            self._compiled = core.compile_model(model, "CPU", told)
        except Exception as error:  # noqa: BLE001 - OpenVINO has no classes of its own, and several kinds are raised
            raise WeightsError(
                f"{path} ({path.stat().st_size} bytes) is not a model that {version()} reads ({_said(error):.120}): "
                "unset EMC_ONNX_ENGINE to let ONNX Runtime try"
            ) from error
        self.name = version()
        self._places = {name: place for place, name in enumerate(self.shapes.outputs)}
        self._idle: deque[Any] = deque()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the named outputs; see `Engine.run`.

        A request has memory of its own, so each call takes an idle one, the last used first, or makes one. Raises
        `ValueError` for an input of another shape than the file's: OpenVINO would compute something with it.
        """
        for name, value in feeds.items():
            told = self.shapes.inputs[name]
            if len(told) != value.ndim or any(one not in (None, n) for one, n in zip(told, value.shape, strict=True)):
                raise ValueError(f"{name} has the shape {list(told)}".replace("None", "?"))
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            request.infer(dict(feeds), share_inputs=True, share_outputs=True)
            # Copies: the next call writes over the request's own.
            return [np.array(request.get_output_tensor(self._places[name]).data) for name in outputs]
        except RuntimeError as error:
            raise RuntimeError(_said(error)) from error
        finally:
            self._idle.append(request)


def version() -> str:
    """Return the library's name and version."""
    return f"OpenVINO {openvino.__version__.split('-')[0]}"


def _said(error: Exception) -> str:
    """Return the first line of an error that tells more than where in OpenVINO's sources it was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith(("Exception from", "Check '"))), type(error).__name__)


def _inputs(model: Any) -> dict[str, tuple[Dimension, ...]]:
    """Return names and shapes of the inputs; raises `ValueError` where one does not take float32."""
    told: dict[str, tuple[Dimension, ...]] = {}
    for port in model.inputs:
        if port.get_element_type() != openvino.Type.f32:
            raise ValueError(f"input {port.get_any_name()} takes {port.get_element_type().get_type_name()}")
        told[_own_name(port, port.get_node().get_friendly_name())] = _shape(port)
    return told


def _outputs(model: Any) -> dict[str, tuple[Dimension, ...]]:
    nodes = model.get_results()
    names = [node.get_friendly_name().removesuffix(END_OF_NAME) for node in nodes]
    return {_own_name(port, name): _shape(port) for port, name in zip(model.outputs, names, strict=True)}


def _own_name(port: Any, name: str) -> str:
    """Return the file's name of a port, which may have others beside it; raises `ValueError` where none is known."""
    names = port.get_names()
    if name in names:
        return name
    if len(names) != 1:
        raise ValueError(f"{name} has the names {sorted(names)}")
    return next(iter(names))


def _shape(port: Any) -> tuple[Dimension, ...]:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return ()
    return tuple(size.get_length() if size.is_static else None for size in shape)
