"""`vitpose`: vision transformers with heatmaps (Xu et al., NeurIPS 2022) as estimators that can be calibrated."""

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
from emc.estimators.model_skeleton import grown_rows, grown_table
from emc.estimators.vitpose.crops import part_crops, reach, windows
from emc.estimators.vitpose.heatmaps import (
    confidence,
    decode,
    flipped_back,
    joint_errors,
    signals,
    squared_error,
    to_image,
    with_teacher_targets,
)
from emc.estimators.vitpose.network import VitPoseNetwork, build_network, with_joints
from emc.estimators.vitpose.training import training_batch
from emc.estimators.vitpose.variants import DEFAULT, LICENCE, VITPOSE_VARIANTS, Variant, configuration, variant_named
from emc.estimators.vitpose.weights import (
    card_of,
    describe_location,
    find_weights,
    inner_names,
    load_network,
    named_weights,
)
from emc.interfaces import ModelInfo
from emc.pose.picture_part import Part
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import COCO17, Skeleton, channel_start
from emc.weights.hub import CONFIG_FILE
from emc.weights.saved_files import CARD_FILE, write_model

if TYPE_CHECKING:
    from emc.estimators.onnx import ExportForm

BATCH = 16
TINY = configuration(hidden=96, layers=4, heads=3, simple_head=True, size=(128, 96))
"""The configuration of `untrained`: 0.54 M parameters, for tests and experiments."""


class VitPoseEstimator(EngineUser):
    """Top-down estimator and `Trainable`: a crop of 256 x 192 per box, one heatmap per joint.

    The joints are COCO-17; `with_skeleton` gives a copy others, and a saved model keeps its own.

    weights : a folder that `save` or transformers wrote, a checkpoint ``.pth`` of the authors, or a hub name
    ``OWNER/NAME[@REVISION]``. None = the published model `variant`, which is looked for, and where need be downloaded
    to the hub's cache, when the network is first needed: describing a model costs nothing. Raises `WeightsError` that
    names the file and says what to do; `PluginError` where transformers is not installed.

    The batch of `collate` holds ``image`` (B, 3, H, W) float32, ``target`` (B, 17, h, w) float32 bumps of height 1, and
    ``weight`` (B, 17), 0 where a joint is not labelled or outside the crop. ``module(image)`` returns the heatmaps.

    `predict` reads every crop twice, as it is and mirrored, and averages, as the published figures do. Set `mirror` to
    False where speed matters more. It runs where the network is: ``estimator.module.to("cuda")`` moves both.
    """

    variant = DEFAULT
    suited_engine = "openvino"
    concurrent_calls = True
    """Several calls of `predict` may run at once, once the network is loaded."""
    follows_network = True
    """`predict` runs on the device where the network is."""

    def __init__(self, weights: Path | str | None = None) -> None:
        self.augmentation = Augmentation()
        self.mirror = True
        self._skeleton = COCO17
        self._network: VitPoseNetwork | None = None
        self._card: dict[str, Any] = {}
        self._origin = ""
        if weights is not None:
            self._network = self._load(named_weights(weights))

    @classmethod
    def untrained(cls, seed: int, config: Mapping[str, Any] | None = None) -> VitPoseEstimator:
        """Return an estimator with random weights, the same ones for the same seed.

        config : of the network, see `variants.configuration`; by default that of the published model which the
        class stands for, or of `VitPoseEstimator` itself a tiny one (`TINY`). Batch-norm statistics, if any, learn.
        """
        if config is None:
            config = TINY if cls is VitPoseEstimator else variant_named(cls.variant).configuration()
        estimator = cls()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = build_network(config, "the configuration")
        network.live_statistics = True
        estimator._network = network
        estimator._origin = f"untrained, seed {seed}"
        return estimator

    def reinitialised(self, seed: int) -> VitPoseEstimator:
        """Return an estimator of the same architecture with random weights, the same ones for the same seed."""
        fresh = type(self).untrained(seed, self.module.written_config())
        fresh._skeleton = self._skeleton
        return fresh

    @property
    def skeleton(self) -> Skeleton:
        """COCO-17, or what `with_skeleton` or the saved model say."""
        return self._skeleton

    def with_skeleton(self, skeleton: Skeleton) -> VitPoseEstimator:
        """Return a copy for another skeleton; see `Growable`."""
        start = channel_start(self._skeleton, skeleton)
        old = self.module
        state = dict(old.state_dict())
        for name in ("model.head.conv.weight", "model.head.conv.bias"):
            state[name] = grown_rows(state[name], start)
        grown = self.clone()
        network = build_network(with_joints(old.written_config(), skeleton.joints), self._origin)
        network.load_state_dict(state)
        network.live_statistics = old.live_statistics
        grown._network = network.to(self._device)
        grown._skeleton = skeleton
        if self._card.get("confidence"):
            grown._card["confidence"] = grown_table(self._card["confidence"], start)
        return grown

    @property
    def module(self) -> VitPoseNetwork:
        """The network whose parameters are trained."""
        if self._network is None:
            published = self._published
            self._network = self._load(find_weights(published))
            pinned = published.revision and published.revision in self._origin
            self._card = {"variant": published.name, "base": published.source if pinned else self._origin}
        return self._network

    @property
    def _published(self) -> Variant:
        return variant_named(self.variant)

    @property
    def _licence(self) -> str:
        return str(self._card.get("licence", LICENCE))

    def parameter_depths(self) -> Mapping[str, int]:
        """Return parameter name of `module` -> depth, 0 nearest the input, the largest at the head."""
        return self.module.parameter_depths()

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image.

        images : (H, W, 3) uint8 RGB of any size, each with its own list of boxes, which may reach outside it. Returns
        predictions image by image in the order of the boxes: xy in pixels of the image, NaN where a heatmap has no
        value above 0; score = height of the peak; confidence = that height within [0, 1], 0 where there is no place
        near the peak; features (17, 4) as named by `heatmaps.FEATURES`. Raises `ShapeMismatch` where the
        numbers of images and box lists differ.
        """
        return self.predict_parts([Part.whole(image) for image in images], boxes)

    def predict_parts(self, parts: Sequence[Part], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict boxes of pictures of which there are only parts that hold `reach`: as from the whole, to the bit."""
        if len(parts) != len(boxes):
            raise ShapeMismatch(f"{len(parts)} images came with {len(boxes)} box lists: give one list per image")
        work = [(part, box) for part, listed in zip(parts, boxes, strict=True) for box in listed]
        return self.in_calls(self._predict_batch, work, BATCH)

    def reach(self, boxes: np.ndarray) -> np.ndarray:
        """Return (N, 4) x0, y0, x1, y1: what is read of a picture for each of (N, 4) xywh boxes lies inside, pixels."""
        return reach(boxes, self.module.size)

    def heatmaps(self, crops: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the network reads off (B, 3, H, W) crops: the heatmaps, and the mirrored reading by itself.

        With `mirror` the first is the mean of both readings.
        """
        network = self.module
        maps = self.forward or network
        training = network.training
        network.eval()
        with torch.inference_mode():
            found = maps(crops).float()
            mirrored = flipped_back(maps(crops.flip(-1)).float(), self._skeleton.flip) if self._twice else None
        network.train(training)
        return (found if mirrored is None else (found + mirrored) / 2), mirrored

    @property
    def _twice(self) -> bool:
        # Without mirror joints the mirrored reading would average left with right.
        return self.mirror and self._skeleton.mirrors

    def _predict_batch(self, work: Sequence[tuple[Part, Box]]) -> list[Prediction]:
        boxes = np.array([box.xywh for _, box in work], dtype=np.float32)
        around = windows(boxes, self.module.size)
        crops = part_crops([part for part, _ in work], around, self.module.size, self._device)
        found, mirrored = self.heatmaps(crops)
        decoded = decode(found)
        features = signals(found, decoded, mirrored)
        sure = confidence(decoded)
        xy = to_image(decoded.cells, around, (found.shape[2], found.shape[3]))
        return [
            Prediction(box.frame, box.track, xy[i], decoded.score[i], sure[i], boxes[i], features[i])
            for i, (_, box) in enumerate(work)
        ]

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> dict[str, Tensor]:
        """Turn samples into one batch: with `rng` augmented by `self.augmentation`, without it cut as `predict` cuts.

        Raises `ShapeMismatch` where a sample has another number of joints.
        """
        augmentation = None if rng is None else self.augmentation
        return training_batch(samples, self.module, self._skeleton.flip, augmentation, rng)

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean squared error of the heatmaps, labels weighted: the loss ViTPose was trained with."""
        image, target, weight = (batch[name].to(self._device) for name in ("image", "target", "weight"))
        return squared_error(self.module(image), target, weight)

    def joint_losses(self, batch: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Return the (B, 17) mean squared error of each heatmap and its weight."""
        image, target, weight = (batch[name].to(self._device) for name in ("image", "target", "weight"))
        return joint_errors(self.module(image), target), weight

    def loss_mass(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the number of joints, labelled or not, which `loss` divides by."""
        return torch.tensor(float(batch["weight"].numel()))

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return a batch of `collate` with the heatmaps of another `module` in its targets, see `Teachable`."""
        return with_teacher_targets(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write ``model.safetensors`` (float32) and ``emc.json`` (with `extra` merged in) into the folder `path`.

        The card holds the configuration, so that nothing else is needed to load the folder; ``config.json`` is for
        transformers, which opens it as well.
        """
        network = self.module
        kept = {name: value for name, value in self._card.items() if name != "skeleton_toml"}
        card = kept | card_of(network, self._skeleton, self._licence) | dict(extra or {})
        documents = {CONFIG_FILE: network.written_config(), CARD_FILE: card}
        write_model(Path(path), inner_names(network.state_dict()), documents)

    def load(self, path: Path) -> None:
        """Read weights from a folder that `save` or transformers wrote; raises `WeightsError` that names the file.

        On error the estimator keeps the weights it had.
        """
        self._network = self._load(Path(path))

    def _load(self, place: Path) -> VitPoseNetwork:
        network, card, self._skeleton = load_network(place, self._network)
        self._card, self._origin = card, str(place)
        return network

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the weights are, loading nothing."""
        known = VITPOSE_VARIANTS.get(str(self._card.get("variant", "" if self._origin else self.variant)))
        own = self._network
        height, width = own.size if own is not None else (256, 192)
        parameters = known.parameters if known is not None else 0
        return ModelInfo(
            name=known.name if known is not None else "vitpose",
            kind="estimator",
            skeleton=self._skeleton.name,
            input_size=(width, height),
            licence=self._licence,
            trainable=True,
            parameters=sum(p.numel() for p in own.parameters()) if own is not None else parameters,
            weights=self._origin or describe_location(self._published),
            notes=f"COCO AP {known.coco_ap}" if known is not None else "",
            extra=known.facts() if known is not None else {},
        )

    def export_form(self) -> ExportForm:
        """Return what `emc export onnx` needs to know: the network with its decoding, and how its crops are made."""
        from emc.estimators.vitpose.export import vitpose_form

        return vitpose_form(self.clone().module, self._twice, self.skeleton.flip, self.describe())

    def clone(self) -> VitPoseEstimator:
        """Return an independent copy, weights included."""
        return copy.deepcopy(self)
