"""Runs of frames, comparisons and 3D poses as answers."""

from __future__ import annotations

import numpy as np

from emc.pose.records import Prediction
from emc.pose.skeletons import H36M17, Skeleton
from emc.server.schemas.runs import (
    AnglesOut,
    CompareOut,
    EarlierOut,
    JointOffOut,
    LiftedOut,
    PredictedOut,
    SideOut,
    TrackOut,
    TrailOut,
)
from emc.workflow.editing import AngleCurves, JointTrack, LiftedPose, RunPredictions

_ENDS = [H36M17.index(f"{side}_{end}") for end in ("wrist", "ankle") for side in ("left", "right")]
"""Joints whose way is shown."""


def track_answer(track: JointTrack) -> TrackOut:
    """Return one joint over a run."""
    return TrackOut(
        frames=track.frames.tolist(),
        xy=places(track.xy),
        predicted=places(track.predicted),
        confidence=np.round(track.confidence, 3).tolist(),
        visibility=track.visibility.tolist(),
        provenance=track.provenance.tolist(),
        versions=track.versions.tolist(),
    )


def compare_answer(before: RunPredictions | None, after: RunPredictions | None) -> CompareOut:
    """Return the same frame by two models."""
    return CompareOut(before=_side(before), after=_side(after))


def lifted_answer(pose: LiftedPose, skeleton: Skeleton) -> LiftedOut:
    """Return one person in 3D."""
    off = [
        JointOffOut(joint=j, off=round(float(pose.off[j]), 2), share=round(float(pose.off[j]) / pose.side, 4))
        for j in np.flatnonzero(np.isfinite(pose.off)).tolist()
    ]
    return LiftedOut(
        joints=list(skeleton.joints),
        limbs=list(skeleton.limbs),
        xyz=_pose(pose.xyz),
        scale=round(pose.scale, 3),
        pixel=[(round(float(x), 2), round(float(y), 2)) for x, y in pose.pixel],
        joints2d=off,
        trails=[TrailOut(joint=joint, xyz=_points(pose.before[:, joint])) for joint in _ENDS],
        ground=round(pose.ground, 3),
        angles=_angles(pose.angles),
        earlier=None
        if pose.earlier is None
        else EarlierOut(xyz=_pose(pose.earlier.xyz), angles=_angles(pose.earlier.angles)),
    )


def _pose(xyz: np.ndarray) -> list[tuple[float, float, float]]:
    return [(round(float(x), 4), round(float(y), 4), round(float(z), 4)) for x, y, z in xyz]


def _angles(curves: AngleCurves) -> AnglesOut:
    degrees = {
        name: [round(value, 1) if np.isfinite(value) else None for value in values.tolist()]
        for name, values in curves.degrees.items()
    }
    return AnglesOut(first=curves.first, degrees=degrees)


def _points(xyz: np.ndarray) -> list[tuple[float, float, float] | None]:
    return [
        (round(float(x), 3), round(float(y), 3), round(float(z), 3)) if np.isfinite((x, y, z)).all() else None
        for x, y, z in xyz
    ]


def places(xy: np.ndarray) -> list[tuple[float, float] | None]:
    """Return (N, 2) places, None where one is not finite."""
    rows = np.round(np.asarray(xy, dtype=np.float64), 2).tolist()
    return [(x, y) if np.isfinite(x) and np.isfinite(y) else None for x, y in rows]


def _side(side: RunPredictions | None) -> SideOut | None:
    if side is None:
        return None
    return SideOut(run=side.run, model=side.model, people=[_predicted(p) for p in side.people])


def _predicted(prediction: Prediction) -> PredictedOut:
    confidence = np.nan_to_num(prediction.confidence.astype(np.float64))
    return PredictedOut(person=prediction.person, xy=places(prediction.xy), confidence=np.round(confidence, 3).tolist())
