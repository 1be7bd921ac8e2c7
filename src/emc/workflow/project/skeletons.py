"""The skeleton of a project: declared once, kept in the project, and what every model's joints are turned into.

A project that declares none works as its models do: COCO-17 until a model with other joints predicts a clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import CalibrateSettings, Settings
from emc.errors import NotTrainable, ProjectError, UsageError
from emc.interfaces import Estimator, Growable, ModelInfo, Store, Trainable
from emc.pose.records import Box, Pose, Prediction, Provenance, Sample, Visibility
from emc.pose.skeletons import (
    COCO17,
    SKELETONS,
    Skeleton,
    SkeletonMap,
    read_skeleton,
    skeleton_from_toml,
    skeleton_map,
    skeleton_text,
)
from emc.untrusted import in_one_line
from emc.workflow.files import read_json

KIND = "skeleton"
"""Kind of the documents that hold skeletons which are not built in, by name."""
PROJECT = ("project", "skeleton")
"""Kind and name of the document that names the project's own."""


def mirror_note(skeleton: Skeleton) -> str:
    """Return what to know of a skeleton without mirror joints; "" of any other."""
    if skeleton.mirrors:
        return ""
    return (
        f"no mirror joints were found in skeleton {skeleton.name}: nothing is mirrored in training or prediction; if "
        'it has a left and a right, name the pairs: flip = [["l_x", "r_x"]] (docs/skeletons.md)'
    )


def given_skeleton(name_or_file: str) -> Skeleton:
    """Return a built-in skeleton by name, or that of a TOML file; raises `InputError` naming the file."""
    return SKELETONS[name_or_file] if name_or_file in SKELETONS else read_skeleton(Path(name_or_file))


def declare(store: Store, skeleton: Skeleton) -> None:
    """Make a skeleton the project's; raises `ProjectError` where clips are predicted or corrected in another one."""
    before = declared_skeleton(store)
    used = before.name if before else next((run.skeleton for run in store.runs()), "")
    used = used or (COCO17.name if any(store.edits(clip.id) for clip in store.clips()) else "")
    if used and (used != skeleton.name or (before is not None and before != skeleton)):
        raise ProjectError(
            f"{store.folder} holds joints of skeleton {used}, and cannot change to {skeleton.name}: make a new project "
            "with `emc new NAME --skeleton ...` and import the corrections there"
        )
    remember(store, skeleton)
    store.put_document(*PROJECT, {"name": skeleton.name})


def declared_skeleton(store: Store) -> Skeleton | None:
    """Return the skeleton that the project declares, None where it declares none."""
    document = store.document(*PROJECT)
    if document is None:
        return None
    with in_one_line(f"the skeleton of {store.folder}", "put back a copy of the project", ProjectError):
        return skeleton_called(store, str(document["name"]))


def remember(store: Store, skeleton: Skeleton) -> None:
    """Keep a skeleton that is not built in, so that runs can name it.

    Raises `UsageError` where the project knows another one by the same name.
    """
    if SKELETONS.get(skeleton.name) == skeleton:
        return
    text = skeleton_text(skeleton)
    known = store.document(KIND, skeleton.name)
    if known is not None and skeleton_from_toml(str(known.get("toml", ""))) != skeleton:
        raise UsageError(
            f"{store.folder} knows another skeleton by the name '{skeleton.name}': give yours another name"
        )
    if known is None:
        store.put_document(KIND, skeleton.name, {"toml": text})


def skeleton_called(store: Store, name: str) -> Skeleton:
    """Return a built-in skeleton or one that the project remembers; raises `UsageError` naming those that exist."""
    if name in SKELETONS:
        return SKELETONS[name]
    document = store.document(KIND, name)
    if document is None:
        raise UsageError(f"unknown skeleton '{name}' in {store.folder}: use one of {', '.join(SKELETONS)}")
    return skeleton_from_toml(str(document.get("toml", "")), f"skeleton {name} of {store.folder}")


def clip_skeleton(store: Store, clip: str) -> Skeleton:
    """Return the joints of a clip's poses: the project's, else those of its newest run, else COCO-17."""
    own = declared_skeleton(store)
    if own is not None:
        return own
    runs = [run for run in store.runs(clip) if run.complete]
    return skeleton_called(store, runs[-1].skeleton) if runs else COCO17


def estimator_in(store: Store, name: str) -> Estimator:
    """Return an estimator (see `plugins.estimator_for`) whose predictions have the project's joints.

    Raises `UsageError` where the estimator has none of the project's joints.
    """
    estimator: Estimator = plugins.estimator_for(name)
    wanted = declared_skeleton(store)
    if wanted is None:
        remember(store, estimator.skeleton)
        return estimator
    return estimator if same_joints(estimator.skeleton, wanted) else mapped(estimator, wanted)


def mapped(estimator: Estimator, wanted: Skeleton) -> MappedEstimator:
    """Return an estimator that predicts in the joints `wanted`; raises `UsageError` where none can be mapped."""
    mapping = skeleton_map(estimator.skeleton, wanted)
    if len(mapping.absent) == len(wanted):
        raise UsageError(
            f"estimator {estimator.describe().name} has no joint of skeleton {wanted.name}: label some frames "
            "(`emc import coco`), calibrate it, and predict with the calibrated model"
        )
    return MappedEstimator(estimator, mapping)


def trainable_in(store: Store, estimator: Trainable) -> Trainable:
    """Return a trainable estimator with the project's joints: itself, or a copy that was given the missing ones.

    Raises `NotTrainable` where it cannot take other joints.
    """
    wanted = declared_skeleton(store)
    if wanted is None or same_joints(estimator.skeleton, wanted):
        return estimator
    return with_joints_of(estimator, wanted)


def with_joints_of(estimator: Trainable, wanted: Skeleton) -> Trainable:
    """Return a copy of an estimator for another skeleton; raises `NotTrainable` where it cannot take it."""
    if not isinstance(estimator, Growable):
        raise NotTrainable(
            f"estimator {estimator.describe().name} knows skeleton {estimator.skeleton.name} alone, the project has "
            f"{wanted.name}: calibrate one that can take other joints, such as nano, vitpose or keypointrcnn"
        )
    return estimator.with_skeleton(wanted)


def with_joints(estimator: Estimator, wanted: Skeleton) -> Estimator:
    """Return an estimator with the joints `wanted`: itself, a copy with other output channels, or a mapped one."""
    if same_joints(estimator.skeleton, wanted):
        return estimator
    return estimator.with_skeleton(wanted) if isinstance(estimator, Growable) else mapped(estimator, wanted)


def calibrated_skeleton(folder: Path) -> Skeleton:
    """Return the joints of a finished calibration's models, from the card of the chosen one; COCO-17 without one."""
    card: Mapping[str, Any] = read_json(folder / "chosen" / "emc.json") or {}
    text = card.get("skeleton_toml")
    return skeleton_from_toml(str(text)) if text else SKELETONS.get(str(card.get("skeleton")), COCO17)


def scored_in(settings: Settings, skeleton: Skeleton) -> Settings:
    """Return the settings with parts that a skeleton has: all its joints where it has no leg and none was asked for.

    Raises `UsageError` for a part that was asked for and that the skeleton lacks.
    """
    parts = settings.calibrate.parts
    missing = [part for part in parts if part not in skeleton.parts]
    if not missing:
        return settings
    if parts != CalibrateSettings().parts:  # pyright: ignore[reportCallIssue]
        raise UsageError(
            f"setting calibrate.parts names {', '.join(missing)}, which skeleton {skeleton.name} lacks: use "
            f"{', '.join(skeleton.parts)}"
        )
    return settings.model_copy(update={"calibrate": settings.calibrate.model_copy(update={"parts": ("total",)})})


def same_joints(one: Skeleton, other: Skeleton) -> bool:
    """Return whether two skeletons have the same joints in the same order, with the same mirror joints."""
    return one.joints == other.joints and one.flip == other.flip


class MappedEstimator:
    """An estimator whose predictions are turned into another skeleton's; it predicts, and cannot be trained."""

    def __init__(self, inner: Estimator, mapping: SkeletonMap) -> None:
        self.inner = inner
        self.mapping = mapping

    @property
    def skeleton(self) -> Skeleton:
        """Joints that the predictions are turned into."""
        return self.mapping.target

    def predict(self, images: Sequence[np.ndarray], boxes: Sequence[Sequence[Box]]) -> list[Prediction]:
        """Predict every box of every image; joints that the inner estimator lacks and cannot derive are NaN."""
        return [self.mapping.prediction(found) for found in self.inner.predict(images, boxes)]

    def describe(self) -> ModelInfo:
        """Return the inner estimator's description in the other skeleton."""
        info = self.inner.describe()
        return replace(info, skeleton=self.skeleton.name, trainable=False, notes=self.mapping.say())


def samples_in(samples: Iterable[Sample], source: Skeleton, target: Skeleton) -> list[Sample]:
    """Return labelled samples in another skeleton; those without any of its joints are left out."""
    if same_joints(source, target):
        return list(samples)
    mapping = skeleton_map(source, target)
    found: list[Sample] = []
    for sample in samples:
        xy, visibility = mapping.labels(sample.xy, sample.visibility)
        weight, spread = (None if v is None else mapping.least(np.asarray(v)) for v in (sample.weight, sample.spread))
        spread = None if spread is None else np.where(spread > 0, spread, 1.0)
        if (visibility > 0).any():
            found.append(replace(sample, xy=xy, visibility=visibility, weight=weight, spread=spread))
    return found


def rendered_stand_in(store: Store) -> Skeleton:
    """Return the project's joints; raises `UsageError` where rendered people have none of them."""
    own = declared_skeleton(store) or COCO17
    if len(skeleton_map(COCO17, own).absent) == len(own):
        raise UsageError(
            f"{store.folder} has no labelled common clip, and the people that EMC renders have no joint of skeleton "
            f"{own.name}: label clips of everyday poses (`emc add --role common`), or set calibrate.strategy=finetune"
        )
    return own


def liftable(store: Store, clip: str) -> None:
    """Raise `UsageError` where a clip's joints are not COCO-17, which lifters take."""
    skeleton = clip_skeleton(store, clip)
    if skeleton.joints != COCO17.joints:
        raise UsageError(
            f"clip {clip} has joints of skeleton {skeleton.name}, lifting takes coco17: predict it in a project of "
            "`emc new NAME --skeleton coco17`"
        )


def padded_pose(pose: Pose, joints: int) -> Pose:
    """Return a pose with at least `joints` joints: those that nobody ever placed are absent."""
    missing = joints - len(pose.xy)
    if missing <= 0:
        return pose
    return replace(
        pose,
        xy=np.concatenate([pose.xy, np.full((missing, 2), np.nan, pose.xy.dtype)]),
        visibility=np.concatenate([pose.visibility, np.full(missing, Visibility.ABSENT, pose.visibility.dtype)]),
        provenance=np.concatenate([pose.provenance, np.full(missing, Provenance.MODEL, pose.provenance.dtype)]),
    )


def skeleton_status(store: Store) -> dict[str, Any]:
    """Return what `emc status` says of the skeleton: its name and joints, and whether the project declares it."""
    own = declared_skeleton(store)
    shown = own or COCO17
    return {"name": shown.name, "joints": list(shown.joints), "declared": own is not None}
