"""Find the joints that are probably wrong, from the predictions alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from emc.config import AlertSettings
from emc.errors import ShapeMismatch
from emc.pose.records import Alert, AlertReason, FrameAlerts, Prediction
from emc.pose.skeletons import Skeleton

# Where several reasons hold for one joint on one frame, the first of these is told: a swap is corrected by one
# action, and every swap also looks like a jump.
_REASONS = (AlertReason.LOST, AlertReason.SWAP, AlertReason.JUMP, AlertReason.LOW_CONFIDENCE)
_LOST, _SWAP, _JUMP, _LOW = range(4)
_NO_REASON = len(_REASONS)
_LONGEST_JUMP = 3  # a joint that stays away for more frames than this has moved, as far as its path can tell
_MUCH_SHORTER = 0.5  # a swap must make the way of both joints at most half as long


@dataclass(frozen=True, slots=True)
class _Track:
    """One person over time: frames (T,), xy (T, J, 2), confidence (T, J), side (T,) longer side of the box."""

    frames: np.ndarray
    xy: np.ndarray
    confidence: np.ndarray
    side: np.ndarray


def find_alerts(
    clip: str, predictions: Iterable[Prediction], settings: AlertSettings, skeleton: Skeleton
) -> tuple[list[Alert], list[FrameAlerts]]:
    """Recommend joints for correction, and count (m, n) for each frame.

    predictions : of one clip and one run, in any order; read once, only their numbers are kept.

    A joint is flagged on a frame as *lost* (not found, or confidence below ``settings.lost``), *swap* (exchanging it
    with its mirror joint makes the way of both much shorter), *jump* (it leaves its own path by more than
    ``settings.jump`` x the longer side of the box and comes back within three frames) or *low confidence*. Flagged
    frames of one joint with at most ``settings.gap`` predicted frames between them are one alert, with the reason of
    its most severe frame. Untracked persons (person < 0) have no path: swaps and jumps are not looked for.

    Severity is P(wrong) = 1 - confidence x (1 - evidence), where evidence is 0 without a swap or jump, half for a jump
    just beyond the limit (rising to 1), and the share of the way that a swap saves.

    Returns the alerts, most severe first, and one `FrameAlerts` for each predicted frame, in order: `lost` and `low`
    count joints over all persons; a lost joint is not counted as low again.
    Raises `ShapeMismatch` where a prediction has another number of joints than the skeleton.
    """
    tracks = _tracks(predictions, len(skeleton))
    stride = _stride(tracks)
    alerts: list[Alert] = []
    lost: dict[int, int] = {}
    low: dict[int, int] = {}
    for person, track in sorted(tracks.items()):
        reasons, severity = _flags(track, settings, skeleton, tracked=person >= 0)
        for joint in range(len(skeleton)):
            runs = _runs(track.frames, reasons[:, joint], severity[:, joint], settings.gap, stride)
            alerts.extend(Alert(clip, person, joint, *run) for run in runs)
        _count(lost, track.frames, _is_lost(track, settings))
        _count(low, track.frames, _is_low(track, settings))
    alerts.sort(key=lambda a: (-a.severity, a.first, a.person, a.joint))
    return alerts, [FrameAlerts(frame, lost[frame], low[frame]) for frame in sorted(lost)]


def _tracks(predictions: Iterable[Prediction], joints: int) -> dict[int, _Track]:
    rows: dict[int, list[tuple[int, np.ndarray, np.ndarray, float]]] = {}
    for p in predictions:
        if len(p.xy) != joints:
            raise ShapeMismatch(
                f"a prediction of frame {p.frame} has {len(p.xy)} joints, the skeleton {joints}: use the skeleton of "
                "the run"
            )
        rows.setdefault(p.person, []).append((p.frame, p.xy, p.confidence, float(max(p.box[2], p.box[3]))))
    return {person: _track(sorted(found, key=lambda row: row[0])) for person, found in rows.items()}


def _track(rows: list[tuple[int, np.ndarray, np.ndarray, float]]) -> _Track:
    xy = np.stack([row[1] for row in rows]).astype(np.float64)
    confidence = np.nan_to_num(np.stack([row[2] for row in rows]).astype(np.float64), nan=0.0)
    confidence = np.where(np.isfinite(xy).all(axis=-1), np.clip(confidence, 0.0, 1.0), 0.0)
    frames = np.array([row[0] for row in rows], dtype=np.int64)
    return _Track(frames, xy, confidence, np.maximum(np.array([row[3] for row in rows]), 1.0))


def _stride(tracks: Mapping[int, _Track]) -> int:
    """Return the frames from one predicted frame to the next (every k-th frame may have been taken)."""
    seen = np.unique(np.concatenate([t.frames for t in tracks.values()])) if tracks else np.zeros(0, np.int64)
    return int(np.diff(seen).min()) if len(seen) > 1 else 1


def _is_lost(track: _Track, settings: AlertSettings) -> np.ndarray:
    return ~np.isfinite(track.xy).all(axis=-1) | (track.confidence < settings.lost)


def _is_low(track: _Track, settings: AlertSettings) -> np.ndarray:
    return (track.confidence < settings.low) & ~_is_lost(track, settings)


def _flags(track: _Track, settings: AlertSettings, skeleton: Skeleton, tracked: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, J) indices into `_REASONS` (or `_NO_REASON`) and (T, J) severities."""
    reasons = np.full(track.confidence.shape, _NO_REASON)
    evidence = np.zeros(track.confidence.shape)
    reasons[_is_low(track, settings)] = _LOW
    if tracked and len(track.frames) > 2:
        for reason, found in (
            (_JUMP, _jump_evidence(track, settings.jump)),
            (_SWAP, _swap_evidence(track, settings.jump, skeleton)),
        ):
            reasons[found > 0] = reason
            evidence = np.maximum(evidence, found)
    reasons[_is_lost(track, settings)] = _LOST
    return reasons, 1.0 - track.confidence * (1.0 - evidence)


def _jump_evidence(track: _Track, jump: float) -> np.ndarray:
    """Return (T, J) evidence in [0, 1] that a joint is away from its own path; 0 where it is not.

    A run of at most `_LONGEST_JUMP` frames is a jump where it is entered and left by a step beyond the limit, lies
    beyond the limit from the straight line between the frames around it, and those two agree within the limit. The
    innocent frames beside a jump are near their other neighbour, and a fast straight motion is near its line.
    """
    limit = jump * track.side
    evidence = np.zeros(track.confidence.shape)
    for length in range(1, min(_LONGEST_JUMP, len(track.frames) - 2) + 1):
        before, after = track.xy[: -length - 1], track.xy[length + 1 :]
        allowed = np.maximum(limit[: -length - 1], limit[length + 1 :])[:, None]
        inside = [track.xy[1 + k : len(track.xy) - length + k] for k in range(length)]
        enters = _distance(inside[0], before)
        leaves = _distance(inside[-1], after)
        away = [_distance(x, before + (after - before) * (k + 1) / (length + 1)) for k, x in enumerate(inside)]
        farthest = np.minimum.reduce([enters, leaves, *away])
        with np.errstate(invalid="ignore"):
            jumped = (farthest > allowed) & (_distance(before, after) <= allowed)
        found = np.where(jumped, farthest / (farthest + allowed), 0.0)
        for k in range(length):
            rows = evidence[1 + k : len(evidence) - length + k]
            np.maximum(rows, found, out=rows)
    return evidence


def _swap_evidence(track: _Track, jump: float, skeleton: Skeleton) -> np.ndarray:
    """Return (T, J) evidence in [0, 1] that a joint stands where its mirror joint belongs.

    Steps that become much shorter by exchanging left and right cut the track into stretches that are alternately
    right and swapped; which is which cannot be known from the path, so the rarer kind is flagged.
    """
    evidence = np.zeros(track.confidence.shape)
    limit = jump * np.maximum(track.side[1:], track.side[:-1])
    for left, right in ((i, j) for i, j in enumerate(skeleton.flip) if i < j):
        a, b = track.xy[:, left], track.xy[:, right]
        kept = _distance(a[1:], a[:-1]) + _distance(b[1:], b[:-1])
        swapped = _distance(a[1:], b[:-1]) + _distance(b[1:], a[:-1])
        with np.errstate(invalid="ignore"):
            toggles = (kept - swapped > limit) & (swapped < _MUCH_SHORTER * kept)
        parity = np.concatenate([[0], np.cumsum(toggles) % 2])
        rarer = parity == (1 if 2 * parity.sum() <= len(parity) else 0)
        if not toggles.any():
            continue
        strength = float(np.mean(1.0 - swapped[toggles] / kept[toggles]))
        evidence[rarer, left] = evidence[rarer, right] = strength
    return evidence


def _distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def _runs(
    frames: np.ndarray, reasons: np.ndarray, severity: np.ndarray, gap: int, stride: int
) -> list[tuple[int, int, AlertReason, float]]:
    """Return (first, last, reason, severity) of each run of flagged frames of one joint."""
    flagged = np.flatnonzero(reasons != _NO_REASON)
    if flagged.size == 0:
        return []
    apart = np.diff(frames[flagged])
    runs = np.split(flagged, np.flatnonzero(apart > (gap + 1) * stride) + 1)
    found: list[tuple[int, int, AlertReason, float]] = []
    for run in runs:
        worst = min(run, key=lambda i: (-severity[i], reasons[i]))
        first, last = int(frames[run[0]]), int(frames[run[-1]])
        found.append((first, last, _REASONS[int(reasons[worst])], float(severity[worst])))
    return found


def _count(counts: dict[int, int], frames: np.ndarray, flagged: np.ndarray) -> None:
    for frame, number in zip(frames.tolist(), flagged.sum(axis=1).tolist(), strict=True):
        counts[frame] = counts.get(frame, 0) + int(number)
