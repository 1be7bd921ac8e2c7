"""A clip's journal as the editor needs it: what a person has decided, and what undo and redo would take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.journal import JointKey, fold_edits, invert, undone_edits
from emc.pose.records import Edit, Provenance

EDITOR_KINDS = ("drag", "place", "nudge", "visibility", "swap", "confirm", "candidate", "resolve")
"""Kinds of edits that the editor's page makes joint by joint."""
OPERATION_KINDS = ("swap run", "identity", "mirror", "copy", "visibility run", "confirm run", "add person")
"""Kinds of edits that an operation on a run of frames makes."""
UNDONE_KINDS = frozenset((*EDITOR_KINDS, *OPERATION_KINDS))
"""Only these are undone in the editor, so that one key never takes back an import."""


@dataclass(frozen=True, slots=True)
class History:
    """What a journal amounts to.

    decided : (frame, person, joint) -> who decided it, for joints that a person placed or confirmed. last : id of the
    newest edit, 0 for none. done : edits that undo takes back, the next one last. undone : the undos that redo takes
    back, the next one last. kinds : id -> kind of the edits in both. edits : the whole journal, oldest first.
    """

    decided: dict[JointKey, Provenance]
    last: int
    done: tuple[int, ...]
    undone: tuple[int, ...]
    kinds: dict[int, str]
    edits: tuple[Edit, ...] = field(default=(), repr=False)

    def of(self, author: str) -> History:
        """Return the same history as one author may take it back: two people do not undo each other's work."""
        done, undone, kinds = _stacks([edit for edit in self.edits if edit.author == author])
        return History(self.decided, self.last, done, undone, kinds, self.edits)


def read_history(edits: Sequence[Edit]) -> History:
    """Read a clip's journal, oldest edit first; a new edit empties the list of what can be done again."""
    done, undone, kinds = _stacks(edits)
    last = edits[-1].id if edits else 0
    return History(decided_joints(edits), last, done, undone, kinds, tuple(edits))


def longer_history(before: History, new: Sequence[Edit]) -> History:
    """Return the history with new edits at its end: what `read_history` would say of all, at less work."""
    edits = (*before.edits, *new)
    decided = decided_joints(edits) if any(edit.undoes for edit in new) else before.decided | _decided(new)
    done, undone, kinds = _stacks(edits)
    return History(decided, edits[-1].id if edits else 0, done, undone, kinds, edits)


def decided_joints(edits: Sequence[Edit]) -> dict[JointKey, Provenance]:
    """Return the joints that a person placed or confirmed, edits that were taken back left out."""
    gone = undone_edits([(edit.id, edit.undoes) for edit in edits if edit.undoes])
    return _decided(edit for edit in edits if not edit.undoes and edit.id not in gone)


def take_back(store: Store, clip: str, run: str | None, target: int, author: str) -> Edit:
    """Return the edit that takes `target` back (or, where that is an undo, brings its edit again), not yet stored.

    Raises `UsageError` where the clip's journal has no such edit.
    """
    edits = store.edits(clip)
    edit = next((edit for edit in edits if edit.id == target), None)
    if edit is None:
        raise UsageError(f"clip {clip} has no edit {target} to take back: reload the page")
    frames = {change.frame for change in edit.changes}
    others = [other for other in edits if other.id != target]
    found = [] if run is None or not frames else list(store.predictions(run, min(frames), max(frames)))
    before = [pose for pose in fold_edits(found, others) if pose.frame in frames]
    return invert(edit, before, author)


def _decided(edits: Iterable[Edit]) -> dict[JointKey, Provenance]:
    return {
        (change.frame, change.person, change.joint): change.provenance
        for edit in edits
        for change in edit.changes
        if change.provenance >= Provenance.HUMAN
    }


def _stacks(edits: Sequence[Edit]) -> tuple[tuple[int, ...], tuple[int, ...], dict[int, str]]:
    """Return what undo and redo take next (last is next), and the kind of each."""
    done: dict[int, None] = {}
    undone: dict[int, int] = {}
    for edit in edits:
        if edit.undoes in done:
            del done[edit.undoes]
            undone[edit.id] = edit.undoes
        elif edit.undoes in undone:
            done[undone.pop(edit.undoes)] = None
        elif not edit.undoes and edit.kind in UNDONE_KINDS:
            done[edit.id] = None
            undone.clear()
    kind_of = {edit.id: edit.kind for edit in edits}
    kinds = {key: kind_of[undone.get(key, key)] for key in (*done, *undone)}
    return tuple(done), tuple(undone), kinds
