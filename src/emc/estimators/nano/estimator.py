"""`nano`: the embedded trainable pose estimator, COCO-17 out, small enough to calibrate on two CPU cores."""

from __future__ import annotations

import copy
import hashlib
import importlib.resources
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from emc.engines import EngineUser
from emc.errors import ShapeMismatch
from emc.estimators.model_skeleton import grown_rows, grown_table, skeleton_entries, skeleton_in_card
from emc.estimators.nano.crops import (
    MEAN,
    PADDING,
    SPREAD,
    Augmentation,
    augmented_crop,
    cut_part,
    exact_affine,
    exact_crop,
    reach,
    to_tensor,
)
from emc.estimators.nano.distillation import parameter_depths, with_teacher_targets
from emc.estimators.nano.heatmaps import (
    SIGMA,
    Decoded,
    cross_entropy,
    decode,
    decode_both,
    encode,
    joint_entropies,
    map_confidence,
)
from emc.estimators.nano.network import GRID_SIZE, INPUT_SIZE, NanoNetwork, build_network
from emc.interfaces import ModelInfo
from emc.pose.geometry import invert_affine, transform
from emc.pose.picture_part import Part
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import COCO17, Skeleton, channel_start
from emc.weights.saved_files import CARD_FILE, WEIGHTS_FILE, check_fits, read_card, read_weights, write_model

if TYPE_CHECKING:
    from emc.estimators.onnx import ExportForm

LICENCE = "Apache-2.0 (weights trained on LSPE photos, published for research: see MODEL_CARD.md)"
BATCH = 64


class NanoEstimator(EngineUser):
    """Top-down estimator and `Trainable`: a 128 x 128 crop per box, one softmax heatmap per joint.

    The joints are COCO-17; `with_skeleton` gives a copy others, and a saved model keeps its own.

    weights : a folder that `save` wrote; None = the weights embedded in the package. Raises `WeightsError` that names
    the file where it is missing, damaged or of another network.

    The batch of `collate` holds ``image`` (B, 3, 128, 128) float32, ``target`` (B, 17, 32, 32) float32 whose maps each
    sum to 1, and ``weight`` (B, 17), 0 where a joint is not labelled or outside the crop. ``module(image)`` returns
    the logits (B, 17, 32, 32) of the same maps: their softmax over the cells may stand in for ``target`` (with weight
    1) to teach a network what another one sees.

    `predict` reads every crop twice, as it is and mirrored, and averages: 3 to 4 points more joints right on held-out
    photos, and a sign of doubt, at twice the time. Set `mirror` to False where speed matters more.

    Loaded networks keep their batch-norm statistics frozen while training (see `NanoNetwork`); `untrained` ones learn
    them. A training that wants it otherwise calls ``module.freeze_statistics``.
    """

    concurrent_calls = True
    """Several calls of `predict` may run at once."""

    def __init__(self, weights: Path | None = None) -> None:
        self.augmentation = Augmentation()
        self.mirror = True
        self._skeleton = COCO17
        self._network = build_network(len(COCO17))
        self._card: dict[str, Any] = {}
        self._origin = "embedded"
        if weights is not None:
            self.load(Path(weights))
        else:
            with importlib.resources.as_file(importlib.resources.files("emc.assets") / "nano") as folder:
                self.load(folder)
            self._origin = "embedded"

    @classmethod
    def untrained(cls, seed: int) -> NanoEstimator:
        """Return an estimator with random weights, the same ones for the same seed."""
        estimator = cls.__new__(cls)
        estimator.augmentation = Augmentation()
        estimator.mirror = True
        estimator._skeleton = COCO17
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            estimator._network = build_network(len(COCO17))
        estimator._card = {"base_hash": ""}
        estimator._origin = f"untrained, seed {seed}"
        return estimator

    @property
    def skeleton(self) -> Skeleton:
        """COCO-17, or what `with_skeleton` or the saved model say."""
        return self._skeleton

    def with_skeleton(self, skeleton: Skeleton) -> NanoEstimator:
        """Return a copy for another skeleton; see `Growable`."""
        start = channel_start(self._skeleton, skeleton)
        state = dict(self._network.state_dict())
        for name, per_joint in (("head", 1), ("fine", 4)):
            for part in ("weight", "bias"):
                state[f"{name}.{part}"] = grown_rows(state[f"{name}.{part}"], start, per_joint)
        grown = self.clone()
        grown._network = build_network(len(skeleton))
        grown._network.load_state_dict(state)
        grown._network.freeze_statistics(self._network.statistics_frozen)
        grown._network.to(next(self._network.parameters()).device)
        grown._skeleton = skeleton
        if self._card.get("confidence"):
            grown._card["confidence"] = grown_table(self._card["confidence"], start)
        return grown

    def reinitialised(self, seed: int) -> NanoEstimator:
        """Return an estimator of the same joints with random weights, the same ones for the same seed."""
        fresh = type(self).untrained(seed)
        return fresh if self._skeleton == COCO17 else fresh.with_skeleton(self._skeleton)

    @property
    def module(self) -> NanoNetwork:
        """The network whose parameters are trained."""
        return self._network

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image.

        images : (H, W, 3) uint8 RGB of any size, each with its own list of boxes, which may reach outside it. Returns
        predictions image by image in the order of the boxes: xy in pixels of the image, score = probability of the
        heatmap within two cells of its peak, confidence = that score mapped to P(joint is right) on held-out common
        photos, features (17, 4) as named by `nano_heatmaps.FEATURES`. Raises `ShapeMismatch` where the numbers of
        images and box lists differ.
        """
        return self.predict_parts([Part.whole(image) for image in images], boxes)

    def predict_parts(self, parts: Sequence[Part], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict boxes of pictures of which there are only parts that hold `reach`: as from the whole, to the bit."""
        if len(parts) != len(boxes):
            raise ShapeMismatch(f"{len(parts)} images came with {len(boxes)} box lists: give one list per image")
        work = [(part, box) for part, listed in zip(parts, boxes, strict=True) for box in listed]
        return self.in_calls(self._predict_batch, work, BATCH)

    reach = staticmethod(reach)

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> dict[str, Tensor]:
        """Turn samples into one batch: with `rng` augmented by `self.augmentation`, without it cut as `predict` cuts.

        Raises `ShapeMismatch` where a sample has another number of joints.
        """
        how = self.augmentation
        crops, places, weights, spreads = zip(
            *(
                exact_crop(s, len(self._skeleton)) if rng is None else augmented_crop(s, rng, how, self._skeleton.flip)
                for s in samples
            ),
            strict=True,
        )
        weight = np.stack(weights)
        target, inside = encode(np.stack(places), weight > 0, np.stack(spreads))
        return {"image": to_tensor(crops), "target": target, "weight": inside * torch.from_numpy(weight)}

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean cross entropy over the weighted joints of a batch, in nats."""
        return cross_entropy(self._network(batch["image"]), batch["target"], batch["weight"])

    def joint_losses(self, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Return the (B, 17) cross entropy of each joint, in nats, and its weight."""
        return joint_entropies(self._network(batch["image"]), batch["target"]), batch["weight"]

    def loss_mass(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the sum of the weights, which `loss` divides by."""
        return batch["weight"].sum()

    def parameter_depths(self) -> Mapping[str, int]:
        """Return parameter name -> depth, for layer-wise learning rates."""
        return parameter_depths(self._network)

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return a batch of `collate` with the maps of another `nano` network in its targets."""
        return with_teacher_targets(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write ``model.safetensors`` (float32) and ``emc.json`` (with `extra` merged in) into the folder `path`."""
        write_model(Path(path), self._network.state_dict(), {CARD_FILE: self._own_card() | dict(extra or {})})

    def load(self, path: Path) -> None:
        """Read weights from a folder that `save` wrote; raises `WeightsError` that names the file.

        On error the estimator keeps the weights it had.
        """
        path = Path(path)
        card = read_card(path / CARD_FILE, "nano")
        skeleton = skeleton_in_card(card, str(path / CARD_FILE))
        state = read_weights(path / WEIGHTS_FILE)
        same = len(skeleton) == len(self._skeleton)
        network = self._network if same else build_network(len(skeleton))
        remedy = "load weights that this version of nano saved"
        check_fits(network.state_dict(), state, path / WEIGHTS_FILE, "nano", remedy)
        network.load_state_dict(state)
        self._network, self._skeleton = network, skeleton
        if not card.get("base_hash"):
            card["base_hash"] = hashlib.sha256((path / WEIGHTS_FILE).read_bytes()).hexdigest()
        self._card = card
        self._origin = str(path)
        self._network.freeze_statistics(card.get("statistics", "frozen") == "frozen")
        self._network.eval()

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the weights are."""
        return ModelInfo(
            name="nano",
            kind="estimator",
            skeleton=self._skeleton.name,
            input_size=(INPUT_SIZE, INPUT_SIZE),
            licence=str(self._card.get("licence", LICENCE)),
            trainable=True,
            parameters=sum(p.numel() for p in self._network.parameters()),
            weights=self._origin,
            notes="trained on common poses only; made to be calibrated",
            extra={
                "base_hash": self._card.get("base_hash", ""),
                "held_out_photos": self._card.get("training", {}).get("held_out_photos", []),
            },
        )

    def export_form(self) -> ExportForm:
        """Return what `emc export onnx` needs to know: the network with its decoding, and how its crops are made."""
        from emc.estimators.nano.export import nano_form

        return nano_form(self.clone().module, self._twice, self.skeleton.flip, self.describe(), self._card)

    def clone(self) -> NanoEstimator:
        """Return an independent copy, weights included."""
        return copy.deepcopy(self)

    def decode_crops(self, images: Tensor) -> Decoded:
        """Return what the network reads off a (B, 3, 128, 128) tensor of crops, in crop pixels."""
        training = self._network.training
        self._network.eval()
        with torch.inference_mode():
            logits = (self.forward or self._network)(images)
            decoded = decode_both(logits, self._read_mirrored(images)) if self._twice else decode(logits)
        self._network.train(training)
        return decoded

    @property
    def _twice(self) -> bool:
        # Without mirror joints the mirrored reading would average left with right.
        return self.mirror and self._skeleton.mirrors

    def _read_mirrored(self, images: Tensor) -> Tensor:
        """Return the logits of the mirrored crops, turned back: left joints come from where right ones were found."""
        return (self.forward or self._network)(images.flip(-1)).flip(-1)[:, list(self._skeleton.flip)]

    def _predict_batch(self, work: Sequence[tuple[Part, Box]]) -> list[Prediction]:
        boxes = [np.asarray(box.xywh, dtype=np.float32) for _, box in work]
        affines = [exact_affine(box) for box in boxes]
        crops = [cut_part(part, affine) for (part, _), affine in zip(work, affines, strict=True)]
        found = self.decode_crops(to_tensor(crops))
        confidence = map_confidence(found.peak, self._card.get("confidence"))
        return [
            Prediction(
                frame=box.frame,
                person=box.track,
                xy=transform(found.xy[i].astype(np.float64), invert_affine(affines[i])).astype(np.float32),
                score=found.peak[i],
                confidence=confidence[i],
                box=boxes[i],
                features=found.features[i],
            )
            for i, (_, box) in enumerate(work)
        ]

    def _own_card(self) -> dict[str, Any]:
        card = dict(self._card)
        card.pop("skeleton_toml", None)
        card.update(skeleton_entries(self._skeleton))
        card.update(
            estimator="nano",
            licence=card.get("licence", LICENCE),
            statistics="frozen" if self._network.statistics_frozen else "live",
            preprocessing={
                "input": [INPUT_SIZE, INPUT_SIZE],
                "grid": [GRID_SIZE, GRID_SIZE],
                "colour": "RGB",
                "mean": MEAN,
                "spread": SPREAD,
                "padding": PADDING,
                "sigma_cells": SIGMA,
            },
        )
        return card
