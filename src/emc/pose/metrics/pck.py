"""Two-dimensional metrics: PCK and PCKh with a named head size, and the direction and unit of every metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch, UsageError
from emc.pose.records import Direction, Prediction, Sample
from emc.pose.skeletons import Skeleton

SCORE_PARTS = ("hip", "knee", "ankle", "leg", "shoulder", "elbow", "wrist", "total")


def score_parts(skeleton: Skeleton) -> tuple[str, ...]:
    """Return the parts that are scored: the usual ones, and those that a skeleton of one's own adds."""
    return (*SCORE_PARTS, *(part for part in skeleton.parts if part not in SCORE_PARTS))


FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
CURVE_ALPHAS = np.round(np.linspace(0.0, 1.0, 51), 2)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure means: its direction, unit (``share``, ``points``, ``mm``, ``mm/frame``) and a line of text."""

    direction: Direction
    unit: str
    text: str


METRICS: Mapping[str, Metric] = {
    "pckh": Metric(Direction.HIGHER, "share", "joints within alpha x head size of their label"),
    "pck_torso_02": Metric(Direction.HIGHER, "share", "joints within 0.2 x torso (right shoulder - left hip)"),
    "curve_area": Metric(Direction.HIGHER, "share", "area under PCKh for alpha from 0 to 1"),
    "ap": Metric(Direction.HIGHER, "share", "OKS average precision, mean of thresholds 0.50 to 0.95"),
    "ap50": Metric(Direction.HIGHER, "share", "OKS average precision at threshold 0.50"),
    "ap75": Metric(Direction.HIGHER, "share", "OKS average precision at threshold 0.75"),
    "apm": Metric(Direction.HIGHER, "share", "OKS average precision, persons of 32^2 to 96^2 pixels"),
    "apl": Metric(Direction.HIGHER, "share", "OKS average precision, persons above 96^2 pixels"),
    "ar": Metric(Direction.HIGHER, "share", "OKS average recall, mean of thresholds 0.50 to 0.95"),
    "errors_removed": Metric(Direction.HIGHER, "share", "(errors before - errors after) / errors before"),
    "change": Metric(Direction.HIGHER, "points", "100 x (share after - share before)"),
    "mpjpe": Metric(Direction.LOWER, "mm", "mean joint error, roots aligned (protocol 1)"),
    "p_mpjpe": Metric(Direction.LOWER, "mm", "mean joint error after the best similarity (protocol 2)"),
    "n_mpjpe": Metric(Direction.LOWER, "mm", "mean joint error, roots aligned, best scale"),
    "mpjve": Metric(Direction.LOWER, "mm/frame", "mean error of first differences, roots aligned"),
    "pck3d": Metric(Direction.HIGHER, "share", "joints within 150 mm, roots aligned, the root left out"),
    "pck3d_auc": Metric(Direction.HIGHER, "share", "area under PCK3D for thresholds from 0 to 150 mm"),
    "joint_angle": Metric(Direction.LOWER, "degrees", "mean absolute error of a joint angle"),
    "ece": Metric(Direction.LOWER, "share", "expected calibration error of the confidence"),
    "auroc_wrong": Metric(Direction.HIGHER, "share", "a wrong joint has less confidence than a right one"),
    "ap_wrong": Metric(Direction.HIGHER, "share", "average precision of finding wrong joints by low confidence"),
}


@dataclass(frozen=True, slots=True)
class StackedLabels:
    """Labels of N persons, stacked.

    xy : (N, J, 2) pixels, NaN where not labelled. visibility : (N, J), 0 = no label. box : (N, 4) xywh.
    head : (N,) head segment in the same pixels, NaN where unknown. area : (N,) pixels, NaN where unknown.
    """

    xy: np.ndarray
    visibility: np.ndarray
    box: np.ndarray
    head: np.ndarray
    area: np.ndarray

    @property
    def labelled(self) -> np.ndarray:
        """(N, J) bool: the joints that count."""
        return (self.visibility > 0) & np.isfinite(self.xy).all(axis=-1)


def stack_labels(samples: Sequence[Sample], skeleton: Skeleton) -> StackedLabels:
    """Stack the labels of samples; raises `ShapeMismatch` where one does not have the skeleton's joints."""
    joints = len(skeleton)
    for sample in samples:
        if sample.xy.shape != (joints, 2) or sample.visibility.shape != (joints,):
            raise ShapeMismatch(
                f"label of clip {sample.clip}, frame {sample.frame} has xy {sample.xy.shape} and visibility "
                f"{sample.visibility.shape}: skeleton {skeleton.name} needs ({joints}, 2) and ({joints},)"
            )
    return StackedLabels(
        xy=np.array([s.xy for s in samples], dtype=np.float64).reshape(-1, joints, 2),
        visibility=np.array([s.visibility for s in samples], dtype=np.int64).reshape(-1, joints),
        box=np.array([s.box for s in samples], dtype=np.float64).reshape(-1, 4),
        head=np.array([s.head for s in samples], dtype=np.float64),
        area=np.array([s.area for s in samples], dtype=np.float64),
    )


def stack_predictions(predicted: Sequence[Prediction], labels: StackedLabels) -> np.ndarray:
    """Return (N, J, 2) float64 of predictions that belong to `labels` one by one, NaN where not found.

    Raises `ShapeMismatch` where their number or joints differ.
    """
    people, joints = labels.visibility.shape
    if len(predicted) != people:
        raise ShapeMismatch(f"{len(predicted)} predictions for {people} labelled persons: give one for each, in order")
    for prediction in predicted:
        if len(prediction.xy) != joints:
            raise ShapeMismatch(
                f"prediction of frame {prediction.frame} has {len(prediction.xy)} joints, its label {joints}: "
                "score it in the skeleton of the labels"
            )
    return np.array([p.xy for p in predicted], dtype=np.float64).reshape(people, joints, 2)


def between(labels: StackedLabels, skeleton: Skeleton, first: Sequence[str], second: Sequence[str]) -> np.ndarray:
    """Return (N,) pixel distances between two labelled joints, NaN where one is not labelled.

    first, second : joint names, the first that the skeleton has is taken. Raises `UsageError` where it has none.
    """
    ends: list[np.ndarray] = []
    for names in (first, second):
        known = [name for name in names if name in skeleton.joints]
        if not known:
            raise UsageError(f"skeleton {skeleton.name} has no joint {' or '.join(names)}: choose another head size")
        index = skeleton.index(known[0])
        ends.append(np.where(labels.labelled[:, index, None], labels.xy[:, index], np.nan))
    return np.linalg.norm(ends[0] - ends[1], axis=-1)


def _head_segment(labels: StackedLabels, skeleton: Skeleton) -> np.ndarray:
    if "head_top" not in skeleton.joints:
        return labels.head
    measured = between(labels, skeleton, ("neck", "upper_neck", "neck_nose"), ("head_top",))
    return np.where(np.isfinite(labels.head), labels.head, measured)


def _mpii_box(labels: StackedLabels, skeleton: Skeleton) -> np.ndarray:
    return labels.head


def _face_box(labels: StackedLabels, skeleton: Skeleton) -> np.ndarray:
    indices = [skeleton.index(joint) for joint in FACE if joint in skeleton.joints]
    if len(indices) < 3:
        raise UsageError(f"skeleton {skeleton.name} has no face joints: choose another head size than face_box")
    seen = labels.labelled[:, indices]
    xy = labels.xy[:, indices]
    low = np.where(seen[..., None], xy, np.inf).min(axis=1)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    return np.linalg.norm(np.where(seen.sum(axis=1)[:, None] >= 3, high - low, np.nan), axis=-1)


def _ears(labels: StackedLabels, skeleton: Skeleton) -> np.ndarray:
    return between(labels, skeleton, ("left_ear",), ("right_ear",))


def _torso(labels: StackedLabels, skeleton: Skeleton) -> np.ndarray:
    return between(labels, skeleton, ("right_shoulder",), ("left_hip",))


def _bbox(labels: StackedLabels, skeleton: Skeleton) -> np.ndarray:
    return labels.box[:, 2:].max(axis=1, initial=0.0)


HEAD_SIZES: Mapping[str, Callable[[StackedLabels, Skeleton], np.ndarray]] = {
    "head_segment": _head_segment,
    "mpii_box": _mpii_box,
    "face_box": _face_box,
    "ears": _ears,
    "torso": _torso,
    "bbox": _bbox,
}


def head_sizes(labels: StackedLabels, skeleton: Skeleton, head: str) -> np.ndarray:
    """Return the length that PCKh is relative to, per person.

    head : ``head_segment`` (neck to head top: `Labels.head`, else from the two joints), ``mpii_box`` (`Labels.head`,
    which a reader of MPII fills with 0.6 x the head box's diagonal), ``face_box`` (diagonal around at least three
    labelled face joints), ``ears`` (ear to ear), ``torso`` (right shoulder to left hip), ``bbox`` (longer side of the
    box). Returns (N,) pixels, NaN where unknown or 0. Raises `UsageError` naming the choices, or where the skeleton
    lacks the joints.
    """
    if head not in HEAD_SIZES:
        raise UsageError(f"unknown head size '{head}': use one of {', '.join(HEAD_SIZES)}")
    size = HEAD_SIZES[head](labels, skeleton)
    return np.where(size > 0, size, np.nan)


def known_head_sizes(samples: Sequence[Sample], skeleton: Skeleton) -> dict[str, float]:
    """Return, for every head size, the share of samples for which it is known (0 where the skeleton lacks it)."""
    labels = stack_labels(samples, skeleton)
    shares: dict[str, float] = {}
    for head in HEAD_SIZES:
        try:
            size = head_sizes(labels, skeleton, head)
        except UsageError:
            size = np.full(len(samples), np.nan)
        shares[head] = float(np.isfinite(size).mean()) if len(samples) else 0.0
    return shares


def relative_errors(xy: np.ndarray, labels: StackedLabels, scale: np.ndarray) -> np.ndarray:
    """Return each joint's distance to its label, in units of `scale`.

    xy : (N, J, 2) predicted pixels, NaN = not found. scale : (N,) pixels, NaN = unknown.
    Returns (N, J): infinite where the joint was not found (it counts as wrong), NaN where it counts nowhere (not
    labelled, or the person's scale unknown). Raises `ShapeMismatch` naming the shapes.
    """
    if xy.shape != labels.xy.shape or scale.shape != xy.shape[:1]:
        raise ShapeMismatch(
            f"predicted {xy.shape}, labelled {labels.xy.shape}, scale {scale.shape} do not belong together"
        )
    distance = np.linalg.norm(xy - labels.xy, axis=-1)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    return np.where(labels.labelled & np.isfinite(scale)[:, None], distance / scale[:, None], np.nan)


def hits_within(errors: np.ndarray, alpha: float) -> np.ndarray:
    """Return 1.0 where an error is at most `alpha`, 0.0 where above, NaN where the joint counts nowhere."""
    return np.where(np.isnan(errors), np.nan, (errors <= alpha).astype(np.float64))


def pck(errors: np.ndarray, alpha: float) -> float:
    """Return the share of counted joints within `alpha`, pooled; NaN where none counts.

    errors : any shape, of `relative_errors`. Source: Andriluka et al., CVPR 2014.
    """
    counted = errors[~np.isnan(errors)]
    return float((counted <= alpha).mean()) if counted.size else float("nan")


def pck_curve(errors: np.ndarray, alphas: np.ndarray = CURVE_ALPHAS) -> np.ndarray:
    """Return (len(alphas),) `pck` at every alpha (ascending); NaN where no joint counts."""
    counted = np.sort(errors[~np.isnan(errors)])
    if not counted.size:
        return np.full(len(alphas), np.nan)
    return np.searchsorted(counted, alphas, side="right") / counted.size


def curve_areas(errors: np.ndarray, alphas: np.ndarray = CURVE_ALPHAS) -> np.ndarray:
    """Return each joint's own area under the curve (trapezoids, divided by the range of `alphas`), same shape.

    Their mean over joints is the area under the pooled curve, which makes the area a mean that can be resampled.
    """
    steps = np.diff(alphas)
    weights = np.concatenate([[0.0], steps / 2]) + np.concatenate([steps / 2, [0.0]])
    from_here = np.concatenate([np.cumsum(weights[::-1])[::-1], [0.0]]) / (alphas[-1] - alphas[0])
    areas = from_here[np.searchsorted(alphas, np.nan_to_num(errors, nan=np.inf), side="left")]
    return np.where(np.isnan(errors), np.nan, areas)
