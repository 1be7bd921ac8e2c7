"""Who is in a clip: how long, how sure the model is of them, what was corrected, and where they are best seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from emc.errors import UsageError
from emc.interfaces import RunRecord, Store
from emc.pose.geometry import bounding_box
from emc.pose.people import People, of_people
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
    """What is gathered of one person. `places` : (frame, box, how sure the model is) of the frames with a box."""

    frames: int = 0
    first: int = 0
    last: int = 0
    confidence: list[float] = field(default_factory=list[float])
    corrected: int = 0
    places: list[tuple[int, np.ndarray, float]] = field(default_factory=list[tuple[int, np.ndarray, float]])

    def on(self, frame: int, box: np.ndarray | None, sure: float | None) -> None:
        """Count a frame, and how sure the model is there, None where it predicted nothing."""
        self.first = frame if not self.frames else min(self.first, frame)
        self.last = max(self.last, frame)
        self.frames += 1
        if sure is not None:
            self.confidence.append(sure)
        if box is not None:
            self.places.append((frame, box, sure or 0.0))

    def person(self, number: int, people: People, deleted: bool = False) -> ListedPerson:
        """Return what was gathered."""
        sure = float(np.mean(self.confidence)) if self.confidence else float("nan")
        merged = tuple(sorted(old for old, now in people.merged.items() if now == number))
        facts = (self.frames, self.first, self.last, sure, self.corrected, *self._best())
        return ListedPerson(number, *facts, athlete=people.counts(number), deleted=deleted, merged=merged)

    def _best(self) -> tuple[int, tuple[float, float, float, float]]:
        """Return the frame of the picture and the box there: as large as usual (others were found wrong), and sure."""
        if not self.places:
            return 0, (0.0, 0.0, 1.0, 1.0)
        boxes = np.array([box for _, box, _ in self.places], dtype=np.float64)
        side = np.sqrt(np.maximum(boxes[:, 2] * boxes[:, 3], 1.0))
        usual = float(np.median(side))
        sure = np.array([sure for _, _, sure in self.places])
        best = int(np.argmax((0.1 + sure) * np.minimum(side / usual, usual / side)))
        x, y, w, h = (float(v) for v in boxes[best])
        return self.places[best][0], (x, y, w, h)


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
            held.corrected += int((pose.provenance >= Provenance.HUMAN).sum())
            held.on(pose.frame, _box(pose), sure.get((pose.frame, pose.person)))

    def numbers(self) -> list[int]:
        """Return the numbers of all who were counted."""
        return sorted(self._of)

    def person(self, number: int, people: People) -> ListedPerson:
        """Return what is known of one person."""
        return self._of[number].person(number, people)


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
    everybody = People(people.merged)
    for one in of_people(store.raw_predictions(run), everybody) if run else ():
        if one.person in held:
            held[one.person].on(one.frame, one.box, float(np.nan_to_num(one.confidence).mean()))
    return [seen.person(number, people, deleted=True) for number, seen in held.items()]


def _box(pose: Pose) -> np.ndarray | None:
    if pose.box is not None and np.isfinite(pose.box).all():
        return pose.box
    return bounding_box(pose.xy, 0.1) if np.isfinite(pose.xy).all(axis=1).any() else None
