"""The lifted pose of one frame, and where the 3D motion and the 2D joints do not fit together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np

from emc.config import LiftSettings
from emc.errors import UsageError
from emc.interfaces import Lifter
from emc.pose.records import Pose, Visibility
from emc.pose.skeleton import COCO17, H36M17
from emc.stages.lift import lift_clip
from emc.workflow.editing import Editing
from emc.workflow.lifters import lifter_of

AROUND = 60
"""Frames to each side that are lifted together: beyond them a small lifter sees nothing."""
TRAIL = 20
"""Frames whose places are shown as a trail."""
_KEPT = 32
_PAIRS = tuple((i, H36M17.index(name)) for i, name in enumerate(COCO17.joints) if name in H36M17.joints)


@dataclass(frozen=True, slots=True)
class LiftedPose:
    """One person in 3D on one frame.

    xyz : (17, 3) Human3.6M-17 in metres, camera axes, pelvis at the origin. scale : pixels per metre. pixel : (17, 2)
    the same joints in the frame. off : (17,) pixels between each COCO-17 joint and its lifted one, NaN where unknown.
    side : pixels, the longer side of the person. before : (T, 17, 3) the frames up to this one, oldest first. ground :
    metres, y of the floor: where the lowest joint is on half of the lifted frames.
    """

    xyz: np.ndarray
    scale: float
    pixel: np.ndarray
    off: np.ndarray
    side: float
    before: np.ndarray = field(default_factory=lambda: np.zeros((0, len(H36M17), 3)))
    ground: float = 0.9


class Lifting:
    """Lifts persons of an open project around a frame; safe to use from several threads."""

    def __init__(self, editing: Editing, settings: LiftSettings) -> None:
        self._editing = editing
        self._settings = settings
        self._lifter: Lifter | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, int, int, int], LiftedPose] = OrderedDict()

    def pose(self, clip: str, frame: int, person: int) -> LiftedPose:
        """Return a person in 3D as corrected so far; raises `UsageError` where there is nothing to lift."""
        held = self._editing.held(clip)
        if held.run is None or held.run.skeleton != COCO17.name:
            raise UsageError(f"clip {clip} has no COCO-17 predictions: only these can be lifted")
        key = (clip, held.run.id, frame, person, held.history.last)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._lift(clip, held.run.id, frame, person)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key]

    def _lift(self, clip: str, run: str, frame: int, person: int) -> LiftedPose:
        found = self._editing.store.clip(clip)
        first, last = max(0, frame - AROUND), min(found.frames - 1, frame + AROUND)
        poses = [p for p in self._editing.store.poses(clip, run, first, last) if p.person == person]
        here = next((p for p in poses if p.frame == frame), None)
        if here is None:
            raise UsageError(f"clip {clip} has no person {person} on frame {frame}: choose one that is shown")
        sequence = lift_clip(poses, self._loaded(), (found.width, found.height)).get(person)
        at = [] if sequence is None else np.flatnonzero(sequence.frames == frame).tolist()
        if sequence is None or not at or not np.isfinite(sequence.xyz[at[0]]).all():
            raise UsageError(f"clip {clip}, frame {frame}: person {person} has too few joints to be lifted")
        xyz = sequence.xyz.astype(np.float64)
        lowest = np.nanmax(np.where(np.isfinite(xyz[:, :, 1]), xyz[:, :, 1], -np.inf), axis=1)
        ground = float(np.median(lowest[np.isfinite(lowest)]))
        before = xyz[max(0, at[0] - TRAIL) : at[0]]
        return replace(projected(xyz[at[0]], here), before=before, ground=ground)

    def _loaded(self) -> Lifter:
        lifter = self._lifter
        if lifter is None:
            lifter = self._lifter = lifter_of(self._settings)
        return lifter


def projected(xyz: np.ndarray, pose: Pose) -> LiftedPose:
    """Fit a 3D pose to a 2D one by scale and shift (a distant camera), and say how far each joint is off.

    xyz : (17, 3) metres, camera axes. Joints that are far off count less, so that one wrong joint does not spoil all.
    """
    known = np.isfinite(pose.xy).all(axis=1) & (pose.visibility != Visibility.ABSENT)
    pairs = [(i, j) for i, j in _PAIRS if known[i]]
    if len(pairs) < 4:
        raise UsageError(f"frame {pose.frame}: person {pose.person} has {len(pairs)} limb joints, lifting needs 4")
    flat = xyz[[j for _, j in pairs], :2]
    seen = pose.xy[[i for i, _ in pairs]].astype(np.float64)
    weight = np.ones(len(pairs))
    scale, shift = 1.0, np.zeros(2)
    for _ in range(5):
        scale, shift = _fit(flat, seen, weight)
        away = np.linalg.norm(scale * flat + shift - seen, axis=1)
        weight = 1.0 / (1.0 + (away / max(float(np.median(away)), 1e-6) / 2.0) ** 2)
    pixel = scale * xyz[:, :2] + shift
    off = np.full(len(COCO17), np.nan)
    for i, j in pairs:
        off[i] = float(np.linalg.norm(pixel[j] - pose.xy[i]))
    placed = pose.xy[known]
    side = float(max(pose.box[2:])) if pose.box is not None else float(np.ptp(placed, axis=0).max())
    return LiftedPose(xyz, scale, pixel, off, max(side, 1.0))


def _fit(flat: np.ndarray, seen: np.ndarray, weight: np.ndarray) -> tuple[float, np.ndarray]:
    """Return scale and shift that take (N, 2) metres to (N, 2) pixels, least squares by weight."""
    share = weight / weight.sum()
    a, b = share @ flat, share @ seen
    spread = float((share[:, None] * (flat - a) ** 2).sum())
    scale = float((share[:, None] * (flat - a) * (seen - b)).sum()) / max(spread, 1e-9)
    return scale, b - scale * a
