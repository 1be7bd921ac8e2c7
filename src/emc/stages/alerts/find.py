"""Find the joints that are probably wrong, from the predictions alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from emc.config import AlertSettings
from emc.pose.records import Alert, AlertReason, FrameAlerts, Prediction
from emc.pose.skeletons import Skeleton
from emc.stages.alerts.paths import jump_evidence, on_path, swap_evidence
from emc.stages.alerts.track import Track, stride_of, tracks_of
from emc.stages.alerts.unreadable import unreadable_alert, unreadable_runs

# Where several reasons hold for one joint on one frame, the first of these is told: a swap is corrected by one
# action, and every swap also looks like a jump.
_REASONS = (AlertReason.LOST, AlertReason.SWAP, AlertReason.JUMP, AlertReason.LOW_CONFIDENCE)
_LOST, _SWAP, _JUMP, _LOW = range(4)
_NO_REASON = len(_REASONS)


def find_alerts(
    clip: str, predictions: Iterable[Prediction], settings: AlertSettings, skeleton: Skeleton
) -> tuple[list[Alert], list[FrameAlerts]]:
    """Recommend joints for correction, and count (m, n) for each frame.

    predictions : of one clip and one run, in any order; read once, only their numbers are kept.

    A joint is flagged on a frame as *lost* (not found, or confidence below ``settings.lost``), *swap* (exchanging it
    with its mirror joint makes the way of both much shorter), *jump* (it leaves its own path by more than
    ``settings.jump`` x the longer side of the box and comes back within three frames) or *low confidence*. Flagged
    frames of one joint with at most ``settings.gap`` predicted frames between them are one alert, with the reason of
    its most severe frame. A joint of low confidence that keeps to its path (`on_path`) is not flagged. Untracked
    persons (person < 0) have no path: swaps and jumps are not looked for.

    Where half of a person's joints are flagged, swaps not counted, the frames are *unreadable*: one alert for the
    whole person in place of those of its joints there (`unreadable`).

    Severity is P(wrong) = 1 - confidence x (1 - evidence), where evidence is 0 without a swap or jump, half for a jump
    just beyond the limit (rising to 1), and the share of the way that a swap saves.

    Returns the alerts, most severe first, and one `FrameAlerts` for each predicted frame, in order: `lost` and `low`
    count joints over all persons, those on their path too; a lost joint is not counted as low again.
    Raises `ShapeMismatch` where a prediction has another number of joints than the skeleton.
    """
    tracks = tracks_of(predictions, len(skeleton))
    stride = stride_of(tracks)
    alerts: list[Alert] = []
    lost: dict[int, int] = {}
    low: dict[int, int] = {}
    for person, track in sorted(tracks.items()):
        reasons, severity = _flags(track, settings, skeleton, tracked=person >= 0)
        flagged = (reasons != _NO_REASON) & (reasons != _SWAP)
        for rows in unreadable_runs(track, flagged, settings.gap, stride):
            alerts.append(unreadable_alert(clip, person, track, severity, rows))
            reasons[rows] = _NO_REASON
        for joint in range(len(skeleton)):
            runs = _runs(track.frames, reasons[:, joint], severity[:, joint], settings.gap, stride)
            alerts.extend(Alert(clip, person, joint, *run) for run in runs)
        _count(lost, track.frames, _is_lost(track, settings))
        _count(low, track.frames, _is_low(track, settings))
    alerts.sort(key=lambda a: (-a.severity, a.first, a.person, a.joint))
    return alerts, [FrameAlerts(frame, lost[frame], low[frame]) for frame in sorted(lost)]


def _is_lost(track: Track, settings: AlertSettings) -> np.ndarray:
    return ~np.isfinite(track.xy).all(axis=-1) | (track.confidence < settings.lost)


def _is_low(track: Track, settings: AlertSettings) -> np.ndarray:
    return (track.confidence < settings.low) & ~_is_lost(track, settings)


def _flags(track: Track, settings: AlertSettings, skeleton: Skeleton, tracked: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, J) indices into `_REASONS` (or `_NO_REASON`) and (T, J) severities."""
    reasons = np.full(track.confidence.shape, _NO_REASON)
    evidence = np.zeros(track.confidence.shape)
    reasons[_is_low(track, settings)] = _LOW
    if tracked and len(track.frames) > 2:
        for reason, found in (
            (_JUMP, jump_evidence(track, settings.jump)),
            (_SWAP, swap_evidence(track, settings.jump, skeleton)),
        ):
            reasons[found > 0] = reason
            evidence = np.maximum(evidence, found)
        reasons[(reasons == _LOW) & on_path(track, track.confidence < settings.low)] = _NO_REASON
    reasons[_is_lost(track, settings)] = _LOST
    return reasons, 1.0 - track.confidence * (1.0 - evidence)


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
