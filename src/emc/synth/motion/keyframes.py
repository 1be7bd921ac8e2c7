"""Poses as named joint angles, and smooth curves through key poses.

All angles are degrees. `flex` raises a limb forwards, `abd` sideways away from the body, `twist`
turns it outwards about its own length; `bend` leans forwards, `side` to the person's own right,
`turn` rotates to the person's own left; `knee` and `elbow` fold, `ankle` points the toes.
`lift` is the height of a jump in metres.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from emc.synth.body import Array

Pose = Mapping[str, float]
Curves = dict[str, Array]

TRUNK_CHANNELS: tuple[str, ...] = (
    "yaw", "pitch", "roll", "lift", "tilt_bend", "tilt_side", "tilt_turn",
    "spine_bend", "spine_side", "spine_turn", "neck_bend", "neck_side", "neck_turn",
)  # fmt: skip
LIMB_CHANNELS: tuple[str, ...] = (
    "shrug", "arm_flex", "arm_abd", "arm_twist", "elbow", "wrist",
    "hip_flex", "hip_abd", "hip_twist", "knee", "ankle",
)  # fmt: skip
CHANNELS: tuple[str, ...] = (
    TRUNK_CHANNELS + tuple(f"l_{name}" for name in LIMB_CHANNELS) + tuple(f"r_{name}" for name in LIMB_CHANNELS)
)
_TURNS_WITH_SIDE = ("yaw", "roll", "side", "turn")
_NEUTRAL = {"arm_abd": 9.0, "elbow": 16.0, "hip_abd": 4.0, "knee": 5.0, "hip_twist": 7.0}


def mirrored(curves: Curves) -> Curves:
    """The same movement with left and right swapped."""
    result: Curves = {}
    for name, values in curves.items():
        if name[:2] in ("l_", "r_"):
            result[("r_" if name[0] == "l" else "l_") + name[2:]] = values
        else:
            result[name] = -values if name.endswith(_TURNS_WITH_SIDE) else values
    return result


def pose(*layers: Pose, **angles: float) -> dict[str, float]:
    """A full pose: neutral standing, then `layers`, then single angles, the last one wins."""
    full = dict.fromkeys(CHANNELS, 0.0)
    for name, value in _NEUTRAL.items():
        full[f"l_{name}"] = full[f"r_{name}"] = value
    for layer in layers:
        full.update(layer)
    full.update(angles)
    return full


def both(**angles: float) -> dict[str, float]:
    """The same limb angles left and right."""
    return {f"{side}_{name}": value for name, value in angles.items() for side in "lr"}


def keyed(times: Array, keys: Sequence[tuple[float, Pose]], period: float | None = None) -> Curves:
    """Curves through key poses, without overshoot.

    Parameters
    ----------
    times : ndarray (T,)
        Seconds.
    keys : sequence of (float, pose)
        Rising key times in seconds and full poses.
    period : float, optional
        Repeat the keys after this many seconds; a turn gained in one pass is kept for the next.
    """
    moments = np.array([moment for moment, _ in keys])
    table = np.array([[stance[name] for name in CHANNELS] for _, stance in keys])
    clock = times if period is None else np.mod(times, period)
    values = monotone_cubic(moments, table, clock)
    if period is not None:
        passes = np.floor_divide(times, period)
        turned = table[-1, CHANNELS.index("yaw")] - table[0, CHANNELS.index("yaw")]
        values[:, CHANNELS.index("yaw")] += passes * turned
    return {name: values[:, column] for column, name in enumerate(CHANNELS)}


def monotone_cubic(moments: Array, table: Array, clock: Array) -> Array:
    """Fritsch-Carlson interpolation of every column of `table` (K, C) at `clock` (T,)."""
    step = np.diff(moments)[:, None]
    slope = np.diff(table, axis=0) / step
    tangent = np.zeros_like(table)
    before, after = slope[:-1], slope[1:]
    same = before * after > 0
    first = 2 * step[1:] + step[:-1]
    second = step[1:] + 2 * step[:-1]
    total = first / np.where(same, before, 1.0) + second / np.where(same, after, 1.0)
    tangent[1:-1] = np.where(same, (first + second) / np.where(same, total, 1.0), 0.0)
    clock = np.clip(clock, moments[0], moments[-1])
    index = np.clip(np.searchsorted(moments, clock, side="right") - 1, 0, len(moments) - 2)
    width = step[index]
    u = (clock - moments[index])[:, None] / width
    low, high = table[index], table[index + 1]
    grow = u * u * (3 - 2 * u)
    curve = low + (high - low) * grow
    curve += width * (u * (1 - u) ** 2 * tangent[index] - u * u * (1 - u) * tangent[index + 1])
    return curve


def jittered(stance: Pose, rng: np.random.Generator, spread: float) -> dict[str, float]:
    """A pose with every limb and trunk angle moved by about `spread` degrees."""
    moved = dict(stance)
    noise = rng.standard_normal(len(CHANNELS)) * spread
    for name, shift in zip(CHANNELS, noise, strict=True):
        if name not in ("yaw", "pitch", "roll", "lift"):
            moved[name] = moved[name] + shift
    return moved


def pulse(phase: Array, centre: float, width: float) -> Array:
    """A smooth bump on a cycle of length 1."""
    distance = np.mod(phase - centre + 0.5, 1.0) - 0.5
    return np.exp(-((distance / width) ** 2))


def smoothed(path: Array, width: int) -> Array:
    """A moving average over `width` frames either way that keeps the length of the path (T, D)."""
    if width == 0 or len(path) == 0:
        return path
    padded = np.concatenate([path[:1].repeat(width, 0), path, path[-1:].repeat(width, 0)])
    kernel = np.hanning(2 * width + 3)[1:-1]
    kernel /= kernel.sum()
    return np.stack([np.convolve(column, kernel, mode="valid") for column in padded.T], axis=-1)
