"""An ONNX file ready to run: names, shapes, and batches of any size; the engine behind it is `choice`'s."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emc.engines.choice import open_engine
from emc.engines.engine import GraphShapes
from emc.errors import ShapeMismatch, WeightsError


class OnnxGraph:
    """A model file ready to run; `run` may be called from several threads at once.

    Each call computes on one core: several calls side by side keep all cores busier than one call on all of them.
    On CUDA one call at a time fills the device. Raises `WeightsError` naming the file where it is missing or no
    engine reads it, `UsageError` where an engine is asked for that cannot be had.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise WeightsError(f"{path} is missing: give the path of an ONNX file")
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._engine = open_engine(path)
        self.shapes = self._engine.shapes

    @property
    def engine(self) -> str:
        """The library that runs the graph, its version, and the device where it is not the processor."""
        return self._engine.name

    @property
    def on_cuda(self) -> bool:
        """Whether the graph runs on a CUDA device."""
        return self._engine.on_cuda

    @property
    def fixed_batch(self) -> int | None:
        """The only batch size that the graph takes; None where it takes any."""
        first = next(iter(self.shapes.inputs.values()), ())
        return first[0] if first else None

    def measured_shapes(self) -> GraphShapes:
        """Return the shapes with what the file leaves open measured on an empty image, where its input size is told.

        Exporters often give a fixed dimension a name of its own, as if it could vary.
        """
        (name, shape), *others = self.shapes.inputs.items()
        if others or len(shape) != 4 or None in shape[1:]:
            return self.shapes
        empty = np.zeros([size or 1 for size in shape], np.float32)
        found = self._run(empty, name, list(self.shapes.outputs))
        outputs = {key: (None, *value.shape[1:]) for key, value in zip(self.shapes.outputs, found, strict=True)}
        return GraphShapes(self.shapes.inputs, outputs)

    def image_input(self, name: str, size: tuple[int, int]) -> str:
        """Return the input that takes (N, 3, H, W) images of `size` (W, H).

        name : as a card gives it, "" where the graph has one input only. Raises `WeightsError` that says what to
        correct in the card.
        """
        names, (width, height) = list(self.shapes.inputs), size
        name = name or (names[0] if len(names) == 1 else "")
        if name not in names:
            raise WeightsError(
                f"{self.path} has the inputs {names}, not '{name}': name one of them as input.name in its card"
            )
        shape, wanted = self.shapes.inputs[name], (3, height, width)
        if len(shape) != 4 or any(told not in (None, own) for told, own in zip(shape[1:], wanted, strict=True)):
            raise WeightsError(
                f"{self.path} takes {name} of shape {list(shape)}, its card says (N, 3, {height}, {width}): correct "
                "input.size"
            )
        return name

    def has_outputs(self, names: Sequence[str]) -> list[str]:
        """Return output names as they are; raises `WeightsError` where the graph lacks one."""
        missing = [name for name in names if name not in self.shapes.outputs]
        if missing:
            known = list(self.shapes.outputs)
            raise WeightsError(f"{self.path} has the outputs {known}, not {missing}: correct [output] in its card")
        return list(names)

    def run(self, batch: np.ndarray, name: str, outputs: Sequence[str]) -> list[np.ndarray]:
        """Return the named outputs of a batch of (B, 3, H, W) float32, each with B rows.

        A graph of a fixed batch size is run as often as it takes, its last batch filled up.
        """
        fixed = self.fixed_batch
        if fixed is None or fixed == len(batch):
            return self._run(batch, name, outputs)
        parts: list[list[np.ndarray]] = []
        for start in range(0, len(batch), fixed):
            part = batch[start : start + fixed]
            filled = np.concatenate([part, np.zeros((fixed - len(part), *part.shape[1:]), part.dtype)])
            parts.append([found[: len(part)] for found in self._run(filled, name, outputs)])
        return [np.concatenate(found) for found in zip(*parts, strict=True)]

    def _run(self, batch: np.ndarray, name: str, outputs: Sequence[str]) -> list[np.ndarray]:
        try:
            return self._engine.run(outputs, {name: batch})
        except Exception as error:  # noqa: BLE001 - engines raise classes of their own, which they do not export
            first = str(error).splitlines()[0]
            raise ShapeMismatch(
                f"{self.path} cannot be run on {name} {batch.shape}, outputs {list(outputs)} ({first:.120}): "
                "correct its card (docs/onnx.md)"
            ) from error
