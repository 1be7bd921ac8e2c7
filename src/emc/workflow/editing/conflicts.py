"""Two people at one clip: edits of different joints merge, of the same joint both values are told.

Every joint has a version, the id of the edit that decides it (0 as predicted). An edit says which version it saw. What
a machine propagated since never stands against a person; what another edit of a person decided since does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emc.errors import ConflictError
from emc.pose.journal import JointKey
from emc.pose.records import Edit, JointChange, Provenance
from emc.store import SqlStore


@dataclass(frozen=True, slots=True)
class JointConflict:
    """One joint that two people changed: the version that the later one saw, and both values."""

    seen: int
    theirs: JointChange
    by: Edit
    yours: JointChange


class JointConflicts(ConflictError):
    """An edit that was not stored, since joints that it changes were changed since it was begun."""

    def __init__(self, clip: str, conflicts: Sequence[JointConflict]) -> None:
        first = conflicts[0]
        author = first.by.author or "somebody"
        others = len(conflicts) - 1
        more = f" (and {others} more joint{'s' if others > 1 else ''})" if others else ""
        super().__init__(
            f"joint {first.theirs.joint} of person {first.theirs.person} on frame {first.theirs.frame} of clip {clip} "
            f"was changed by {author} since{more}: choose one of the two values"
        )
        self.conflicts = tuple(conflicts)


def checked_versions(
    store: SqlStore, clip: str, changes: Sequence[JointChange], seen: Mapping[JointKey, int]
) -> dict[JointKey, int]:
    """Return the versions that the joints in `seen` have now, to be expected when the edit is appended.

    Raises `JointConflicts` where a person's later edit decides a joint of which the sender saw another version.
    """
    if not seen:
        return {}
    held = _standing(store, clip, seen)
    yours = {_key(change): change for change in changes}
    clashes = [
        (key, *held[key])
        for key in seen
        # All four: the version alone would stop an edit that places the joint where the other person did, and one over
        # a propagation that came with a fix elsewhere.
        if key in yours and key in held and held[key][0] != seen[key] and _stands(held[key][1], yours[key])
    ]
    if clashes:
        raise JointConflicts(clip, _told(store, clip, seen, yours, clashes))
    return {key: held[key][0] if key in held else 0 for key in seen if key in yours}


def changed_since(
    store: SqlStore, clip: str, changes: Sequence[JointChange], base: int, author: str
) -> dict[JointKey, int]:
    """Return versions to expect of an operation that was chosen when `base` was the newest edit.

    Raises `JointConflicts` where another author has decided one of its joints since.
    """
    keys = dict.fromkeys(_key(change) for change in changes)
    held = _standing(store, clip, keys)
    authors = {edit.id: edit.author for edit in store.edits(clip, after=base)}
    others = {identity for identity, name in authors.items() if name != author}
    # 0 stands for 'another version than now': an operation names no versions, only the newest edit that its page knew.
    # The author's own later edits are taken as seen, else two quick operations of one person would conflict.
    seen = {key: 0 if held[key][0] in others else held[key][0] for key in keys if key in held}
    return checked_versions(store, clip, changes, seen)


def _standing(store: SqlStore, clip: str, keys: Mapping[JointKey, object]) -> dict[JointKey, tuple[int, JointChange]]:
    """Return the change that decides each joint, and the id of its edit."""
    frames = [frame for frame, _, _ in keys]
    held: dict[JointKey, tuple[int, JointChange]] = {}
    for edit in store.standing_edits(clip, min(frames), max(frames)):
        for change in edit.changes:
            key = _key(change)
            before = held.get(key)
            by_hand = change.provenance >= Provenance.HUMAN
            if key in keys and (before is None or by_hand or before[1].provenance < Provenance.HUMAN):
                held[key] = (edit.id, change)
    return held


def _stands(theirs: JointChange, yours: JointChange) -> bool:
    """Return whether another value stands against `yours`: a person's, and not the same."""
    if theirs.provenance < Provenance.HUMAN:
        return False
    return not (_same(theirs.x, yours.x) and _same(theirs.y, yours.y) and theirs.visibility == yours.visibility)


def _same(a: float, b: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b))


def _told(
    store: SqlStore,
    clip: str,
    seen: Mapping[JointKey, int],
    yours: Mapping[JointKey, JointChange],
    clashes: Sequence[tuple[JointKey, int, JointChange]],
) -> list[JointConflict]:
    # From the oldest clash on: the authors are wanted, not the whole journal.
    oldest = min(identity for _, identity, _ in clashes)
    edits = {edit.id: edit for edit in store.edits(clip, after=oldest - 1)}
    return [JointConflict(seen[key], theirs, edits[identity], yours[key]) for key, identity, theirs in clashes]


def _key(change: JointChange) -> JointKey:
    return (change.frame, change.person, change.joint)
