"""Damaged databases: wiped, stale and bent pages, logs cut or left behind; what is lost unsaid, what comes back."""

from __future__ import annotations

import random
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from emc.errors import EmcError, ProjectWarning
from emc.pose.records import Clip, Edit, JointChange, Provenance, Role, Visibility
from emc.store import SqlStore

EDITS = 400
PAGE = 8192
FILE, LOG = "project.sqlite", "project.sqlite-wal"


@dataclass(frozen=True)
class Tried:
    """One damaged project. silent : edits that are gone or others, of which nothing was said. back : edits after
    `emc recover`; half : edits after it that are not what was acknowledged. fault : what ended with a traceback.
    """

    way: str
    silent: int
    back: int
    half: int
    seconds: float
    fault: str = ""


def made(folder: Path) -> tuple[Path, Path, Path, dict[int, Edit]]:
    """Return a closed project, the same while it is open, an earlier state of it, and its edits."""
    project = folder / "kick.emc"
    store = SqlStore.create(project)
    store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 100, 640, 480))
    stored = None
    for number in range(EDITS):
        undoes = stored.id if stored and number % 5 == 4 else 0
        change = JointChange(number % 100, 0, number % 17, number, 8.0, Visibility.VISIBLE, Provenance.HUMAN)
        changes = () if undoes else (change,) * 12
        stored = store.append_edit(Edit("kick", "undo" if undoes else "drag", changes, "ana", 1.5, undoes))
        if number == EDITS - 150:
            store.close()
            early = Path(shutil.copytree(project, folder / "early.emc"))
            store = SqlStore.open(project)
    edits = {edit.id: edit for edit in store.edits()}
    busy = Path(shutil.copytree(project, folder / "busy.emc"))
    store.close()
    for place in (project, busy, early):
        shutil.rmtree(place / "snapshots", ignore_errors=True)
    return project, busy, early, edits


def _page(wanted: Callable[[random.Random, bytes], bytes]) -> Callable[[Path, Path, random.Random], None]:
    def damage(project: Path, _early: Path, rng: random.Random) -> None:
        file = project / FILE
        content = bytearray(file.read_bytes())
        start = PAGE * rng.randrange(1, len(content) // PAGE)
        content[start : start + PAGE] = wanted(rng, bytes(content[start : start + PAGE]))
        file.write_bytes(content)

    return damage


def _bent(rng: random.Random, page: bytes) -> bytes:
    bent = bytearray(page)
    for _ in range(rng.choice([1, 5, 50])):
        bent[rng.randrange(PAGE)] ^= 1 << rng.randrange(8)
    return bytes(bent)


def _stale(project: Path, early: Path, rng: random.Random) -> None:
    old, content = (early / FILE).read_bytes(), bytearray((project / FILE).read_bytes())
    changed = [
        at for at in range(PAGE, min(len(old), len(content)), PAGE) if old[at : at + PAGE] != content[at : at + PAGE]
    ]
    start = rng.choice(changed)
    content[start : start + PAGE] = old[start : start + PAGE]
    (project / FILE).write_bytes(content)


def _cut_file(project: Path, _early: Path, rng: random.Random) -> None:
    content = (project / FILE).read_bytes()
    (project / FILE).write_bytes(content[: rng.randrange(PAGE, len(content))])


def _cut_log(project: Path, _early: Path, rng: random.Random) -> None:
    content = (project / LOG).read_bytes()
    (project / LOG).write_bytes(content[: rng.randrange(0, len(content))])
    (project / "project.sqlite-shm").unlink(missing_ok=True)


def _no_log(project: Path, _early: Path, _rng: random.Random) -> None:
    (project / LOG).unlink()


def _alone(project: Path, _early: Path, _rng: random.Random) -> None:
    for file in project.iterdir():
        if file.name != FILE:
            file.unlink()


def _old_file(project: Path, early: Path, _rng: random.Random) -> None:
    shutil.copy(early / FILE, project / FILE)
    (project / LOG).unlink(missing_ok=True)


WAYS: dict[str, tuple[bool, Callable[[Path, Path, random.Random], None]]] = {
    "page of zeros": (False, _page(lambda _rng, _page: bytes(PAGE))),
    "page of noise": (False, _page(lambda rng, _page: rng.randbytes(PAGE))),
    "bits of a page": (False, _page(_bent)),
    "page of yesterday": (False, _stale),
    "file cut short": (False, _cut_file),
    "file of yesterday": (False, _old_file),
    "log cut short": (True, _cut_log),
    "log not copied": (True, _no_log),
    "file copied alone": (True, _alone),
}
"""Name -> (whether the project was open when it was copied, what is done to the copy)."""


def attack(folder: Path, tries: int, seed: int = 0) -> list[Tried]:
    """Damage copies of a project in every way in turn, `tries` in all."""
    project, busy, early, edits = made(folder)
    found: list[Tried] = []
    for number in range(tries):
        way = list(WAYS)[number % len(WAYS)]
        in_use, damage = WAYS[way]
        copy = Path(shutil.copytree(busy if in_use else project, folder / "copy.emc"))
        damage(copy, early, random.Random(f"{seed} {number}"))
        found.append(_tried(way, copy, edits))
        shutil.rmtree(copy)
    return found


def _tried(way: str, copy: Path, edits: dict[int, Edit]) -> Tried:
    start = time.perf_counter()
    try:
        silent = _silent(copy, edits)
        back, half = _recovered(copy, edits)
        return Tried(way, silent, back, half, time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001
        return Tried(way, 0, 0, 0, time.perf_counter() - start, f"{type(error).__name__}: {error}"[:300])


def _silent(copy: Path, edits: dict[int, Edit]) -> int:
    """Return how many edits are gone or others though opening, reading and `emc verify` say nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ProjectWarning)
        try:
            with SqlStore.open(copy) as store:
                read = {edit.id: edit for edit in store.edits()}
                if store.verify_journal().faults or store.check():
                    return 0
        except (EmcError, ProjectWarning):
            return 0
    return sum(read.get(identity) != edit for identity, edit in edits.items())


def _recovered(copy: Path, edits: dict[int, Edit]) -> tuple[int, int]:
    try:
        SqlStore.recover(copy)
    except EmcError:
        return 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", ProjectWarning)
        with SqlStore.open(copy) as store:
            read = store.edits()
            if store.verify_journal().faults or store.check():
                raise ValueError("what was recovered is not whole")
    # Where the page of the clip is lost, its edits come back under a clip that stands in for it.
    return len(read), sum(replace(edit, clip="kick") != edits.get(edit.id) for edit in read)
