"""Calibration in a process of its own, started from the editor: it outlives the server, and any server can watch it.

In the project's folder ``jobs/`` stand ``calibration.json`` (what was asked for, how far it is), ``calibration.log``
(what the worker printed), ``calibration.lock`` (held by the worker as long as it lives, by the kernel's word: no
process number is ever mistaken for another's) and, once somebody cancelled it, ``calibration.cancel``. A calibration
that was killed or cancelled goes on where it was when it is started again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from emc.errors import ConflictError, EmcError, ProjectError, UsageError
from emc.pose.metrics import too_few
from emc.untrusted import one_line, safe_name
from emc.workflow.files import read_json, write_json

WORKER = "emc.workflow.calibration.jobs_worker"
LOCK_VARIABLE = "EMC_CALIBRATION_LOCK"
"""Environment variable that tells the worker which open file is the lock that it inherits."""
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class JobFiles:
    """Where the job's files are."""

    folder: Path

    @property
    def state(self) -> Path:
        """What was asked for, and how far it is."""
        return self.folder / "jobs" / "calibration.json"

    @property
    def lock(self) -> Path:
        """Held by the worker while it lives."""
        return self.folder / "jobs" / "calibration.lock"

    @property
    def cancel(self) -> Path:
        """There once somebody cancelled the job."""
        return self.folder / "jobs" / "calibration.cancel"

    @property
    def log(self) -> Path:
        """What the worker printed."""
        return self.folder / "jobs" / "calibration.log"


class CalibrationJobs:
    """Starts, watches and cancels the calibration of one project."""

    def __init__(self, folder: Path) -> None:
        self._files = JobFiles(folder)

    def start(self, predict: bool = True, steps: int | None = None, calibrate: bool = True) -> dict[str, Any]:
        """Start a worker and return the job.

        predict : predict the clips again with the chosen model afterwards. steps : training steps instead of the
        settings'. calibrate : False only predicts again, with the model that was chosen last.
        Raises `ConflictError` where one runs, `UsageError` where this system cannot hold the lock.
        """
        self._files.lock.parent.mkdir(parents=True, exist_ok=True)
        with _taken(self._files.lock, tries=10) as lock:
            with suppress(FileNotFoundError):
                self._files.cancel.unlink()
            request = {"predict": predict, "steps": steps, "calibrate": calibrate}
            write_json(self._files.state, {"state": "running", "request": request, "started": now(), "phase": "start"})
            self._spawn(lock)
        return self.job()

    def cancel(self) -> dict[str, Any]:
        """End the worker, if there is one, and return the job; what it trained so far is kept for the next start."""
        if is_held(self._files.lock):
            self._files.cancel.touch()
            with suppress(ValueError, ProcessLookupError, PermissionError):
                # The worker leads a group of its own: whatever it started goes with it.
                os.killpg(int(self._files.lock.read_text("ascii")), signal.SIGTERM)
            until = time.monotonic() + 5
            while is_held(self._files.lock) and time.monotonic() < until:
                time.sleep(0.05)
        return self.job()

    def job(self) -> dict[str, Any]:
        """Return the job as it is now; see `job_document`."""
        try:
            return self._job()
        except EmcError as error:
            words = f"{error}; start the calibration again to go on"
            return job_document(self._files.folder, {"state": "failed", "message": words})

    @one_line("start the calibration again", ProjectError)
    def _job(self) -> dict[str, Any]:
        document = read_json(self._files.state) or {"state": "none"}
        if document["state"] == "running" and not is_held(self._files.lock):
            # The worker may have finished between the two looks.
            document = read_json(self._files.state) or document
            if document["state"] == "running":
                document = self._ended(document)
        return job_document(self._files.folder, document)

    def _ended(self, document: Mapping[str, Any]) -> dict[str, Any]:
        if self._files.cancel.exists():
            return {**document, "state": "cancelled", "message": "cancelled; start it again to go on"}
        words = "the calibration ended without a word (killed, or out of memory); start it again to go on"
        said = self._files.log.read_text("utf-8", "replace").strip().splitlines() if self._files.log.exists() else []
        return {**document, "state": "failed", "message": f"{words}{': ' + said[-1][:300] if said else ''}"}

    def _spawn(self, lock: IO[str]) -> None:
        environment = {**os.environ, LOCK_VARIABLE: str(lock.fileno())}
        with self._files.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(self._files.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
        lock.seek(0)
        lock.truncate()
        lock.write(str(process.pid))
        lock.flush()


def job_document(folder: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a job: its state, its progress, and the ladder as far as it has grown."""
    ladder = _ladder(folder, document)
    chosen = ladder.get("chosen")
    rows = [_row(row, None if chosen is None else int(chosen["step"])) for row in ladder.get("ladder", ())]
    empty = {"id": None, "message": "", "phase": "", "done": 0, "total": None, "note": "", "finished": None}
    shown = {key: document.get(key, value) for key, value in empty.items()}
    return {
        **shown,
        "state": document["state"],
        "started": document.get("started"),
        "ladder": rows,
        # Until it ends, a ladder has the scores on validation alone; then those of the test clips, where there are any.
        "scored_on": ladder.get("scored_on", "validation"),
        "loss": ladder.get("loss", [])[-400:],
        "chosen": None if chosen is None else {"step": int(chosen["step"]), "why": str(chosen["why"])},
        "log": list(document.get("log", ()))[-LOG_LINES:],
    }


def is_held(path: Path) -> bool:
    """Return whether a living process holds the lock file `path`."""
    try:
        with _taken(path):
            return False
    except ConflictError:
        return True
    except (UsageError, OSError):
        return False


def now() -> str:
    """Return the time in ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _taken(path: Path, tries: int = 1) -> IO[str]:
    """Return the lock file, open and locked; raises `ConflictError` where another process has it.

    tries : looks, a moment apart: somebody who only asks whether the lock is free holds it for that moment.
    """
    try:
        import fcntl
    except ImportError as error:
        raise UsageError("this system has no file locks for it: run `emc calibrate` in a terminal instead") from error
    file = path.open("a+", encoding="ascii")
    for left in reversed(range(tries)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if not left:
                file.close()
                raise ConflictError("a calibration of this project is running: wait for it, or cancel it") from error
            time.sleep(0.02)
        else:
            break
    return file


def _ladder(folder: Path, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ladder of the job's calibration, or, before it is known which that is, the one that grows."""
    if document.get("id"):
        return read_json(folder / "models" / safe_name(document["id"], "calibration") / "ladder.json") or {}
    if (
        document["state"] == "none"
        or "started" not in document
        or not document.get("request", {}).get("calibrate", True)
    ):
        return {}
    begun = datetime.fromisoformat(str(document["started"])).timestamp()
    files = [(path.stat().st_mtime, path) for path in folder.glob("models/*/ladder.json")]
    grown = [(time, path) for time, path in files if time >= begun]
    return (read_json(max(grown)[1]) or {}) if grown else {}


def _row(row: Mapping[str, Any], chosen: int | None) -> dict[str, Any]:
    validation = row.get("validation") or {}
    target = row.get("target") or validation.get("target")
    common = row.get("common") or validation.get("common")
    return {
        "step": int(row["step"]),
        "share": row.get("share"),
        "target": _figure(target, "total"),
        "leg": _figure(target, "leg"),
        "common": _figure(common, "total"),
        "chosen": int(row["step"]) == chosen,
    }


def _figure(scores: Mapping[str, Any] | None, part: str) -> float | None:
    found = ((scores or {}).get("pckh") or {}).get(part) or {}
    value = found.get("value")
    return None if value is None or too_few(found) else float(value)
