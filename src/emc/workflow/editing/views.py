"""What the editor shows of a frame, and how it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emc.config import AlertSettings
from emc.pose.records import Alert, FrameAlerts, Pose, Prediction, Provenance
from emc.workflow.editing.decided import Decided
from emc.workflow.editing.flags import Flags, open_on_frame


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person on one frame: the pose, the model's confidence (J,) in it (0 where it predicted nothing), and the
    ids (J,) of the edits that decide the joints (0 as predicted).
    """

    pose: Pose
    confidence: np.ndarray
    versions: np.ndarray


@dataclass(frozen=True, slots=True)
class FrameView:
    """One frame: its persons, the open alerts, (m, n) of what nobody has decided yet, and its state.

    state : ``confirmed`` where a person decided every joint that has a place, ``changed`` where some, else ``open``.
    """

    frame: int
    people: tuple[PersonView, ...]
    flagged: tuple[Alert, ...]
    lost: int
    low: int
    state: str


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A frame in the list: (m, n) still open, the open alerts, and its state as in `FrameView`."""

    frame: int
    lost: int
    low: int
    state: str
    flagged: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert in the queue, and on how many (`done`) of its `total` frames a person has decided the joint."""

    alert: Alert
    done: int
    total: int


def person_view(pose: Pose, prediction: Prediction | None, versions: np.ndarray) -> PersonView:
    """Return one person with the confidence that the prediction gives."""
    confidence = np.zeros(len(pose.xy), dtype=np.float32)
    if prediction is not None:
        placed = np.isfinite(prediction.xy).all(axis=1)
        confidence[: len(prediction.confidence)] = np.where(placed, np.nan_to_num(prediction.confidence), 0)
    return PersonView(pose, confidence, versions)


def frame_view(
    frame: int, people: Sequence[PersonView], flagged: Sequence[Alert], settings: AlertSettings
) -> FrameView:
    """Return a frame with its counts and its state."""
    lost = sum(int(_open_lost(person, settings).sum()) for person in people)
    low = sum(int(_open_low(person, settings).sum()) for person in people)
    return FrameView(frame, tuple(people), tuple(flagged), lost, low, _state(people))


def frame_row(flags: Flags, view: FrameView | None, counts: FrameAlerts) -> FrameRow:
    """Return a row of the list: of a frame that somebody touched its `view`, of another the stored counts."""
    if view is not None:
        return FrameRow(view.frame, view.lost, view.low, view.state, view.flagged)
    flagged = open_on_frame(flags, counts.frame, Decided())
    return FrameRow(counts.frame, counts.lost, counts.low, "open", tuple(flagged))


def _open_lost(person: PersonView, settings: AlertSettings) -> np.ndarray:
    return (person.confidence < settings.lost) & (person.pose.provenance < Provenance.HUMAN)


def _open_low(person: PersonView, settings: AlertSettings) -> np.ndarray:
    low = (person.confidence >= settings.lost) & (person.confidence < settings.low)
    return low & (person.pose.provenance < Provenance.HUMAN)


def _state(people: Sequence[PersonView]) -> str:
    by_hand = [person.pose.provenance >= Provenance.HUMAN for person in people]
    if not any(decided.any() for decided in by_hand):
        return "open"
    placed = [np.isfinite(person.pose.xy).all(axis=1) for person in people]
    whole = all((decided | ~place).all() for decided, place in zip(by_hand, placed, strict=True))
    return "confirmed" if whole else "changed"
