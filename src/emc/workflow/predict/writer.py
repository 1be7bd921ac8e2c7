"""Predictions are written while the next frames are predicted, and progress is reported."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence

from emc.interfaces import Estimator, Progress, RunRecord, Store
from emc.pose.records import Clip
from emc.workflow.predict.confidence import ConfidenceByRole
from emc.workflow.predict.people import keep_numbers, merge_doubles
from emc.workflow.predict.spans import PredictedSpan
from emc.workflow.progress import Silent


class PredictionWriter:
    """Stores a run span by span, with the fitted confidence, and says how far and how fast it goes."""

    def __init__(
        self,
        store: Store,
        run: RunRecord,
        clip: Clip,
        estimator: Estimator,
        confidence: ConfidenceByRole | None,
        progress: Progress,
        frames: Sequence[int],
    ) -> None:
        self.clip, self.estimator = clip, estimator
        self._store, self._run, self._confidence, self._progress = store, run, confidence, progress
        self._frames = frames
        self._done, self._began = 0, 0.0

    def begin(self) -> int:
        """Start the progress bar; returns the first frame that is left to do."""
        first = self._store.resume_frame(self._run.id)
        self._progress.start(f"predict {self.clip.id}", len(self._frames) - bisect_left(self._frames, first))
        self._began = time.monotonic()
        return first

    def write(self, done: PredictedSpan) -> None:
        """Store a span, durably, and move the progress bar."""
        predictions = done.predictions
        if self._confidence is not None:
            # Before storing: alerts, queue and editor read the stored confidence, and know nothing of fits.
            predictions = self._confidence.apply(predictions, self.clip.role, self.estimator.skeleton)
        self._store.write_predictions(self._run.id, predictions, upto=done.upto)
        self._done += done.frames
        seconds = max(time.monotonic() - self._began, 1e-9)
        self._progress.advance(done.frames, note=f"{self._done / seconds:.1f} frames/s")

    def finish(self, doubles: bool = False, found: bool = False) -> None:
        """Mark the run complete.

        doubles : numbers of one and the same person become one before. found : persons were looked for again, and get
        the numbers that edits know them by.
        """
        # Merged first: old numbers are kept for persons, and two numbers of one person would each claim one.
        if doubles:
            merge_doubles(self._store, self._run.id, self.estimator.skeleton)
        if found:
            keep_numbers(self._store, self._run)
        # Last: killed before it the run stays unfinished, and the same command does these steps again. Complete without
        # them it would never be mended.
        self._store.finish_run(self._run.id)
        self._progress.finish()


class PreparationProgress:
    """Progress of the steps before prediction; silent after `mute`, so that prediction's own bar is the only one."""

    def __init__(self, progress: Progress) -> None:
        self._progress: Progress = progress

    def start(self, task: str, total: int | None) -> None:
        """Begin a task."""
        self._progress.start(task, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that `steps` more are done."""
        self._progress.advance(steps, note)

    def finish(self) -> None:
        """End the task."""
        self._progress.finish()

    def say(self, line: str) -> None:
        """Say one line to the user."""
        self._progress.say(line)

    def mute(self) -> None:
        """Report nothing from here on."""
        self._progress = Silent()
