"""A trainable estimator as one ONNX file that programs made for RTMPose or ViTPose load unchanged."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from emc.engines import OnnxGraph, onnx_program
from emc.errors import StorageError, UsageError
from emc.estimators.onnx.card import IMAGENET_MEAN, IMAGENET_STD, OnnxCard
from emc.estimators.onnx.decoding_heads import ConfidenceHead, HeatmapExport, RtmposeInput, SimccExport

KINDS = ("simcc", "heatmap")
LARGEST = 2_000_000_000
"""Bytes that one ONNX file can hold; programs for RTMPose files do not look for a second one."""
OUTPUTS: Mapping[str, tuple[str, ...]] = {"simcc": ("simcc_x", "simcc_y"), "heatmap": ("heatmaps",)}


@dataclass(frozen=True)
class ExportForm:
    """What an estimator says of itself so that it can leave as ONNX.

    head : module from normalised crops (N, 3, H, W) to places (N, K, 2) in crop pixels (pixel centres) and scores
    (N, K) above 0, decoded as the estimator decodes; `onnx.DarkDecodingHead` makes one of a heatmap network.
    size : (W, H). mean, std : of the normalisation, RGB, values 0 to 255. padding : factor on the box. border : grey
    level beyond the image's edge. pixels : where the crop's pixels lie (see `BoxPart`). confidence : scores to
    P(right), ``{"score": knots, "right": rows}``, or None; with it the file's scores are P(right).
    """

    head: nn.Module
    size: tuple[int, int]
    mean: Sequence[float]
    std: Sequence[float]
    skeleton: str
    padding: float = 1.25
    border: float = 0.0
    pixels: str = "centres"
    licence: str = ""
    source: str = ""
    confidence: Mapping[str, Any] | None = field(default=None)


@runtime_checkable
class Exportable(Protocol):
    """An estimator that can leave as ONNX."""

    def export_form(self) -> ExportForm:
        """Return what the export needs to know."""
        ...


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: input size (width, height), bytes, and how far ONNX Runtime is from PyTorch on noise."""

    file: Path
    input_size: tuple[int, int]
    bytes: int
    difference: float


def export_form_of(estimator: object) -> ExportForm:
    """Return an estimator's form; raises `UsageError` where it does not offer one."""
    if isinstance(estimator, Exportable):
        return estimator.export_form()
    raise UsageError(
        f"{type(estimator).__name__} cannot be exported to ONNX: it does not say how its crops are made (export_form); "
        "export nano or another trainable estimator"
    )


def write_onnx(form: ExportForm, path: Path, kind: str = "simcc", finer: int = 1) -> Exported:
    """Write an estimator as one ONNX file of any batch size, and run it once against PyTorch.

    kind : one of `KINDS`. finer : the input's sides as a multiple of the network's; crops of large persons then
    alias less, and places come in finer steps. Raises `UsageError` for an unknown kind or a model that one file
    cannot hold, `PluginError` where the extra ``onnx`` is missing, `StorageError` where the file cannot be written.
    """
    if kind not in KINDS:
        raise UsageError(f"--as {kind} is unknown: use one of {', '.join(KINDS)}")
    if finer not in (1, 2, 3, 4):
        raise UsageError(f"--finer {finer} is not usable: use 1, 2, 3 or 4")
    size = (finer * form.size[0], finer * form.size[1])
    module = _whole(form, kind, finer)
    parameters = sum(p.numel() * p.element_size() for p in module.parameters())
    if parameters > LARGEST:
        raise UsageError(
            f"the model has {parameters:,} bytes of weights and one ONNX file holds 2 GB: export a smaller one"
        )
    content = _converted(module, size, OUTPUTS[kind])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".part")
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error}): choose another place or free space") from error
    return Exported(path, size, len(content), _difference(module, path, size, OUTPUTS[kind]))


def card_of(form: ExportForm, kind: str, finer: int) -> OnnxCard:
    """Return the card with which our own `onnx` estimator reads an exported file."""
    outputs = {
        "simcc": {"score": "mean", "refine": "gaussian"},
        "heatmap": {"heatmaps": "heatmaps", "cells": "centres", "refine": "dark"},
    }
    about = {"licence": form.licence, "source": form.source, "notes": "written by emc export onnx"}
    return OnnxCard.model_validate(
        {
            "family": kind,
            "skeleton": form.skeleton,
            "input": {
                "size": (finer * form.size[0], finer * form.size[1]),
                "channels": "bgr",
                "mean": IMAGENET_MEAN,
                "std": IMAGENET_STD,
            },
            "box": {"padding": form.padding},
            "output": outputs[kind],
            # The file's scores are P(right) already.
            "confidence": {"score": [0.0, 1.0], "right": [[0.0, 1.0]] * len(form.confidence["right"])}
            if form.confidence is not None
            else None,
            "about": about,
        }
    )


def _whole(form: ExportForm, kind: str, finer: int) -> nn.Module:
    given = RtmposeInput(form.size, form.mean, form.std, form.border, form.pixels, finer)
    export = SimccExport if kind == "simcc" else HeatmapExport
    table = form.confidence
    head = form.head if table is None else ConfidenceHead(form.head, table["score"], table["right"])
    return export(given, head).eval().cpu()


def _converted(module: nn.Module, size: tuple[int, int], outputs: Sequence[str]) -> bytes:
    """Return the ONNX file's bytes."""
    example = torch.zeros(2, 3, size[1], size[0])
    program = onnx_program(module, example, outputs, {0: torch.export.Dim("batch")})
    buffer = io.BytesIO()
    program.save(buffer)
    return buffer.getvalue()


def _difference(module: nn.Module, path: Path, size: tuple[int, int], outputs: Sequence[str]) -> float:
    """Return the largest difference of an output between PyTorch and the file, on three crops of noise."""
    noise = np.random.default_rng(0).normal(0, 1, (3, 3, size[1], size[0])).astype(np.float32)
    found = OnnxGraph(path).run(noise, "input", outputs)
    with torch.inference_mode():
        expected = module(torch.from_numpy(noise))
    expected = [expected] if isinstance(expected, Tensor) else list(expected)
    return max(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
