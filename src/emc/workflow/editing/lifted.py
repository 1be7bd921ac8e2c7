"""The lifted pose of one frame, and where the 3D motion and the 2D joints do not fit together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from emc.config import LiftSettings
from emc.errors import UsageError
from emc.interfaces import Lifter
from emc.pose.motion import LiftedSequence, joint_angles
from emc.pose.records import Clip, Pose, Prediction, Visibility
from emc.pose.skeletons import COCO17, H36M17
from emc.stages.lift import lift_clip
from emc.workflow.editing.session import Editing
from emc.workflow.lifting import lifter_of, trusted_observations
from emc.workflow.media import clip_shots

AROUND = 60
"""Frames to each side that are lifted together: beyond them a small lifter sees nothing."""
TRAIL = 20
"""Frames whose places are shown as a trail."""
CURRENT = "current"
"""Names the run that is shown, as it was before any correction."""
_KEPT = 32
_PAIRS = tuple((i, H36M17.index(name)) for i, name in enumerate(COCO17.joints) if name in H36M17.joints)


@dataclass(frozen=True, slots=True)
class AngleCurves:
    """Joint angles around a frame: name of `emc.pose.motion.ANGLES` -> (T,) degrees from frame `first` on.

    NaN where the person was not lifted, or an angle is undefined.
    """

    first: int = 0
    degrees: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])


@dataclass(frozen=True, slots=True)
class EarlierPose:
    """The same person on the same frame by a run's raw predictions: (17, 3) as `LiftedPose.xyz`, and its angles."""

    xyz: np.ndarray
    angles: AngleCurves


@dataclass(frozen=True, slots=True)
class LiftedPose:
    """One person in 3D on one frame.

    xyz : (17, 3) Human3.6M-17 in metres, camera axes, pelvis at the origin. scale : pixels per metre. pixel : (17, 2)
    the same joints in the frame. off : (17,) pixels between each COCO-17 joint and its lifted one, NaN where unknown.
    side : pixels, the longer side of the person. before : (T, 17, 3) the frames up to this one, oldest first. ground :
    metres, y of the floor: where the lowest joint is on half of the lifted frames. angles : around this frame.
    earlier : what a run predicted, where that was asked for and is there.
    """

    xyz: np.ndarray
    scale: float
    pixel: np.ndarray
    off: np.ndarray
    side: float
    before: np.ndarray = field(default_factory=lambda: np.zeros((0, len(H36M17), 3)))
    ground: float = 0.9
    angles: AngleCurves = field(default_factory=AngleCurves)
    earlier: EarlierPose | None = None


class Lifting:
    """Lifts persons of an open project around a frame; safe to use from several threads."""

    def __init__(self, editing: Editing, settings: LiftSettings) -> None:
        self._editing = editing
        self._settings = settings
        self._lifter: Lifter | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, int, int, int, str], LiftedPose] = OrderedDict()

    def pose(self, clip: str, frame: int, person: int, before: str = "") -> LiftedPose:
        """Return a person in 3D as corrected so far; raises `UsageError` where there is nothing to lift.

        before : also what this run predicted, before any correction; `CURRENT` is the run that is shown, "" none.
        """
        held = self._editing.open_clip(clip)
        if held.run is None or held.run.skeleton != COCO17.name:
            raise UsageError(f"clip {clip} has no COCO-17 predictions: only these can be lifted")
        run = held.run.id if before == CURRENT else before
        key = (clip, held.run.id, frame, person, held.history.last, run)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = replace(
                    self._lift(clip, held.run.id, frame, person), earlier=self._earlier(clip, run, frame, person)
                )
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return self._kept[key]

    def _lift(self, clip: str, run: str, frame: int, person: int) -> LiftedPose:
        found = self._editing.store.clip(clip)
        here = next((p for p in self._editing.poses(clip, frame, frame) if p.person == person), None)
        if here is None:
            raise UsageError(f"clip {clip} has no person {person} on frame {frame}: choose one that is shown")
        observed = trusted_observations(self._editing.store, clip, run, *around(found, frame))
        sequence, at = self._sequence(found, observed, frame, person)
        if sequence is None:
            raise UsageError(f"clip {clip}, frame {frame}: person {person} has too few joints to be lifted")
        xyz = sequence.xyz.astype(np.float64)
        lowest = np.nanmax(np.where(np.isfinite(xyz[:, :, 1]), xyz[:, :, 1], -np.inf), axis=1)
        ground = float(np.median(lowest[np.isfinite(lowest)]))
        before = xyz[max(0, at - TRAIL) : at]
        return replace(projected(xyz[at], here), before=before, ground=ground, angles=curves_of(sequence))

    def _earlier(self, clip: str, run: str, frame: int, person: int) -> EarlierPose | None:
        if not run:
            return None
        found = self._editing.store.clip(clip)
        runs = {one.id: one for one in self._editing.store.runs(clip) if one.complete}
        if run not in runs:
            raise UsageError(f"clip {clip} has no finished run '{run}': use one of {', '.join(runs) or 'none'}")
        if runs[run].skeleton != COCO17.name:
            return None
        predicted = self._editing.store.predictions(run, *around(found, frame))
        sequence, at = self._sequence(found, predicted, frame, person)
        return None if sequence is None else EarlierPose(sequence.xyz[at].astype(np.float64), curves_of(sequence))

    def _sequence(
        self, clip: Clip, observed: Iterable[Prediction], frame: int, person: int
    ) -> tuple[LiftedSequence | None, int]:
        """Return a person's lifted sequence and the row of the frame in it; None where it cannot be lifted there."""
        own = (one for one in observed if one.person == person)
        cuts = clip_shots(self._editing.store, clip, look=False)
        sequence = lift_clip(own, self._loaded(), (clip.width, clip.height), cuts=cuts).get(person)
        at = [] if sequence is None else np.flatnonzero(sequence.frames == frame).tolist()
        if sequence is None or not at or not np.isfinite(sequence.xyz[at[0]]).all():
            return None, 0
        return sequence, at[0]

    def _loaded(self) -> Lifter:
        lifter = self._lifter
        if lifter is None:
            lifter = self._lifter = lifter_of(self._settings)
        return lifter


def around(clip: Clip, frame: int) -> tuple[int, int]:
    """Return the first and the last frame that are lifted for one."""
    return max(0, frame - AROUND), min(clip.frames - 1, frame + AROUND)


def curves_of(sequence: LiftedSequence) -> AngleCurves:
    """Return the joint angles of a lifted sequence on every frame from its first to its last."""
    first = int(sequence.frames[0])
    rows = sequence.frames - first
    degrees: dict[str, np.ndarray] = {}
    for name, values in joint_angles(sequence.xyz).items():
        degrees[name] = np.full(int(rows[-1]) + 1, np.nan)
        degrees[name][rows] = values
    return AngleCurves(first, degrees)


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
