"""The process that calibrates for the editor: ``python -m emc.workflow.calibration.jobs_worker PROJECT``."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import emc.plugins as plugins
from emc.config import Settings, read_settings
from emc.errors import EmcError, StorageError
from emc.interfaces import Estimator, RunRecord
from emc.pose.records import Box, Clip
from emc.store import SqlStore
from emc.workflow.calibration.calibrate import calibrate_project
from emc.workflow.calibration.finished import newest_calibration
from emc.workflow.calibration.jobs import LOCK_VARIABLE, LOG_LINES, JobFiles, now
from emc.workflow.compute import set_threads
from emc.workflow.engine import in_engine
from emc.workflow.files import read_json, write_json
from emc.workflow.media import checked_clips
from emc.workflow.predict import find_run_alerts, model_key, predict_run, read_confidence
from emc.workflow.project import open_project

WRITE_SECONDS = 0.5
"""How often progress is written at most."""
NICENESS = 5
"""The editor, which a person waits for, goes first."""


class FileProgress:
    """Progress that others read from the job's file; satisfies `emc.interfaces.Progress`."""

    def __init__(self, files: JobFiles) -> None:
        self._files = files
        self._document: dict[str, Any] = read_json(files.state) or {}
        self._written = 0.0

    def start(self, task: str, total: int | None) -> None:
        """Begin a task of `total` steps."""
        self.put(phase=task, done=0, total=total, note="")

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that `steps` more are done."""
        self._document["done"] = int(self._document.get("done", 0)) + steps
        self._document["note"] = note or self._document.get("note", "")
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.put()

    def finish(self) -> None:
        """End the task."""
        self.put()

    def say(self, line: str) -> None:
        """Keep one line for the page."""
        self.put(log=[*self._document.get("log", ()), line][-LOG_LINES:])

    def put(self, **values: Any) -> None:
        """Write the job's file with new values; a full disk does not end the work."""
        self._document |= values
        self._written = time.monotonic()
        with suppress(StorageError):
            write_json(self._files.state, self._document)


def main(folder: Path) -> int:
    """Do what the job's file asks for; returns 0 where it was done."""
    with suppress(OSError):
        os.nice(NICENESS)
    files = JobFiles(folder)
    progress = FileProgress(files)
    request = (read_json(files.state) or {}).get("request", {})
    try:
        with open_project(folder) as store:
            name = _work(store, request, progress)
    except EmcError as error:
        progress.put(state="failed", message=str(error), finished=now())
        return 1
    else:
        progress.put(state="done", id=name, message="", finished=now())
        return 0
    finally:
        _let_go()


def _let_go() -> None:
    """Close the lock that was inherited: who sees the job done may start the next while this process still ends."""
    with suppress(KeyError, ValueError, OSError):
        os.close(int(os.environ.pop(LOCK_VARIABLE)))


def predict_again(store: SqlStore, chosen: Path, settings: Settings, progress: FileProgress) -> list[str]:
    """Predict every predicted clip again with a chosen model, in the boxes of its newest run; returns the new runs.

    The persons keep their numbers, so that every correction still belongs to whom it was made for. A clip whose media
    are missing is named and left as it is.
    """
    set_threads(settings.predict)
    chosen_one: Estimator = plugins.estimator_for(str(chosen))
    estimator = in_engine(chosen_one, settings.predict.engine, told=progress.say)
    done: list[str] = []
    for run in store.current_runs().values():
        try:
            done.append(_predict_run_again(store, store.clip(run.clip), run, estimator, settings, progress))
        except (EmcError, OSError) as error:
            progress.say(f"clip {run.clip} keeps its predictions: {error}")
    return done


def _work(store: SqlStore, request: dict[str, Any], progress: FileProgress) -> str:
    settings = read_settings(store.folder, calibrate={"steps": request.get("steps")})
    if request.get("calibrate", True):
        calibration = calibrate_project(store, settings, progress)
    else:
        calibration = newest_calibration(store)
    progress.put(id=calibration.id)
    if request.get("predict", True):
        predict_again(store, calibration.folder / "chosen", settings, progress)
    return calibration.id


def _predict_run_again(
    store: SqlStore, clip: Clip, before: RunRecord, estimator: Estimator, settings: Settings, progress: FileProgress
) -> str:
    model = model_key(estimator)
    if before.model == model:
        return before.id
    checked_clips(store, [clip])
    boxes: dict[int, list[Box]] = {}
    for p in store.raw_predictions(before.id):
        x, y, w, h = (float(v) for v in p.box)
        boxes.setdefault(p.frame, []).append(Box(p.frame, (x, y, w, h), track=p.person))
    run = store.start_run(clip.id, model, estimator.skeleton.name, {**before.settings, "boxes": before.id})
    fitted = read_confidence(store, model, settings.predict)
    predict_run(store, run, clip, estimator, boxes, settings, progress, fitted)
    find_run_alerts(store, run, clip, estimator, settings)
    return run.id


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
