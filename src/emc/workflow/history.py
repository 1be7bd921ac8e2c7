"""A clip's journal as the editor needs it: what a person has decided, and what undo and redo would take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.journal import JointKey, fold_edits, invert, taken_back
from emc.pose.records import Edit, Provenance

EDITOR_KINDS = ("drag", "place", "nudge", "visibility", "swap", "confirm")
"""Kinds of edits that the editor makes; only these are undone there, so that one key never takes back an import."""


@dataclass(frozen=True, slots=True)
class History:
    """What a journal amounts to.

    decided : (frame, person, joint) -> who decided it, for joints that a person placed or confirmed. last : id of the
    newest edit, 0 for none. done : edits that undo takes back, the next one last. undone : the undos that redo takes
    back, the next one last. kinds : id -> kind of the edits in both.
    """

    decided: dict[JointKey, Provenance]
    last: int
    done: tuple[int, ...]
    undone: tuple[int, ...]
    kinds: dict[int, str]


def read_history(edits: Sequence[Edit]) -> History:
    """Read a clip's journal, oldest edit first; a new edit empties the list of what can be done again."""
    done: list[int] = []
    undone: list[int] = []
    origin: dict[int, int] = {}
    for edit in edits:
        if edit.undoes in done:
            done.remove(edit.undoes)
            undone.append(edit.id)
            origin[edit.id] = edit.undoes
        elif edit.undoes in undone:
            undone.remove(edit.undoes)
            done.append(origin[edit.undoes])
        elif not edit.undoes and edit.kind in EDITOR_KINDS:
            done.append(edit.id)
            undone.clear()
    kind_of = {edit.id: edit.kind for edit in edits}
    kinds = {key: kind_of[origin.get(key, key)] for key in (*done, *undone)}
    last = edits[-1].id if edits else 0
    return History(decided_joints(edits), last, tuple(done), tuple(undone), kinds)


def decided_joints(edits: Sequence[Edit]) -> dict[JointKey, Provenance]:
    """Return the joints that a person placed or confirmed, edits that were taken back left out."""
    gone = taken_back([(edit.id, edit.undoes) for edit in edits if edit.undoes])
    return {
        (change.frame, change.person, change.joint): change.provenance
        for edit in edits
        if not edit.undoes and edit.id not in gone
        for change in edit.changes
        if change.provenance >= Provenance.HUMAN
    }


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
