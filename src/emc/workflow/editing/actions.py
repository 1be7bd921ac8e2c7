"""Actions as pages send them: what they hold, what cannot be meant, and digests of what was asked.

A token stands for one request, whatever became of the first answer. Its digest leaves out what does not change what is
done: the time that it took, who asks (except of undo and redo, which depend on it), and which versions the page showed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np

from emc.errors import UsageError
from emc.pose.geometry import outside
from emc.pose.journal import JointKey
from emc.pose.people import People
from emc.pose.records import Clip, Edit, JointChange, Provenance, Visibility
from emc.pose.skeletons import Skeleton
from emc.workflow.editing.history import EDITOR_KINDS
from emc.workflow.editing.operations import OperationRequest
from emc.workflow.editing.propagation import REACH, PropagatedSpan

MAX_CHANGES = 10_000
"""Joints that one edit of the editor's page may change: more is a mistake, not an action of a person."""


@dataclass(frozen=True, slots=True)
class EditAction:
    """One action as the page sent it.

    seen : (frame, person, joint) -> version that the page showed, for joints where that matters. author : who acts,
    "" for who started the editor. propagate : carry placed joints to the frames around, `reach` frames to each side.
    """

    kind: str
    changes: tuple[JointChange, ...]
    seconds: float = 0.0
    token: str = ""
    author: str = ""
    seen: Mapping[JointKey, int] | None = None
    propagate: bool = False
    reach: int = REACH


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an action: the edit as stored, what it propagated, and "" or why nothing could be."""

    edit: Edit
    spans: tuple[PropagatedSpan, ...] = ()
    fault: str = ""


def check_edit(clip: Clip, skeleton: Skeleton, kind: str, changes: Sequence[JointChange]) -> None:
    """Raise `UsageError` where an edit from the editor cannot be meant, naming frame, person and joint."""
    if kind not in EDITOR_KINDS:
        raise UsageError(f"edit kind '{kind}' is unknown: use one of {', '.join(EDITOR_KINDS)}")
    if not 0 < len(changes) <= MAX_CHANGES:
        raise UsageError(f"an edit of {len(changes)} joints cannot be: change 1 to {MAX_CHANGES}")
    for change in changes:
        where = f"clip {clip.id}, frame {change.frame}, person {change.person}, joint {change.joint}"
        if not 0 <= change.frame < clip.frames:
            raise UsageError(f"{where}: the clip has no such frame; use 0 to {clip.frames - 1}")
        if not 0 <= change.joint < len(skeleton):
            raise UsageError(f"{where}: skeleton {skeleton.name} has joints 0 to {len(skeleton) - 1}")
        if change.provenance < Provenance.HUMAN:
            raise UsageError(f"{where}: provenance {change.provenance} is a machine's: send 2 (human) or 3 (confirmed)")
        placed = math.isfinite(change.x) and math.isfinite(change.y)
        if not placed and change.visibility is not Visibility.ABSENT:
            raise UsageError(f"{where} has no place, so it cannot be {change.visibility.name.lower()}: place it first")
        if placed and outside(np.array([change.x, change.y]), clip.width, clip.height):
            raise UsageError(f"{where}: ({change.x:.1f}, {change.y:.1f}) is far outside the frame: place it nearer")


def edit_asked(clip: str, kind: str, changes: Sequence[JointChange], propagate: bool, reach: int) -> str:
    """Return the digest of an action joint by joint."""
    return _digest("edit", clip, kind, [astuple(change) for change in changes], propagate, reach)


def order_asked(clip: str, order: OperationRequest) -> str:
    """Return the digest of an operation on a run."""
    joints = None if order.joints is None else list(order.joints)
    run = (order.person, order.frame, order.first, order.last)
    return _digest("order", clip, order.operation, run, joints, order.limb, order.other, order.visibility, order.xy)


def newcomer_asked(clip: str, frame: int, box: tuple[float, float, float, float], follow: bool) -> str:
    """Return the digest of a person to be added."""
    return _digest("newcomer", clip, frame, box, follow)


def people_asked(clip: str, action: str, persons: Sequence[int], into: int | None) -> str:
    """Return the digest of an edit of whole people."""
    return _digest("people", clip, action, list(persons), into)


def of_people_now(clip: Clip, action: EditAction, people: People) -> EditAction:
    """Return an action by the numbers that people have now: a page may not know yet that somebody was merged.

    Raises `UsageError` where somebody was deleted since: a correction of theirs would be seen nowhere.
    """
    if not people.changes_numbers:
        return action
    now: list[JointChange] = []
    for change in action.changes:
        number = people.number(change.person)
        if number is None:
            raise UsageError(
                f"person {change.person} of clip {clip.id} was deleted: bring them back first (People, Restore)"
            )
        now.append(replace(change, person=number))
    seen = {
        (frame, number, joint): version
        for (frame, person, joint), version in (action.seen or {}).items()
        if (number := people.number(person)) is not None
    }
    return replace(action, changes=tuple(now), seen=seen)


def step_asked(clip: str, verb: str, author: str, target: int | None) -> str:
    """Return the digest of an undo or a redo."""
    return _digest(verb, clip, author, target)


def _digest(*said: object) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
