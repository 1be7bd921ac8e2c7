"""A clip's journal as the editor needs it: what a person has decided, and what undo and redo would take.

Undo and redo are always of one author: what the journal as a whole would take back is nobody's business, so `History`
does not say it; `History.of` does for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from emc.pose.journal import JointKey, standing_edits, undone_edits
from emc.pose.people import edits_of_people, people_of
from emc.pose.records import Edit, Provenance

EDITOR_KINDS = ("drag", "place", "nudge", "visibility", "swap", "confirm", "candidate", "resolve")
"""Kinds of edits that the editor's page makes joint by joint."""
OPERATION_KINDS = ("swap run", "identity", "mirror", "copy", "visibility run", "confirm run", "add person")
"""Kinds of edits that an operation on a run of frames makes."""
PERSON_KINDS = ("delete person", "merge persons", "restore person", "athlete")
"""Kinds of edits of whole people."""
UNDONE_KINDS = frozenset((*EDITOR_KINDS, *OPERATION_KINDS, *PERSON_KINDS))
"""Only these are undone in the editor, so that one key never takes back an import."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What one author may take back and bring again.

    done : edits that undo takes back, the next one last. undone : the undos that redo takes back, the next one last.
    kinds : id -> kind of the edits in both. last : id of the newest edit of the journal, whoever made it, 0 for none.
    """

    done: tuple[int, ...]
    undone: tuple[int, ...]
    kinds: dict[int, str]
    last: int


@dataclass(frozen=True, slots=True)
class History:
    """What a journal amounts to.

    decided : (frame, person, joint) -> who decided it, for joints that a person placed or confirmed. last : id of the
    newest edit, 0 for none. edits : the whole journal, oldest first.
    """

    decided: dict[JointKey, Provenance]
    last: int
    edits: tuple[Edit, ...] = field(default=(), repr=False)
    _steps: dict[str, Steps] = field(default_factory=dict, repr=False, compare=False)

    def of(self, author: str) -> Steps:
        """Return what undo and redo would take for one author, whoever else acted since."""
        if author not in self._steps:
            self._steps[author] = _steps(self.edits, author)
        return self._steps[author]


def read_history(edits: Sequence[Edit]) -> History:
    """Read a clip's journal, oldest edit first."""
    last = edits[-1].id if edits else 0
    return History(decided_joints(edits), last, tuple(edits))


def longer_history(before: History, new: Sequence[Edit]) -> History:
    """Return the history with new edits at its end: what `read_history` would say of all, at less work."""
    edits = (*before.edits, *new)
    whole = any(edit.undoes for edit in new) or any(edit.persons for edit in edits)
    decided = decided_joints(edits) if whole else before.decided | _decided(new)
    return History(decided, edits[-1].id if edits else 0, edits)


def decided_joints(edits: Sequence[Edit]) -> dict[JointKey, Provenance]:
    """Return the joints that a person placed or confirmed, edits that were taken back left out.

    By the numbers that people have now; joints of people who were deleted are not among them.
    """
    standing = standing_edits(edits)
    return _decided(edits_of_people(standing, people_of(standing), ()))


def _decided(edits: Iterable[Edit]) -> dict[JointKey, Provenance]:
    return {
        (change.frame, change.person, change.joint): change.provenance
        for edit in edits
        for change in edit.changes
        if change.provenance >= Provenance.HUMAN
    }


def _steps(edits: Sequence[Edit], author: str) -> Steps:
    """Walk one author's edits; a new one empties the list of what can be done again."""
    done: dict[int, None] = {}
    undone: dict[int, int] = {}
    own = [edit for edit in edits if edit.author == author]
    for edit in own:
        if edit.undoes in done:
            del done[edit.undoes]
            undone[edit.id] = edit.undoes
        elif edit.undoes in undone:
            done[undone.pop(edit.undoes)] = None
        elif not edit.undoes and edit.kind in UNDONE_KINDS:
            done[edit.id] = None
            undone.clear()
    # Older versions let one person's undo take back another's edit: such an edit is gone, and undo passes over it.
    gone = undone_edits([(edit.id, edit.undoes) for edit in edits if edit.undoes])
    kind_of = {edit.id: edit.kind for edit in own}
    kinds = {key: kind_of[undone.get(key, key)] for key in (*done, *undone) if key not in gone}
    return Steps(
        done=tuple(key for key in done if key not in gone),
        undone=tuple(key for key in undone if key not in gone),
        kinds=kinds,
        last=edits[-1].id if edits else 0,
    )
