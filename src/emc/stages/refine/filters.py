"""Filters over time that know nothing but the sequence: what the robust smoother is measured against."""

from __future__ import annotations

import numpy as np

WINDOW, ORDER = 7, 3
CUT_OFF = 6.0
"""Hz, what gait laboratories use for walking (Winter, "Biomechanics and Motor Control of Human Movement")."""


def savitzky_golay(xyz: np.ndarray) -> np.ndarray:
    """Return (T, ...) after a cubic over seven frames (fewer where there are fewer, as they are below five).

    Source: Savitzky, Golay, Analytical Chemistry 1964.
    """
    from scipy.signal import savgol_filter  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    window = min(WINDOW, len(xyz) - 1 + len(xyz) % 2)
    if window <= ORDER:
        return xyz
    return np.asarray(savgol_filter(xyz, window, ORDER, axis=0, mode="interp"))


def butterworth(xyz: np.ndarray, fps: float, cut_off: float = CUT_OFF) -> np.ndarray:
    """Return (T, ...) after a Butterworth low-pass of fourth order without delay (second order, there and back).

    The cut-off of each pass is raised so that both together cut at `cut_off` Hz (Winter). Sequences that are too short
    to be padded, and cut-offs beyond half the frame rate, come back as they are.
    """
    from scipy.signal import butter, sosfiltfilt  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    each = cut_off / 0.802
    if len(xyz) < 12 or each >= 0.5 * fps:
        return xyz
    return np.asarray(sosfiltfilt(butter(2, each, fs=fps, output="sos"), xyz, axis=0))
