"""Score what a program found by itself, in boxes of its own: COCO's protocol, and PCKh of whom it found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from emc.pose.records import Ignored, Prediction, Sample
from emc.pose.skeletons import Skeleton
from emc.stages.evaluate.oks_ap import Detection, ImageKey, match_detections, similarities
from emc.stages.evaluate.population import PopulationScores, evaluate_population


def evaluate_found(
    found: Sequence[Detection],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    images: Sequence[ImageKey],
    head: str = "head_segment",
    alpha: float = 0.5,
    bootstrap: int = 1000,
    seed: int = 0,
    ignored: Sequence[Ignored] = (),
) -> PopulationScores:
    """Score detections on images that are labelled completely.

    found : in pixels of the frames. images : (clip, frame) of all of them; detections elsewhere count nowhere. OKS-AP
    is that of pycocotools on the same detections; for PCKh each labelled person has the detection that is most like
    it, no detection twice, and a person whom nobody found has all joints wrong. Other parameters and errors as in
    `evaluate_population`.
    """
    chosen = assigned(found, samples, skeleton)
    predicted = [
        _prediction(sample, None if i is None else found[i]) for sample, i in zip(samples, chosen, strict=True)
    ]
    matches = match_detections(found, samples, skeleton, images, ignored) if skeleton.sigmas else None
    return evaluate_population(predicted, samples, skeleton, head, alpha, bootstrap, seed, matches=matches)


def assigned(found: Sequence[Detection], samples: Sequence[Sample], skeleton: Skeleton) -> list[int | None]:
    """Return for each labelled person the place of its detection in `found`: the most alike first, none given twice.

    Alike is by object keypoint similarity; without sigmas by the mean distance of the joints in widths of the box.
    """
    there: dict[ImageKey, list[int]] = defaultdict(list)
    for i, one in enumerate(found):
        there[one.clip, one.frame].append(i)
    pairs = sorted(
        (
            (_alike(found[i].xy, sample, skeleton), -i, n)
            for n, sample in enumerate(samples)
            for i in there.get((sample.clip, sample.frame), ())
        ),
        reverse=True,
    )
    chosen: list[int | None] = [None] * len(samples)
    taken: set[int] = set()
    for alike, minus, n in pairs:
        if alike > 0 and chosen[n] is None and -minus not in taken:
            chosen[n] = -minus
            taken.add(-minus)
    return chosen


def _alike(xy: np.ndarray, sample: Sample, skeleton: Skeleton) -> float:
    if skeleton.sigmas:
        return similarities(xy, sample, skeleton)
    labelled = (np.asarray(sample.visibility) > 0) & np.isfinite(sample.xy).all(axis=-1) & np.isfinite(xy).all(axis=-1)
    if not labelled.any():
        return 0.0
    apart = np.linalg.norm(xy - sample.xy, axis=-1)[labelled].mean() / max(float(sample.box[2:].max()), 1.0)
    return float(np.exp(-apart))


def _prediction(sample: Sample, found: Detection | None) -> Prediction:
    joints = len(sample.xy)
    xy = np.full((joints, 2), np.nan, np.float32) if found is None else found.xy.astype(np.float32)
    sure = np.full(joints, 0.0 if found is None else found.score, np.float32)
    return Prediction(sample.frame, sample.person, xy, sure, sure, np.asarray(sample.box, np.float32))
