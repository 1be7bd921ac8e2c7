"""Undo and redo: the author's own last action, whoever else acted since; sent twice, it is done once."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from emc.errors import ConflictError, UsageError
from emc.pose.journal import fold_edits, invert
from emc.pose.records import Edit
from emc.store import SqlStore
from emc.workflow.editing.actions import step_asked
from emc.workflow.editing.history import History

TRIES = 3
"""The same author may act in another page between the look at the journal and the writing."""


class Verb(StrEnum):
    """The two directions in the journal."""

    UNDO = "undo"
    REDO = "redo"


def step(
    store: SqlStore,
    clip: str,
    verb: Verb,
    author: str,
    history: Callable[[], History],
    run: str | None,
    target: int | None = None,
    token: str = "",
) -> Edit | None:
    """Take back the author's last action (`UNDO`), or bring back the last one taken back (`REDO`); None: there is none.

    history : reads the clip's journal as it is now. target : what the sender takes to be next (the action, or of a
    redo its undo); anything else is then left alone. token : one that was sent before is answered as it was then.
    Raises `ConflictError` where `target` is not the author's next one, `UsageError` where the clip has no such edit.
    """
    asked = step_asked(clip, verb, author, target)
    tries = TRIES
    while True:
        if token and (stored := store.edit_sent_as(token, asked)) is not None:
            return stored
        steps = history().of(author)
        found = steps.undo if verb is Verb.UNDO else steps.redo
        if target is not None and target != found:
            raise _other_target(store, clip, verb, author, target, found)
        if found is None:
            return None
        try:
            return store.append_edit(_inverse(store, clip, run, found, author), token=token, content=asked)
        except ConflictError:
            tries -= 1
            # A page that named what it takes back must not take back something else on the second try.
            if not tries or target is not None:
                raise


def _other_target(
    store: SqlStore, clip: str, verb: Verb, author: str, target: int, found: int | None
) -> ConflictError | UsageError:
    edit = store.edit(target)
    if edit is None or edit.clip != clip:
        return UsageError(f"clip {clip} has no edit {target} to {verb}: reload the page")
    if edit.author != author:
        return ConflictError(
            f"edit {target} of clip {clip} is by {edit.author or 'somebody without a name'}: {verb} takes your own "
            "last action"
        )
    next_one = f"edit {found} is" if found else "nothing is left"
    return ConflictError(f"edit {target} of clip {clip} is not the next one to {verb} ({next_one}): reload the page")


def _inverse(store: SqlStore, clip: str, run: str | None, target: int, author: str) -> Edit:
    """Return the edit that takes `target` back (or, where that is an undo, brings its edit again), not yet stored."""
    edit = store.edit(target)
    if edit is None:
        raise ConflictError(f"clip {clip} has no edit {target} any more: reload the page")
    frames = {change.frame for change in edit.changes}
    if not frames:
        return invert(edit, (), author)
    first, last = min(frames), max(frames)
    # Folded without the edit: the values that come back are those below it, also where later edits of other joints lie
    # above. Only of its own frames: the journal may be long.
    others = store.standing_edits(clip, first, last, without=target)
    found = [] if run is None else list(store.predictions(run, first, last))
    before = [pose for pose in fold_edits(found, others) if pose.frame in frames]
    return invert(edit, before, author)
