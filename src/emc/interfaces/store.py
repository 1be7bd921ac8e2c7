"""The store: what a project keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emc.pose.people import People
from emc.pose.records import Alert, Clip, Edit, FrameAlerts, Pose, Prediction

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A prediction run: which model predicted a clip, with what settings, and whether it is complete."""

    id: str
    clip: str
    model: str
    skeleton: str
    created: str
    complete: bool
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Store(Protocol):
    """A project: clips, predictions, alerts, the edit journal and poses folded from it, documents.

    Every write is durable when the call returns (it survives ``kill -9``). Lists come in the order of their keys.
    """

    @property
    def folder(self) -> Path:
        """The project's folder ``NAME.emc``."""
        ...

    def close(self) -> None:
        """Release the database; safe to call twice."""
        ...

    def add_clip(self, clip: Clip) -> None:
        """Store a clip, with its times; raises `UsageError` where the id is taken."""
        ...

    def remove_clip(self, clip: str) -> None:
        """Mark a clip as removed: it no longer shows, its edits stay in the journal; its media are not touched."""
        ...

    def clips(self, role: str | None = None) -> list[Clip]:
        """Return the clips that are not removed, without times."""
        ...

    def clip(self, clip: str) -> Clip:
        """Return one clip, with times; raises `UsageError` naming the clips that exist."""
        ...

    def removed_clips(self) -> list[Clip]:
        """Return the clips that were removed, the last one first, without times."""
        ...

    def update_clip(self, clip: Clip) -> None:
        """Write a clip, with its times, over the one of the same id; raises `UsageError` where there is none."""
        ...

    def start_run(self, clip: str, model: str, skeleton: str, settings: Mapping[str, Any]) -> RunRecord:
        """Begin a prediction run, or return the unfinished one of the same clip, model and settings (resume)."""
        ...

    def finish_run(self, run: str) -> None:
        """Mark a run complete; it becomes the clip's current run of its model."""
        ...

    def runs(self, clip: str | None = None) -> list[RunRecord]:
        """Return runs, newest last."""
        ...

    def write_predictions(self, run: str, predictions: Sequence[Prediction], upto: int | None = None) -> None:
        """Store predictions of a run in one transaction; `upto`: frames below it are done (resume point)."""
        ...

    def renumber_persons(self, run: str, numbers: Mapping[int, int]) -> None:
        """Give persons of a run other numbers (old -> new), all at once and in one transaction.

        Where two get one number and both are on a frame, the one whose number it was stays, else the smaller old one.
        """
        ...

    def resume_frame(self, run: str) -> int:
        """Return the first frame of a run that is not yet done."""
        ...

    def predictions(self, run: str, first: int = 0, last: int | None = None) -> Iterator[Prediction]:
        """Yield the predictions of frames first..last (inclusive), by frame then person.

        Of the people as the journal leaves them: who was deleted is not among them, who was merged has one number.
        """
        ...

    def raw_predictions(self, run: str, first: int = 0, last: int | None = None) -> Iterator[Prediction]:
        """Yield the predictions as they were written, of people who were deleted or merged too.

        Only what is to be written again may be read so.
        """
        ...

    def write_alerts(
        self, run: str, alerts: Sequence[Alert], frames: Sequence[FrameAlerts], told: bool = False
    ) -> None:
        """Replace the alerts and (m, n) of a run in one transaction; `told`: open editors see that they are others."""
        ...

    def alerts(self, run: str, limit: int | None = None, offset: int = 0) -> list[Alert]:
        """Return alerts, most severe first."""
        ...

    def frame_alerts(
        self, run: str, limit: int | None = None, offset: int = 0, worst_first: bool = True
    ) -> list[FrameAlerts]:
        """Return (m, n) per frame by index: worst first, or by frame."""
        ...

    def append_edit(self, edit: Edit) -> Edit:
        """Append to the journal and return the edit with its id; durable when this returns."""
        ...

    def edits(self, clip: str | None = None) -> list[Edit]:
        """Return the journal, oldest first, edits that were taken back included."""
        ...

    def people(self, clip: str) -> People:
        """Return who of a clip's people was deleted or merged, and who the athletes are."""
        ...

    def poses(self, clip: str, run: str | None = None, first: int = 0, last: int | None = None) -> list[Pose]:
        """Return current poses: predictions of `run` (None: the clip's newest complete run, if any) with the edits."""
        ...

    def put_document(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Store a JSON document (a calibration set's card, a ladder, a report), replacing one of the same name."""
        ...

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        ...

    def documents(self, kind: str) -> list[str]:
        """Return the names of documents of a kind, oldest first."""
        ...
