"""Lifted sequences -> refined ones, and the 2D joints that do not fit them -> alerts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from emc.config import AlertSettings, LiftSettings
from emc.interfaces import Store
from emc.pose.motion import LiftedSequence
from emc.pose.records import Alert, Clip, Pose, Prediction, Provenance, Visibility
from emc.stages.lift import (
    OCCLUDED_CONFIDENCE,
    joints_on_frames,
    merge_residual_alerts,
    reprojection_residual,
    residual_alerts,
)
from emc.stages.refine import Camera2D, refine_sequence

Observations = Sequence[Prediction | Pose]
PROPAGATED_CONFIDENCE = 0.8
ANY_FPS = 30.0
"""Rate that refinement is told of pictures without one: each is refined alone, and none has a frame beside it."""


def refine_lifted(
    lifted: Mapping[int, LiftedSequence], observations: Observations, clip: Clip, settings: LiftSettings
) -> dict[int, LiftedSequence]:
    """Return every person's sequence after ``lift.refine``; with none named, as it was lifted.

    observations : what the sequences were lifted from.
    """
    if not settings.refine:
        return dict(lifted)
    camera = Camera2D((clip.width, clip.height), clip.fps or ANY_FPS, settings.focal or None, settings.height or None)
    refined: dict[int, LiftedSequence] = {}
    for person, sequence in lifted.items():
        own = [item for item in observations if item.person == person]
        refined[person] = refine_sequence(sequence, *joints_on_frames(own, sequence), camera, settings.refine)
    return refined


def refine_arrays(
    xyz: np.ndarray,
    xy: np.ndarray,
    confidence: np.ndarray,
    size: tuple[int, int],
    fps: float,
    names: Collection[str],
) -> np.ndarray:
    """Return (T, 17, 3) metres after the refinements `names`; arrays as `Lifter.lift` takes and gives them."""
    whole = LiftedSequence(
        0, np.arange(len(xyz), dtype=np.int64), xyz.astype(np.float32), confidence.mean(axis=1).astype(np.float32)
    )
    return refine_sequence(whole, xy, confidence, Camera2D(size, fps), names).xyz


def trusted_observations(
    store: Store, clip: str, run: str, first: int = 0, last: int | None = None
) -> list[Prediction]:
    """Return a clip's current poses as observations: people's joints are sure, the model's as sure as it said.

    first, last : only these frames, both included.

    A joint that a person placed or confirmed has confidence 1 (occluded: 0.5), a propagated one
    `PROPAGATED_CONFIDENCE`, any other that of the prediction. Absent joints are NaN with confidence 0.
    """
    predicted = {(p.frame, p.person): p for p in store.predictions(run, first, last)}
    poses = store.poses(clip, run, first, last)
    return [_trusted(pose, predicted.get((pose.frame, pose.person))) for pose in poses]


def _trusted(pose: Pose, prediction: Prediction | None) -> Prediction:
    said = np.zeros(len(pose.xy)) if prediction is None else prediction.confidence.astype(np.float64)
    decided = np.where(pose.visibility == Visibility.VISIBLE, 1.0, OCCLUDED_CONFIDENCE)
    confidence = np.where(pose.provenance == Provenance.PROPAGATED, PROPAGATED_CONFIDENCE, said)
    confidence = np.where(pose.provenance >= Provenance.HUMAN, decided, confidence)
    absent = pose.visibility == Visibility.ABSENT
    xy = np.where(absent[:, None], np.nan, pose.xy).astype(np.float32)
    sure = np.where(absent, 0.0, confidence).astype(np.float32)
    box = pose.box if pose.box is not None else np.zeros(4, dtype=np.float32)
    return Prediction(pose.frame, pose.person, xy, sure, sure, box)


def find_residual_alerts(
    clip: Clip,
    sequences: Mapping[int, LiftedSequence],
    observed: Sequence[Prediction],
    poses: Sequence[Pose],
    lift: LiftSettings,
    alerts: AlertSettings,
) -> list[Alert]:
    """Return an alert for each 2D joint that does not fit the lifted motion and that no person has decided.

    observed : what was lifted. poses : the same persons and frames, to know who decided what.
    """
    found: list[Alert] = []
    for person, sequence in sequences.items():
        own = [pose for pose in poses if pose.person == person]
        xy, confidence = joints_on_frames([seen for seen in observed if seen.person == person], sequence)
        residual = reprojection_residual(sequence, xy, (clip.width, clip.height), lift.focal or None)
        place = {int(frame): row for row, frame in enumerate(sequence.frames)}
        for pose in own:
            if pose.frame in place:
                residual[place[pose.frame], pose.provenance >= Provenance.HUMAN] = float("nan")
        found += residual_alerts(clip.id, sequence, residual, confidence, alerts.residual, alerts.gap)
    return found


def store_residual_alerts(store: Store, run: str, found: Sequence[Alert]) -> int:
    """Put lift residuals into a run's queue in place of earlier ones; returns how many are in it now."""
    known = store.alerts(run)
    merged = merge_residual_alerts(known, found)
    if merged != known:
        store.write_alerts(run, merged, store.frame_alerts(run, worst_first=False))
    return sum(alert in set(found) for alert in merged)
