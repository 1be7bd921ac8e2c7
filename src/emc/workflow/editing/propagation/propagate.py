"""A fix and what it repairs: a joint's run read from the project, flow followed, the smoother's answer as changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emc.pose.journal import fold_edits
from emc.pose.records import Clip, Edit, JointChange, Pose, Provenance, Visibility
from emc.stages.propagate import (
    FlowChain,
    FollowedPoint,
    GreyCrop,
    JointRun,
    Repair,
    StopReason,
    follow_kin,
    follow_point,
    kin_of,
    propagate,
    scene_cuts,
)
from emc.store import SqlStore
from emc.workflow.editing.history import OPERATION_KINDS
from emc.workflow.editing.propagation.crops import CropCache, PersonBoxes

REACH = 45
"""Frames to each side of a fix, unless the page asks for another number."""
PROPAGATING_KINDS = frozenset(("drag", "place", "nudge", "candidate", "resolve"))
"""Kinds of edits that place a joint, so that the placing tells of the frames around it."""
MOST_JOINTS = 8
"""An edit that places more joints than this is not one fix; it is stored as it is."""


@dataclass(frozen=True, slots=True)
class PropagatedSpan:
    """What one fix makes of its joint's run: `was` (T, 2) pixels the places before, NaN where there were none."""

    frame: int
    person: int
    joint: int
    visibility: Visibility
    repair: Repair
    was: np.ndarray

    def changes(self) -> list[JointChange]:
        """Return the machine's part of the edit: one change for each frame that the fix repairs."""
        return [
            JointChange(int(frame), self.person, self.joint, float(x), float(y), self.visibility, Provenance.PROPAGATED)
            for frame, (x, y), moved in zip(self.repair.frames, self.repair.xy, self.repair.moved, strict=True)
            if moved and np.isfinite((x, y)).all()
        ]


class Propagator:
    """Carries fixes along the runs of a project's clips; keeps the pictures that flow needs."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.shelf = CropCache()

    def close(self) -> None:
        """Release what is held; safe to call twice."""
        self.shelf.close()

    def spans(
        self,
        clip: Clip,
        run: str | None,
        changes: Sequence[JointChange],
        kinds: Mapping[int, str],
        reach: int = REACH,
        budget: float = 2.0,
        joints: Sequence[str] = (),
    ) -> list[PropagatedSpan]:
        """Return what the placed joints among `changes` repair; nothing is written.

        run : the prediction run that poses come from. kinds : edit id -> kind, of the clip's journal. budget :
        seconds that decoding may take; flow ends where pictures are missing. joints : names of the skeleton's joints;
        those that move with a placed one follow it (`emc.stages.propagate.kin`), after the spans of the placed ones.
        """
        placed = [change for change in changes if _is_fix(change)]
        if not placed or len(placed) > MOST_JOINTS or run is None:
            return []
        if clip.still:
            # The next picture shows another moment, or somebody else: nothing moves from one to the other.
            reach = 0
        found = [self._spans(clip, run, change, placed, kinds, reach, budget, joints) for change in placed]
        return [own for own, _ in found] + [span for _, kin in found for span in kin]

    def warm(self, clip: Clip, run: str | None, person: int, frame: int, reach: int = REACH) -> tuple[int, int]:
        """Decode ahead what a fix of this person on this frame would need; returns how much is ready, and wanted."""
        if run is None or clip.still:
            return 0, 0
        first, last = max(0, frame - reach), min(clip.frames - 1, frame + reach)
        boxes = {p.frame: p.box for p in self._store.predictions(run, first, last) if p.person == person}
        return self.shelf.warm(PersonBoxes(clip, person, boxes))

    def crops(self, clip: Clip, poses: Sequence[Observation], person: int, budget: float) -> list[GreyCrop | None]:
        """Return the person's crops on the frames of `poses`."""
        return self.shelf.crops(PersonBoxes(clip, person, {seen.frame: seen.box for seen in poses}), budget)

    def _spans(
        self,
        clip: Clip,
        run: str,
        change: JointChange,
        placed: Sequence[JointChange],
        kinds: Mapping[int, str],
        reach: int,
        budget: float,
        joints: Sequence[str],
    ) -> tuple[PropagatedSpan, list[PropagatedSpan]]:
        first, last = max(0, change.frame - reach), min(clip.frames - 1, change.frame + reach)
        width = max(len(joints), 1 + max(other.joint for other in placed))
        seen = observations(self._store, clip, run, change.person, (first, last), kinds, width)
        same = [other for other in placed if (other.person, other.joint) == (change.person, change.joint)]
        seen = _with_places(seen, same, width)
        crops: list[GreyCrop | None] = [None] * len(seen)
        if change.visibility is Visibility.VISIBLE:
            crops = self.crops(clip, seen, change.person, budget)
        kin = kin_of(joints, change.joint)
        run_of_joint = joint_run(seen, change.joint, crops, kin)
        chains = _chains(run_of_joint, crops, [c for c in same if c.visibility is Visibility.VISIBLE])
        repair = propagate(run_of_joint, change.frame, chains, reach)
        told = {(other.person, other.joint) for other in placed}
        others = [joint for joint in kin if (change.person, joint) not in told]
        following = {joint: joint_run(seen, joint, crops, kin_of(joints, joint)) for joint in others}
        repairs = [(joint, run, follow_kin(run, change.frame, reach)) for joint, run in following.items()]
        kin_spans = [_span(change, joint, run, found) for joint, run, found in repairs if found is not None]
        return _span(change, change.joint, run_of_joint, repair), kin_spans


def _span(change: JointChange, joint: int, run: JointRun, repair: Repair) -> PropagatedSpan:
    was = run.predicted[np.isin(run.frames, repair.frames)]
    visibility = change.visibility if joint == change.joint else Visibility.VISIBLE
    return PropagatedSpan(change.frame, change.person, joint, visibility, repair, was)


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame of one person: the pose that machines may replace, its confidence (J,) and its box (4,).

    predicted : (J, 2) pixels, what the model said, whoever moved it since; None where it said nothing.
    """

    frame: int
    pose: Pose
    confidence: np.ndarray
    box: np.ndarray
    predicted: np.ndarray | None = None


def observations(
    store: SqlStore,
    clip: Clip,
    run: str,
    person: int,
    frames: tuple[int, int],
    kinds: Mapping[int, str],
    joints: int = 0,
) -> list[Observation]:
    """Return what is known of one person on frames first..last (inclusive), without what earlier fixes propagated.

    joints : how many each pose has at least. A person without predictions has only the joints that edits name, which
    may be fewer than the skeleton's.

    What a fix propagated follows from the fix and from what is seen; it must not bear itself out. Swapped or copied
    places (`OPERATION_KINDS`) are kept: there a person told the machine what to see.
    """
    predictions = [p for p in store.predictions(run, *frames) if p.person == person]
    edits = _observed(store.standing_edits(clip.id, *frames), person, kinds)
    confidence = {p.frame: p.confidence for p in predictions}
    places = {p.frame: p.xy for p in predictions}
    seen: list[Observation] = []
    for pose in fold_edits(predictions, edits, joints=joints):
        box = pose.box if pose.box is not None else _box_of(pose)
        if box is not None:
            given = confidence.get(pose.frame, np.zeros(0, dtype=np.float32))
            padded = np.zeros(len(pose.xy))
            padded[: len(given)] = np.nan_to_num(given)
            found = places.get(pose.frame)
            seen.append(Observation(pose.frame, pose, padded, np.asarray(box, dtype=np.float64), found))
    return seen


def _observed(edits: Iterable[Edit], person: int, kinds: Mapping[int, str]) -> list[Edit]:
    kept: list[Edit] = []
    for edit in edits:
        told = kinds.get(edit.id, "") in OPERATION_KINDS
        changes = tuple(
            c for c in edit.changes if c.person == person and (told or c.provenance is not Provenance.PROPAGATED)
        )
        if changes:
            kept.append(replace(edit, changes=changes))
    return kept


def _is_fix(change: JointChange) -> bool:
    return change.provenance >= Provenance.HUMAN and change.visibility is not Visibility.ABSENT


def _with_places(seen: Sequence[Observation], changes: Sequence[JointChange], joints: int) -> list[Observation]:
    """Return the frames with a person's new places, which the journal does not hold yet; poses have `joints`."""
    by_frame = {item.frame: item for item in seen}
    for change in changes:
        item = by_frame.get(change.frame)
        if item is None:
            item = Observation(change.frame, _blank(change, joints), *_nearest(seen, change, joints))
        xy, visibility, provenance = (a.copy() for a in (item.pose.xy, item.pose.visibility, item.pose.provenance))
        xy[change.joint] = (change.x, change.y)
        visibility[change.joint], provenance[change.joint] = change.visibility, change.provenance
        by_frame[change.frame] = replace(
            item, pose=replace(item.pose, xy=xy, visibility=visibility, provenance=provenance)
        )
    return [by_frame[frame] for frame in sorted(by_frame)]


def _blank(change: JointChange, joints: int) -> Pose:
    nothing = np.zeros(joints, dtype=np.int8)
    return Pose(change.frame, change.person, np.full((joints, 2), np.nan, np.float32), nothing, nothing)


def _nearest(seen: Sequence[Observation], change: JointChange, joints: int) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence and box for a frame on which a machine saw nobody: the box of the nearest frame."""
    if not seen:
        return np.zeros(joints), np.array([change.x - 50, change.y - 50, 100.0, 100.0])
    near = min(seen, key=lambda item: abs(item.frame - change.frame))
    return np.zeros(len(near.confidence)), near.box


def _box_of(pose: Pose) -> np.ndarray | None:
    placed = pose.xy[np.isfinite(pose.xy).all(axis=1)]
    if len(placed) < 2:
        return None
    low, high = placed.min(axis=0), placed.max(axis=0)
    return np.concatenate([low, np.maximum(high - low, 1.0)])


def joint_run(
    seen: Sequence[Observation], joint: int, crops: Sequence[GreyCrop | None], kin: Sequence[int] = ()
) -> JointRun:
    """Return one joint of what was seen, as the smoother takes it; `kin`: joints that move with it."""
    xy = np.array([item.pose.xy[joint] for item in seen], dtype=np.float64)
    provenance = np.array([item.pose.provenance[joint] for item in seen])
    visibility = np.array([item.pose.visibility[joint] for item in seen])
    by_hand = provenance >= Provenance.HUMAN
    placed = by_hand & (visibility != Visibility.ABSENT)
    side = np.array([max(float(item.box[2]), float(item.box[3]), 1.0) for item in seen])
    return JointRun(
        frames=np.array([item.frame for item in seen], dtype=np.int64),
        predicted=np.where(by_hand[:, None], np.nan, xy),
        confidence=np.array([item.confidence[joint] for item in seen], dtype=np.float64),
        human=np.where(placed[:, None], xy, np.nan),
        hidden=by_hand & (visibility != Visibility.VISIBLE),
        side=side,
        cut=scene_cuts(crops),
        seen=np.where(placed[:, None], [_predicted(item, joint) for item in seen], np.nan),
        kin=tuple(_errors(seen, other) for other in kin),
    )


def _errors(seen: Sequence[Observation], joint: int) -> np.ndarray:
    """Return (T, 2) pixels from the model's place to the person's, NaN where not both are known."""
    by_hand = np.array(
        [
            item.pose.provenance[joint] >= Provenance.HUMAN and item.pose.visibility[joint] != Visibility.ABSENT
            for item in seen
        ]
    )
    xy = np.array([item.pose.xy[joint] for item in seen], dtype=np.float64)
    return np.where(by_hand[:, None], xy - [_predicted(item, joint) for item in seen], np.nan)


def _predicted(item: Observation, joint: int) -> np.ndarray:
    if item.predicted is None or joint >= len(item.predicted):
        return np.full(2, np.nan)
    return np.asarray(item.predicted[joint], dtype=np.float64)


def _chains(run: JointRun, crops: Sequence[GreyCrop | None], fixes: Sequence[JointChange]) -> list[FlowChain]:
    """Return the flow's chains from the new fixes, and from the human points on both ends of their run."""
    places = {int(np.searchsorted(run.frames, c.frame)): np.array([c.x, c.y]) for c in fixes}
    by_hand = np.flatnonzero(np.isfinite(run.human).all(axis=1) & ~run.hidden)
    for i in list(places):
        for neighbours in (by_hand[by_hand < i][-1:], by_hand[by_hand > i][:1]):
            places.update({int(n): run.human[n] for n in neighbours if int(n) not in places})
    return [_chain(follow_point(crops, i, xy, run.predicted, run.side)) for i, xy in sorted(places.items())]


def _chain(found: FollowedPoint) -> FlowChain:
    return FlowChain(found.xy, found.error, StopReason(found.before), StopReason(found.after))
