"""2D joints that do not fit the lifted motion: an alert for each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.pose.motion import LiftedSequence
from emc.pose.records import Alert, AlertReason
from emc.pose.skeletons import COCO17, SHARED_COCO, SHARED_H36M, bone_lengths, stature_of


def reprojection_residual(
    sequence: LiftedSequence, xy: np.ndarray, size: tuple[int, int], focal: float | None = None
) -> np.ndarray:
    """Return (T, 17) COCO-17: how far each 2D joint lies from the lifted joint, in shares of the person's stature.

    The lifted motion is put before the camera by its root and projected; the distance is taken at the joint's depth, so
    that near and far persons compare. A refined motion follows its 2D joints where they fit one body that moves as
    bodies do, and keeps its own way where one strays. xy : (T, 17, 2) pixels. size : (width, height). focal : pixels,
    None: the longer side. NaN for joints of the face, where nothing is seen, and throughout where the sequence has no
    root.
    """
    residual = np.full((len(sequence), len(COCO17)), np.nan)
    if sequence.root is None or len(sequence) == 0:
        return residual
    middle = (np.array(size, dtype=np.float64) - 1) / 2
    rays = (xy[:, list(SHARED_COCO)] - middle) / (focal or max(size))
    point = (sequence.xyz[:, list(SHARED_H36M)] + sequence.root[:, None]).astype(np.float64)
    apart = np.linalg.norm(point[..., :2] - rays * point[..., 2:], axis=-1)
    residual[:, list(SHARED_COCO)] = apart / stature_of(np.nanmedian(bone_lengths(sequence.xyz), axis=0))
    return residual


def residual_alerts(
    clip: str, sequence: LiftedSequence, residual: np.ndarray, confidence: np.ndarray, limit: float, gap: int = 2
) -> list[Alert]:
    """Recommend joints whose residual is beyond `limit` (share of stature), most severe first.

    residual, confidence : (T, 17); NaN residuals flag nothing. Flagged frames of a joint with at most `gap` frames
    between them are one alert. Severity is P(wrong) = 1 - confidence x (1 - evidence) as for other reasons, evidence
    being residual / (residual + limit): half at the limit. It is that of the run's worst frame.
    """
    alerts: list[Alert] = []
    if limit <= 0:
        return alerts
    known = np.nan_to_num(residual)
    severity = 1.0 - np.clip(np.nan_to_num(confidence), 0.0, 1.0) * (limit / (known + limit))
    for joint in range(residual.shape[1]):
        flagged = np.flatnonzero(known[:, joint] > limit)
        if flagged.size == 0:
            continue
        frames = sequence.frames[flagged]
        for run in np.split(flagged, np.flatnonzero(np.diff(frames) > gap + 1) + 1):
            first, last = int(sequence.frames[run[0]]), int(sequence.frames[run[-1]])
            worst = float(severity[run, joint].max())
            alerts.append(Alert(clip, sequence.person, joint, first, last, AlertReason.LIFT_RESIDUAL, worst))
    return sorted(alerts, key=lambda a: (-a.severity, a.first, a.person, a.joint))


def merge_residual_alerts(known: Sequence[Alert], found: Sequence[Alert]) -> list[Alert]:
    """Return the queue with `found` in place of earlier lift residuals, most severe first.

    A found alert that overlaps a known one of the same joint is left out: that joint is already recommended there.
    """
    kept = [alert for alert in known if alert.reason is not AlertReason.LIFT_RESIDUAL]
    spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for alert in kept:
        spans.setdefault((alert.person, alert.joint), []).append((alert.first, alert.last))
    new = [
        alert
        for alert in found
        if all(alert.last < first or alert.first > last for first, last in spans.get((alert.person, alert.joint), ()))
    ]
    return sorted([*kept, *new], key=lambda a: (-a.severity, a.first, a.person, a.joint))
