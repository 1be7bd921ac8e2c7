"""Races between contestants of `predict.py`, each a program of its own (`contestants.py`).

A program is told what to be, then to run, and answers with seconds, its largest resident set and its finds.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("contestants.py")


@dataclass(frozen=True)
class Job:
    """What a contestant needs; `model` and `boxes` are files, `persons` the number of crops of a bare network."""

    video: str
    frames: int
    model: str = ""
    boxes: str = ""
    size: tuple[int, int] = (0, 0)
    persons: int = 0
    detector: str = ""
    every: int = 1
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """A contestant that has loaded its networks: `run` is timed, what `before` does is not."""

    run: Callable[[], Any]
    before: Callable[[], Any] = lambda: None


def race(contestants: dict[str, tuple[str, Job]], rounds: int) -> dict[str, dict[str, Any]]:
    """Return per name: seconds of each round, their median, frames per second, peak memory, and what was found.

    Rounds of all contestants in turn; a first round of each is not counted.
    """
    programs = {name: subprocess.Popen([sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for name in contestants}  # fmt: skip
    rows: dict[str, dict[str, Any]] = {name: {"seconds": []} for name in contestants}
    for name, program in programs.items():
        tell(program, (contestants[name][0], contestants[name][1]))
    for number in range(rounds + 1):
        for name, program in programs.items():
            tell(program, "run" if number else "found")
            answers: Any = program.stdout
            seconds, peak, found = pickle.load(answers)
            rows[name]["peak_mib"] = peak / 2**20
            if number:
                rows[name]["seconds"].append(seconds)
            else:
                rows[name]["found"] = found
    for program in programs.values():
        tell(program, "end")
        program.wait()
    for name, row in rows.items():
        row["median_s"] = statistics.median(row["seconds"])
        row["frames_per_s"] = contestants[name][1].frames / row["median_s"]
    return rows


def tell(program: Any, order: Any) -> None:
    pickle.dump(order, program.stdin)
    program.stdin.flush()


def ratio(rows: dict[str, dict[str, Any]], ours: str, theirs: str) -> float:
    """Return the median over the rounds of their time over ours: neighbours in time met the same machine."""
    pairs = zip(rows[theirs]["seconds"], rows[ours]["seconds"], strict=True)
    return statistics.median(their / our for their, our in pairs)


def shown(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: value for key, value in row.items() if key != "found"} for name, row in rows.items()}


def serve(contestants: Mapping[str, Callable[[Job, Path], Ready]]) -> None:
    """Be one contestant: run when told to, answer with seconds, peak bytes and (when asked) what was found."""
    answers = os.fdopen(os.dup(1), "wb")
    # What libraries print must not come between the answers.
    os.dup2(2, 1)
    orders = sys.stdin.buffer
    kind, job = pickle.load(orders)
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(sys.stderr):
        ready = contestants[kind](job, Path(name))
        while (order := pickle.load(orders)) != "end":
            ready.before()
            began = time.perf_counter()
            found = ready.run()
            seconds = time.perf_counter() - began
            pickle.dump((seconds, peak_bytes(), found if order == "found" else None), answers)
            answers.flush()


def peak_bytes() -> int:
    """Return the largest resident set of this program."""
    status = Path("/proc/self/status")
    if status.is_file():
        (peak,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
