"""One person of a run over time, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.records import Prediction


@dataclass(frozen=True, slots=True)
class Track:
    """One person over time: frames (T,), xy (T, J, 2), confidence (T, J), side (T,) longer side of the box."""

    frames: np.ndarray
    xy: np.ndarray
    confidence: np.ndarray
    side: np.ndarray


def tracks_of(predictions: Iterable[Prediction], joints: int) -> dict[int, Track]:
    """Return person -> track; raises `ShapeMismatch` where a prediction has another number of joints."""
    rows: dict[int, list[tuple[int, np.ndarray, np.ndarray, float]]] = {}
    for p in predictions:
        if len(p.xy) != joints:
            raise ShapeMismatch(
                f"a prediction of frame {p.frame} has {len(p.xy)} joints, the skeleton {joints}: use the skeleton of "
                "the run"
            )
        rows.setdefault(p.person, []).append((p.frame, p.xy, p.confidence, float(max(p.box[2], p.box[3]))))
    return {person: _track(sorted(found, key=lambda row: row[0])) for person, found in rows.items()}


def _track(rows: list[tuple[int, np.ndarray, np.ndarray, float]]) -> Track:
    xy = np.stack([row[1] for row in rows]).astype(np.float64)
    confidence = np.nan_to_num(np.stack([row[2] for row in rows]).astype(np.float64), nan=0.0)
    confidence = np.where(np.isfinite(xy).all(axis=-1), np.clip(confidence, 0.0, 1.0), 0.0)
    frames = np.array([row[0] for row in rows], dtype=np.int64)
    return Track(frames, xy, confidence, np.maximum(np.array([row[3] for row in rows]), 1.0))


def stride_of(tracks: Mapping[int, Track]) -> int:
    """Return the frames from one predicted frame to the next (every k-th frame may have been taken)."""
    seen = np.unique(np.concatenate([t.frames for t in tracks.values()])) if tracks else np.zeros(0, np.int64)
    return int(np.diff(seen).min()) if len(seen) > 1 else 1
