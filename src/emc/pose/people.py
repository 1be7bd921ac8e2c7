"""What the journal says of whole people: who was deleted, who is one with whom, who the athlete is.

The rules, in one place:

- Edits of people count in the order of the journal, those that were taken back left out, whenever they were made: a
  person who is deleted is deleted on all frames, in all runs, corrections that were made since included.
- Whoever was merged into another one *is* that one from then on, also for edits that come later.
- What an edit says of somebody who is deleted, or of two who are one already, has no effect.
- A statement of who the athletes are replaces the one before. Where none of them is left, everyone counts.
- Of A who was merged into B, on frames where both are, a joint is, in this order: what a person said of B's, what a
  person said of A's, what B has. On frames where B is not, it is A's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from emc.pose.records import Edit, JointChange, PersonAction, PersonChange, Prediction, Provenance

PoseKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class People:
    """Who is who in a clip. merged : number -> the one that the person has now. deleted : numbers as they are now.
    athletes : those who count, all where it is empty.
    """

    merged: Mapping[int, int] = field(default_factory=dict[int, int])
    deleted: frozenset[int] = frozenset()
    athletes: frozenset[int] = frozenset()

    def number(self, person: int) -> int | None:
        """Return the number under which a person is shown, None for one who is deleted."""
        now = self.merged.get(person, person)
        return None if now in self.deleted else now

    def counts(self, person: int) -> bool:
        """Return whether a person counts for alerts, calibration and lifting; everyone does where no athlete is."""
        now = self.number(person)
        return now is not None and (not self.athletes or now in self.athletes)

    @property
    def changes_numbers(self) -> bool:
        """Whether anybody is deleted or merged."""
        return bool(self.merged or self.deleted)

    def as_json(self) -> dict[str, object]:
        """Return a JSON document; equal people have equal ones."""
        merged = {str(person): self.merged[person] for person in sorted(self.merged)}
        return {"merged": merged, "deleted": sorted(self.deleted), "athletes": sorted(self.athletes)}


EVERYBODY = People()
"""Nobody was deleted or merged, and no athlete was named."""


def people_of(edits: Iterable[Edit]) -> People:
    """Return what edits say of a clip's people. edits : those that stand, oldest first."""
    told = _Told()
    for edit in edits:
        for change in edit.persons:
            told.take(change)
        named = tuple(change.person for change in edit.persons if change.action is PersonAction.ATHLETE)
        told.athletes = named or told.athletes
    return told.people()


class _Told:
    """What was said of people so far. `athletes` : numbers as they were named."""

    def __init__(self) -> None:
        self.athletes: tuple[int, ...] = ()
        self._into: dict[int, int] = {}
        self._deleted: set[int] = set()

    def take(self, change: PersonChange) -> None:
        """Take in what an edit says of one person; of athletes only that there are none."""
        match change.action:
            case PersonAction.DELETE:
                self._deleted.add(self._now(change.person))
            case PersonAction.MERGE:
                self._merge(self._now(change.person), self._now(change.into))
            case PersonAction.RESTORE:
                # Somebody who was merged into one who is deleted comes back alone.
                if self._into.pop(change.person, None) is None:
                    self._deleted.discard(change.person)
            case PersonAction.EVERYONE:
                self.athletes = ()
            case PersonAction.ATHLETE:
                pass

    def people(self) -> People:
        """Return who is who."""
        merged = {person: self._now(person) for person in self._into}
        athletes = frozenset(self._now(person) for person in self.athletes) - self._deleted
        return People(merged, frozenset(self._deleted), athletes)

    def _merge(self, person: int, other: int) -> None:
        # Two who are one already stay so: else an undo and a redo in another order could chase each other in a circle.
        if person != other and not {person, other} & self._deleted:
            self._into[person] = other

    def _now(self, person: int) -> int:
        while person in self._into:
            person = self._into[person]
        return person


def of_people(predictions: Iterable[Prediction], people: People) -> Iterator[Prediction]:
    """Yield the predictions of the people as they are now, by frame then person.

    predictions : by frame. Of two who are one, the one merged into is taken on frames where both are, else the other.
    """
    if not people.changes_numbers:
        yield from predictions
        return
    for _, rows in groupby(predictions, key=lambda one: one.frame):
        kept: dict[int, Prediction] = {}
        for one in sorted(rows, key=lambda one: one.person):
            number = people.number(one.person)
            if number is not None and (number == one.person or number not in kept):
                kept[number] = replace(one, person=number)
        yield from (kept[number] for number in sorted(kept))


def edits_of_people(edits: Sequence[Edit], people: People, predicted: Collection[PoseKey]) -> list[Edit]:
    """Return edits whose changes are of the people as they are now, for a fold that knows nothing of people.

    edits : those that stand, oldest first. predicted : the (frame, person) that were predicted, by their old numbers;
    only those of people whom others were merged into matter.
    """
    if not people.changes_numbers:
        return list(edits)
    own = _own_changes(edits, people)
    there = own.keys() | {key for key in predicted if people.number(key[1]) == key[1]}

    def kept(change: JointChange) -> JointChange | None:
        number = people.number(change.person)
        if number is None:
            return None
        key = (change.frame, number)
        by_hand = change.provenance >= Provenance.HUMAN
        lost = change.joint in own.get(key, ()) if by_hand else key in there
        return None if number != change.person and lost else replace(change, person=number)

    return [replace(edit, changes=_all_kept(edit.changes, kept)) for edit in edits]


def _own_changes(edits: Iterable[Edit], people: People) -> dict[PoseKey, set[int]]:
    """Return the poses that edits have of people under their own number, and which joints a person decided there."""
    found: dict[PoseKey, set[int]] = {}
    for edit in edits:
        for change in edit.changes:
            if people.number(change.person) == change.person:
                decided = found.setdefault((change.frame, change.person), set())
                if change.provenance >= Provenance.HUMAN:
                    decided.add(change.joint)
    return found


def _all_kept(
    changes: Iterable[JointChange], kept: Callable[[JointChange], JointChange | None]
) -> tuple[JointChange, ...]:
    return tuple(now for change in changes if (now := kept(change)) is not None)
