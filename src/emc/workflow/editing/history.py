"""A clip's journal as the editor needs it: what a person has decided, and what undo and redo would take.

Undo and redo are always of one author: what the journal as a whole would take back is nobody's business, so `History`
does not say it; `History.of` does for one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from emc.pose.records import Edit
from emc.workflow.editing.decided import Decided

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
    """What one author would take back and bring again next.

    undo : the edit that undo takes back, redo : the undo that redo takes back; None where there is none. kinds : id ->
    kind of both, of a redo that of the edit that it brings again. last : id of the newest edit of the journal, whoever
    made it, 0 for none.
    """

    undo: int | None
    redo: int | None
    kinds: dict[int, str]
    last: int


@dataclass(slots=True)
class _Stacks:
    """One author's edits that stand, the next one of undo last, and their undos (id, target), that of redo last."""

    done: list[int] = field(default_factory=list[int])
    undone: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def take(self, edit: Edit) -> None:
        """Take in the author's next edit; a new one empties the list of what can be done again."""
        if not edit.undoes:
            if edit.kind in UNDONE_KINDS:
                self.done.append(edit.id)
                self.undone.clear()
        # The last ones first: an editor takes back nothing else, and a search would look through the whole journal.
        elif self.undone and self.undone[-1][0] == edit.undoes:
            self.done.append(self.undone.pop()[1])
        elif self.done[-1:] == [edit.undoes]:
            self.undone.append((edit.id, self.done.pop()))
        else:
            self._take_other(edit)

    def _take_other(self, edit: Edit) -> None:
        if edit.undoes in self.done:
            self.done.remove(edit.undoes)
            self.undone.append((edit.id, edit.undoes))
        self.done += [target for undo, target in self.undone if undo == edit.undoes]
        self.undone = [one for one in self.undone if one[0] != edit.undoes]


class History:
    """What a journal amounts to, kept as it grows: the next edit costs the same however long the journal is.

    decided : the joints that a person placed or confirmed. last : id of the newest edit, 0 for none. One thread may let
    it grow while others read.
    """

    def __init__(self, edits: Iterable[Edit] = ()) -> None:
        self.decided = Decided()
        self.last = 0
        self._kinds: dict[int, str] = {}
        self._stacks: dict[str, _Stacks] = {}
        self._lock = threading.Lock()
        self.grow(edits)

    @property
    def kinds(self) -> Mapping[int, str]:
        """Edit id -> kind, of the whole journal; it grows with it."""
        return self._kinds

    def grow(self, edits: Iterable[Edit]) -> None:
        """Take in the next edits, oldest first."""
        edits = list(edits)
        with self._lock:
            self.decided.grow(edits)
            for edit in edits:
                self._kinds[edit.id] = edit.kind
                self._stacks.setdefault(edit.author, _Stacks()).take(edit)
                self.last = edit.id

    def of(self, author: str) -> Steps:
        """Return what undo and redo would take for one author, whoever else acted since."""
        with self._lock:
            stacks = self._stacks.get(author, _Stacks())
            # Older versions let one person's undo take back another's edit: such an edit is gone and passed over.
            counts = self.decided.counts
            undo = next((key for key in reversed(stacks.done) if counts(key)), None)
            redo, again = next((one for one in reversed(stacks.undone) if counts(one[0])), (None, None))
            named = {undo: undo, redo: again}
            kinds = {key: self._kinds[target] for key, target in named.items() if key and target}
            return Steps(undo, redo, kinds, self.last)
