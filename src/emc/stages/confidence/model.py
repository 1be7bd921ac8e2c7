"""A fitted confidence: standard scores of the signals, a weighted sum per joint, a monotone curve to P(right)."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from emc.errors import InputError, UsageError
from emc.pose.records import Prediction
from emc.pose.skeletons import Skeleton
from emc.stages.confidence.signals import joint_signals, signal_names

VERSION = 1
# On 50 people 10 gives the better ECE (0.028 instead of 0.050) and the worse order (AUROC 0.747 instead of 0.751),
# 1,000 the worse ECE (0.070); on 800 all are alike (`python benchmarks/calibration/confidence_constants.py`).
PRIOR_JOINTS = 100.0
"""A joint with this many labels trusts its own curve and the pooled logistic sum half each."""


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceModel:
    """What turns signals into P(right).

    kind : the set of signals. features : signals per joint that the estimator itself gives.
    knots : (S, K) quantiles of each signal, at `K` even shares. weights : (J, S + 1), the last is the constant.
    curves : per joint (sums, shares right), both rising and equally long; empty where the joint has no label.
    labels : (J,) labelled joints behind each curve. about : where it comes from, for people and for checks.
    """

    skeleton: str
    kind: str
    features: int
    knots: np.ndarray
    weights: np.ndarray
    curves: tuple[tuple[np.ndarray, np.ndarray], ...]
    labels: np.ndarray
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def right(self, signals: np.ndarray) -> np.ndarray:
        """Return (N, J) P(right) of (N, J, S) signals of `joint_signals`."""
        return to_share(linear_sum(standard_scores(signals, self.knots), self.weights), self.curves, self.labels)

    def as_json(self) -> dict[str, Any]:
        """Return the model as a document that `from_json` reads."""
        return {
            "version": VERSION,
            "skeleton": self.skeleton,
            "kind": self.kind,
            "features": self.features,
            "signals": list(signal_names(self.kind, self.features)),
            "knots": _plain(self.knots),
            "weights": _plain(self.weights),
            "curves": [{"sum": _plain(sums), "right": _plain(shares)} for sums, shares in self.curves],
            "labels": [int(n) for n in self.labels],
            "about": dict(self.about),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], origin: str = "confidence") -> ConfidenceModel:
        """Read a document of `as_json`; raises `InputError` that names `origin` where it is none, or does not fit."""
        try:
            if document["version"] != VERSION:
                raise InputError(f"{origin} has version {document['version']}, this EMC reads {VERSION}: fit it again")
            kind, features = str(document["kind"]), int(document["features"])
            curves = tuple((_array(row["sum"]), _array(row["right"])) for row in document["curves"])
            model = cls(
                str(document["skeleton"]), kind, features, _array(document["knots"]), _array(document["weights"]),
                curves, np.array(document["labels"], dtype=np.int64), dict(document.get("about", {})),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, UsageError) as error:
            raise InputError(f"{origin} is no fitted confidence ({error!r}): fit it again") from error
        signals, joints = len(signal_names(kind, features)), len(model.curves)
        if model.knots.ndim != 2 or len(model.knots) != signals or model.weights.shape != (joints, signals + 1):
            raise InputError(
                f"{origin} has knots {model.knots.shape} and weights {model.weights.shape} for {signals} signals of "
                f"{joints} joints: fit it again"
            )
        return model


def with_confidence(predictions: Sequence[Prediction], model: ConfidenceModel, skeleton: Skeleton) -> list[Prediction]:
    """Return the predictions with `confidence` = P(right) by the model, 0 where a joint was not found.

    Boxes and places must be in pixels of the original frames, as the model was fitted. Raises `UsageError` where the
    model was fitted for another skeleton or for an estimator with other signals.
    """
    if not predictions:
        return []
    if model.skeleton != skeleton.name:
        raise UsageError(f"the confidence was fitted for skeleton {model.skeleton}, not {skeleton.name}: fit it again")
    widths = {0 if p.features is None else p.features.shape[-1] for p in predictions}
    if widths != {model.features}:
        raise UsageError(
            f"the confidence was fitted for {model.features} signals per joint, the predictions have "
            f"{sorted(widths)}: fit it again for this estimator"
        )
    share = model.right(joint_signals(predictions, skeleton, model.kind))
    found = np.isfinite(np.stack([p.xy for p in predictions])).all(axis=-1)
    share = np.where(found, share, 0.0).astype(np.float32)
    return [replace(p, confidence=share[i]) for i, p in enumerate(predictions)]


def quantile_knots(signals: np.ndarray, counted: np.ndarray, knots: int = 33) -> np.ndarray:
    """Return (S, K) quantiles of the (N, J, S) signals at the (N, J) counted joints; zeros where all are unknown."""
    chosen = signals[counted]
    shares = np.linspace(0, 1, knots)
    table = np.zeros((signals.shape[-1], knots))
    for i in range(signals.shape[-1]):
        known = chosen[np.isfinite(chosen[:, i]), i]
        if known.size:
            table[i] = np.quantile(known, shares)
    return table


def standard_scores(signals: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the signals as normal scores of their rank among the `knots`, in about [-2.4, 2.4]; unknown ones are 0.

    Ranks make the fit blind to the units and outliers that each estimator's signals have; values that tie (a mirror
    distance of exactly 0) get the middle of their ranks.
    """
    from scipy.special import ndtri

    scores = np.zeros(signals.shape)
    count = knots.shape[1]
    for i, row in enumerate(knots):
        values, first, times = np.unique(row, return_index=True, return_counts=True)
        if len(values) < 2:
            continue
        rank = (first + (times - 1) / 2) / (count - 1)
        share = np.interp(signals[..., i], values, rank)
        # The outermost ranks would be infinite. Beyond 2.4 deviations a rank among a few hundred people is chance.
        squeezed = ndtri(0.008 + 0.984 * np.clip(share, 0, 1))
        scores[..., i] = np.where(np.isfinite(signals[..., i]), squeezed, 0.0)
    return scores


def linear_sum(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (N, J) sums of (N, J, S) scores by (J, S + 1) weights."""
    return np.einsum("njs,js->nj", scores, weights[:, :-1]) + weights[:, -1]


def to_share(sums: np.ndarray, curves: Sequence[tuple[np.ndarray, np.ndarray]], labels: np.ndarray) -> np.ndarray:
    """Return (N, J) P(right): each joint's own curve and the logistic of the sum, weighted by the joint's labels.

    Both rise with the sum, so their mean does, and without ties: the queue of alerts keeps an order everywhere.
    """
    from scipy.special import expit

    share = expit(sums)
    own = labels / (labels + PRIOR_JOINTS)
    for j, (at, right) in enumerate(curves):
        if len(at):
            share[:, j] = own[j] * np.interp(sums[:, j], at, right) + (1 - own[j]) * share[:, j]
    return share


def _plain(values: np.ndarray) -> Any:
    return np.round(values.astype(np.float64), 6).tolist()


def _array(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float64)
