"""D-FINE and RT-DETRv2 of transformers as person detectors: no suppression needed, pure PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from emc.detectors.transformer.published import LICENCE, detector_named
from emc.detectors.transformer.weights import describe_location, find_weights, load_network, named_weights
from emc.errors import InputError, ShapeMismatch, UsageError, WeightsError
from emc.interfaces import ModelInfo
from emc.pose.records import Box
from emc.weights.hub import commit_of

SIDE = 640
THRESHOLD = 0.3
MOST = 50
BATCH = 8


class TransformerDetector:
    """A detection transformer that finds persons: D-FINE (Peng et al., ICLR 2025) or RT-DETRv2 (Lv et al., 2024).

    weights : a folder of transformers (``config.json``, ``model.safetensors``) or a hub name ``OWNER/NAME[@REVISION]``.
    None = the published model `variant`, looked for, and where need be downloaded, when the network is first needed.
    A hub name without a revision stays at the commit that was fetched first.
    threshold : smallest score of a box, in (0, 1).
    Raises `WeightsError` that names the file, `PluginError` where transformers is missing, `UsageError` for a threshold
    out of range.
    """

    variant = "dfine-s"

    def __init__(self, weights: Path | str | None = None, threshold: float = THRESHOLD) -> None:
        if not 0 < threshold < 1:
            raise UsageError(f"detector threshold {threshold} is out of range: give a number between 0 and 1")
        self.threshold = threshold
        self._network: nn.Module | None = None
        self._place: Path | None = None
        if weights is not None:
            self._load(named_weights(weights))

    @property
    def network(self) -> nn.Module:
        """The network of transformers."""
        return self._network if self._network is not None else self._load(find_weights(detector_named(self.variant)))

    def _load(self, place: Path) -> nn.Module:
        network = load_network(place)
        person_class(network, place)
        self._network, self._place = network, place
        return network

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        """Return the boxes of each image, best first, cut at the frame's border; `track` is -1.

        images : (H, W, 3) uint8 RGB, sizes may differ. frames : the index that each image's boxes carry.
        Raises `ShapeMismatch` where the counts differ, `InputError` where an image is not (H, W, 3) uint8.
        """
        if len(images) != len(frames):
            raise ShapeMismatch(f"detector got {len(images)} images and {len(frames)} frame numbers: give one for each")
        for image, frame in zip(images, frames, strict=True):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
                raise InputError(f"frame {frame} is {image.dtype} {image.shape}: give (height, width, 3) uint8 RGB")
        found: list[list[Box]] = []
        for start in range(0, len(images), BATCH):
            part = slice(start, start + BATCH)
            found += self._batch(images[part], frames[part])
        return found

    def _batch(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        network, place = self.network, self._place or Path()
        with torch.inference_mode():
            device = next(network.parameters()).device
            output = network(pixel_values=pixels(images).to(device))
            score = output.logits[..., person_class(network, place)].sigmoid().double().cpu().numpy()
            boxes = output.pred_boxes.double().cpu().numpy()
        return [
            persons(score[i], boxes[i], (image.shape[1], image.shape[0]), int(frame), self.threshold)
            for i, (image, frame) in enumerate(zip(images, frames, strict=True))
        ]

    def describe(self) -> ModelInfo:
        """Return name, licence and where the weights are, loading nothing."""
        published = detector_named(self.variant)
        own, place = self._network, self._place
        known = place is None or published.repository.replace("/", "--") in str(place) or place.name == published.name
        facts = {"box_ap": published.box_ap, "box_ap_source": published.source, "megabytes": published.megabytes}
        parameters = published.parameters if own is None else sum(p.numel() for p in own.parameters())
        return ModelInfo(
            name=self.variant if known else "transformer",
            kind="detector",
            skeleton="",
            input_size=(SIDE, SIDE),
            licence=LICENCE if known else "as its folder says",
            trainable=False,
            parameters=parameters,
            weights=str(place) if place is not None else describe_location(published),
            notes=f"box AP {published.box_ap} (all classes, COCO val)" if known else "",
            extra={**(facts if known else {}), "revision": commit_of(place) if place is not None else ""},
        )


class DFineS(TransformerDetector):
    """D-FINE-S."""

    variant = "dfine-s"


class DFineM(TransformerDetector):
    """D-FINE-M."""

    variant = "dfine-m"


class RtDetrV2S(TransformerDetector):
    """RT-DETRv2-S (ResNet-18)."""

    variant = "rtdetrv2-s"


class RtDetrV2M(TransformerDetector):
    """RT-DETRv2-M (ResNet-34)."""

    variant = "rtdetrv2-m"


def pixels(images: Sequence[np.ndarray]) -> torch.Tensor:
    """Return (N, 3, 640, 640) float32 in [0, 1]: stretched to the input as in training, the aspect not kept."""
    stretched: list[np.ndarray] = []
    for image in images:
        shrinks = max(image.shape[:2]) > SIDE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        stretched.append(cv2.resize(image, (SIDE, SIDE), interpolation=how))
    return torch.from_numpy(np.stack(stretched)).permute(0, 3, 1, 2).float() / 255


def person_class(network: nn.Module, place: Path) -> int:
    """Return the class that is called person, 0 where the classes have no names but are COCO's 80.

    Raises `WeightsError` for a detector of other things.
    """
    names = {int(number): str(name) for number, name in network.config.id2label.items()}  # pyright: ignore
    for number, name in names.items():
        if name.lower() == "person":
            return number
    if len(names) == 80 and all(name.startswith("LABEL_") for name in names.values()):
        return 0
    raise WeightsError(f"{place} knows no class 'person' among its {len(names)}: choose a detector trained on COCO")


def persons(scores: np.ndarray, boxes: np.ndarray, size: tuple[int, int], frame: int, threshold: float) -> list[Box]:
    """Return boxes from what the network says of one image, best first, at most 50.

    scores : (Q,) of the class person. boxes : (Q, 4) centre x, y, width, height as shares of the image. size : (width,
    height) of the image. Edges lie half a pixel outside of the outermost pixels' centres.
    """
    found: list[Box] = []
    scale = np.array([*size, *size], dtype=np.float64)
    for query in np.argsort(-scores, kind="stable")[:MOST]:
        if scores[query] < threshold:
            break
        half = boxes[query, 2:] / 2
        corners = np.clip(np.concatenate([boxes[query, :2] - half, boxes[query, :2] + half]), 0, 1) * scale - 0.5
        width, height = (float(value) for value in corners[2:] - corners[:2])
        if width >= 1 and height >= 1:
            found.append(Box(frame, (float(corners[0]), float(corners[1]), width, height), float(scores[query])))
    return found
