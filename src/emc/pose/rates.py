"""Rates of clips: what a person said of them, in words, and the fastest of a variable one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emc.errors import UsageError
from emc.pose.records import Clip

MOST_FPS = 100_000
EVEN = 0.1
"""Share of a frame by which steps of a constant rate may differ: stamps are rounded to the container's clock."""
_GLITCH = 8.0
VARIES = "the clip's frame rate varies"


def with_rate(clip: Clip, fps: float, file_fps: float = 0.0, file_times: np.ndarray | None = None) -> Clip:
    """Return a clip that has `fps` frames per second of real time, as a person says.

    file_fps, file_times : of the file; a video keeps its rate beside the one that is said, and where that varies, all
    times are scaled alike. Raises `UsageError` for a rate that is none.
    """
    if not 0 < fps <= MOST_FPS:
        raise UsageError(f"{fps:g} frames per second are no rate of a film: give more than 0 and at most {MOST_FPS}")
    if not file_fps or file_times is None:
        return replace(clip, fps=fps, times=np.arange(clip.frames) / fps, file_fps=0.0)
    if abs(fps - file_fps) < 1e-3 * file_fps:
        return replace(clip, fps=file_fps, times=file_times, file_fps=0.0)
    return replace(clip, fps=fps, times=file_times * (file_fps / fps), file_fps=file_fps)


def rate_words(clip: Clip) -> str:
    """Return the rate of a clip in words."""
    if not clip.fps:
        return "no rate: each picture stands alone (--fps N where they follow each other in time)"
    told = f" (the file plays at {clip.file_fps:.6g})" if clip.file_fps else ""
    return f"{clip.fps:.6g} frames per second{told}"


def is_even(times: np.ndarray) -> bool:
    """Return whether ascending times in seconds are those of a constant rate, to `EVEN` of a frame."""
    steps = np.diff(times)
    return len(steps) < 2 or bool(np.abs(steps - steps.mean()).max() < EVEN * steps.mean())


def fastest_rate(times: np.ndarray) -> float:
    """Return the frames per second where the times of following frames lie closest together.

    Steps below an eighth of the usual one are taken for glitches of the stamps, which no camera makes.
    """
    steps = np.diff(times)
    return float(1.0 / steps[steps >= np.median(steps) / _GLITCH].min())
