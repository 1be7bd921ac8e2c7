"""What the editor asks of a project: clips, alerts, poses of some frames, and edits that are stored at once."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emc.config import AlertSettings
from emc.errors import ConflictError, UsageError
from emc.interfaces import RunRecord
from emc.pose.journal import JointKey
from emc.pose.records import Clip, Edit, JointChange, Pose, Prediction, Provenance, Visibility
from emc.pose.skeletons import COCO17, Skeleton
from emc.stages.edits import OUTSIDE
from emc.store import SqlStore
from emc.workflow.editing.conflicts import changed_since, checked_versions
from emc.workflow.editing.flags import Flags, joints_done, next_open_frame, open_on_frame, read_flags
from emc.workflow.editing.history import EDITOR_KINDS, History, longer_history, read_history, take_back
from emc.workflow.editing.propagation import PROPAGATING_KINDS, REACH, PropagatedSpan, Propagator
from emc.workflow.editing.views import AlertRow, FrameRow, FrameView, frame_row, frame_view, person_view
from emc.workflow.project import declared_skeleton, skeleton_called

MAX_CHANGES = 10_000
"""Joints that one edit of the editor's page may change: more is a mistake, not an action of a person."""
MAX_FRAMES = 64
"""Frames that are read at once."""
CLIPS_HELD = 8


@dataclass(frozen=True, slots=True)
class OpenClip:
    """What is kept in memory of a clip between two requests; read anew when its journal or its run has grown."""

    clip: Clip
    run: RunRecord | None
    flags: Flags | None
    history: History

    @property
    def kinds(self) -> dict[int, str]:
        """Edit id -> kind, of the whole journal."""
        return {edit.id: edit.kind for edit in self.history.edits}


@dataclass(frozen=True, slots=True)
class EditAction:
    """One action as the page sent it.

    seen : (frame, person, joint) -> version that the page showed, for joints where that matters. author : who acts,
    "" for who started the editor. propagate : carry placed joints to the frames around, `reach` frames to each side.
    """

    kind: str
    changes: tuple[JointChange, ...]
    seconds: float = 0.0
    token: str = ""
    author: str = ""
    seen: Mapping[JointKey, int] | None = None
    propagate: bool = False
    reach: int = REACH


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
            while len(self._held) > CLIPS_HELD:
                self._held.popitem(last=False)
            return now

    def history(self, clip: str, author: str = "") -> History:
        """Return a clip's history as `author` may take it back."""
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
        for part in np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1):
            if len(part):
                views += self._views(held, range(int(part[0]), int(part[-1]) + 1))
        return views

    def apply(self, clip: str, action: EditAction) -> tuple[Edit, list[PropagatedSpan]]:
        """Store an action with what it propagates, as one edit; it is durable when this returns.

        An action that was sent before (its answer was lost) is returned as stored. Raises `UsageError` for one that
        cannot be, `JointConflicts` where another person decided one of its joints since.
        """
        if action.token and (stored := self.store.edit_sent_as(action.token)) is not None:
            return stored, []
        held = self.open_clip(clip)
        check_edit(held.clip, self.skeleton(held), action.kind, action.changes)
        checked_versions(self.store, clip, action.changes, action.seen or {})
        spans = self.preview(clip, action) if action.propagate and action.kind in PROPAGATING_KINDS else []
        machine = [change for span in spans for change in span.changes()]
        edit = Edit(clip, action.kind, (*action.changes, *machine), action.author or self.author, action.seconds)
        return self._append(edit, action), spans

    def operate(self, edit: Edit, base: int | None, token: str) -> Edit:
        """Store an operation on a run; raises `JointConflicts` where another person decided a joint since `base`."""
        if stored := self.store.edit_sent_as(token):
            return stored
        edit = replace(edit, author=edit.author or self.author)
        if base is not None:
            changed_since(self.store, edit.clip, edit.changes, base, edit.author)
        return self.store.append_edit(edit, token=token)

    def preview(self, clip: str, action: EditAction, budget: float = 2.0) -> list[PropagatedSpan]:
        """Return what an action would propagate; nothing is written."""
        held = self.open_clip(clip)
        check_edit(held.clip, self.skeleton(held), action.kind, action.changes)
        run = held.run.id if held.run else None
        joints = self.skeleton(held).joints
        return self.propagator.spans(held.clip, run, action.changes, held.kinds, action.reach, budget, joints)

    def undo(self, clip: str, target: int | None = None, token: str = "", author: str = "") -> Edit | None:
        """Take back the last edit that `author` made of a clip (or edit `target`); None where there is none."""
        return self._take_back(clip, target, self.history(clip, author).done, token, author)

    def redo(self, clip: str, target: int | None = None, token: str = "", author: str = "") -> Edit | None:
        """Bring back the edit that was taken back last (or by undo `target`); None where there is none."""
        return self._take_back(clip, target, self.history(clip, author).undone, token, author)

    def _append(self, edit: Edit, action: EditAction) -> Edit:
        """Append an edit where nobody decided its joints since; somebody may between the look and the writing."""
        tries = 3
        while True:
            expect = checked_versions(self.store, edit.clip, action.changes, action.seen or {})
            try:
                return self.store.append_edit(edit, expect=expect, token=action.token)
            except ConflictError:
                tries -= 1
                if not tries:
                    raise

    def _take_back(self, clip: str, target: int | None, stack: Sequence[int], token: str, author: str) -> Edit | None:
        if target is None and not stack:
            return None
        run = self.open_clip(clip).run
        edit = take_back(
            self.store,
            clip,
            run.id if run else None,
            stack[-1] if target is None else target,
            author or self.author,
        )
        return self.store.append_edit(edit, token=token)

    def _read(self, clip: str) -> OpenClip:
        found = self.store.clip(clip)
        run = self.store.current_run(clip)
        flags = read_flags(self.store, run) if run else None
        return OpenClip(found, run, flags, read_history(self.store.edits(clip)))

    def _refreshed(self, before: OpenClip) -> OpenClip:
        clip = before.clip.id
        run = self.store.current_run(clip)
        if run != before.run:
            return self._read(clip)
        new = self.store.edits(clip, after=before.history.last)
        return replace(before, history=longer_history(before.history, new)) if new else before

    def _touched_views(self, held: OpenClip, frames: Iterable[int]) -> list[FrameView]:
        decided = {frame for frame, _, _ in held.history.decided}
        return [view for frame in frames if frame in decided for view in self._views(held, range(frame, frame + 1))]

    def _views(self, held: OpenClip, frames: range) -> list[FrameView]:
        first, last = frames[0], frames[-1]
        run = held.run.id if held.run else None
        poses: dict[int, list[Pose]] = defaultdict(list)
        for pose in self.store.poses(held.clip.id, run, first, last):
            poses[pose.frame].append(pose)
        found: dict[tuple[int, int], Prediction] = {}
        if run is not None:
            found = {(p.frame, p.person): p for p in self.store.predictions(run, first, last)}
        versions = _versions(self.store.joint_versions(held.clip.id, first, last), poses)
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


def check_edit(clip: Clip, skeleton: Skeleton, kind: str, changes: Sequence[JointChange]) -> None:
    """Raise `UsageError` where an edit from the editor cannot be meant, naming frame, person and joint."""
    if kind not in EDITOR_KINDS:
        raise UsageError(f"edit kind '{kind}' is unknown: use one of {', '.join(EDITOR_KINDS)}")
    if not 0 < len(changes) <= MAX_CHANGES:
        raise UsageError(f"an edit of {len(changes)} joints cannot be: change 1 to {MAX_CHANGES}")
    margin = OUTSIDE * max(clip.width, clip.height)
    for change in changes:
        where = f"clip {clip.id}, frame {change.frame}, person {change.person}, joint {change.joint}"
        if not 0 <= change.frame < clip.frames:
            raise UsageError(f"{where}: the clip has no such frame; use 0 to {clip.frames - 1}")
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
