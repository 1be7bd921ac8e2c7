"""OKS-AP by pycocotools, the reference: who matches whom, kept per image so that image sets can be resampled."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emc.errors import UsageError
from emc.pose.metrics import (
    OKS_AREAS,
    OKS_THRESHOLDS,
    OksMatches,
    StackedLabels,
    independent_units,
    stack_labels,
    stack_predictions,
)
from emc.pose.records import Ignored, Prediction, Sample
from emc.pose.skeletons import Skeleton

NOWHERE = 1e7
"""Where a joint that was not found is put for pycocotools, which has no word for it: its similarity is 0."""
ImageKey = tuple[str, int]
"""Clip and frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A person whom a program found by itself.

    xy : (J, 2) pixels of the frame, NaN where a joint was not found. score : of the person, any scale. area : pixels,
    by which COCO's area ranges are told apart; NaN: that of the box around the joints that were found.
    """

    clip: str
    frame: int
    xy: np.ndarray
    score: float
    area: float = math.nan


def match_people(
    predicted: Sequence[Prediction],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    unit: np.ndarray,
    ignored: Sequence[Ignored] = (),
) -> OksMatches:
    """Match predictions to labelled persons at each OKS threshold.

    predicted[i] was given the box of samples[i]; persons of the same clip and frame are one image, in which any
    prediction may match any person: both in pixels of the frame. A prediction's score is its mean confidence over all
    joints. unit : (N,) int resampling unit. A label's area is `Sample.area`, its box's where unknown; a joint that was
    not found has similarity 0. ignored : crowds and persons without joints; a prediction that matches nobody else but
    one of them counts nowhere, as pycocotools has it. Raises `UsageError` where the skeleton has no sigmas.
    """
    _check(skeleton)
    labels = stack_labels(samples, skeleton)
    image = numbered([(s.clip, s.frame) for s in samples])
    places = [image[s.clip, s.frame] for s in samples]
    xy = stack_predictions(predicted, labels)
    found = [
        _raw(i + 1, places[i], Detection(s.clip, s.frame, xy[i], float(np.nan_to_num(p.confidence).mean())))
        for i, (p, s) in enumerate(zip(predicted, samples, strict=True))
    ]
    truths = [*_truths(labels, places), *_ignored(ignored, image, len(samples))]
    units = int(unit.max()) + 1 if len(unit) else 0
    results = _evaluated(truths, found, image, skeleton)
    return _collect(results, np.array([d["score"] for d in found]), unit, unit, units)


def match_detections(
    found: Sequence[Detection],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    images: Sequence[ImageKey],
    ignored: Sequence[Ignored] = (),
) -> OksMatches:
    """Match what a program found by itself to labelled persons, on images that are labelled completely.

    images : all of them, also those on which nobody is labelled: whoever is found there is wrong. Detections on other
    images are left out. Raises as `match_people`.
    """
    _check(skeleton)
    image = numbered(images)
    codes, _ = independent_units([clip for clip, _ in image], [frame for _, frame in image])
    unit_of = {number: int(code) for number, code in zip(image.values(), codes, strict=True)}
    here = sorted((one for one in found if (one.clip, one.frame) in image), key=lambda one: image[one.clip, one.frame])
    places = [image[one.clip, one.frame] for one in here]
    labels = stack_labels(samples, skeleton)
    at = [image[s.clip, s.frame] for s in samples]
    truths = [*_truths(labels, at), *_ignored(ignored, image, len(samples))]
    rows = [_raw(i + 1, place, one) for i, (place, one) in enumerate(zip(places, here, strict=True))]
    results = _evaluated(truths, rows, image, skeleton)
    return _collect(
        results,
        np.array([one.score for one in here]),
        np.array([unit_of[place] for place in places], dtype=np.int64),
        np.array([unit_of[place] for place in at], dtype=np.int64),
        int(codes.max()) + 1 if len(codes) else 0,
    )


def numbered(images: Sequence[ImageKey]) -> dict[ImageKey, int]:
    """Return a number for each image, from 1, in their order."""
    number: dict[ImageKey, int] = {}
    for key in images:
        number.setdefault(key, len(number) + 1)
    return number


def similarities(xy: np.ndarray, sample: Sample, skeleton: Skeleton) -> float:
    """Return the object keypoint similarity of (J, 2) joints to a labelled person, in [0, 1].

    Source: COCO keypoint evaluation. A joint that was not found has similarity 0.
    """
    labelled = (np.asarray(sample.visibility) > 0) & np.isfinite(sample.xy).all(axis=-1)
    area = sample.area if math.isfinite(sample.area) else float(sample.box[2] * sample.box[3])
    variance = (2 * np.array(skeleton.sigmas)) ** 2
    squared = ((xy - sample.xy) ** 2).sum(axis=-1)
    each = np.exp(-squared / variance / (area + np.spacing(1)) / 2)
    return float(np.where(np.isfinite(each), each, 0.0)[labelled].mean()) if labelled.any() else 0.0


def _check(skeleton: Skeleton) -> None:
    if len(skeleton.sigmas) != len(skeleton):
        raise UsageError(f"skeleton {skeleton.name} has no OKS sigmas: add 'sigmas' to it, or score it by PCK alone")


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


def _ignored(ignored: Sequence[Ignored], image: Mapping[ImageKey, int], labelled: int) -> list[dict[str, Any]]:
    here = [one for one in ignored if (one.clip, one.frame) in image]
    return [
        {
            "id": labelled + i + 1,
            "image_id": image[one.clip, one.frame],
            "category_id": 1,
            "iscrowd": int(one.crowd),
            "keypoints": [],
            "num_keypoints": 0,
            "area": one.area if math.isfinite(one.area) else one.box[2] * one.box[3],
            "bbox": list(one.box),
        }
        for i, one in enumerate(here)
    ]


def _raw(number: int, image: int, found: Detection) -> dict[str, Any]:
    finite = np.asarray(np.isfinite(found.xy).all(axis=-1))
    extent = np.ptp(found.xy[finite], axis=0) if finite.any() else np.zeros(2)
    placed = np.where(finite[:, None], found.xy, NOWHERE)
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "keypoints": np.concatenate([placed, np.ones((len(placed), 1))], axis=1).reshape(-1).tolist(),
        "area": found.area if math.isfinite(found.area) else float(extent[0] * extent[1]),
        "score": found.score,
    }


def _evaluated(
    truths: list[dict[str, Any]], found: list[dict[str, Any]], image: Mapping[ImageKey, int], skeleton: Skeleton
) -> list[dict[str, Any] | None]:
    """Run pycocotools per image; returns its results by area, then image."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    index: list[Any] = []
    images = [{"id": number} for number in image.values()]
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


def _collect(
    results: list[dict[str, Any] | None], score: np.ndarray, unit: np.ndarray, unit_of_label: np.ndarray, units: int
) -> OksMatches:
    people, images = len(score), len(results) // len(OKS_AREAS)
    matched = np.zeros((len(OKS_AREAS), len(OKS_THRESHOLDS), people), dtype=bool)
    # A detection beyond the protocol's 20 per image takes no part: ignored unless pycocotools speaks of it.
    ignored = np.ones_like(matched)
    positives = np.zeros((len(OKS_AREAS), units))
    for i, result in enumerate(results):
        # Where nobody is labelled and nobody found, pycocotools has nothing to say.
        if result is None:
            continue
        area = i // images
        at = np.array(result["dtIds"], dtype=np.int64) - 1
        matched[area][:, at] = np.asarray(result["dtMatches"]) > 0
        ignored[area][:, at] = np.asarray(result["dtIgnore"]) > 0
        counted = np.array(result["gtIds"], dtype=np.int64)[np.asarray(result["gtIgnore"]) == 0] - 1
        np.add.at(positives[area], unit_of_label[counted], 1.0)
    return OksMatches(score, unit, matched, ignored, positives)
