"""What came of a way of working: quality after each action, errors missed and introduced, clicks to 95 %."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.errors import InputError
from emc.pose.records import Edit, Provenance
from emc.study.scripted.actions import Action, corrections
from emc.study.scripted.klm import CostModel
from emc.study.scripted.oracle import Truth

PCKH = 0.5
"""Share of the head segment beyond which a joint is an error."""


def similarity(truth: Truth, xy: np.ndarray) -> np.ndarray:
    """Return COCO's keypoint similarity (T, J) of places (T, J, 2), 0 where there is none, NaN where no label is."""
    off = truth.off(xy)
    return np.exp(-(np.minimum(off, 1e3) ** 2) / 8.0)


def wrong(truth: Truth, xy: np.ndarray) -> np.ndarray:
    """Return (T, J) bool: labelled joints without a place, or farther off than half a head segment."""
    with np.errstate(invalid="ignore"):
        away = np.linalg.norm(xy - truth.xy, axis=2)
        return truth.labelled & ~(away <= PCKH * truth.head[:, None])


@dataclass(frozen=True, slots=True)
class Curve:
    """Quality over time: after each action its (simulated) seconds so far, corrections so far, and mean OKS.

    seconds, corrected, oks, right : (N + 1,), the first before anything was done. last : (T, J, 2) the places at the
    end. OKS is the mean over frames of the mean over labelled joints; right is the share of labelled joints that are
    no errors.
    """

    seconds: np.ndarray
    corrected: np.ndarray
    oks: np.ndarray
    right: np.ndarray
    last: np.ndarray

    def seconds_to(self, oks: float) -> float:
        """Return the seconds after which the quality is first reached, infinite where it never is."""
        return _first(self.seconds, self.oks >= oks - 1e-9)

    def corrections_to(self, oks: float) -> float:
        """Return the corrections after which the quality is first reached, infinite where it never is."""
        return _first(self.corrected, self.oks >= oks - 1e-9)

    def corrections_to_right(self, share: float) -> float:
        """Return the corrections after which a share of the joints is first right, infinite where it never is."""
        return _first(self.corrected, self.right >= share - 1e-9)


def _first(values: np.ndarray, reached: np.ndarray) -> float:
    found = np.flatnonzero(reached)
    return float(values[found[0]]) if len(found) else float("inf")


def curve_of(
    truth: Truth, start: np.ndarray, actions: Sequence[Action], edits: Sequence[Edit], model: CostModel
) -> Curve:
    """Return the quality after each action.

    start : (T, J, 2) the predicted places. edits : of the journal, in its order; the n-th belongs to the n-th action
    that stores. Raises `InputError` where their numbers differ.
    """
    storing = sum(action.stores for action in actions)
    if storing != len(edits):
        raise InputError(f"the log has {storing} stored actions, the journal {len(edits)} edits: run the clip again")
    xy = start.astype(np.float64).copy()
    by_hand = np.zeros(xy.shape[:2], dtype=bool)
    quality, error = similarity(truth, xy), wrong(truth, xy)
    rows = [(0.0, 0, *_pooled(truth, quality, error))]
    seconds, corrected, taken = 0.0, 0, iter(edits)
    for action in actions:
        seconds += model.seconds(action)
        corrected += action.corrects
        if action.stores:
            touched = _apply(xy, by_hand, next(taken))
            part = truth.part(touched)
            quality[touched], error[touched] = similarity(part, xy[touched]), wrong(part, xy[touched])
        rows.append((seconds, corrected, *_pooled(truth, quality, error)))
    columns = np.array(rows, dtype=np.float64).T
    return Curve(columns[0], columns[1], columns[2], columns[3], xy)


def _apply(xy: np.ndarray, by_hand: np.ndarray, edit: Edit) -> np.ndarray:
    frames: set[int] = set()
    for change in edit.changes:
        at = (change.frame, change.joint)
        if change.provenance < Provenance.HUMAN and by_hand[at]:
            continue
        xy[at] = (change.x, change.y)
        by_hand[at] |= change.provenance >= Provenance.HUMAN
        frames.add(change.frame)
    return np.array(sorted(frames), dtype=np.int64)


def _pooled(truth: Truth, quality: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    labelled = truth.labelled
    count = labelled.sum(axis=1)
    of_frame = np.where(labelled, quality, 0.0).sum(axis=1)[count > 0] / count[count > 0]
    return float(of_frame.mean()), float(1.0 - error.sum() / labelled.sum())


def summary_of(truth: Truth, start: np.ndarray, actions: Sequence[Action], curve: Curve) -> dict[str, float]:
    """Return the figures of one clip and one way of working; times are simulated seconds, waits measured ones.

    missed_errors : of the errors of the prediction, the share that is left. introduced_errors : of the joints that
    were right, the share that no longer is. noc95 : corrections per frame until the clip's OKS is 0.95, noc90 until it
    is 0.90, noc95_right until 95 % of its joints are right; infinite where that is never reached.
    """
    before, after = wrong(truth, start), wrong(truth, curve.last)
    frames, joints = len(truth.xy), float(truth.labelled.sum())
    waits = [action.waited for action in actions if action.waited > 0]
    fixes = corrections(actions)
    return {
        "seconds": float(curve.seconds[-1]),
        "seconds_per_frame": float(curve.seconds[-1]) / frames,
        "actions_per_frame": len(actions) / frames,
        "corrections": float(fixes),
        "corrections_per_90_frames": 90.0 * fixes / frames,
        "corrections_per_1000_joints": 1000.0 * fixes / joints,
        "oks_before": float(curve.oks[0]),
        "oks": float(curve.oks[-1]),
        "right_before": float(curve.right[0]),
        "right": float(curve.right[-1]),
        "missed_errors": float((before & after).sum()) / max(float(before.sum()), 1.0),
        "introduced_errors": float((~before & after).sum()) / max(joints - float(before.sum()), 1.0),
        "noc95": curve.corrections_to(0.95) / frames,
        "noc90": curve.corrections_to(0.90) / frames,
        "noc95_right": curve.corrections_to_right(0.95) / frames,
        "latency_p95_ms": 1000.0 * float(np.percentile(waits, 95)) if waits else float("nan"),
    }
