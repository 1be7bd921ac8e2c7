"""Which frames of a clip are used: every k-th, a number per second, evenly spread, or where the picture changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np

from emc.errors import UsageError

# Grey thumbnails: small enough that noise and compression average out, large enough that a moving arm shows.
THUMBNAIL = (64, 36)
# Share of the samples that follow time alone, so that a still stretch is not left out.
STILL_SHARE = 0.2


def sample_every(frames: int, k: int) -> list[int]:
    """Return every `k`-th of `frames` frames, the first included; raises `UsageError` for k below 1."""
    if k < 1:
        raise UsageError(f"every {k}-th frame cannot be taken: use 1 or more")
    return list(range(0, frames, k))


def sample_fps(times: np.ndarray, fps: float) -> list[int]:
    """Return the frames nearest to a regular beat.

    times : (frames,) seconds, increasing. fps : beats per second; at or above the clip's own rate every frame comes.
    Each frame comes at most once, so a gap in `times` gives fewer. Raises `UsageError` for `fps` of 0 or less.
    """
    if not fps > 0:
        raise UsageError(f"{fps} frames per second cannot be taken: use more than 0")
    if len(times) == 0:
        return []
    seconds = float(times[-1] - times[0])
    beats = times[0] + np.arange(int(np.floor(seconds * fps + 1e-6)) + 1) / fps
    # A beat in the middle between two frames belongs to the later one.
    middles = (times[1:] + times[:-1]) / 2
    return sorted(set(_places(middles, beats, side="right")))


def sample_uniform(frames: int, count: int) -> list[int]:
    """Return `count` frames evenly spread, each in the middle of its equal part; all frames where there are fewer."""
    if count < 1:
        raise UsageError(f"{count} samples cannot be taken: use 1 or more")
    if count >= frames:
        return list(range(frames))
    return [(2 * i + 1) * frames // (2 * count) for i in range(count)]


def sample_by_motion(frames: Iterable[tuple[int, np.ndarray]], count: int) -> list[int]:
    """Return up to `count` frames, more of them where the picture changes more.

    The change from each image to the next (mean absolute difference of grey thumbnails) is added up, and samples are
    put at equal steps of the sum.

    Parameters
    ----------
    frames : (index, (H, W, 3) uint8 RGB image) in the order of time, read once and not kept.
    count : how many to return; fewer only where `frames` has fewer.
    """
    if count < 1:
        raise UsageError(f"{count} samples cannot be taken: use 1 or more")
    indices: list[int] = []
    changes: list[float] = []
    before: np.ndarray | None = None
    for index, image in frames:
        now = _thumbnail(image)
        indices.append(index)
        changes.append(0.0 if before is None else float(np.abs(now - before).mean()))
        before = now
    return [indices[place] for place in _spread(np.array(changes, dtype=np.float64), count)]


def _thumbnail(image: np.ndarray) -> np.ndarray:
    import cv2

    small = cv2.resize(image, THUMBNAIL, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _spread(changes: np.ndarray, count: int) -> list[int]:
    """Return `count` places at equal steps of the summed change, the largest changes filling up what coincides."""
    if count >= len(changes):
        return list(range(len(changes)))
    floor = float(changes.mean()) * STILL_SHARE / (1 - STILL_SHARE)
    total = np.cumsum(changes + max(floor, 1e-9))
    steps = (np.arange(count) + 0.5) / count * total[-1]
    chosen = set(_places(total, steps))
    for place in np.argsort(-changes, kind="stable").tolist():
        if len(chosen) == count:
            break
        chosen.add(place)
    return sorted(chosen)


def _places(ascending: np.ndarray, values: np.ndarray, side: Literal["left", "right"] = "left") -> list[int]:
    found: np.ndarray = np.searchsorted(ascending, values, side=side)
    return [int(place) for place in found]
