"""ONNX Runtime behind `OnnxGraph`: on CUDA where it is there, else on the processor."""

# ONNX Runtime has no complete types.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from emc.engines.engine import Dimension, GraphShapes
from emc.errors import WeightsError

CUDA, PROCESSOR = "CUDAExecutionProvider", "CPUExecutionProvider"
QUIET = 3


class RuntimeEngine:
    """A file in ONNX Runtime; see `Engine`. Raises `WeightsError` naming the file where it cannot be read.

    One thread per call: several calls side by side keep all cores busier than one call on all of them.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = QUIET
        # It would lay out memory for every batch size that comes up, and keep all of it.
        options.enable_mem_pattern = False
        known = onnxruntime.get_available_providers()
        wanted = [name for name in (CUDA, PROCESSOR) if name in known]
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=wanted)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime raises its own classes, which it does not export
            first = str(error).splitlines()[0]
            raise WeightsError(
                f"{path} ({path.stat().st_size} bytes) is not a model that {version()} reads ({first:.120}): "
                "download or export it again"
            ) from error
        self.shapes = GraphShapes(
            {node.name: _shape(node.shape) for node in self._session.get_inputs()},
            {node.name: _shape(node.shape) for node in self._session.get_outputs()},
        )

    @property
    def name(self) -> str:
        """Library, version, and CUDA where it runs there."""
        return version() + (", CUDA" if self.on_cuda else "")

    @property
    def on_cuda(self) -> bool:
        """Whether the session runs on a CUDA device."""
        return CUDA in self._session.get_providers()

    def run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the named outputs; see `Engine.run`."""
        found: Sequence[Any] = self._session.run(list(outputs), dict(feeds))
        return [np.asarray(one) for one in found]


def version() -> str:
    """Return the library's name and version."""
    return f"ONNX Runtime {onnxruntime.__version__}"


def offers_cuda() -> bool:
    """Return whether the installed build has a CUDA provider."""
    return CUDA in onnxruntime.get_available_providers()


def _shape(shape: Sequence[Any]) -> tuple[Dimension, ...]:
    return tuple(size if isinstance(size, int) and size > 0 else None for size in shape)
