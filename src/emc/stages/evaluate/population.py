"""Scores of one population (target or common): PCKh by part, PCK of the torso, the curve and OKS-AP."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import UsageError
from emc.pose.metrics import (
    AP_NAMES,
    CURVE_ALPHAS,
    OksMatches,
    as_figure,
    average_precisions,
    curve_areas,
    head_sizes,
    hits_within,
    independent_units,
    known_head_sizes,
    pck_curve,
    percentile_interval,
    pooled_share,
    relative_errors,
    resample_weights,
    score_parts,
    stack_labels,
    stack_predictions,
    sum_by_unit,
)
from emc.pose.records import Ignored, Interval, Prediction, Sample
from emc.pose.skeletons import Skeleton
from emc.stages.evaluate.oks_ap import match_people

GUESSED = "torso"
"""The head size that is taken from predicted joints where it is not labelled."""


@dataclass(frozen=True, slots=True)
class PopulationScores:
    """Scores of N persons with everything that a paired comparison needs.

    hits : (N, J) 1.0 right, 0.0 wrong, NaN = counts nowhere (not labelled, or the person's head size is unknown).
    unit : (N,) int, the resampling unit of each person; `unit_name` says what one is (``clip`` or ``frame``).
    matches : OKS matches, None where AP has no meaning (no areas, or a skeleton without sigmas).
    document : the population as the report holds it.
    """

    hits: np.ndarray
    unit: np.ndarray
    unit_name: str
    skeleton: Skeleton
    matches: OksMatches | None
    document: dict[str, object]


def joint_hits(
    predicted: Sequence[Prediction], samples: Sequence[Sample], skeleton: Skeleton, head: str, alpha: float
) -> np.ndarray:
    """Return (N, J): 1.0 where a joint lies within `alpha` x head size of its label, 0.0 where not or not found.

    NaN where the joint is not labelled or the person's head size is unknown. predicted[i] belongs to samples[i], both
    in pixels of the sample's image. Raises `UsageError` or `ShapeMismatch`.
    """
    return hits_within(_errors(predicted, samples, skeleton, head), alpha)


def score_population(
    predicted: Sequence[Prediction],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    head: str = "head_segment",
    alpha: float = 0.5,
    bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, object]:
    """Return the report's population object; see `evaluate_population`, which keeps what comparisons need."""
    return evaluate_population(predicted, samples, skeleton, head, alpha, bootstrap, seed).document


def evaluate_population(
    predicted: Sequence[Prediction],
    samples: Sequence[Sample],
    skeleton: Skeleton,
    head: str = "head_segment",
    alpha: float = 0.5,
    bootstrap: int = 1000,
    seed: int = 0,
    ignored: Sequence[Ignored] = (),
    matches: OksMatches | None = None,
) -> PopulationScores:
    """Score the predictions of one population.

    predicted, samples : N each, predicted[i] belongs to samples[i] (made on its box), pixels of the sample's image.
    head : a name of `emc.pose.metrics.HEAD_SIZES`. alpha : share of it. bootstrap : resamples (0: no intervals).

    Joints are pooled; only labelled ones count (face joints count in ``total``); a joint that was not found is wrong.
    Persons whose head size is unknown are left out of PCKh and counted in ``left_out``; with ``torso``, a person who is
    not labelled there is measured by the predicted torso (`Sample.torso`) and counted in ``estimated``. AP is there
    where an area is known; it is AP on given boxes, unless `matches` says whom a program matched that found people by
    itself. ignored : crowds and persons without joints on the same frames. Intervals are percentile bootstraps over
    ``unit``. Raises `UsageError` where the head size is unknown for all persons, naming those that are known.
    """
    if not samples:
        raise UsageError("there is no labelled person to score: correct some frames, or name another split")
    errors = _errors(predicted, samples, skeleton, head)
    unit, unit_name = independent_units([s.clip for s in samples], [s.frame for s in samples])
    weights = resample_weights(int(unit.max()) + 1, bootstrap, seed)
    hits = hits_within(errors, alpha)
    document: dict[str, object] = {
        "pckh": _by_part(hits, skeleton, unit, weights),
        "head_size": head,
        "alpha": alpha,
        "left_out": int(np.isnan(errors).all(axis=1).sum()),
        **({"estimated": guessed} if (guessed := _guessed(samples, head)) else {}),
        "curve": _curve(errors, skeleton, unit, weights),
    }
    if {"right_shoulder", "left_hip"} <= set(skeleton.joints):
        torso = hits_within(_errors(predicted, samples, skeleton, "torso", strict=False), 0.2)
        document["pck_torso_02"] = _by_part(torso, skeleton, unit, weights)
    boxes = "given" if matches is None else "its own"
    if matches is None and skeleton.sigmas and any(np.isfinite(s.area) for s in samples):
        matches = match_people(predicted, samples, skeleton, unit, ignored)
    if matches is not None:
        drawn = resample_weights(matches.positives.shape[1], bootstrap, seed)
        document |= _precisions(matches, drawn, len({(s.clip, s.frame) for s in samples}))
        document["boxes"] = boxes
    document |= {"persons": len(samples), "unit": unit_name, "units": int(unit.max()) + 1}
    return PopulationScores(hits, unit, unit_name, skeleton, matches, document)


def _errors(
    predicted: Sequence[Prediction], samples: Sequence[Sample], skeleton: Skeleton, head: str, strict: bool = True
) -> np.ndarray:
    labels = stack_labels(samples, skeleton)
    size = head_sizes(labels, skeleton, head)
    if strict and head == GUESSED:
        size = np.where(np.isfinite(size), size, [sample.torso for sample in samples])
    if strict and len(size) and not np.isfinite(size).any():
        known = [f"{name} ({share:.0%})" for name, share in known_head_sizes(samples, skeleton).items() if share > 0]
        raise UsageError(
            f"head size '{head}' is unknown for all {len(size)} labelled persons ({_needs(head)}): label more of their "
            f"joints, or choose evaluate.head {' or '.join(known) or 'bbox'}"
        )
    return relative_errors(stack_predictions(predicted, labels), labels, size)


def _guessed(samples: Sequence[Sample], head: str) -> int:
    return sum(math.isfinite(sample.torso) for sample in samples) if head == GUESSED else 0


def _needs(head: str) -> str:
    """Return in words which labels a head size needs."""
    return {
        "torso": "it needs right shoulder and left hip, labelled or predicted",
        "ears": "it needs both ears labelled",
        "face_box": "it needs three labelled joints of the face",
    }.get(head, "the labels bring none")


def _joints(skeleton: Skeleton, part: str) -> list[int]:
    return list(skeleton.parts.get(part, ()))


def _by_part(hits: np.ndarray, skeleton: Skeleton, unit: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    right, counted = sum_by_unit(hits, unit), sum_by_unit(np.isfinite(hits).astype(np.float64), unit)
    return {
        part: as_figure(pooled_share(right[:, joints].sum(axis=1), counted[:, joints].sum(axis=1), weights))
        for part, joints in ((part, _joints(skeleton, part)) for part in score_parts(skeleton))
    }


def _curve(errors: np.ndarray, skeleton: Skeleton, unit: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    curves = {part: pck_curve(errors[:, _joints(skeleton, part)]) for part in score_parts(skeleton)}
    return {
        "alphas": CURVE_ALPHAS.tolist(),
        "pckh": {part: np.round(curve, 5).tolist() for part, curve in curves.items() if np.isfinite(curve).all()},
        "area": _by_part(curve_areas(errors), skeleton, unit, weights),
    }


def _precisions(matches: OksMatches, weights: np.ndarray, images: int) -> dict[str, object]:
    units = matches.positives.shape[1]
    plain = average_precisions(matches, np.ones((1, units)))[0]
    resampled = average_precisions(matches, weights)
    figures: dict[str, Interval] = {
        name: percentile_interval(float(plain[i]), resampled[:, i], images, units) for i, name in enumerate(AP_NAMES)
    }
    return {name: as_figure(figure) for name, figure in figures.items()}
