"""Who is in a clip: how long, how sure the model is of them, what was corrected, and where they are best seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from emc.errors import UsageError
from emc.interfaces import RunRecord, Store
from emc.pose.geometry import bounding_box
from emc.pose.people import People
from emc.pose.records import Clip, Pose, Prediction, Provenance
from emc.workflow.project import skeleton_called

if TYPE_CHECKING:
    from emc.stages.persons import Overlap


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One person. frames : on which they are. first, last : of them. confidence : mean over predicted joints, NaN where
    nothing is predicted. corrected : joints that a person placed or confirmed. seen : the frame of the picture, and
    `box` xywh there. athlete : whether they count; `deleted` : whether they are out. merged : numbers that they had.
    """

    person: int
    frames: int
    first: int
    last: int
    confidence: float
    corrected: int
    seen: int
    box: tuple[float, float, float, float]
    athlete: bool = True
    deleted: bool = False
    merged: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipPeople:
    """The people of a clip, those who were deleted last.

    athletes : numbers, empty where everyone counts. overlaps : pairs of people who may be one.
    """

    clip: str
    people: tuple[ListedPerson, ...]
    athletes: tuple[int, ...]
    overlaps: tuple[Overlap, ...] = ()

    def person(self, number: int) -> ListedPerson:
        """Return one of the people who are there; raises `UsageError` that names them."""
        for one in self.people:
            if one.person == number and not one.deleted:
                return one
        here = ", ".join(str(one.person) for one in self.people if not one.deleted) or "nobody"
        raise UsageError(f"clip {self.clip} has no person {number}: there is {here} (see `emc persons`)")


def refuse_unknown(store: Store, clips: Sequence[str], persons: Sequence[int]) -> None:
    """Raise `UsageError` where a person is in none of the clips; nothing is read where nobody is named."""
    if not persons:
        return
    here = {one.person for clip in clips for one in list_people(store, store.clip(clip)).people if not one.deleted}
    if missing := sorted(set(persons) - here):
        known = ", ".join(str(number) for number in sorted(here)) or "nobody"
        where = clips[0] if len(clips) == 1 else f"{len(clips)} clips"
        raise UsageError(f"there is no person {missing[0]} in {where}: there is {known} (see `emc persons`)")


def list_people(store: Store, clip: Clip) -> ClipPeople:
    """Return the people of a clip's newest run and of its edits, by number; those who were deleted after the others."""
    people = store.people(clip.id)
    run = next((run for run in reversed(store.runs(clip.id)) if run.complete), None)
    found = _Found()
    found.take(store.predictions(run.id) if run else (), store.poses(clip.id, run.id if run else None))
    listed = [found.person(number, people) for number in found.numbers()]
    gone = _deleted(store, run.id if run else None, people)
    return ClipPeople(clip.id, tuple(listed + gone), tuple(sorted(people.athletes)), _overlaps(store, clip, run))


@dataclass(slots=True)
class _Seen:
    """What is gathered of one person: `best` is (worth of the picture, frame, box)."""

    frames: int = 0
    first: int = 0
    last: int = 0
    confidence: list[float] = field(default_factory=list[float])
    corrected: int = 0
    best: tuple[float, int, tuple[float, float, float, float]] = (-1.0, 0, (0.0, 0.0, 1.0, 1.0))

    def on(self, frame: int, box: np.ndarray | None, worth: float) -> None:
        """Count a frame, whose picture is worth so much."""
        self.first = frame if not self.frames else min(self.first, frame)
        self.last = max(self.last, frame)
        self.frames += 1
        if box is not None and worth > self.best[0]:
            x, y, w, h = (float(v) for v in box)
            self.best = (worth, frame, (x, y, w, h))


class _Found:
    def __init__(self) -> None:
        self._of: dict[int, _Seen] = {}

    def take(self, predictions: Iterable[Prediction], poses: Iterable[Pose]) -> None:
        """Count the people of a clip; `predictions` are of the same people."""
        sure: dict[tuple[int, int], float] = {}
        for one in predictions:
            sure[one.frame, one.person] = float(np.nan_to_num(one.confidence).mean())
        for pose in poses:
            held = self._of.setdefault(pose.person, _Seen())
            known = sure.get((pose.frame, pose.person))
            if known is not None:
                held.confidence.append(known)
            held.corrected += int((pose.provenance >= Provenance.HUMAN).sum())
            box = _box(pose)
            held.on(pose.frame, box, _worth(box, known))

    def numbers(self) -> list[int]:
        """Return the numbers of all who were counted."""
        return sorted(self._of)

    def person(self, number: int, people: People) -> ListedPerson:
        """Return what is known of one person."""
        held = self._of[number]
        sure = float(np.mean(held.confidence)) if held.confidence else float("nan")
        _, seen, box = held.best
        merged = tuple(sorted(old for old, now in people.merged.items() if now == number))
        facts = (held.frames, held.first, held.last, sure, held.corrected, seen, box)
        return ListedPerson(number, *facts, athlete=people.counts(number), merged=merged)


def _overlaps(store: Store, clip: Clip, run: RunRecord | None) -> tuple[Overlap, ...]:
    """Return the pairs who may be one; in a folder of photos a number says nothing of who somebody is."""
    if run is None or clip.still:
        return ()
    from emc.stages.persons import PersonPairs

    pairs = PersonPairs(skeleton_called(store, run.skeleton))
    pairs.add_all(store.predictions(run.id))
    return tuple(pairs.doubtful())


def _deleted(store: Store, run: str | None, people: People) -> list[ListedPerson]:
    """Return those who were deleted, as the run has them; one who is only in edits has no frames here."""
    if not people.deleted:
        return []
    held = {number: _Seen() for number in sorted(people.deleted)}
    for one in store.raw_predictions(run) if run else ():
        number = people.merged.get(one.person, one.person)
        if number in held:
            sure = float(np.nan_to_num(one.confidence).mean())
            held[number].confidence.append(sure)
            held[number].on(one.frame, one.box, _worth(one.box, sure))
    rows: list[ListedPerson] = []
    for number, seen in held.items():
        sure = float(np.mean(seen.confidence)) if seen.confidence else float("nan")
        facts = (seen.frames, seen.first, seen.last, sure, 0, seen.best[1], seen.best[2])
        merged = tuple(sorted(old for old, now in people.merged.items() if now == number))
        rows.append(ListedPerson(number, *facts, athlete=False, deleted=True, merged=merged))
    return rows


def _worth(box: np.ndarray | None, sure: float | None) -> float:
    """Return how good a picture of a person is: large, and the model sure of them."""
    if box is None:
        return -1.0
    return float(np.sqrt(max(float(box[2] * box[3]), 0.0))) * (0.1 + (sure or 0.0))


def _box(pose: Pose) -> np.ndarray | None:
    if pose.box is not None and np.isfinite(pose.box).all():
        return pose.box
    return bounding_box(pose.xy, 0.1) if np.isfinite(pose.xy).all(axis=1).any() else None
