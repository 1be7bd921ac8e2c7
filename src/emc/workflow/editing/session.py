"""What the editor asks of a project: clips, alerts, poses of some frames, and edits that are stored at once."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emc.config import AlertSettings
from emc.errors import ConflictError, StorageError, UsageError
from emc.interfaces import RunRecord
from emc.pose.journal import JointKey, fold_edits, joint_versions
from emc.pose.records import Clip, Edit, Pose, Prediction
from emc.pose.skeletons import COCO17, Skeleton
from emc.store import SqlStore
from emc.workflow.editing.actions import Applied, EditAction, check_edit, edit_asked, of_people_now
from emc.workflow.editing.conflicts import changed_since, checked_versions
from emc.workflow.editing.flags import Flags, joints_done, next_open_frame, open_on_frame, read_flags
from emc.workflow.editing.history import History, Steps
from emc.workflow.editing.propagation import PROPAGATING_KINDS, PropagatedSpan, Propagator
from emc.workflow.editing.undo import Verb, step
from emc.workflow.editing.views import AlertRow, FrameRow, FrameView, frame_row, frame_view, person_view
from emc.workflow.predict import refresh_alerts
from emc.workflow.project import declared_skeleton, skeleton_called

MAX_FRAMES = 64
"""Frames that are read at once."""
CLIPS_HELD = 8
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenClip:
    """What is kept in memory of a clip between two requests; read again when its journal or its run has grown.

    alerts : numbers that change when the alerts of the run are replaced.
    """

    clip: Clip
    run: RunRecord | None
    flags: Flags | None
    history: History
    alerts: tuple[int, ...] = ()

    @property
    def kinds(self) -> Mapping[int, str]:
        """Edit id -> kind, of the whole journal."""
        return self.history.kinds


class Editing:
    """One open project as the editor sees it; safe to use from several threads.

    settings : the bounds of the confidence bands (lost, low). author : who makes the edits.
    """

    def __init__(self, store: SqlStore, settings: AlertSettings, author: str = "") -> None:
        self.store = store
        self.settings = settings
        self.author = author
        self.propagator = Propagator(store)
        self._held: OrderedDict[str, OpenClip] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Release what is held in memory; the store is its opener's."""
        self.propagator.close()

    def open_clip(self, clip: str) -> OpenClip:
        """Return a clip's alerts and history as they are now; raises `UsageError` for an unknown clip."""
        with self._lock:
            before = self._held.pop(clip, None)
            now = self._read(clip) if before is None else self._refreshed(before)
            self._held[clip] = now
            # Popped above and put back at the end, so the first is the one longest unused.
            while len(self._held) > CLIPS_HELD:
                self._held.popitem(last=False)
            return now

    def steps(self, clip: str, author: str = "") -> Steps:
        """Return what undo and redo would take of a clip for `author`."""
        return self.open_clip(clip).history.of(author or self.author)

    def skeleton(self, held: OpenClip) -> Skeleton:
        """Return the skeleton of a clip's newest run (the project's where nothing is predicted yet)."""
        return self.run_skeleton(held.run)

    def run_skeleton(self, run: RunRecord | None) -> Skeleton:
        """Return the skeleton of a run, that of the project where there is none."""
        return declared_skeleton(self.store) or COCO17 if run is None else skeleton_called(self.store, run.skeleton)

    def frame_rows(self, clip: str, worst_first: bool, offset: int, limit: int) -> tuple[int, list[FrameRow]]:
        """Return how many frames are predicted, and a page of them with (m, n)."""
        held = self.open_clip(clip)
        if held.run is None or held.flags is None:
            return 0, []
        flags = held.flags
        page = self.store.frame_alerts(held.run.id, limit, offset, worst_first)
        views = {view.frame: view for view in self._touched_views(held, [row.frame for row in page])}
        total = self.store.alert_counts(held.run.id)[1]
        return total, [frame_row(flags, views.get(row.frame), row) for row in page]

    def alert_rows(self, clip: str, worst_first: bool, offset: int, limit: int) -> tuple[int, list[AlertRow]]:
        """Return how many alerts there are, and a page of them."""
        held = self.open_clip(clip)
        if held.flags is None:
            return 0, []
        chosen = held.flags.ordered(worst_first)[offset : offset + limit].tolist()
        counts = joints_done(held.flags, chosen, held.history.decided)
        rows = [AlertRow(held.flags.alerts[i], *count) for i, count in zip(chosen, counts, strict=True)]
        return len(held.flags.alerts), rows

    def next_open(self, clip: str, frame: int, step: int, worst_first: bool) -> int | None:
        """Return the next frame that has an open alert; None where there is none."""
        held = self.open_clip(clip)
        if held.run is None or held.flags is None:
            return None
        decided = held.history.decided
        return next_open_frame(self.store, held.run.id, held.flags, frame, step, worst_first, decided)

    def frames(self, clip: str, first: int, last: int) -> list[FrameView]:
        """Return frames first..last (inclusive, at most `MAX_FRAMES`), those without a person too."""
        held = self.open_clip(clip)
        if not 0 <= first <= last < held.clip.frames:
            raise UsageError(f"frames {first} to {last} of clip {clip} are none: use 0 to {held.clip.frames - 1}")
        if last - first >= MAX_FRAMES:
            raise UsageError(f"{last - first + 1} frames are too many at once: ask for at most {MAX_FRAMES}")
        return self._views(held, range(first, last + 1))

    def some_frames(self, clip: str, frames: Sequence[int]) -> list[FrameView]:
        """Return some frames, ascending; neighbours are read together."""
        held = self.open_clip(clip)
        numbers = np.array(sorted(set(frames)), dtype=np.int64)
        views: list[FrameView] = []
        # Stretches and not one range from first to last: a contact sheet asks for some frames of a whole trajectory,
        # and everything between would be read and folded too.
        for part in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
            if len(part):
                views += self._views(held, range(int(part[0]), int(part[-1]) + 1))
        return views

    def apply(self, clip: str, action: EditAction) -> Applied:
        """Store an action with what it propagates, as one edit; it is durable when this returns.

        An action that was sent before (its answer was lost) is returned as stored. What a person placed is stored
        whatever becomes of the propagation. Raises `UsageError` for an action that cannot be, `JointConflicts` where
        another person decided one of its joints since, `ConflictError` where its token stands for another action.
        """
        asked = edit_asked(clip, action.kind, action.changes, action.propagate, action.reach)
        if action.token and (stored := self.store.edit_sent_as(action.token, asked)) is not None:
            return Applied(stored)
        held = self.open_clip(clip)
        check_edit(held.clip, self.skeleton(held), action.kind, action.changes)
        # Before the versions are compared: these are of the numbers that people have now.
        action = of_people_now(held.clip, action, self.store.people(clip))
        # Before the propagation, which takes up to two seconds: who conflicts is told at once. `_append` compares
        # again, since somebody may act in these seconds.
        checked_versions(self.store, clip, action.changes, action.seen or {})
        spans, fault = self._propagated(clip, action)
        machine = [change for span in spans for change in span.changes()]
        edit = Edit(clip, action.kind, (*action.changes, *machine), action.author or self.author, action.seconds)
        return Applied(self._append(edit, action, asked), tuple(spans), fault)

    def sent_before(self, token: str, asked: str) -> Edit | None:
        """Return what an earlier request of the same token and content stored; raises `ConflictError` for another."""
        return self.store.edit_sent_as(token, asked) if token else None

    def operate(self, edit: Edit, base: int | None, token: str, asked: str = "") -> Edit:
        """Store an operation on a run; raises `JointConflicts` where another person decided a joint since `base`.

        asked : digest of the request (see `emc.workflow.editing.actions`); what was sent before is to be looked for
        (`sent_before`) before the edit is made, since it may no longer be possible then.
        """
        edit = replace(edit, author=edit.author or self.author)
        if base is not None:
            changed_since(self.store, edit.clip, edit.changes, base, edit.author)
        return self.store.append_edit(edit, token=token, content=asked)

    def change_people(self, edit: Edit, token: str, asked: str) -> Edit:
        """Store an edit of whole people, unless it is stored already; the alerts follow."""
        edit = replace(edit, author=edit.author or self.author)
        stored = edit if edit.id else self.store.append_edit(edit, token=token, content=asked)
        refresh_alerts(self.store, edit.clip, self.settings)
        return stored

    def preview(self, clip: str, action: EditAction, budget: float = 2.0) -> list[PropagatedSpan]:
        """Return what an action would propagate; nothing is written."""
        held = self.open_clip(clip)
        check_edit(held.clip, self.skeleton(held), action.kind, action.changes)
        run = held.run.id if held.run else None
        joints = self.skeleton(held).joints
        return self.propagator.spans(held.clip, run, action.changes, held.kinds, action.reach, budget, joints)

    def undo(self, clip: str, target: int | None = None, token: str = "", author: str = "") -> Edit | None:
        """Take back the last edit that `author` made of a clip, None where there is none (see `undo.step`)."""
        return self._step(clip, Verb.UNDO, target, token, author)

    def redo(self, clip: str, target: int | None = None, token: str = "", author: str = "") -> Edit | None:
        """Bring back the edit that `author` took back last, None where there is none (see `undo.step`)."""
        return self._step(clip, Verb.REDO, target, token, author)

    def poses(self, clip: str, first: int, last: int) -> list[Pose]:
        """Return the current poses of frames first..last (inclusive), each with all joints of the skeleton."""
        held = self.open_clip(clip)
        run = held.run.id if held.run else None
        return self.store.poses(clip, run, first, last, joints=len(self.skeleton(held)))

    def _propagated(self, clip: str, action: EditAction) -> tuple[list[PropagatedSpan], str]:
        """Return what an action propagates, and "" or why nothing could be."""
        if not action.propagate or action.kind not in PROPAGATING_KINDS:
            return [], ""
        try:
            return self.preview(clip, action), ""
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, the joint that a person placed is stored
            _log.exception("clip %s: a fix was not carried to the frames around it", clip)
            return [], f"{type(error).__name__}: {error}"

    def _append(self, edit: Edit, action: EditAction, asked: str) -> Edit:
        """Append an edit where nobody decided its joints since; somebody may between the look and the writing."""
        tries = 3
        while True:
            expect = checked_versions(self.store, edit.clip, action.changes, action.seen or {})
            try:
                return self.store.append_edit(edit, expect=expect, token=action.token, content=asked)
            except ConflictError:
                tries -= 1
                if not tries:
                    raise

    def _step(self, clip: str, verb: Verb, target: int | None, token: str, author: str) -> Edit | None:
        run = self.open_clip(clip).run
        who = author or self.author
        stored = step(
            self.store, clip, verb, who, lambda: self.open_clip(clip).history, run.id if run else None, target, token
        )
        refresh_alerts(self.store, clip, self.settings)
        return stored

    def _read(self, clip: str) -> OpenClip:
        found = self.store.clip(clip)
        run = self.store.current_run(clip)
        history = History(self.store.edits(clip))
        if run and history.decided.names_people:
            # Where a process died between an edit of people and the alerts that follow from it. Whoever writes for long
            # must not keep the clip from being looked at: the next edit of people finds them again.
            with contextlib.suppress(StorageError):
                refresh_alerts(self.store, clip, self.settings)
        state = self.store.alert_state(run.id) if run else ()
        flags = read_flags(self.store, run) if run else None
        return OpenClip(found, run, flags, history, state)

    def _refreshed(self, before: OpenClip) -> OpenClip:
        clip = before.clip.id
        run = self.store.current_run(clip)
        if run != before.run or (run and self.store.alert_state(run.id) != before.alerts):
            return self._read(clip)
        # Only what is new: reading a journal of ten thousand edits for every action would be felt in the page.
        before.history.grow(self.store.edits(clip, after=before.history.last))
        return before

    def _touched_views(self, held: OpenClip, frames: Iterable[int]) -> list[FrameView]:
        touched = [frame for frame in frames if held.history.decided.on(frame)]
        return [view for frame in touched for view in self._views(held, range(frame, frame + 1))]

    def _views(self, held: OpenClip, frames: range) -> list[FrameView]:
        first, last = frames[0], frames[-1]
        run = held.run.id if held.run else None
        # Read once, for the poses and for their versions: this is most of what an edit and a look at frames cost.
        edits = self.store.standing_edits(held.clip.id, first, last)
        predicted = [] if run is None else list(self.store.predictions(run, first, last))
        poses: dict[int, list[Pose]] = defaultdict(list)
        for pose in fold_edits(predicted, edits, joints=len(self.skeleton(held)), run=run or ""):
            poses[pose.frame].append(pose)
        found = {(p.frame, p.person): p for p in predicted}
        versions = _versions(joint_versions(edits), poses)
        return [self._view(held, frame, poses[frame], found, versions) for frame in frames]

    def _view(
        self,
        held: OpenClip,
        frame: int,
        poses: Sequence[Pose],
        found: dict[tuple[int, int], Prediction],
        versions: dict[tuple[int, int], np.ndarray],
    ) -> FrameView:
        keys = [(frame, pose.person) for pose in poses]
        people = [person_view(p, found.get(key), versions[key]) for key, p in zip(keys, poses, strict=True)]
        flagged = open_on_frame(held.flags, frame, held.history.decided) if held.flags else []
        return frame_view(frame, people, flagged, self.settings)


def _versions(
    decided: Mapping[JointKey, int], poses: Mapping[int, Sequence[Pose]]
) -> dict[tuple[int, int], np.ndarray]:
    """Return the versions (J,) of each pose's joints, by (frame, person)."""
    found = {
        (pose.frame, pose.person): np.zeros(len(pose.xy), dtype=np.int64) for same in poses.values() for pose in same
    }
    for (frame, person, joint), edit in decided.items():
        of_pose = found.get((frame, person))
        if of_pose is not None and joint < len(of_pose):
            of_pose[joint] = edit
    return found
