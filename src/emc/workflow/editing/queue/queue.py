"""The queue of the whole project: (person, joint, run of frames), filtered, sorted and paged for a million frames."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emc.errors import UsageError
from emc.interfaces import RunRecord
from emc.pose.journal import JointKey
from emc.pose.records import Edit
from emc.stages.queue import QueueOrder, predicted_seconds, sorted_places, value_of
from emc.store import SqlStore
from emc.workflow.editing.decided import Decided
from emc.workflow.editing.queue.columns import (
    UNREADABLE,
    WHOLE_PERSON,
    Loaded,
    counted,
    joined_columns,
    joint_mask,
    person_counts,
    summed_spans,
    with_changes,
    with_done,
)
from emc.workflow.editing.queue.rows import Facets, QueueFilter, QueuePlace, QueueRow, RemainingWork
from emc.workflow.project import skeleton_called

_LISTS_KEPT = 16


class ProjectQueue:
    """The queue of an open project; safe to use from several threads."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._loaded: Loaded | None = None
        self._decided: dict[str, Decided] = {}
        self._last = 0
        self._sorted: dict[tuple[QueueOrder, bool], np.ndarray] = {}
        self._chosen: OrderedDict[QueueFilter, np.ndarray] = OrderedDict()
        self._cost: tuple[np.ndarray, np.ndarray] | None = None

    def rows(self, wanted: QueueFilter, offset: int, limit: int) -> tuple[int, list[QueueRow]]:
        """Return how many runs the filter lets through, and a page of them in its order."""
        with self._lock:
            loaded = self._refreshed()
            chosen = self._listed(loaded, wanted)
            return len(chosen), [self._row(loaded, int(i)) for i in chosen[offset : offset + limit]]

    def next_row(self, wanted: QueueFilter, place: QueuePlace | None, step: int) -> tuple[QueueRow | None, int]:
        """Return the open run after (step -1: before) the one that holds `place`, going round, and its index.

        Where no run holds the place, the first (last) one; (None, -1) where nothing is left.
        """
        with self._lock:
            loaded = self._refreshed()
            chosen = self._listed(loaded, wanted)
            if not len(chosen):
                return None, -1
            index = self._after(loaded, wanted, chosen, place, step)
            return self._row(loaded, int(chosen[index])), index

    def facets(self, wanted: QueueFilter) -> Facets:
        """Return counts over the runs that the filter lets through.

        `open`, `confirmed` and `seconds` are over all runs of the clips that are asked for; `clips` leaves only the
        filter of clips out, so that it says what each of them has.
        """
        with self._lock:
            loaded = self._refreshed()
            c = loaded.columns
            chosen = self._listed(loaded, wanted)
            seconds, _ = self._costs(loaded)
            scope = self._mask(loaded, QueueFilter("all", clips=wanted.clips))
            is_open = (c.done < c.frames) & scope
            every = self._listed(loaded, replace(wanted, clips=()))
            return Facets(
                open=int(is_open.sum()),
                confirmed=int(scope.sum() - is_open.sum()),
                seconds=float(seconds[is_open].sum()),
                reasons=counted(c.reason[chosen], c.reasons),
                joints=self._joint_counts(loaded, chosen),
                clips=counted(c.clip[every], [run.clip for run in loaded.runs]),
                persons=person_counts(loaded, chosen),
            )

    def density(self, clip: str, frames: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (bins,) how much is wrong and (bins,) how much is confirmed along a clip: P(wrong) per bin, summed.

        Every run of the clip counts, in each bin that it touches. frames : of the clip.
        """
        with self._lock:
            loaded = self._refreshed()
            clips = [run.clip for run in loaded.runs]
            if clip not in clips:
                return np.zeros(bins), np.zeros(bins)
            number = clips.index(clip)
            rows = loaded.rows(number)
            c = loaded.columns
            done = c.done[rows] >= c.frames[rows]
            spans = c.first[rows] * bins // frames, ((c.last[rows] + 1) * bins - 1) // frames
            return (
                summed_spans(*spans, np.where(done, 0.0, c.severity[rows]), bins),
                summed_spans(*spans, np.where(done, c.severity[rows], 0.0), bins),
            )

    def remaining(self, seconds: Sequence[float]) -> list[RemainingWork]:
        """Return what the queue promises for the next seconds of work, done in the order of most gain per second."""
        with self._lock:
            loaded = self._refreshed()
            order = self._order(loaded, QueueFilter())
            is_open = loaded.columns.done < loaded.columns.frames
            order = order[is_open[order]]
            cost, _ = self._costs(loaded)
            worked = np.cumsum(cost[order])
            c = loaded.columns
            gained = np.cumsum((c.severity * c.frames * c.joints)[order])
            counts = np.searchsorted(worked, np.asarray(seconds), side="right")
            return [
                RemainingWork(float(s), int(n), float(gained[n - 1]) if n else 0.0, float(worked[n - 1]) if n else 0.0)
                for s, n in zip(seconds, counts, strict=True)
            ]

    def _refreshed(self) -> Loaded:
        runs = tuple(self._store.current_runs().values())
        found = self._store.alert_states([run.id for run in runs])
        states = tuple(found.get(run.id, ()) for run in runs)
        before = self._loaded
        if before is None or (before.runs, before.states) != (runs, states):
            before = self._load(runs, states)
            self._forget()
        changed = self._read_journal()
        if self._loaded is not before:
            before = replace(before, columns=with_done(before, self._decided))
        elif changed:
            before = replace(before, columns=with_changes(before, changed))
        if self._loaded is not before:
            self._chosen.clear()
        self._loaded = before
        return before

    def _load(self, runs: tuple[RunRecord, ...], states: tuple[tuple[int, ...], ...]) -> Loaded:
        columns = self._store.all_alert_columns([run.id for run in runs])
        parts = [columns[run.id] for run in runs]
        starts = np.cumsum([0, *(len(part) for part in parts)])
        names = tuple(skeleton_called(self._store, run.skeleton).joints for run in runs)
        return Loaded(runs, states, starts, joined_columns(parts, runs, names), names)

    def _forget(self) -> None:
        self._sorted.clear()
        self._chosen.clear()
        self._cost = None

    def _read_journal(self) -> dict[str, tuple[set[JointKey], set[JointKey]]]:
        """Take in new edits; returns, by clip, the joints that are decided now and were not, and those that were."""
        by_clip: dict[str, list[Edit]] = {}
        for edit in self._store.edits(None, after=self._last):
            by_clip.setdefault(edit.clip, []).append(edit)
            self._last = edit.id
        grown = {clip: self._decided.setdefault(clip, Decided()).grow(edits) for clip, edits in by_clip.items()}
        return {clip: keys for clip, keys in grown.items() if any(keys)}

    def _listed(self, loaded: Loaded, wanted: QueueFilter) -> np.ndarray:
        """Return the indices of the runs that the filter lets through, in its order."""
        kept = self._chosen.get(wanted)
        if kept is None:
            order = self._order(loaded, wanted)
            kept = order[self._mask(loaded, wanted)[order]]
            self._chosen[wanted] = kept
            while len(self._chosen) > _LISTS_KEPT:
                self._chosen.popitem(last=False)
        else:
            self._chosen.move_to_end(wanted)
        return kept

    def _order(self, loaded: Loaded, wanted: QueueFilter) -> np.ndarray:
        key = (wanted.order, wanted.down)
        if key not in self._sorted:
            self._sorted[key] = sorted_places(loaded.columns, *key)
        return self._sorted[key]

    def _mask(self, loaded: Loaded, wanted: QueueFilter) -> np.ndarray:
        c = loaded.columns
        mask = np.ones(len(c), dtype=bool)
        if wanted.state != "all":
            mask &= (c.done < c.frames) == (wanted.state == "open")
        if wanted.clips:
            mask &= np.array([run.clip in wanted.clips for run in loaded.runs] or [False])[c.clip]
        if wanted.reasons:
            mask &= np.array([name in wanted.reasons for name in c.reasons] or [False])[c.reason]
        if wanted.persons:
            mask &= np.isin(c.person, wanted.persons)
        if wanted.joints:
            mask &= joint_mask(loaded, wanted.joints)
        return mask

    def _after(
        self, loaded: Loaded, wanted: QueueFilter, chosen: np.ndarray, place: QueuePlace | None, step: int
    ) -> int:
        at = -1 if place is None else self._position(loaded, wanted, place)
        if at < 0:
            return 0 if step > 0 else len(chosen) - 1
        order = self._order(loaded, wanted)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        ranks = rank[chosen]
        beside = np.searchsorted(ranks, at, side="right" if step > 0 else "left") - (0 if step > 0 else 1)
        return int(beside) % len(chosen)

    def _position(self, loaded: Loaded, wanted: QueueFilter, place: QueuePlace) -> int:
        """Return the place in the whole order of the run that holds a joint on a frame, -1 where none does."""
        c = loaded.columns
        clips = [run.clip for run in loaded.runs]
        if place.clip not in clips:
            return -1
        holds = (c.clip == clips.index(place.clip)) & (c.person == place.person) & (c.joint == place.joint)
        holds &= (c.first <= place.frame) & (place.frame <= c.last)
        order = self._order(loaded, wanted)
        found = np.flatnonzero(holds[order])
        return int(found[0]) if len(found) else -1

    def _row(self, loaded: Loaded, index: int) -> QueueRow:
        c = loaded.columns
        clip = int(c.clip[index])
        joint = int(c.joint[index])
        names = loaded.names[clip]
        seconds, value = self._costs(loaded)
        return QueueRow(
            key=f"{loaded.runs[clip].id}/{index - int(loaded.starts[clip])}",
            clip=loaded.runs[clip].clip,
            person=int(c.person[index]),
            joint=joint,
            name=_name(names, joint, c.reasons[int(c.reason[index])]),
            first=int(c.first[index]),
            last=int(c.last[index]),
            reason=c.reasons[int(c.reason[index])],
            severity=float(c.severity[index]),
            frames=int(c.frames[index]),
            done=int(min(c.done[index], c.frames[index])),
            value=float(value[index]),
            seconds=float(seconds[index]),
        )

    def _costs(self, loaded: Loaded) -> tuple[np.ndarray, np.ndarray]:
        if self._cost is None:
            self._cost = predicted_seconds(loaded.columns), value_of(loaded.columns)
        return self._cost

    def _joint_counts(self, loaded: Loaded, chosen: np.ndarray) -> dict[str, int]:
        c = loaded.columns
        counts: dict[str, int] = {}
        for names in dict.fromkeys(loaded.names):
            of_skeleton = np.array([n == names for n in loaded.names])[c.clip[chosen]]
            for name, count in counted(c.joint[chosen][of_skeleton], names).items():
                counts[name] = counts.get(name, 0) + count
        return counts


def _name(names: Sequence[str], joint: int, reason: str) -> str:
    if reason == UNREADABLE:
        return WHOLE_PERSON
    return names[joint] if joint < len(names) else f"joint {joint}"


def queue_order(name: str) -> QueueOrder:
    """Return an order by its name; raises `UsageError` naming those that exist."""
    try:
        return QueueOrder(name)
    except ValueError:
        raise UsageError(f"the queue has no order '{name}': use one of {', '.join(QueueOrder)}") from None
