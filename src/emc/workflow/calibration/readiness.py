"""What a calibration has to work with, said before it starts: who is labelled, who would choose, what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.config import Settings
from emc.errors import EmcError
from emc.pose.journal import fold_edits
from emc.pose.records import TEST_TAG, Clip, Pose, Role
from emc.pose.skeletons import COCO17, Skeleton, skeleton_named
from emc.stages.calibration_set import CalibrationSet, SampleRef, build_calibration_set
from emc.store import SqlStore
from emc.workflow.samples import guessed_torso, is_labelled, label_visibility

FEW_TRAIN, FEW_CHOOSE = 20, 8
"""Persons below which the page says that the result will be uncertain."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What of the target clips is labelled, and what stands against a calibration.

    persons : labelled, one per frame. joints : that people placed or confirmed. train, validation : persons on either
    side of the split. problems : why it cannot start, each with what to do. notes : what will make it uncertain.
    """

    persons: int
    frames: int
    clips: int
    groups: int
    joints: int
    train: int = 0
    validation: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A labelled person: its pose as the journal alone tells it, and its clip."""

    clip: Clip
    pose: Pose
    skeleton: Skeleton

    @property
    def ref(self) -> SampleRef:
        clip, pose = self.clip, self.pose
        return SampleRef(clip.id, clip.group, pose.frame, pose.person, clip.role, dict(clip.tags), clip.sha256)

    @property
    def joints(self) -> np.ndarray:
        return np.flatnonzero(label_visibility(self.pose) > 0)


def calibration_readiness(store: SqlStore, settings: Settings) -> Readiness:
    """Return whether the project can be calibrated as it is; no frame is decoded."""
    people = [person for clip in store.clips() for person in _labelled_of(store, clip)]
    target = [person for person in people if person.clip.role is Role.TARGET]
    ready = Readiness(
        persons=len(target),
        frames=len({(p.clip.id, p.pose.frame) for p in target}),
        clips=len({p.clip.id for p in target}),
        groups=len({p.clip.group or p.clip.id for p in target}),
        joints=sum(len(p.joints) for p in target),
    )
    if not target:
        return _with(ready, problems=("nothing is corrected yet: place or confirm joints on two frames or more",))
    try:
        refs = [person.ref for person in people]
        options = settings.calibrate
        chosen = build_calibration_set(
            refs, (), options.validation, options.mix, options.seed, options.validation_common
        )
    except EmcError as error:
        return _with(ready, problems=(f"{_counted(ready)}: {error}",))
    return _checked(ready, chosen, target, store, settings)


def _checked(
    ready: Readiness, chosen: CalibrationSet, target: Sequence[_Labelled], store: SqlStore, settings: Settings
) -> Readiness:
    keys = {(ref.clip, ref.frame, ref.person) for ref in chosen.split.validation if ref.role is Role.TARGET}
    held = [p for p in target if (p.clip.id, p.pose.frame, p.pose.person) in keys]
    train = sum(ref.role is Role.TARGET for ref in chosen.split.train)
    problems = [
        text for text in (_no_validation(held), _no_part(held, settings), _no_size(held, store, settings)) if text
    ]
    few = [
        f"only {count} persons {verb}: correct about {wanted} for a result to trust"
        for count, verb, wanted in ((train, "train", FEW_TRAIN), (len(held), "choose the model", FEW_CHOOSE))
        if 0 < count < wanted
    ]
    partly = sum(len(p.joints) < len(p.skeleton) / 2 for p in target)
    if partly:
        few.append(
            f"{partly} of {len(target)} persons have fewer than half of their joints placed or confirmed: joints that "
            "nobody decided train nothing; C confirms a whole frame"
        )
    return _with(ready, tuple(problems), (*few, *chosen.split.warnings), train, len(held))


def _no_validation(held: Sequence[_Labelled]) -> str:
    if held:
        return ""
    return "every corrected group also trains, so that none can choose the model: correct a clip of another group"


def _no_part(held: Sequence[_Labelled], settings: Settings) -> str:
    parts = settings.calibrate.parts
    if not held or any(set(_of_parts(p.skeleton, parts)) & set(p.joints.tolist()) for p in held):
        return ""
    names = ", ".join(held[0].skeleton.joints[j].replace("_", " ") for j in _of_parts(held[0].skeleton, parts))
    return (
        f"{_who(held)} would choose the model by its {', '.join(parts)} joints, of which none is decided there: place "
        f"or confirm {names}"
    )


def _no_size(held: Sequence[_Labelled], store: SqlStore, settings: Settings) -> str:
    if not held or settings.evaluate.head not in ("torso", "head_segment"):
        return ""
    if any(_has_size(person, store) for person in held):
        return ""
    return (
        f"errors are measured in torso lengths, and {_who(held)} have neither right shoulder and left hip placed nor a "
        "prediction of them: place these two joints"
    )


def _has_size(person: _Labelled, store: SqlStore) -> bool:
    if store.document("label_extras", person.clip.id) is not None:
        return True
    if person.skeleton.name != COCO17.name:
        return True
    ends = {COCO17.index("right_shoulder"), COCO17.index("left_hip")}
    if ends <= set(person.joints.tolist()):
        return True
    frame = person.pose.frame
    now = [p for p in store.poses(person.clip.id, None, frame, frame) if p.person == person.pose.person]
    return any(math.isfinite(guessed_torso(pose, label_visibility(pose))) for pose in now)


def _labelled_of(store: SqlStore, clip: Clip) -> list[_Labelled]:
    if clip.tags.get(TEST_TAG[0]) == TEST_TAG[1]:
        return []
    edits = store.standing_edits(clip.id)
    if not edits:
        return []
    run = store.current_run(clip.id)
    skeleton = COCO17 if run is None else skeleton_named(run.skeleton)
    poses = fold_edits((), edits, joints=len(skeleton))
    people = store.people(clip.id)
    return [_Labelled(clip, pose, skeleton) for pose in poses if people.counts(pose.person) and is_labelled(pose)]


def _of_parts(skeleton: Skeleton, parts: Sequence[str]) -> list[int]:
    return sorted({joint for part in parts for joint in skeleton.parts.get(part, ())})


def _who(held: Sequence[_Labelled]) -> str:
    clips = sorted({p.clip.id for p in held})
    more = f" and {len(clips) - 2} more clips" if len(clips) > 2 else ""
    return f"the {len(held)} persons held out ({', '.join(clips[:2])}{more})"


def _counted(ready: Readiness) -> str:
    return f"{ready.joints} joints of {ready.persons} persons on {ready.frames} frames are decided"


def _with(
    ready: Readiness, problems: tuple[str, ...] = (), notes: tuple[str, ...] = (), train: int = 0, validation: int = 0
) -> Readiness:
    return Readiness(
        ready.persons, ready.frames, ready.clips, ready.groups, ready.joints, train, validation, problems, notes
    )
