"""The edit journal as a pure fold: predictions and edits in, current poses out.

The rules, in one place:

- Edits count in the order of the journal: of two human changes to a joint, the later one holds.
- An edit with `undoes` only takes another edit back; its own changes are a note for readers and never count. An edit
  that is taken back does not count, and neither does an undo that was itself taken back (that is a redo).
- Each takes back their own edits: an edit and what undoes it have the same author (the store refuses anything else).
- A machine's change (`MODEL`, `PROPAGATED`) never replaces a person's (`HUMAN`, `CONFIRMED`).
- What edits say of whole people (`PersonChange`) is folded first, by the rules of `emc.pose.people`.
- A person who appears only in edits has the joints that the edits name; the others are absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from emc.errors import UsageError
from emc.pose.people import edits_of_people, of_people, people_of
from emc.pose.records import Edit, JointChange, Pose, Prediction, Provenance, Visibility

PoseKey = tuple[int, int]
JointKey = tuple[int, int, int]


def fold_edits(
    predictions: Iterable[Prediction], edits: Sequence[Edit], *, joints: int = 0, run: str = ""
) -> list[Pose]:
    """Return the current poses: what the journal makes of the predictions.

    predictions : of one run, any order, at most one per (frame, person). edits : of the same clip, oldest first; an
    edit whose undo is not among them counts. joints : number of joints of the skeleton; poses have more only where a
    prediction or an edit names more. run : the id that poses with a prediction carry.

    A predicted joint is `VISIBLE` where its confidence is above 0 and its place finite, else `ABSENT` (its coordinates,
    NaN or not, are kept); its provenance is `MODEL`. Poses come by frame, then person, all with the same number of
    joints. Arrays of a pose that no edit touched may be the prediction's own: treat them as read-only.
    """
    # Read whole, though it may be a generator: merged people need to know who is on which frame before any pose is
    # made.
    raw = list(predictions)
    standing = standing_edits(edits)
    people = people_of(standing)
    standing = edits_of_people(standing, people, {(p.frame, p.person) for p in raw})
    changes = _deciding(standing)
    ordered = sorted(raw, key=lambda p: p.frame) if people.changes_numbers else raw
    predicted = {(p.frame, p.person): p for p in of_people(ordered, people)}
    width = max(
        joints,
        max((len(p.xy) for p in predicted.values()), default=0),
        max((joint + 1 for of_pose in changes.values() for joint in of_pose), default=0),
    )
    poses: dict[PoseKey, Pose] = {}
    for key in sorted(predicted.keys() | changes.keys()):
        prediction = predicted.get(key)
        pose = _empty_pose(key, width) if prediction is None else _predicted_pose(prediction, width, run)
        poses[key] = _with_changes(pose, changes[key]) if key in changes else pose
    return list(poses.values())


def joint_versions(edits: Sequence[Edit]) -> dict[JointKey, int]:
    """Return, for each joint that edits decide, the id of the edit that its current value comes from.

    The key is (frame, person, joint). Joints that are still as predicted are not in the mapping.
    """
    standing = standing_edits(edits)
    standing = edits_of_people(standing, people_of(standing), ())
    return {
        (frame, person, joint): edit
        for (frame, person), of_pose in _deciding(standing).items()
        for joint, (edit, _) in of_pose.items()
    }


def standing_edits(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits that count: no undo, and none that is taken back."""
    gone = undone_edits([(edit.id, edit.undoes) for edit in edits if edit.undoes])
    return [edit for edit in edits if not edit.undoes and edit.id not in gone]


def undone_edits(undoes: Sequence[tuple[int, int]]) -> set[int]:
    """Return the ids of the edits that do not count because a standing edit takes them back.

    undoes : (id, id of the edit that it takes back or 0) in the order of the journal; edits that take nothing back may
    be left out. An edit can only take back an earlier one, so one pass from the newest decides all.
    """
    gone: set[int] = set()
    # From the newest: an undo that was itself undone must be known to be gone before it can take its target with it.
    # Forwards, a redo would leave the edit undone.
    for identity, target in reversed(undoes):
        if target and identity not in gone:
            gone.add(target)
    return gone


def invert(edit: Edit, before: Iterable[Pose], author: str | None = None) -> Edit:
    """Return the edit that takes `edit` back (``undo``), or brings it again where `edit` is itself an undo (``redo``).

    edit : as stored, with its id. before : the poses before `edit`, of at least the persons and frames that it
    changed; one that is missing counts as absent. author : who takes it back (default: who made it; the store takes
    nothing else). The changes of the result say which values come back, for those who
    show them; the fold itself goes by `undoes` alone, so later edits of the same joints keep holding.
    Raises `UsageError` where the edit is not stored yet.
    """
    if not edit.id:
        raise UsageError(f"edit '{edit.kind}' of clip {edit.clip} is not stored yet: append it before taking it back")
    poses = {(pose.frame, pose.person): pose for pose in before}
    # Each joint once, in order, though an edit may change it twice: two values to come back to would contradict each
    # other in the journal's display.
    joints = dict.fromkeys((change.frame, change.person, change.joint) for change in edit.changes)
    changes = tuple(_value_of(poses.get(key[:2]), key) for key in joints)
    kind = "redo" if edit.undoes and edit.kind == "undo" else "undo"
    by = edit.author if author is None else author
    return Edit(clip=edit.clip, kind=kind, changes=changes, author=by, undoes=edit.id)


def _deciding(standing: Iterable[Edit]) -> dict[PoseKey, dict[int, tuple[int, JointChange]]]:
    """Return the change that holds for each joint, with the id of its edit; `standing` : the edits that count."""
    deciding: dict[PoseKey, dict[int, tuple[int, JointChange]]] = {}
    for edit in standing:
        for change in edit.changes:
            of_pose = deciding.setdefault((change.frame, change.person), {})
            held = of_pose.get(change.joint)
            if held is None or _may_replace(change, held[1]):
                of_pose[change.joint] = (edit.id, change)
    return deciding


def _may_replace(change: JointChange, held: JointChange) -> bool:
    # Without the first half nobody could correct a correction; without the second a propagation made again could not
    # replace the older one. A machine's change over a person's fails both.
    return change.provenance >= Provenance.HUMAN or held.provenance < Provenance.HUMAN


def _predicted_pose(prediction: Prediction, width: int, run: str) -> Pose:
    xy, confidence = prediction.xy, prediction.confidence
    missing = width - len(xy)
    if missing:
        xy = np.concatenate([xy, np.full((missing, 2), np.nan, dtype=xy.dtype)])
        confidence = np.concatenate([confidence, np.zeros(missing, dtype=confidence.dtype)])
    # Both are asked: 'not found' comes as a finite place with confidence 0 or as NaN with any confidence, by estimator
    # and by file format.
    seen = (confidence > 0) & np.isfinite(xy).all(axis=1)
    visibility = np.where(seen, np.int8(Visibility.VISIBLE), np.int8(Visibility.ABSENT))
    provenance = np.full(width, Provenance.MODEL, dtype=np.int8)
    return Pose(prediction.frame, prediction.person, xy, visibility, provenance, run, prediction.box)


def _empty_pose(key: PoseKey, width: int) -> Pose:
    return Pose(
        frame=key[0],
        person=key[1],
        xy=np.full((width, 2), np.nan, dtype=np.float32),
        visibility=np.full(width, Visibility.ABSENT, dtype=np.int8),
        provenance=np.full(width, Provenance.MODEL, dtype=np.int8),
    )


def _with_changes(pose: Pose, changes: Mapping[int, tuple[int, JointChange]]) -> Pose:
    xy, visibility, provenance = pose.xy.copy(), pose.visibility.copy(), pose.provenance.copy()
    for joint, (_, change) in changes.items():
        xy[joint] = change.x, change.y
        visibility[joint] = change.visibility
        provenance[joint] = change.provenance
    return replace(pose, xy=xy, visibility=visibility, provenance=provenance)


def _value_of(pose: Pose | None, key: JointKey) -> JointChange:
    frame, person, joint = key
    if pose is None or joint >= len(pose.xy):
        return JointChange(frame, person, joint, float("nan"), float("nan"), Visibility.ABSENT, Provenance.MODEL)
    return JointChange(
        frame,
        person,
        joint,
        float(pose.xy[joint, 0]),
        float(pose.xy[joint, 1]),
        Visibility(int(pose.visibility[joint])),
        Provenance(int(pose.provenance[joint])),
    )
