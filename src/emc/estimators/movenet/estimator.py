"""MoveNet as an estimator that can be calibrated."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from emc.engines import EngineUser
from emc.errors import ShapeMismatch
from emc.estimators.augmentation import Augmentation
from emc.estimators.model_skeleton import grown_rows
from emc.estimators.movenet.decode import REFERENCE, SOFT, Found, crowded, read_places
from emc.estimators.movenet.network import PoseNetwork, build_network, split
from emc.estimators.movenet.training import BORDER, PADDING, joint_losses, training_batch, with_teacher_targets
from emc.estimators.movenet.variants import LIGHTNING, THUNDER, Variant
from emc.estimators.movenet.weights import LICENCE, NOTES, card_of, load_folder, load_published
from emc.estimators.square_crops import cut_part, reach, square_affine
from emc.interfaces import ModelInfo
from emc.networks.movenet import depths, to_input
from emc.pose.geometry import invert_affine, transform
from emc.pose.picture_part import Part
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import COCO17, Skeleton, channel_start
from emc.weights.published import describe_location, published_named
from emc.weights.saved_files import CARD_FILE, write_model

if TYPE_CHECKING:
    from emc.estimators.onnx import ExportForm

BATCH = 16


class MoveNetEstimator(EngineUser):
    """Top-down estimator and `Trainable`: a square crop per box, a heatmap per joint that a person's centre sorts.

    The joints are COCO-17; `with_skeleton` gives a copy others, and a saved model keeps its own.

    weights : a folder that `save` wrote; None = the published network of the class, which is looked for, and where need
    be fetched, when the network is first needed: describing a model costs nothing. Raises `WeightsError` that names
    the file or says how to get it.

    The batch of `collate` holds ``image`` (B, 3, S, S) float32, ``target`` (B, J, S / 4, S / 4) float32 bumps of height
    1, ``place`` (B, J, 2) y, x in cells, and ``weight`` (B, J), 0 where a joint is not labelled or outside the crop.
    ``module(image)`` returns what `split` takes apart.

    `predict` decodes a crop as the published graph does where another person's box is in it, else more softly, which
    trusts a heatmap far from where the person's centre expects the joint; `pull` (cells) sets one for all crops.
    """

    variant: Variant = LIGHTNING
    concurrent_calls = True
    """Several calls of `predict` may run at once, once the network is loaded."""
    follows_network = True
    """`predict` runs on the device where the network is."""
    relative_step = 0.5
    """Batch norm is folded in, see `Folded`: at the default rate, 0.1 % of a tensor's RMS."""

    def __init__(self, weights: Path | str | None = None) -> None:
        self.augmentation = Augmentation()
        self.pull: float | None = None
        self._skeleton = COCO17
        self._network: PoseNetwork | None = None
        self._card: dict[str, Any] = {}
        self._origin = ""
        if weights is not None:
            self.load(Path(weights))

    @classmethod
    def untrained(cls, seed: int) -> MoveNetEstimator:
        """Return an estimator with random weights, the same ones for the same seed."""
        estimator = cls()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            estimator._network = build_network(cls.variant.form(len(COCO17)))
        estimator._origin = f"untrained, seed {seed}"
        return estimator

    def reinitialised(self, seed: int) -> MoveNetEstimator:
        """Return an estimator of the same joints with random weights, the same ones for the same seed."""
        fresh = type(self).untrained(seed)
        return fresh if self._skeleton == COCO17 else fresh.with_skeleton(self._skeleton)

    @property
    def skeleton(self) -> Skeleton:
        """COCO-17, or what `with_skeleton` or the saved model say."""
        return self._skeleton

    @property
    def module(self) -> PoseNetwork:
        """The network whose parameters are trained."""
        if self._network is None:
            self._network, self._origin = load_published(self.variant)
        return self._network

    def with_skeleton(self, skeleton: Skeleton) -> MoveNetEstimator:
        """Return a copy for another skeleton; see `Growable`."""
        start = channel_start(self._skeleton, skeleton)
        state = dict(self.module.state_dict())
        for head, per_joint in (("kpt_heatmap", 1), ("kpt_regress", 2), ("kpt_offset", 2)):
            for part in ("weight", "bias"):
                name = f"heads.{head}.out.{part}"
                state[name] = grown_rows(state[name], start, per_joint)
        grown = self.clone()
        network = build_network(self.variant.form(len(skeleton)))
        network.load_state_dict(state)
        grown._network = network.to(self._device)
        grown._skeleton = skeleton
        return grown

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image.

        images : (H, W, 3) uint8 RGB of any size, each with its own list of boxes, which may reach outside it. Returns
        predictions image by image in the order of the boxes: xy in pixels of the image; score and confidence = height
        of the heatmap at the joint, in [0, 1]; features (J, 4) as named by `decode.FEATURES`. Raises `ShapeMismatch`
        where the numbers of images and box lists differ.
        """
        return self.predict_parts([Part.whole(image) for image in images], boxes)

    def predict_parts(self, parts: Sequence[Part], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict boxes of pictures of which there are only parts that hold `reach`: as from the whole, to the bit."""
        if len(parts) != len(boxes):
            raise ShapeMismatch(f"{len(parts)} images came with {len(boxes)} box lists: give one list per image")
        work = [(part, box) for part, listed in zip(parts, boxes, strict=True) for box in listed]
        shared = [crowded(np.array([box.xywh for box in listed]), PADDING) for listed in boxes if listed]
        pull = np.where(np.concatenate(shared), REFERENCE, SOFT) if shared else np.zeros(0)
        if self.pull is not None:
            pull = np.full(len(work), self.pull)
        return self.in_calls(self._predict_batch, list(zip(work, pull, strict=True)), BATCH)

    def reach(self, boxes: np.ndarray) -> np.ndarray:
        """Return (N, 4) x0, y0, x1, y1: what prediction reads of a picture for each of (N, 4) xywh boxes, pixels."""
        return reach(boxes, self.variant.side, PADDING)

    def decode_crops(self, crops: Tensor, pull: Tensor) -> Found:
        """Return what the network reads off (B, 3, S, S) crops of grey levels in [-1, 1], in crop pixels.

        pull : (B,) cells, see `decode.REFERENCE` and `decode.SOFT`.
        """
        network = self.module
        training = network.training
        network.eval()
        with torch.inference_mode():
            found = read_places(split((self.forward or network)(crops)), pull)
        network.train(training)
        return found

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> dict[str, Tensor]:
        """Turn samples into one batch: with `rng` augmented by `self.augmentation`, without it cut as `predict` cuts.

        Raises `ShapeMismatch` where a sample has another number of joints.
        """
        how = None if rng is None else self.augmentation
        return training_batch(samples, self.variant.side, self._skeleton.flip, how, rng)

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean loss of the weighted joints of a batch, see `training.joint_losses`."""
        losses, weight = self.joint_losses(batch)
        return (losses * weight).sum() / weight.sum().clamp(min=1.0)

    def joint_losses(self, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Return the (B, J) loss of each joint and its weight."""
        return joint_losses(self.module(batch["image"].to(self._device)), batch), batch["weight"].to(self._device)

    def loss_mass(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the sum of the weights, which `loss` divides by."""
        return batch["weight"].sum()

    def parameter_depths(self) -> Mapping[str, int]:
        """Return parameter name -> depth, 0 nearest the input, the largest at the heads."""
        return depths(self.module)

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return a batch of `collate` with a lesson by another such network in it."""
        return with_teacher_targets(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write ``model.safetensors`` (float32) and ``emc.json`` (with `extra` merged in) into the folder `path`."""
        card = card_of(self.variant, self._card, self._skeleton) | dict(extra or {})
        write_model(Path(path), self.module.state_dict(), {CARD_FILE: card})

    def load(self, path: Path) -> None:
        """Read weights from a folder that `save` wrote; raises `WeightsError` that names the file.

        On error the estimator keeps the weights it had.
        """
        self._network, self._skeleton, self._card = load_folder(Path(path), self.variant, self._network)
        self._origin = str(path)

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the weights are, loading nothing."""
        variant, own = self.variant, self._network
        return ModelInfo(
            name=variant.name,
            kind="estimator",
            skeleton=self._skeleton.name,
            input_size=(variant.side, variant.side),
            licence=str(self._card.get("licence", LICENCE)),
            trainable=True,
            parameters=sum(p.numel() for p in own.parameters()) if own is not None else variant.parameters,
            weights=self._origin or describe_location(variant.name),
            notes=NOTES,
            extra={"megabytes": published_named(variant.name).megabytes},
        )

    def export_form(self) -> ExportForm:
        """Return what `emc export onnx` needs to know: the network with its decoding, and how its crops are made."""
        from emc.estimators.movenet.export import movenet_form

        pull = SOFT if self.pull is None else self.pull
        return movenet_form(self.clone().module, self.variant.side, pull, self.describe())

    def clone(self) -> MoveNetEstimator:
        """Return an independent copy, weights included."""
        return copy.deepcopy(self)

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _predict_batch(self, pulled: Sequence[tuple[tuple[Part, Box], float]]) -> list[Prediction]:
        side = self.variant.side
        work, pull = [one for one, _ in pulled], np.array([cells for _, cells in pulled])
        boxes = [np.asarray(box.xywh, dtype=np.float32) for _, box in work]
        affines = [square_affine(box, side, PADDING) for box in boxes]
        levels = np.stack(
            [cut_part(part, affine, side, BORDER) for (part, _), affine in zip(work, affines, strict=True)]
        )
        crops = to_input(torch.from_numpy(levels).permute(0, 3, 1, 2).to(self._device).float())
        found = self.decode_crops(crops, torch.from_numpy(pull).float().to(self._device))
        xy, score, features = (part.cpu().numpy() for part in (found.xy, found.score, found.features))
        return [
            Prediction(
                frame=box.frame,
                person=box.track,
                xy=transform(xy[i].astype(np.float64), invert_affine(affines[i])).astype(np.float32),
                score=score[i],
                confidence=score[i],
                box=boxes[i],
                features=features[i],
            )
            for i, (_, box) in enumerate(work)
        ]


class MoveNetLightning(MoveNetEstimator):
    """MoveNet Lightning: 192 px, 2.3 M parameters."""

    variant = LIGHTNING


class MoveNetThunder(MoveNetEstimator):
    """MoveNet Thunder: 256 px, 6.2 M parameters; better and four times slower."""

    variant = THUNDER
