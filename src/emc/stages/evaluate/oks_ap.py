"""OKS-AP by pycocotools, the reference: who matches whom, kept per image so that image sets can be resampled."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from emc.errors import UsageError
from emc.pose.metrics import OKS_AREAS, OKS_THRESHOLDS, OksMatches, StackedLabels, stack_labels, stack_predictions
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons import Skeleton

NOWHERE = 1e7
"""Where a joint that was not found is put for pycocotools, which has no word for it: its similarity is 0."""


def match_people(
    predicted: Sequence[Prediction], samples: Sequence[Sample], skeleton: Skeleton, unit: np.ndarray
) -> OksMatches:
    """Match predictions to labelled persons at each OKS threshold.

    predicted[i] was given the box of samples[i]; persons of the same clip and frame are one image, in which any
    prediction may match any person. A prediction's score is its mean confidence over all joints. unit : (N,) int
    resampling unit. A label's area is `Sample.area`, its box's where unknown; a joint that was not found has
    similarity 0. Raises `UsageError` where the skeleton has no sigmas.
    """
    if len(skeleton.sigmas) != len(skeleton):
        raise UsageError(f"skeleton {skeleton.name} has no OKS sigmas: add 'sigmas' to it, or score it by PCK alone")
    labels = stack_labels(samples, skeleton)
    image = _images(samples)
    truths = _truths(labels, image)
    found = _detections(predicted, stack_predictions(predicted, labels), image)
    return _collect(_evaluated(truths, found, skeleton), np.array([d["score"] for d in found]), unit)


def _images(samples: Sequence[Sample]) -> list[int]:
    number: dict[tuple[str, int], int] = {}
    return [number.setdefault((s.clip, s.frame), len(number) + 1) for s in samples]


def _truths(labels: StackedLabels, image: list[int]) -> list[dict[str, Any]]:
    area = np.where(np.isfinite(labels.area), labels.area, labels.box[:, 2] * labels.box[:, 3])
    seen = np.where(labels.labelled, np.maximum(labels.visibility, 1), 0)
    keypoints = np.concatenate([np.nan_to_num(labels.xy), seen[..., None]], axis=-1)
    return [
        {
            "id": i + 1,
            "image_id": image[i],
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": keypoints[i].reshape(-1).tolist(),
            "num_keypoints": int((seen[i] > 0).sum()),
            "area": float(area[i]),
            "bbox": labels.box[i].tolist(),
        }
        for i in range(len(image))
    ]


def _detections(predicted: Sequence[Prediction], xy: np.ndarray, image: list[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for i, prediction in enumerate(predicted):
        finite = np.isfinite(xy[i]).all(axis=-1)
        extent = np.ptp(xy[i][finite], axis=0) if finite.any() else np.zeros(2)
        placed = np.where(finite[:, None], xy[i], NOWHERE)
        found.append(
            {
                "id": i + 1,
                "image_id": image[i],
                "category_id": 1,
                "keypoints": np.concatenate([placed, np.ones((len(placed), 1))], axis=1).reshape(-1).tolist(),
                "area": float(extent[0] * extent[1]),
                "score": float(np.nan_to_num(prediction.confidence).mean()),
            }
        )
    return found


def _evaluated(truths: list[dict[str, Any]], found: list[dict[str, Any]], skeleton: Skeleton) -> list[dict[str, Any]]:
    """Run pycocotools per image; returns its results by area, then image."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    index: list[Any] = []
    images = [{"id": i} for i in sorted({t["image_id"] for t in truths})]
    # pycocotools talks on standard output, which belongs to the command line's one document.
    with contextlib.redirect_stdout(io.StringIO()):
        for annotations in (truths, found):
            coco: Any = COCO()
            coco.dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
            coco.createIndex()
            index.append(coco)
        evaluator: Any = COCOeval(index[0], index[1], "keypoints")
        evaluator.params.kpt_oks_sigmas = np.array(skeleton.sigmas)
        evaluator.evaluate()
    return evaluator.evalImgs


def _collect(results: list[dict[str, Any]], score: np.ndarray, unit: np.ndarray) -> OksMatches:
    people, images = len(score), len(results) // len(OKS_AREAS)
    matched = np.zeros((len(OKS_AREAS), len(OKS_THRESHOLDS), people), dtype=bool)
    # A detection beyond the protocol's 20 per image takes no part: ignored unless pycocotools speaks of it.
    ignored = np.ones_like(matched)
    positives = np.zeros((len(OKS_AREAS), int(unit.max()) + 1 if people else 0))
    for i, result in enumerate(results):
        area = i // images
        at = np.array(result["dtIds"], dtype=np.int64) - 1
        matched[area][:, at] = np.asarray(result["dtMatches"]) > 0
        ignored[area][:, at] = np.asarray(result["dtIgnore"]) > 0
        counted = np.array(result["gtIds"], dtype=np.int64)[np.asarray(result["gtIgnore"]) == 0] - 1
        np.add.at(positives[area], unit[counted], 1.0)
    return OksMatches(score, unit, matched, ignored, positives)
