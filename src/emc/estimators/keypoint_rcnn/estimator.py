"""`keypointrcnn`: Mask R-CNN's keypoint branch (He et al., ICCV 2017) as an estimator that can be calibrated.

Everything runs in plain PyTorch: torchvision need not be installed, nor its compiled operators load.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from emc.errors import ShapeMismatch, WeightsError
from emc.estimators.keypoint_rcnn.detection import Limits, find_persons
from emc.estimators.keypoint_rcnn.heatmaps import Decoded, cross_entropy, decode, with_teacher_targets
from emc.estimators.keypoint_rcnn.images import Prepared, prepare, stacked
from emc.estimators.keypoint_rcnn.network import KeypointRcnnNetwork, Shape, freeze, initialise
from emc.estimators.keypoint_rcnn.recipe import Recipe
from emc.estimators.keypoint_rcnn.training import CHANGES, changed_batch, exact_batch, input_box
from emc.estimators.keypoint_rcnn.variants import DEFAULT, RCNN_VARIANTS, Variant, variant_named
from emc.estimators.keypoint_rcnn.weights import (
    build_network,
    card_of,
    describe_location,
    find_weights,
    read_stored,
    with_joints,
)
from emc.estimators.model_skeleton import skeleton_entries, skeleton_in_card
from emc.interfaces import ModelInfo
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import COCO17, Skeleton, channel_start
from emc.weights.saved_files import CARD_FILE, write_model

if TYPE_CHECKING:
    from emc.estimators.onnx import ExportForm

UNKNOWN_LICENCE = "not told by its file: that of the weights it was trained from"


class KeypointRcnnEstimator:
    """Estimator, `Trainable` and `Detector` on whole images: one heatmap of 56 x 56 per person box and joint.

    The joints are COCO-17; `with_skeleton` gives a copy others, and a saved model keeps its own.

    weights : a folder that `save` wrote, a ``.pth`` of torchvision, or a ``.pth`` or ``.pkl`` of Detectron2. None = the
    published model `variant`, which is looked for, and where need be downloaded, when the network is first needed:
    describing a model costs nothing. Raises `WeightsError` that names the file and says what to do.

    The batch of `collate` holds ``image`` (B, 3, H, W), ``regions`` (N, 5): row of the image and a box in its pixels,
    N = B or, augmented, 3 B; ``maps`` (N, 17, 56, 56) targets that each sum to 1, ``weight`` (N, 17), 0 where a joint
    has no label or is not in its box, and ``labelled`` (N, 17). ``module(image, regions)`` returns the logits.

    `predict` runs where the network is: ``estimator.module.to("cuda")`` moves both.
    """

    variant = DEFAULT
    follows_network = True
    """`predict` runs on the device where the network is."""

    def __init__(self, weights: Path | str | None = None) -> None:
        self.augmentation = CHANGES
        self.limits = Limits()
        self._skeleton = COCO17
        self._network: KeypointRcnnNetwork | None = None
        self._card: dict[str, Any] = {}
        self._origin = ""
        if weights is not None:
            self._network = self._load(Path(weights).expanduser())

    @classmethod
    def untrained(cls, seed: int, shape: Shape | None = None, recipe: Recipe | None = None) -> KeypointRcnnEstimator:
        """Return an estimator with random weights, the same ones for the same seed, by default of the class's model.

        Its batch-norm statistics learn.
        """
        published = variant_named(cls.variant)
        estimator = cls()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = KeypointRcnnNetwork(shape or published.shape, recipe or published.recipe, live=True)
            initialise(network)
        freeze(network)
        estimator._network = network.eval()
        estimator._origin = f"untrained, seed {seed}"
        return estimator

    @property
    def skeleton(self) -> Skeleton:
        """COCO-17, or what `with_skeleton` or the saved model say."""
        return self._skeleton

    def with_skeleton(self, skeleton: Skeleton) -> KeypointRcnnEstimator:
        """Return a copy for another skeleton; see `Growable`. It finds persons as this one does."""
        grown = self.clone()
        grown._network = with_joints(self.module, channel_start(self._skeleton, skeleton))
        grown._skeleton = skeleton
        return grown

    @property
    def module(self) -> KeypointRcnnNetwork:
        """The network whose parameters are trained; the finder of boxes and the first stages are kept still."""
        if self._network is None:
            published = self._published
            self._network = self._load(find_weights(published))
            self._card |= {"variant": published.name, "licence": published.licence}
        return self._network

    @property
    def _published(self) -> Variant:
        return variant_named(self.variant)

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def parameter_depths(self) -> Mapping[str, int]:
        """Return parameter name of `module` -> depth, 0 nearest the input, the largest at pyramid and heads."""
        return self.module.parameter_depths()

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image.

        images : (H, W, 3) uint8 RGB of any size, each with its own list of boxes. A box is cut to its image; one that
        lies outside of it has no joints (NaN). Returns predictions image by image in the order of the boxes: score =
        the number that the weights' own code gives (torchvision: the raw logit of the peak, any number; Detectron2: the
        peak's share of the map); confidence = the probability within three cells of the peak, in [0, 1]; features
        (17, 4) as named by `keypoint_rcnn_heatmaps.FEATURES`. Raises `ShapeMismatch` where the numbers of images and
        box lists differ.
        """
        if len(images) != len(boxes):
            raise ShapeMismatch(f"{len(images)} images came with {len(boxes)} box lists: give one list per image")
        wanted = [(image, listed) for image, listed in zip(images, boxes, strict=True) if listed]
        predictions: list[Prediction] = []
        for numbers, prepared in self._groups([image for image, _ in wanted]):
            predictions += self._predict_group(prepared, [wanted[number][1] for number in numbers])
        return predictions

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the persons of each (H, W, 3) uint8 RGB image, best first, by the network's own finder of boxes.

        `limits` says how many and which. After a calibration use the base for this, see docs/keypointrcnn.md.
        """
        found: list[list[Box]] = []
        for numbers, prepared in self._groups(images):
            batch = stacked(prepared)
            with self._reading() as network:
                pyramid = network.features(batch)
                padded = (int(batch.shape[2]), int(batch.shape[3]))
                persons = find_persons(network, pyramid, padded, [one.size for one in prepared], self.limits)
            for number, one, (corners, scores) in zip(numbers, prepared, persons, strict=True):
                found.append(_boxes(frames[number], corners, scores, one.factor))
        return found

    def _groups(self, images: Sequence[np.ndarray]) -> Iterator[tuple[list[int], list[Prepared]]]:
        """Yield images of one size together, in order: what comes out does not depend on what else was asked."""
        device, recipe = self._device, self.module.recipe
        most = 2 if device.type == "cpu" else 8
        numbers: list[int] = []
        prepared: list[Prepared] = []
        for number, image in enumerate(images):
            one = prepare(image, recipe, device)
            if prepared and (len(prepared) == most or one.padded != prepared[0].padded):
                yield numbers, prepared
                numbers, prepared = [], []
            numbers.append(number)
            prepared.append(one)
        if prepared:
            yield numbers, prepared

    def _predict_group(self, prepared: Sequence[Prepared], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        work = [(row, box) for row, listed in enumerate(boxes) for box in listed]
        regions = np.array(
            [[row, *input_box(np.array(box.xywh), prepared[row].factor, prepared[row].size)] for row, box in work]
        )
        with self._reading() as network:
            given = torch.from_numpy(regions).float().to(self._device)
            found = decode(network.heatmaps(network.features(stacked(prepared)), given).float(), given[:, 1:])
        return [self._told(found, i, box, regions[i], prepared[row]) for i, (row, box) in enumerate(work)]

    def _told(self, found: Decoded, i: int, box: Box, region: np.ndarray, image: Prepared) -> Prediction:
        recipe = self.module.recipe
        xy = (found.xy[i] / np.array(image.factor) - recipe.half_pixel).astype(np.float32)
        score = found.logit[i] if recipe.score == "logit" else found.softmax[i]
        confidence = found.confidence[i]
        height, width = image.size
        if region[3] <= 0 or region[4] <= 0 or region[1] >= width or region[2] >= height:
            xy, score, confidence = np.full_like(xy, np.nan), np.zeros_like(score), np.zeros_like(confidence)
        given = np.array(box.xywh, dtype=np.float32)
        return Prediction(box.frame, box.track, xy, score, confidence, given, found.features[i])

    @contextlib.contextmanager
    def _reading(self) -> Iterator[KeypointRcnnNetwork]:
        """Give the network in evaluation mode without gradients, and put its mode back."""
        network = self.module
        training = network.training
        network.eval()
        with torch.inference_mode():
            yield network
        network.train(training)

    def collate(self, samples: Sequence[Sample], rng: np.random.Generator | None) -> dict[str, Tensor]:
        """Turn samples into one batch: with `rng` augmented by `self.augmentation`, without it as `predict` sees them.

        Raises `ShapeMismatch` where a sample has another number of joints.
        """
        recipe, joints = self.module.recipe, self.module.shape.joints
        if rng is None:
            return exact_batch(samples, recipe, joints)
        return changed_batch(samples, recipe, joints, rng, self.augmentation, self._skeleton.flip)

    def loss(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean cross entropy of the labelled joints' maps, in nats: the loss that it was trained with."""
        image, regions, maps, weight = (batch[name].to(self._device) for name in ("image", "regions", "maps", "weight"))
        return cross_entropy(self.module(image, regions), maps, weight)

    def with_teacher_targets(
        self, batch: Mapping[str, Any], teacher: torch.nn.Module, common: Tensor, distil: float, fill: float
    ) -> Mapping[str, Any]:
        """Return a batch of `collate` with the maps of another `module` in its targets, see `Teachable`."""
        return with_teacher_targets(batch, teacher, common, distil, fill)

    def save(self, path: Path, extra: Mapping[str, Any] | None = None) -> None:
        """Write ``model.safetensors`` (float32) and ``emc.json`` (with `extra` merged in) into the folder `path`.

        The card holds sizes and recipe: nothing else is needed to load the folder. Tensors have torchvision's names.
        """
        network = self.module
        kept = {name: value for name, value in self._card.items() if name != "skeleton_toml"}
        card = {"licence": UNKNOWN_LICENCE} | kept | skeleton_entries(self._skeleton) | card_of(network)
        write_model(Path(path), network.state_dict(), {CARD_FILE: card | dict(extra or {})})

    def load(self, path: Path) -> None:
        """Read weights from a folder that `save` wrote, or a file; raises `WeightsError` that names it.

        On error the estimator keeps the weights it had.
        """
        self._network = self._load(Path(path))

    def _load(self, place: Path) -> KeypointRcnnNetwork:
        stored = read_stored(place)
        network = build_network(stored, place)
        skeleton = skeleton_in_card(stored.card, str(place))
        if network.shape.joints != len(skeleton):
            wanted = f"skeleton {skeleton.name} needs {len(skeleton)}"
            raise WeightsError(f"{place} has {network.shape.joints} joints, {wanted}: choose a COCO model")
        freeze(network)
        old = self._network
        if old is not None:
            network.to(next(old.parameters()).device)
            if (old.shape, old.recipe, old.live) == (network.shape, network.recipe, network.live):
                # The same network is filled in place: whoever trains or scores it keeps what they hold.
                old.load_state_dict(network.state_dict())
                network = old
        self._card, self._origin, self._skeleton = dict(stored.card), str(place), skeleton
        return network

    def describe(self) -> ModelInfo:
        """Return name, skeleton, input size, licence and where the weights are, loading nothing."""
        known = RCNN_VARIANTS.get(str(self._card.get("variant", "" if self._origin else self.variant)))
        own = self._network
        recipe = own.recipe if own is not None else self._published.recipe
        parameters = known.parameters if known is not None else 0
        licence = known.licence if known is not None else UNKNOWN_LICENCE
        return ModelInfo(
            name=known.name if known is not None else "keypointrcnn",
            kind="estimator",
            skeleton=self._skeleton.name,
            input_size=(recipe.long_side, recipe.short_side),
            licence=str(self._card.get("licence", licence)),
            trainable=True,
            parameters=sum(p.numel() for p in own.parameters()) if own is not None else parameters,
            weights=self._origin or describe_location(self._published),
            notes=f"COCO AP {known.coco_ap}, also finds persons (box AP {known.box_ap})" if known is not None else "",
            extra=known.facts() if known is not None else {},
        )

    def export_form(self) -> ExportForm:
        """Return what `emc export onnx` needs to know: the network at one fixed box in the middle of a crop."""
        from emc.estimators.keypoint_rcnn.export import keypoint_rcnn_form

        return keypoint_rcnn_form(self.clone().module, self.describe())

    def clone(self) -> KeypointRcnnEstimator:
        """Return an independent copy, weights included."""
        return copy.deepcopy(self)


def _boxes(frame: int, corners: Tensor, scores: Tensor, factor: tuple[float, float]) -> list[Box]:
    """Return boxes in pixels of the image, from input pixels."""
    scaled = corners.double().cpu().numpy() / np.array([*factor, *factor])
    found: list[Box] = []
    for (left, top, right, bottom), score in zip(scaled.tolist(), scores.tolist(), strict=True):
        found.append(Box(frame, (left, top, right - left, bottom - top), float(score)))
    return found
