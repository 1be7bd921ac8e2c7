"""Candidates for a joint on a frame: another heatmap peak, the tracker, interpolation, the mirror joint."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from emc.config import Settings
from emc.errors import EmcError, UsageError
from emc.interfaces import Estimator
from emc.pose.records import Clip, Prediction
from emc.pose.skeletons import Skeleton
from emc.stages.candidates import SURE, Candidate, Source, interpolated, mirrored_place, second_peak
from emc.stages.propagate import FlowChain, GreyCrop, JointRun, PropagationTuning, StopReason, follow_point, fuse
from emc.workflow.editing.models import RunModels, heatmaps, perturbed
from emc.workflow.editing.propagation import Observation, joint_run, observations
from emc.workflow.editing.session import Editing, OpenClip
from emc.workflow.media import open_clip

AROUND = 20
"""Frames to each side that the tracker looks at."""
DECODE_SECONDS = 0.6
_SAME = 0.05
"""Share of the person's size within which two places are one."""
_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Peaks:
    """Chances (J, h, w) of a person on a frame, and the affine from cells to pixels."""

    chances: np.ndarray
    affine: np.ndarray


class Candidates:
    """Finds candidates in an open project; keeps what the estimator said of the crops that were asked for last."""

    def __init__(self, editing: Editing, settings: Settings) -> None:
        self._editing = editing
        self._models = RunModels(editing.store.folder, settings)
        self._peaks: OrderedDict[tuple[str, int, int], _Peaks | np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, clip: str, frame: int, person: int, joint: int) -> list[Candidate]:
        """Return the candidates of a joint, by key; those that cannot be had are left out.

        Raises `UsageError` for a frame or joint that there is not.
        """
        held = self._editing.open_clip(clip)
        skeleton = self._editing.skeleton(held)
        if not 0 <= frame < held.clip.frames or not 0 <= joint < len(skeleton):
            raise UsageError(f"clip {clip} has no joint {joint} on frame {frame}: choose one that is shown")
        if held.run is None:
            return []
        span = (max(0, frame - AROUND), min(held.clip.frames - 1, frame + AROUND))
        seen = observations(self._editing.store, held.clip, held.run.id, person, span, held.kinds, len(skeleton))
        found = [
            self._peak(held, frame, person, joint),
            self._tracked(held.clip, seen, frame, person, joint),
            _interpolated(seen, frame, joint),
            self._mirrored(held, skeleton, frame, person, joint),
        ]
        return [candidate for candidate in found if candidate is not None]

    def _peak(self, held: OpenClip, frame: int, person: int, joint: int) -> Candidate | None:
        peaks = self._read(held, frame, person)
        if peaks is None:
            return None
        found = _from_maps(peaks, joint) if isinstance(peaks, _Peaks) else _from_votes(peaks, joint)
        return None if found is None else _candidate(Source.PEAK, *found)

    def _read(self, held: OpenClip, frame: int, person: int) -> _Peaks | np.ndarray | None:
        """Return what the run's estimator sees in a person's crop: maps, or (N, J, 3) votes of shifted crops."""
        if held.run is None:
            return None
        key = (held.run.id, frame, person)
        with self._lock:
            if key in self._peaks:
                return self._peaks[key]
            given = [p for p in self._editing.store.predictions(held.run.id, frame, frame) if p.person == person]
            estimator = self._models.estimator(held.run.model) if given else None
            if estimator is None:
                return None
            try:
                peaks = self._look(held.clip, given[0], estimator)
            except (EmcError, OSError):
                # Missing media: the page's picture says so; the other candidates need none.
                return None
            self._peaks[key] = peaks
            while len(self._peaks) > _KEPT:
                self._peaks.popitem(last=False)
            return peaks

    def _look(self, clip: Clip, given: Prediction, estimator: Estimator) -> _Peaks | np.ndarray:
        with open_clip(clip) as media:
            image = media.read(given.frame)
        maps = heatmaps(estimator, image, given.box)
        return perturbed(estimator, image, given.box) if maps is None else _Peaks(*maps)

    def _tracked(self, clip: Clip, seen: list[Observation], frame: int, person: int, joint: int) -> Candidate | None:
        """Return where the path leads that the joint has on the frames around, its own place here left out."""
        here = next((i for i, item in enumerate(seen) if item.frame == frame), None)
        if here is None or len(seen) < 3:
            return None
        crops = self._editing.propagator.crops(clip, seen, person, DECODE_SECONDS)
        run = _without(joint_run(seen, joint, crops), here)
        chains = _chains_to(run, crops, here)
        if not chains and not _bears(run, here):
            return None
        xy, spread, _ = fuse(run, chains, PropagationTuning())
        sigma = float(spread[here]) / float(run.side[here])
        if not np.isfinite(xy[here]).all() or sigma > 0.2:
            return None
        return _candidate(Source.TRACKER, xy[here], 1.0 / (1.0 + (sigma / 0.02) ** 2))

    def _mirrored(self, held: OpenClip, skeleton: Skeleton, frame: int, person: int, joint: int) -> Candidate | None:
        for view in self._editing.frames(held.clip.id, frame, frame)[0].people:
            if view.pose.person == person:
                place = mirrored_place(view.pose.xy.astype(np.float64), skeleton, joint)
                if place is not None:
                    by_hand = view.pose.provenance[skeleton.flip[joint]] >= 2
                    score = 1.0 if by_hand else float(view.confidence[skeleton.flip[joint]])
                    return _candidate(Source.MIRROR, place, score / 2)
        return None


def _candidate(source: Source, xy: np.ndarray, score: float) -> Candidate:
    return Candidate(source, (float(xy[0]), float(xy[1])), float(np.clip(score, 0.0, 1.0)))


def _from_maps(peaks: _Peaks, joint: int) -> tuple[np.ndarray, float] | None:
    found = second_peak(peaks.chances[joint])
    if found is None:
        return None
    cell, share = found
    return peaks.affine[:, :2] @ cell + peaks.affine[:, 2], share


def _from_votes(votes: np.ndarray, joint: int) -> tuple[np.ndarray, float] | None:
    """Return the place that most of the votes outside the main group share, and their part of all confidence."""
    places, weight = votes[:, joint, :2], votes[:, joint, 2]
    spread = float(np.ptp(votes[:, :, :2].reshape(-1, 2), axis=0).max()) * _SAME
    main = places[int(weight.argmax())]
    others = np.flatnonzero(np.linalg.norm(places - main, axis=1) > 2 * spread)
    if not len(others):
        return None
    near = np.linalg.norm(places[others][:, None] - places[others][None], axis=2) <= spread
    group = others[near[int((near * weight[others]).sum(axis=1).argmax())]]
    share = float(weight[group].sum() / max(weight.sum(), 1e-6))
    return np.average(places[group], axis=0, weights=weight[group] + 1e-6), share


def _without(run: JointRun, here: int) -> JointRun:
    predicted, confidence, human = run.predicted.copy(), run.confidence.copy(), run.human.copy()
    predicted[here], confidence[here], human[here] = np.nan, 0.0, np.nan
    return replace(run, predicted=predicted, confidence=confidence, human=human)


def _confidence(run: JointRun) -> np.ndarray:
    by_hand = np.isfinite(run.human).all(axis=1) & ~run.hidden
    found = np.isfinite(run.predicted).all(axis=1)
    return np.where(by_hand, 1.0, np.where(found, np.minimum(run.confidence, 0.99), 0.0))


def _bears(run: JointRun, here: int) -> bool:
    confidence = _confidence(run)
    return bool((confidence[:here] >= SURE).any() and (confidence[here + 1 :] >= SURE).any())


def _chains_to(run: JointRun, crops: list[GreyCrop | None], here: int) -> list[FlowChain]:
    """Return the flow's chains that reach frame `here` from the most trusted frame on each side."""
    confidence = _confidence(run)
    chains: list[FlowChain] = []
    for side in (range(max(0, here - 12), here), range(here + 1, min(len(confidence), here + 13))):
        sure = [i for i in side if confidence[i] >= SURE]
        if not sure:
            continue
        start = max(sure, key=lambda i: (round(float(confidence[i]), 1), -abs(i - here)))
        xy = run.human[start] if confidence[start] == 1.0 else run.predicted[start]
        found = follow_point(crops, start, xy, run.predicted, run.side)
        if np.isfinite(found.xy[here]).all():
            chains.append(FlowChain(found.xy, found.error, StopReason(found.before), StopReason(found.after)))
    return chains


def _interpolated(seen: list[Observation], frame: int, joint: int) -> Candidate | None:
    if not seen:
        return None
    run = joint_run(seen, joint, [None] * len(seen))
    by_hand = np.asarray(np.isfinite(run.human).all(axis=1))
    places = np.where(by_hand[:, None], run.human, run.predicted)
    found = interpolated(run.frames, places, _confidence(run), frame)
    return None if found is None else _candidate(Source.INTERPOLATION, *found)
