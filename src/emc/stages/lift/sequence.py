"""Lift: 2D poses of a clip to 3D sequences, one per person."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from emc.errors import ShapeMismatch, UsageError
from emc.interfaces import Lifter
from emc.pose.motion import LiftedSequence
from emc.pose.records import Pose, Prediction, Visibility
from emc.pose.skeletons import COCO17

LONGEST_GAP = 15
"""Frames: half a second at 30 frames per second. Beyond it nothing is known of the person."""

OCCLUDED_CONFIDENCE = 0.5
JOINTS = len(COCO17)


@runtime_checkable
class Placing(Protocol):
    """A lifter that also says where the person is."""

    def pelvis(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
        """Return the pelvis (T, 3) of what `Lifter.lift` takes, metres in camera axes; None where it cannot be told."""
        ...


@dataclass(frozen=True, slots=True)
class _Track:
    """One person's consecutive frames: xy (T, 17, 2) and confidence (T, 17), NaN and 0 where there is nothing."""

    first: int
    xy: np.ndarray
    confidence: np.ndarray


def lift_clip(
    observations: Iterable[Prediction | Pose],
    lifter: Lifter,
    size: tuple[int, int],
    longest_gap: int = LONGEST_GAP,
    cuts: Collection[int] = (),
) -> dict[int, LiftedSequence]:
    """Lift every person of a clip.

    observations : COCO-17 predictions or poses of one clip, in any order; of a pose, visible joints count with
    confidence 1, occluded-but-placed ones with 0.5. size : (width, height) of the frames, pixels. longest_gap : frames
    on which a person is missing and that are bridged; at a longer gap the sequence is split, its parts are lifted
    apart, and the gap's frames are left out of the result. cuts : frames that begin another shot, where a sequence is
    split too. Where the lifter says where the person is (`Placing`), the
    sequence has it as `root`.
    Returns person -> sequence, persons ascending; a person of whom no joint was ever seen is left out.
    Raises `ShapeMismatch` for another skeleton, `UsageError` for a negative gap or a person seen twice on one frame.
    """
    if longest_gap < 0:
        raise UsageError(f"longest gap is {longest_gap} frames: give 0 or more")
    persons: dict[int, dict[int, Prediction | Pose]] = {}
    for item in observations:
        _add(persons.setdefault(item.person, {}), item)
    lifted: dict[int, LiftedSequence] = {}
    for person in sorted(persons):
        tracks = _tracks(persons[person], longest_gap, cuts)
        if tracks:
            lifted[person] = _lift_person(person, tracks, lifter, size, cuts)
    return lifted


def joints_on_frames(
    observations: Iterable[Prediction | Pose], sequence: LiftedSequence
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 2D joints that a sequence was lifted from: (T, 17, 2) pixels, NaN = missing, and (T, 17) confidence.

    observations : as `lift_clip` took them; other persons and frames than the sequence's are passed over.
    """
    place = {int(frame): row for row, frame in enumerate(sequence.frames)}
    xy = np.full((len(sequence), JOINTS, 2), np.nan)
    confidence = np.zeros((len(sequence), JOINTS))
    for item in observations:
        if item.person == sequence.person and item.frame in place:
            xy[place[item.frame]], confidence[place[item.frame]] = _joints(item)
    return xy, confidence


def smooth_sequence(sequence: LiftedSequence, window: int = 7, order: int = 3) -> LiftedSequence:
    """Return a sequence with less jitter, where the peaks of fast motion (a kick's impact) keep their height.

    A Savitzky-Golay filter: a polynomial of `order` fitted over `window` frames, which unlike a moving average follows
    a peak that the polynomial can form. It runs within consecutive frames only; where these are fewer than the window,
    with the largest odd window that fits, and not at all where none does. Confidence is unchanged, the pelvis stays at
    the origin. Source: Savitzky, Golay, Analytical Chemistry 1964. Raises `UsageError` for a window that is even, or
    not above `order`.
    """
    from scipy.signal import savgol_filter  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    if window % 2 == 0 or window <= order or order < 0:
        raise UsageError(f"smoothing got window {window} and order {order}: the window must be odd and above the order")
    xyz = sequence.xyz.copy()
    for piece in sequence.pieces():
        count = piece.stop - piece.start
        fitting = min(window, count - 1 + count % 2)
        if fitting > order:
            xyz[piece] = savgol_filter(sequence.xyz[piece], fitting, order, axis=0, mode="interp")
    return replace(sequence, xyz=xyz, sigma=None, contact=None, floor=None)


def _add(frames: dict[int, Prediction | Pose], item: Prediction | Pose) -> None:
    if len(item.xy) != JOINTS:
        raise ShapeMismatch(
            f"frame {item.frame}, person {item.person} has {len(item.xy)} joints: lifting takes COCO-17 (17 joints)"
        )
    if item.frame in frames:
        raise UsageError(
            f"frame {item.frame} has person {item.person} twice: give the predictions of one run, or the poses"
        )
    frames[item.frame] = item


def _joints(item: Prediction | Pose) -> tuple[np.ndarray, np.ndarray]:
    """Return (17, 2) pixels, NaN where nothing is known, and (17,) confidence, 0 there."""
    placed = np.asarray(np.isfinite(item.xy).all(axis=-1))
    if isinstance(item, Prediction):
        known, confidence = placed, np.nan_to_num(item.confidence.astype(np.float64))
    else:
        known = placed & np.asarray(item.visibility != Visibility.ABSENT)
        confidence = np.where(item.visibility == Visibility.VISIBLE, 1.0, OCCLUDED_CONFIDENCE)
    xy = np.where(known[:, None], item.xy.astype(np.float64), np.nan)
    return xy, np.where(known, confidence, 0.0)


def _tracks(frames: dict[int, Prediction | Pose], longest_gap: int, cuts: Collection[int]) -> list[_Track]:
    """Split a person's frames at cuts and at gaps that are too long; frames without any joint are gaps too."""
    joints = {frame: _joints(item) for frame, item in sorted(frames.items())}
    seen = np.array([frame for frame, (xy, _) in joints.items() if np.isfinite(xy).any()], dtype=np.int64)
    if len(seen) == 0:
        return []
    # Two frames are of one shot where as many cuts lie before the one as before the other.
    shot = np.searchsorted(np.sort(np.array(list(cuts), dtype=np.int64)), seen, side="right")
    parts = np.split(seen, np.flatnonzero((np.diff(seen) > longest_gap + 1) | (np.diff(shot) > 0)) + 1)
    return [_track(part, joints) for part in parts]


def _track(part: np.ndarray, joints: dict[int, tuple[np.ndarray, np.ndarray]]) -> _Track:
    first, count = int(part[0]), int(part[-1] - part[0]) + 1
    xy = np.full((count, JOINTS, 2), np.nan)
    confidence = np.zeros((count, JOINTS))
    for frame in part:
        xy[frame - first], confidence[frame - first] = joints[int(frame)]
    return _Track(first, xy, confidence)


def _lift_person(
    person: int, tracks: list[_Track], lifter: Lifter, size: tuple[int, int], cuts: Collection[int]
) -> LiftedSequence:
    frames = [np.arange(track.first, track.first + len(track.xy), dtype=np.int64) for track in tracks]
    xyz = [lifter.lift(track.xy, track.confidence, size) for track in tracks]
    confidence = [track.confidence.mean(axis=1) for track in tracks]
    return LiftedSequence(
        person,
        np.concatenate(frames),
        np.concatenate(xyz).astype(np.float32),
        np.concatenate(confidence).astype(np.float32),
        _pelvis(tracks, lifter, size),
        cuts=np.array(sorted(cuts), dtype=np.int64) if cuts else None,
    )


def _pelvis(tracks: list[_Track], lifter: Lifter, size: tuple[int, int]) -> np.ndarray | None:
    if not isinstance(lifter, Placing):
        return None
    found = [lifter.pelvis(track.xy, track.confidence, size) for track in tracks]
    known = [one for one in found if one is not None]
    return np.concatenate(known).astype(np.float32) if len(known) == len(tracks) else None
