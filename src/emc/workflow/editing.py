"""What the editor asks of a project: clips, alerts, poses of some frames, and edits that are stored at once."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from emc.config import AlertSettings
from emc.errors import UsageError
from emc.interfaces import RunRecord
from emc.pose.records import Alert, Clip, Edit, FrameAlerts, JointChange, Pose, Prediction, Provenance, Visibility
from emc.pose.skeleton import COCO17, Skeleton, skeleton_named
from emc.stages.edits import OUTSIDE
from emc.store.sql import SqlStore
from emc.workflow.flags import Flags, joints_done, next_open_frame, open_on_frame, read_flags
from emc.workflow.history import EDITOR_KINDS, History, read_history, take_back

MAX_CHANGES = 10_000
"""Joints that one edit of the editor may change: more is a mistake, not an action of a person."""
MAX_FRAMES = 64
"""Frames that are read at once."""
CLIPS_HELD = 8


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person on one frame: the pose, and the model's confidence (J,) in it (0 where it predicted nothing)."""

    pose: Pose
    confidence: np.ndarray


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame: its persons, the open alerts, (m, n) of what nobody has decided yet, and its state.

    state : ``confirmed`` where a person decided every joint that has a place, ``changed`` where some, else ``open``.
    """

    frame: int
    people: tuple[PersonView, ...]
    flagged: tuple[Alert, ...]
    lost: int
    low: int
    state: str


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A frame in the list: (m, n) still open, the open alerts, and its state as in `FrameView`."""

    frame: int
    lost: int
    low: int
    state: str
    flagged: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert in the queue, and on how many (`done`) of its `total` frames a person has decided the joint."""

    alert: Alert
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept in memory of a clip between two requests; read anew when its journal or its run has grown."""

    clip: Clip
    run: RunRecord | None
    flags: Flags | None
    history: History


class Editing:
    """One open project as the editor sees it; safe to use from several threads.

    settings : the bounds of the confidence bands (lost, low). author : who makes the edits.
    """

    def __init__(self, store: SqlStore, settings: AlertSettings, author: str = "") -> None:
        self.store = store
        self.settings = settings
        self._author = author
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._lock = threading.Lock()

    def held(self, clip: str) -> Held:
        """Return a clip's alerts and history as they are now; raises `UsageError` for an unknown clip."""
        with self._lock:
            before = self._held.pop(clip, None)
            now = self._read(clip) if before is None else self._refreshed(before)
            self._held[clip] = now
            while len(self._held) > CLIPS_HELD:
                self._held.popitem(last=False)
            return now

    def skeleton(self, held: Held) -> Skeleton:
        """Return the skeleton of a clip's newest run (COCO's where nothing is predicted yet)."""
        return COCO17 if held.run is None else skeleton_named(held.run.skeleton)

    def frame_rows(self, clip: str, worst_first: bool, offset: int, limit: int) -> tuple[int, list[FrameRow]]:
        """Return how many frames are predicted, and a page of them with (m, n)."""
        held = self.held(clip)
        if held.run is None or held.flags is None:
            return 0, []
        flags = held.flags
        page = self.store.frame_alerts(held.run.id, limit, offset, worst_first)
        views = {view.frame: view for view in self._touched_views(held, [row.frame for row in page])}
        total = self.store.alert_counts(held.run.id)[1]
        return total, [_row(flags, views.get(row.frame), row) for row in page]

    def alert_rows(self, clip: str, worst_first: bool, offset: int, limit: int) -> tuple[int, list[AlertRow]]:
        """Return how many alerts there are, and a page of them."""
        held = self.held(clip)
        if held.flags is None:
            return 0, []
        chosen = held.flags.ordered(worst_first)[offset : offset + limit].tolist()
        counts = joints_done(held.flags, chosen, held.history.decided)
        rows = [AlertRow(held.flags.alerts[i], *count) for i, count in zip(chosen, counts, strict=True)]
        return len(held.flags.alerts), rows

    def next_open(self, clip: str, frame: int, step: int, worst_first: bool) -> int | None:
        """Return the next frame that has an open alert; None where there is none."""
        held = self.held(clip)
        if held.run is None or held.flags is None:
            return None
        decided = held.history.decided
        return next_open_frame(self.store, held.run.id, held.flags, frame, step, worst_first, decided)

    def frames(self, clip: str, first: int, last: int) -> list[FrameView]:
        """Return frames first..last (inclusive, at most `MAX_FRAMES`), those without a person too."""
        held = self.held(clip)
        if not 0 <= first <= last < held.clip.frames:
            raise UsageError(f"frames {first} to {last} of clip {clip} are none: use 0 to {held.clip.frames - 1}")
        if last - first >= MAX_FRAMES:
            raise UsageError(f"{last - first + 1} frames are too many at once: ask for at most {MAX_FRAMES}")
        return self._views(held, range(first, last + 1))

    def apply(self, clip: str, kind: str, changes: Sequence[JointChange], seconds: float, token: str) -> Edit:
        """Store an edit; it is durable when this returns. Raises `UsageError` for one that cannot be."""
        held = self.held(clip)
        check_edit(held.clip, self.skeleton(held), kind, changes)
        edit = Edit(clip, kind, tuple(changes), self._author, seconds)
        return self.store.append_edit(edit, token=token)

    def undo(self, clip: str, target: int | None = None, token: str = "") -> Edit | None:
        """Take back the last edit that the editor made of a clip (or edit `target`); None where there is none."""
        return self._take_back(clip, target, self.held(clip).history.done, token)

    def redo(self, clip: str, target: int | None = None, token: str = "") -> Edit | None:
        """Bring back the edit that was taken back last (or by undo `target`); None where there is none."""
        return self._take_back(clip, target, self.held(clip).history.undone, token)

    def _take_back(self, clip: str, target: int | None, stack: Sequence[int], token: str) -> Edit | None:
        if target is None and not stack:
            return None
        run = self.held(clip).run
        edit = take_back(
            self.store, clip, run.id if run else None, stack[-1] if target is None else target, self._author
        )
        return self.store.append_edit(edit, token=token)

    def _read(self, clip: str) -> Held:
        found = self.store.clip(clip)
        run = self.store.current_run(clip)
        flags = read_flags(self.store, run) if run else None
        return Held(found, run, flags, read_history(self.store.edits(clip)))

    def _refreshed(self, before: Held) -> Held:
        clip = before.clip.id
        run = self.store.current_run(clip)
        if run != before.run:
            return self._read(clip)
        if not self.store.edits(clip, after=before.history.last):
            return before
        return Held(before.clip, run, before.flags, read_history(self.store.edits(clip)))

    def _touched_views(self, held: Held, frames: Iterable[int]) -> list[FrameView]:
        decided = {frame for frame, _, _ in held.history.decided}
        return [view for frame in frames if frame in decided for view in self._views(held, range(frame, frame + 1))]

    def _views(self, held: Held, frames: range) -> list[FrameView]:
        first, last = frames[0], frames[-1]
        run = held.run.id if held.run else None
        poses: dict[int, list[Pose]] = defaultdict(list)
        for pose in self.store.poses(held.clip.id, run, first, last):
            poses[pose.frame].append(pose)
        found: dict[tuple[int, int], Prediction] = {}
        if run is not None:
            found = {(p.frame, p.person): p for p in self.store.predictions(run, first, last)}
        return [self._view(held, frame, poses[frame], found) for frame in frames]

    def _view(
        self, held: Held, frame: int, poses: Sequence[Pose], found: dict[tuple[int, int], Prediction]
    ) -> FrameView:
        people = tuple(PersonView(pose, _confidence(pose, found.get((frame, pose.person)))) for pose in poses)
        lost = sum(int(_open_lost(person, self.settings).sum()) for person in people)
        low = sum(int(_open_low(person, self.settings).sum()) for person in people)
        flagged = open_on_frame(held.flags, frame, held.history.decided) if held.flags else []
        return FrameView(frame, people, tuple(flagged), lost, low, _state(people))


def check_edit(clip: Clip, skeleton: Skeleton, kind: str, changes: Sequence[JointChange]) -> None:
    """Raise `UsageError` where an edit from the editor cannot be meant, naming frame, person and joint."""
    if kind not in EDITOR_KINDS:
        raise UsageError(f"edit kind '{kind}' is unknown: use one of {', '.join(EDITOR_KINDS)}")
    if not 0 < len(changes) <= MAX_CHANGES:
        raise UsageError(f"an edit of {len(changes)} joints cannot be: change 1 to {MAX_CHANGES}")
    margin = OUTSIDE * max(clip.width, clip.height)
    for change in changes:
        where = f"clip {clip.id}, frame {change.frame}, person {change.person}, joint {change.joint}"
        if not 0 <= change.joint < len(skeleton):
            raise UsageError(f"{where}: skeleton {skeleton.name} has joints 0 to {len(skeleton) - 1}")
        if change.provenance < Provenance.HUMAN:
            raise UsageError(f"{where}: provenance {change.provenance} is a machine's: send 2 (human) or 3 (confirmed)")
        placed = math.isfinite(change.x) and math.isfinite(change.y)
        if not placed and change.visibility is not Visibility.ABSENT:
            raise UsageError(f"{where} has no place, so it cannot be {change.visibility.name.lower()}: place it first")
        inside = -margin <= change.x <= clip.width - 1 + margin and -margin <= change.y <= clip.height - 1 + margin
        if placed and not inside:
            raise UsageError(f"{where}: ({change.x:.1f}, {change.y:.1f}) is far outside the frame: place it nearer")


def _confidence(pose: Pose, prediction: Prediction | None) -> np.ndarray:
    confidence = np.zeros(len(pose.xy), dtype=np.float32)
    if prediction is not None:
        placed = np.isfinite(prediction.xy).all(axis=1)
        confidence[: len(prediction.confidence)] = np.where(placed, np.nan_to_num(prediction.confidence), 0)
    return confidence


def _open_lost(person: PersonView, settings: AlertSettings) -> np.ndarray:
    return (person.confidence < settings.lost) & (person.pose.provenance < Provenance.HUMAN)


def _open_low(person: PersonView, settings: AlertSettings) -> np.ndarray:
    low = (person.confidence >= settings.lost) & (person.confidence < settings.low)
    return low & (person.pose.provenance < Provenance.HUMAN)


def _state(people: Sequence[PersonView]) -> str:
    by_hand = [person.pose.provenance >= Provenance.HUMAN for person in people]
    if not any(decided.any() for decided in by_hand):
        return "open"
    placed = [np.isfinite(person.pose.xy).all(axis=1) for person in people]
    whole = all((decided | ~place).all() for decided, place in zip(by_hand, placed, strict=True))
    return "confirmed" if whole else "changed"


def _row(flags: Flags, view: FrameView | None, counts: FrameAlerts) -> FrameRow:
    if view is not None:
        return FrameRow(view.frame, view.lost, view.low, view.state, view.flagged)
    flagged = open_on_frame(flags, counts.frame, {})
    return FrameRow(counts.frame, counts.lost, counts.low, "open", tuple(flagged))
