"""PyTorch's exporter to ONNX, the same call for every network: one operator set, no notes, one error."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from emc.errors import PluginError

OPSET = 18
INSTALL = "pip install 'emc-pose[onnx]'"


def onnx_program(
    network: nn.Module, example: Tensor, outputs: Sequence[str], free: Mapping[int, Any], *, optimize: bool = True
) -> Any:
    """Return a network of one input, named ``input``, as the exporter's `torch.onnx.ONNXProgram`.

    example : an input, of any shape. outputs : a name for each output. free : dimensions of the input that may vary,
    as `torch.export.Dim`. optimize : whether the exporter folds constants; what comes out then depends on the weights.
    Raises `PluginError` where a package for the export is missing, and whatever the exporter raises where the network
    cannot be exported.
    """
    try:
        with _quiet(), torch.no_grad():
            return torch.onnx.export(
                network, (example,), input_names=["input"], output_names=list(outputs), dynamic_shapes=(dict(free),),
                opset_version=OPSET, dynamo=True, external_data=False, verbose=False, optimize=optimize,
            )  # fmt: skip
    except ImportError as error:
        raise missing_package(error) from error


def missing_package(error: ImportError) -> PluginError:
    """Return the error that names the package which an export needs, and how to install it."""
    return PluginError(f"export to ONNX needs the package '{error.name or error}': {INSTALL}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's notes about optional packages to itself."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
