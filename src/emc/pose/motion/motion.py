"""One person's motion in the world: what the 3D formats write and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from emc.errors import ShapeMismatch, UsageError
from emc.pose.motion.ground import LEVEL_FLOOR, WorldAxes, height_above, world_axes
from emc.pose.motion.sequences import LiftedSequence
from emc.pose.rates import EVEN, VARIES, fastest_rate, is_even
from emc.pose.skeletons import ANKLE_HEIGHT, ANKLES, H36M17

NO_RATE = "give it with `emc add PATH --fps N`, or write csv3d or npz3d, which count frames"
MOTION_AXES = "x right, y up, z towards the camera"


@dataclass(frozen=True, slots=True)
class Motion3D:
    """One person over time: metres, right-handed, y up from the floor, x to the camera's right, z towards the camera.

    name : a word without spaces. fps : frames per second of the clip, 0 where it has no rate. times : (T,) seconds from
    the clip's start, ascending; NaN without a rate. rate : where `fps` and `times` are from, in words. frames : (T,)
    int64 frames of the clip. xyz : (T, J, 3) float64, NaN where a joint is missing. joints : J names. sigma : (T, J)
    metres, or None. contact : (T, 2) in [0, 1], right and left foot, or None.
    """

    name: str
    fps: float
    times: np.ndarray
    frames: np.ndarray
    xyz: np.ndarray
    joints: tuple[str, ...] = H36M17.joints
    sigma: np.ndarray | None = None
    contact: np.ndarray | None = None
    rate: str = ""

    def __post_init__(self) -> None:
        count = len(self.times)
        if self.xyz.shape != (count, len(self.joints), 3) or self.frames.shape != (count,):
            raise ShapeMismatch(
                f"motion {self.name} has xyz {self.xyz.shape}, frames {self.frames.shape} and {count} times: they must "
                f"be ({count}, {len(self.joints)}, 3) and ({count},)"
            )

    def __len__(self) -> int:
        return len(self.times)


def world_motions(
    sequences: Mapping[int, LiftedSequence], fps: float, times: np.ndarray | None = None, rate: str = ""
) -> list[Motion3D]:
    """Return all persons of a clip in one world, named ``p0``, ``p1``, ... by their numbers; empty ones are left out.

    The world is that of the person who is there longest: its floor, and its zero below where that person first is.
    """
    present = {person: sequence for person, sequence in sequences.items() if len(sequence)}
    placed = [s for s in present.values() if s.root is not None and s.floor is not None]
    axes = _axes_of(max(placed, key=len)) if placed else None
    return [world_motion(sequence, f"p{person}", fps, times, axes, rate) for person, sequence in present.items()]


def world_motion(
    sequence: LiftedSequence,
    name: str,
    fps: float,
    times: np.ndarray | None = None,
    axes: WorldAxes | None = None,
    rate: str = "",
) -> Motion3D:
    """Return a lifted sequence in the world `axes`; None: the one that stands on its own floor.

    Where refinement found no root and floor, the camera is taken to be level and the lower ankle to stand at every
    moment, and the person stays in one place. times : (frames of the clip,) seconds, None: frame / fps; without a rate
    nobody knows. rate : where these are from, in words.
    """
    seconds = times[sequence.frames] if times is not None else sequence.frames / (fps or np.nan)
    points = sequence.xyz.astype(np.float64)
    if sequence.root is not None and sequence.floor is not None and len(sequence):
        points = points + sequence.root[:, None].astype(np.float64)
        xyz = (axes or _axes_of(sequence)).to_world(points)
    else:
        lowest = height_above(points[:, list(ANKLES)], LEVEL_FLOOR).min(axis=1)
        xyz = points @ np.diag([1.0, -1.0, -1.0])
        xyz[..., 1] += (ANKLE_HEIGHT - lowest)[:, None]
    return Motion3D(
        name=name,
        fps=fps,
        times=np.asarray(seconds, dtype=np.float64),
        frames=sequence.frames.astype(np.int64),
        xyz=xyz,
        sigma=sequence.sigma,
        contact=sequence.contact,
        rate=rate,
    )


def _axes_of(sequence: LiftedSequence) -> WorldAxes:
    if sequence.root is None or sequence.floor is None:
        return world_axes(LEVEL_FLOOR, np.zeros(3))
    return world_axes(sequence.floor, sequence.root[0].astype(np.float64))


def at_constant_rate(motion: Motion3D) -> Motion3D:
    """Return a motion at a constant rate from its first to its last moment, without holes in time.

    Times that are already so, to a tenth of a frame, are kept as they are. Otherwise joints are interpolated linearly
    between the moments around, at the clip's rate, or where that varies at its fastest, so that no moment is lost
    (`rate` then says so); what lies in a hole longer than a fifth of a second is NaN.
    Raises `UsageError` where the motion has no rate.
    """
    if not motion.fps:
        raise UsageError(f"motion {motion.name} has no rate, and this format needs one: {NO_RATE}")
    if len(motion) < 2:
        return motion
    step = 1.0 / float(motion.fps)
    if np.abs(np.diff(motion.times) - step).max() < EVEN * step:
        return motion
    motion = _at_fastest_rate(motion)
    step = 1.0 / float(motion.fps)
    count = round((motion.times[-1] - motion.times[0]) / step) + 1
    times = np.asarray(motion.times[0] + step * np.arange(count), dtype=np.float64)
    after = np.clip(np.searchsorted(motion.times, times - 1e-9), 1, len(motion) - 1).astype(np.int64)
    gap = np.asarray(motion.times[after] - motion.times[after - 1])
    share = np.clip((times - motion.times[after - 1]) / gap, 0.0, 1.0)
    xyz = motion.xyz[after - 1] + share[:, None, None] * (motion.xyz[after] - motion.xyz[after - 1])
    xyz[(gap > 0.2) & (share > 0.05) & (share < 0.95)] = np.nan
    frames = np.rint(np.interp(times, motion.times, motion.frames)).astype(np.int64)
    return replace(motion, times=times, frames=frames, xyz=xyz, sigma=None, contact=None)


def _at_fastest_rate(motion: Motion3D) -> Motion3D:
    """Return a motion whose `fps` is its fastest rate where times of following frames lie unevenly."""
    following = np.diff(motion.frames) == 1
    steps = np.diff(motion.times)[following]
    if len(steps) == 0 or is_even(np.concatenate([[0.0], np.cumsum(steps)])):
        return motion
    fastest = fastest_rate(np.concatenate([[0.0], np.cumsum(steps)]))
    slowest = float(1.0 / steps.max())
    words = f"variable frame rate ({slowest:.6g} to {fastest:.6g} per second), resampled at {fastest:.6g}"
    before = [part for part in motion.rate.split("; ") if part and part != VARIES]
    return replace(motion, fps=fastest, rate="; ".join([*before, words]))


def without_holes(motion: Motion3D) -> Motion3D:
    """Return a motion whose missing joints are interpolated in time (held at the ends), for formats that know none."""
    if np.isfinite(motion.xyz).all() or len(motion) == 0:
        return motion
    flat = motion.xyz.reshape(len(motion), -1).copy()
    for column in range(flat.shape[1]):
        known = np.isfinite(flat[:, column])
        if known.any():
            flat[:, column] = np.interp(motion.times, motion.times[known], flat[known, column])
        else:
            flat[:, column] = 0.0
    return replace(motion, xyz=flat.reshape(motion.xyz.shape))
