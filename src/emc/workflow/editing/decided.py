"""What a person has decided of a clip, kept as its journal grows: an edit costs the same however long the journal is.

The rules are those of `emc.pose.journal` and `emc.pose.people`; here they are applied to the frames that an edit
touches and to no others. Only an edit of whole people (somebody deleted, merged, brought back) folds every frame again.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from emc.pose.journal import JointKey
from emc.pose.people import EVERYBODY, People, people_of
from emc.pose.records import Edit, JointChange, PersonChange, Provenance

_NOTHING: Mapping[tuple[int, int], Provenance] = MappingProxyType({})
_Told = tuple[int, int, int, Provenance]
"""Edit, person (by the number that it had then), joint, and who decided it."""


class Standing:
    """Which edits of a growing journal count: see `emc.pose.journal.undone_edits`."""

    def __init__(self) -> None:
        self._undoes: dict[int, int] = {}
        self._takers: dict[int, int] = {}

    def add(self, edit: int, undoes: int) -> list[int]:
        """Take in the next edit; returns the earlier ones that count now and did not, or the other way round."""
        turned: list[int] = []
        if undoes:
            self._undoes[edit] = undoes
        step, target = 1, undoes
        # An undo that is taken back gives its own target back, and so on down the chain.
        while target:
            before = self._takers.get(target, 0)
            self._takers[target] = before + step
            if bool(before) == bool(before + step):
                break
            turned.append(target)
            step, target = -step, self._undoes.get(target, 0)
        return turned

    def counts(self, edit: int) -> bool:
        """Return whether an edit counts: nothing that stands takes it back."""
        return not self._takers.get(edit)


class Decided:
    """The joints of a clip that a person placed or confirmed, by the numbers that people have now.

    One thread may let it grow while others read: what a frame holds is replaced as a whole, never changed.
    """

    def __init__(self, edits: Iterable[Edit] = ()) -> None:
        self.standing = Standing()
        self.people = EVERYBODY
        self._told: dict[int, list[_Told]] = {}
        self._frames: dict[int, tuple[int, ...]] = {}
        self._persons: dict[int, tuple[PersonChange, ...]] = {}
        self._held: dict[int, Mapping[tuple[int, int], Provenance]] = {}
        self._of_joint: dict[tuple[int, int], list[int]] = {}
        self.grow(edits)

    @property
    def names_people(self) -> bool:
        """Whether an edit, standing or not, is of whole people."""
        return bool(self._persons)

    def on(self, frame: int) -> Mapping[tuple[int, int], Provenance]:
        """Return (person, joint) -> who decided it, of one frame."""
        return self._held.get(frame, _NOTHING)

    def frames(self, person: int, joint: int) -> Sequence[int]:
        """Return the frames on which a person decided a joint, ascending; not to be changed."""
        return self._of_joint.get((person, joint), ())

    def count(self, person: int, joint: int, first: int, last: int) -> int:
        """Return on how many of the frames first..last a person decided a joint."""
        frames = self.frames(person, joint)
        return bisect_left(frames, last + 1) - bisect_left(frames, first)

    def keys(self) -> dict[JointKey, Provenance]:
        """Return all of them by (frame, person, joint)."""
        return {(frame, *key): who for frame, held in list(self._held.items()) for key, who in held.items()}

    def grow(self, edits: Iterable[Edit]) -> tuple[set[JointKey], set[JointKey]]:
        """Take in the next edits, oldest first; returns the joints that are decided now and were not, and the lost."""
        frames: set[int] = set()
        people = False
        for edit in edits:
            frames |= self._noted(edit)
            turned = self.standing.add(edit.id, edit.undoes)
            for other in turned:
                frames.update(self._frames.get(other, ()))
            people = people or bool(edit.persons) or any(other in self._persons for other in turned)
        if people:
            now = self._people_now()
            frames = set(self._told) if now != self.people else frames
            self.people = now
        gained: set[JointKey] = set()
        lost: set[JointKey] = set()
        for frame in frames:
            self._replace(frame, gained, lost)
        return gained, lost

    def _noted(self, edit: Edit) -> set[int]:
        """Keep what an edit says; what an undo carries is a note for readers. Returns its frames."""
        if edit.undoes:
            return set()
        if edit.persons:
            self._persons[edit.id] = edit.persons
        told = [change for change in edit.changes if change.provenance >= Provenance.HUMAN]
        for change in told:
            self._told.setdefault(change.frame, []).append(_told(edit.id, change))
        frames = {change.frame for change in told}
        if frames:
            self._frames[edit.id] = tuple(frames)
        return frames

    def _people_now(self) -> People:
        said = (Edit("", "", (), persons=persons) for edit, persons in self._persons.items() if self.counts(edit))
        return people_of(said)

    def counts(self, edit: int) -> bool:
        """Return whether an edit counts."""
        return self.standing.counts(edit)

    def _replace(self, frame: int, gained: set[JointKey], lost: set[JointKey]) -> None:
        before, now = self.on(frame), self._folded(frame)
        self._held[frame] = now
        for key in now.keys() - before.keys():
            gained.add((frame, *key))
            insort(self._of_joint.setdefault(key, []), frame)
        for key in before.keys() - now.keys():
            lost.add((frame, *key))
            frames = self._of_joint[key]
            del frames[bisect_left(frames, frame)]

    def _folded(self, frame: int) -> dict[tuple[int, int], Provenance]:
        told = [one for one in self._told.get(frame, ()) if self.counts(one[0])]
        if not self.people.changes_numbers:
            return {(person, joint): who for _, person, joint, who in told}
        own = {(person, joint) for _, person, joint, _ in told if self.people.number(person) == person}
        held: dict[tuple[int, int], Provenance] = {}
        for _, person, joint, who in told:
            number = self.people.number(person)
            # What was said of somebody who is another one now gives way to what a person said of that one.
            if number is not None and (number == person or (number, joint) not in own):
                held[number, joint] = who
        return held


def _told(edit: int, change: JointChange) -> _Told:
    return edit, change.person, change.joint, change.provenance
