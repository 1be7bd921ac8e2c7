"""Damaged files: each gives a result or one line, in bounded time and memory, and never ends the process."""

from __future__ import annotations

import multiprocessing
import random
import resource
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.trust.mutations import KINDS, Kind, damaged

from emc.errors import EmcError

PATIENCE = 60.0
"""Seconds after which a reader is said not to end."""


@dataclass(frozen=True)
class Outcome:
    """What a reader did with one file. how : read, refused, traceback, lines (a message of several), hangs, dies."""

    kind: str
    how: str
    seconds: float
    said: str = ""


def outcome_of(kind: Kind, content: bytes, folder: Path) -> Outcome:
    """Read a file of these bytes in a folder of its own."""
    path = folder / f"file{kind.suffix}"
    path.write_bytes(content)
    start = time.perf_counter()
    how, said = "read", ""
    try:
        kind.read(path)
    except EmcError as error:
        said = str(error)
        how = "lines" if "\n" in said or not said else "refused"
    except Exception as error:  # noqa: BLE001
        how, said = "traceback", f"{type(error).__name__}: {error}"[:300]
    return Outcome(kind.name, how, time.perf_counter() - start, said)


def sound_files(folder: Path) -> dict[str, bytes]:
    """Return kind -> bytes of a sound file."""
    found: dict[str, bytes] = {}
    for kind in KINDS:
        path = folder / f"sound{kind.suffix}"
        kind.make(path)
        found[kind.name] = path.read_bytes()
    return found


def attack(count: int, seed: int = 0) -> tuple[list[Outcome], float]:
    """Read `count` damaged files, in a process that is started anew where one ends it; (outcomes, MB at most)."""
    outcomes: list[Outcome] = []
    memory = 0.0
    with TemporaryDirectory() as folder:
        sound = sound_files(Path(folder))
        while len(outcomes) < count:
            ours, theirs = multiprocessing.Pipe()
            worker = multiprocessing.get_context("fork").Process(
                target=_work, args=(theirs, sound, len(outcomes), count, seed)
            )
            worker.start()
            theirs.close()
            done = _received(ours, outcomes)
            memory = max(memory, done)
            if len(outcomes) < count and not done:
                how = "hangs" if worker.is_alive() else "dies"
                outcomes.append(Outcome(_kind(len(outcomes)).name, how, PATIENCE, f"exit {worker.exitcode}"))
                worker.kill()
            worker.join()
    return outcomes, memory


def _kind(number: int) -> Kind:
    return KINDS[number % len(KINDS)]


def _received(ours: Connection, outcomes: list[Outcome]) -> float:
    """Take outcomes until the worker is done, silent for too long, or gone; returns its memory, 0 where not done."""
    try:
        while ours.poll(PATIENCE):
            got = ours.recv()
            if isinstance(got, float):
                return got
            outcomes.append(got)
    except EOFError:
        return 0.0
    return 0.0


def _work(theirs: Connection, sound: dict[str, bytes], first: int, count: int, seed: int) -> None:
    for number in range(first, count):
        kind = _kind(number)
        rng = random.Random(f"{seed} {number}")
        with TemporaryDirectory() as folder:
            theirs.send(outcome_of(kind, damaged(sound[kind.name], rng, kind.text), Path(folder)))
    theirs.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
