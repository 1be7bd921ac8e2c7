"""The contracts between the subjects: what an estimator, detector, lifter, store and executor must offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from emc.pose.records import Alert, Box, Clip, Edit, FrameAlerts, Pose, Prediction, Sample
from emc.pose.skeleton import Skeleton

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What `emc models` shows of a model, and what a saved model's ``emc.json`` records.

    `input_size` is (width, height) in pixels; `weights` says where its weights are (a path, "embedded", a hub name).
    """

    name: str
    kind: str
    skeleton: str
    input_size: tuple[int, int]
    licence: str
    trainable: bool
    parameters: int = 0
    weights: str = ""
    notes: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@runtime_checkable
class Estimator(Protocol):
    """Images and person boxes in, one prediction per box out."""

    @property
    def skeleton(self) -> Skeleton:
        """Joints that the predictions have."""
        ...

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image, batched across images.

        images : (H, W, 3) uint8 RGB, each with its own list of boxes. Returns predictions image by image in the order
        of the boxes, `frame` and `person` taken from the box (`person` = `track`).
        """
        ...

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the weights are."""
        ...


@runtime_checkable
class Trainable(Estimator, Protocol):
    """An estimator that calibration can train further."""

    @property
    def module(self) -> torch.nn.Module:
        """The network whose parameters are trained."""
        ...

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> Mapping[str, Any]:
        """Turn samples into one batch of tensors; with `rng` augmented, without it exactly as predicted."""
        ...

    def loss(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return the scalar training loss of a batch, differentiable with respect to `module`."""
        ...

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write ``model.safetensors`` and ``emc.json`` (with `extra` merged in) into the folder `path`."""
        ...

    def load(self, path: Path) -> None:
        """Read weights from a folder that `save` wrote; raises `WeightsError` that names the file."""
        ...


@runtime_checkable
class Layered(Trainable, Protocol):
    """A trainable estimator that knows how deep its parameters are, for layer-wise learning rates."""

    def parameter_depths(self) -> Mapping[str, int]:
        """Return parameter name of `module` -> depth: 0 nearest the input, the largest at the output."""
        ...


@runtime_checkable
class PerJoint(Trainable, Protocol):
    """A trainable estimator that tells the loss of each joint, for hard-joint mining and shared batches."""

    def joint_losses(self, batch: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (B, J) losses of the joints of a batch of `collate`, differentiable, and their (B, J) weights.

        A weight of 0 masks a joint, as in `loss`.
        """
        ...

    def loss_mass(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return what `loss` is a mean over, a scalar: ``loss x max(mass, 1)`` of a batch's rows add up."""
        ...


@runtime_checkable
class Growable(Trainable, Protocol):
    """A trainable estimator that can take another skeleton without forgetting the joints that it knows."""

    def with_skeleton(self, skeleton: Skeleton) -> Trainable:
        """Return an independent copy whose predictions have the joints of `skeleton`, in their order.

        The output channel of a joint that both skeletons have is copied as it is, so that its predictions stay the
        same; the channels of others start as `emc.pose.skeleton_maps.channel_start` says, and are to be trained.
        Joints that `skeleton` lacks are dropped.
        """
        ...


@runtime_checkable
class Teachable(Trainable, Protocol):
    """A trainable estimator whose targets another network's outputs can take the place of."""

    def taught(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: torch.Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return the batch with a teacher's outputs in its targets.

        batch : of `collate`. teacher : a network like `module`. common : (B,) bool, rows that are replayed common
        data: there a target becomes (1 - distil) x label + distil x teacher, and a joint without a label the
        teacher's, with weight `distil`. On the other rows a joint without a label becomes the teacher's with weight
        `fill`. A weight of 0 leaves everything as it is.
        """
        ...


@runtime_checkable
class Detector(Protocol):
    """Finds persons on images."""

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the boxes of each (H, W, 3) uint8 RGB image; images follow each other in time."""
        ...

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are."""
        ...


@runtime_checkable
class Learning(Detector, Protocol):
    """A detector that looks at frames spread over a clip before it searches it, to learn what kind of clip it is."""

    def looks(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> Sequence[Any]:
        """Return what is seen on each (H, W, 3) uint8 RGB image of a clip, in any form that can be pickled."""
        ...

    def enough(self, looks: Sequence[Any], shown: int) -> bool:
        """Return whether the first of `shown` looks tell all that there is to learn: nobody need take the others."""
        ...

    def learned(self, looks: Sequence[Any], shown: int) -> Detector:
        """Return a detector for this clip, picklable; this one stays as it is.

        What it says of the frames that were looked at may be in its ``looked``, a mapping from frame to boxes: those
        are not given to it again.
        """
        ...


@runtime_checkable
class Lifter(Protocol):
    """Lifts a 2D sequence of one person to 3D."""

    def lift(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift one person's sequence.

        xy : (T, 17, 2) COCO-17 pixels, NaN where missing. confidence : (T, 17) in [0, 1]. size : (width, height) of the
        frame. Returns (T, 17, 3) Human3.6M-17, metres, camera axes (x right, y down, z forward), pelvis at the origin.
        """
        ...

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are."""
        ...


class Executor(Protocol):
    """Runs a function over items: in order, lazily, the function and items picklable."""

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in the order of the items."""
        ...

    def close(self) -> None:
        """Release workers; safe to call twice."""
        ...


class Progress(Protocol):
    """Where a long piece of work says how far it is; `workflow` passes it on, `cli` draws it."""

    def start(self, task: str, total: int | None) -> None:
        """Begin a task of `total` steps (None: unknown)."""
        ...

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that `steps` more are done; `note` is a short figure to show, such as a loss."""
        ...

    def finish(self) -> None:
        """End the task."""
        ...

    def say(self, line: str) -> None:
        """Say one line to the user."""
        ...


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A prediction run: which model predicted a clip, with what settings, and whether it is complete."""

    id: str
    clip: str
    model: str
    skeleton: str
    created: str
    complete: bool
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Store(Protocol):
    """A project: clips, predictions, alerts, the edit journal and poses folded from it, documents.

    Every write is durable when the call returns (it survives ``kill -9``). Lists come in the order of their keys.
    """

    @property
    def folder(self) -> Path:
        """The project's folder ``NAME.emc``."""
        ...

    def close(self) -> None:
        """Release the database; safe to call twice."""
        ...

    def add_clip(self, clip: Clip) -> None:
        """Store a clip, with its times; raises `UsageError` where the id is taken."""
        ...

    def remove_clip(self, clip: str) -> None:
        """Mark a clip as removed: it no longer shows, its edits stay in the journal; its media are not touched."""
        ...

    def clips(self, role: str | None = None) -> list[Clip]:
        """Return the clips that are not removed, without times."""
        ...

    def clip(self, clip: str) -> Clip:
        """Return one clip, with times; raises `UsageError` naming the clips that exist."""
        ...

    def start_run(self, clip: str, model: str, skeleton: str, settings: Mapping[str, Any]) -> RunRecord:
        """Begin a prediction run, or return the unfinished one of the same clip, model and settings (resume)."""
        ...

    def finish_run(self, run: str) -> None:
        """Mark a run complete; it becomes the clip's current run of its model."""
        ...

    def runs(self, clip: str | None = None) -> list[RunRecord]:
        """Return runs, newest last."""
        ...

    def write_predictions(self, run: str, predictions: Sequence[Prediction], upto: int | None = None) -> None:
        """Store predictions of a run in one transaction; `upto`: frames below it are done (resume point)."""
        ...

    def resume_frame(self, run: str) -> int:
        """Return the first frame of a run that is not yet done."""
        ...

    def predictions(self, run: str, first: int = 0, last: int | None = None) -> Iterator[Prediction]:
        """Yield the predictions of frames first..last (inclusive), by frame then person."""
        ...

    def write_alerts(self, run: str, alerts: Sequence[Alert], frames: Sequence[FrameAlerts]) -> None:
        """Replace the alerts and (m, n) of a run in one transaction."""
        ...

    def alerts(self, run: str, limit: int | None = None, offset: int = 0) -> list[Alert]:
        """Return alerts, most severe first."""
        ...

    def frame_alerts(
        self, run: str, limit: int | None = None, offset: int = 0, worst_first: bool = True
    ) -> list[FrameAlerts]:
        """Return (m, n) per frame by index: worst first, or by frame."""
        ...

    def append_edit(self, edit: Edit) -> Edit:
        """Append to the journal and return the edit with its id; durable when this returns."""
        ...

    def edits(self, clip: str | None = None) -> list[Edit]:
        """Return the journal, oldest first, edits that were taken back included."""
        ...

    def poses(self, clip: str, run: str | None = None, first: int = 0, last: int | None = None) -> list[Pose]:
        """Return current poses: predictions of `run` (None: the clip's newest complete run, if any) with the edits."""
        ...

    def put_document(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Store a JSON document (a calibration set's card, a ladder, a report), replacing one of the same name."""
        ...

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        ...

    def documents(self, kind: str) -> list[str]:
        """Return the names of documents of a kind, oldest first."""
        ...
