"""Which engine an ONNX file gets: what is installed, what the user asks for, what the engine can read."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from emc.engines.engine import Engine
from emc.errors import UsageError, WeightsError
from emc.lazy import LazyLibrary

if TYPE_CHECKING:
    import emc.engines.runtime as onnx_runtime
else:
    # A tenth of a second, and missing where nobody installed it: only where a file is opened.
    onnx_runtime = LazyLibrary("emc.engines.runtime")

VARIABLE = "EMC_ONNX_ENGINE"
RUNTIME, OPENVINO = "onnxruntime", "openvino"
INSTALL = "pip install 'emc-pose[openvino]'"


def open_engine(path: Path, first: str = OPENVINO) -> Engine:
    """Open a file in the engine that suits it.

    Where ``EMC_ONNX_ENGINE`` names one, in that. Else in ONNX Runtime where that runs on CUDA or is `first`, else in
    OpenVINO where it is installed and reads the file, else in ONNX Runtime. Raises `WeightsError` naming the file where
    no engine reads it, or not the one asked for; `UsageError` where that is unknown or not installed.
    """
    asked = asked_engine()
    if asked == OPENVINO:
        return _openvino(path)
    if RUNTIME in (asked, first) or not _has_openvino():
        return onnx_runtime.RuntimeEngine(path)
    if onnx_runtime.offers_cuda():
        engine = onnx_runtime.RuntimeEngine(path)
        # A build for CUDA falls back to the processor on a machine without it.
        if engine.on_cuda:
            return engine
    try:
        return _openvino(path)
    except WeightsError:
        return onnx_runtime.RuntimeEngine(path)


def engine_at_hand(first: str) -> bool:
    """Return whether `first` is what `open_engine` would take for a network: installed, and no other one asked for."""
    return asked_engine() in ("", first) and importlib.util.find_spec(first) is not None


def asked_engine() -> str:
    """Return the engine that ``EMC_ONNX_ENGINE`` asks for, "" for none; raises `UsageError` as `open_engine` does."""
    asked = os.environ.get(VARIABLE, "")
    if asked not in ("", RUNTIME, OPENVINO):
        raise UsageError(f"{VARIABLE}={asked} is unknown: use {RUNTIME} or {OPENVINO}, or unset it")
    if asked == OPENVINO and not _has_openvino():
        raise UsageError(f"{VARIABLE}={asked}, but OpenVINO is not installed: {INSTALL}, or unset it")
    return asked


def engines_in_turn() -> list[str]:
    """Return the engines, with their versions, in the order in which files are tried in them.

    Raises `UsageError` as `open_engine` does.
    """
    asked, runtime = asked_engine(), onnx_runtime.version()
    if asked == RUNTIME or not _has_openvino():
        return [runtime]
    from emc.engines.openvino import version

    if asked == OPENVINO:
        return [version()]
    return [f"{runtime} on CUDA", version(), runtime] if onnx_runtime.offers_cuda() else [version(), runtime]


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _openvino(path: Path) -> Engine:
    # Half a second to import, and an extra of its own: only where it is used.
    from emc.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(path)
