"""Who takes part: joining, coming back, withdrawing; and the folder in which each participant works."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from emc.errors import StorageError, UsageError
from emc.study.plan import Cell, StudyDesign, next_cell, read_design
from emc.study.preparing import START, read_references
from emc.study.session import Session, SessionLog

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without characters that look alike."""
CODE_LENGTH = 8


class Study:
    """One study that runs; safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.design: StudyDesign = read_design(folder)
        self._references = read_references(folder)
        self._people = SessionLog(folder / "people.jsonl")
        self._sessions: dict[str, Session] = {}
        self._lock = threading.RLock()

    def join(self, simulated: bool = False) -> Session:
        """Take a new participant in, in the cell that balances the groups; a simulated one is told apart for ever."""
        with self._lock:
            taken = [Cell(person["sequence"], person["clips"]) for person in self._present().values()]
            cell = next_cell(taken, self.design.seed)
            number = 1 + sum(record["kind"] == "joined" for record in self._people.records)
            code = f"P{number:02d}-{''.join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))}"
            joined = {"code": code, "sequence": cell.sequence, "clips": cell.clips, "simulated": simulated}
            self._people.append([{"kind": "joined", **joined}])
            return self._session(joined)

    def session(self, code: str) -> Session | None:
        """Return the session of a code, None where nobody who takes part has it."""
        with self._lock:
            person = self._present().get(code.strip().upper())
            return None if person is None else self._session(person)

    def sessions(self) -> list[Session]:
        """Return the sessions of all who take part, in the order of joining."""
        found = (self.session(code) for code in self._present())
        return [session for session in found if session is not None]

    def withdrawn(self) -> int:
        """Return how many have withdrawn."""
        return sum(record["kind"] == "withdrawn" for record in self._people.records)

    def withdraw(self, code: str) -> None:
        """Delete all that was recorded of a participant; only that somebody withdrew is kept."""
        with self._lock:
            if self.session(code) is None:
                raise UsageError("nobody with this code takes part: nothing to delete")
            self._people.append([{"kind": "withdrawn", "code": code}])
            self._sessions.pop(code, None)
            self._log_file(code).unlink(missing_ok=True)
            for workspace in (self.folder / "desks").glob(f"{number_of(code)}-*.emc"):
                shutil.rmtree(workspace, ignore_errors=True)

    def workspace(self, session: Session) -> Path:
        """Return the project in which a participant works in this step with the editor, made when first asked for."""
        task = session.task
        if task is None:
            raise UsageError("no clip is corrected now: reload the page")
        workspace = self.folder / "desks" / f"{number_of(session.code)}-{session.state.step}.emc"
        with self._lock:
            if not workspace.is_dir():
                _copied(self.folder / START / f"{task.clip}.emc", workspace)
        return workspace

    def _session(self, person: Mapping[str, Any]) -> Session:
        code = person["code"]
        if code not in self._sessions:
            cell = Cell(person["sequence"], person["clips"])
            log = SessionLog(self._log_file(code))
            made = Session(code, cell, self.design, self._references, log)
            made.simulated = bool(person.get("simulated"))
            self._sessions[code] = made
        return self._sessions[code]

    def _log_file(self, code: str) -> Path:
        return self.folder / "sessions" / f"{number_of(code)}.jsonl"

    def _present(self) -> dict[str, dict[str, Any]]:
        people: dict[str, dict[str, Any]] = {}
        for record in self._people.records:
            if record["kind"] == "joined":
                people[record["code"]] = dict(record)
            else:
                people.pop(record["code"], None)
        return people


def number_of(code: str) -> str:
    """Return the part of a code that may be published: ``P07`` of ``P07-K3MZ2T9A``."""
    return code.split("-")[0]


def _copied(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.{uuid4().hex[:8]}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, partial)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StorageError(f"cannot copy {source} to {target} ({error.strerror}): free some space") from error
