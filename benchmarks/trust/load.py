"""How the editor's server bears load: a long journal, many annotators, other work beside it, a held database.

Usage: python load.py [--out FOLDER] [--json] [--lengths 0 10000 100000] [--seconds 20] [--alone] [--requests 0]. Takes
about two minutes on a quiet machine; `--requests 50000` also watches the server's memory over so many requests (three
more). `--out` gets load.json and load.svg. Absolute times depend on what else the machine does: its load is printed
beside them; the ratios of one journal to another come from turns of the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from load_figure import draw
from loaded_project import CLIP, Annotator, lengthen, make_project, percentiles, served

ANNOTATORS = 20
PACE = 2.0
"""Seconds from one action of an annotator to the next."""
TURNS = 40


def by_length(parent: Path, lengths: list[int]) -> dict[str, Any]:
    """Measure each request on journals of several lengths, the projects in turns, so that all meet the same machine."""
    folders = {length: parent / f"journal-{length}.emc" for length in lengths}
    for length, folder in folders.items():
        make_project(folder)
        lengthen(folder, length)
    with ExitStack() as stack:
        clients: dict[int, Annotator] = {}
        for length, folder in folders.items():
            place, token, _ = stack.enter_context(served(folder))
            clients[length] = Annotator(place, token, "ana")
            _turn(clients[length])
            clients[length].times.clear()
        for _ in range(TURNS):
            for client in clients.values():
                _turn(client)
    return {str(length): _told(client) for length, client in clients.items()}


def _turn(client: Annotator) -> None:
    client.edit()
    client.step("undo")
    client.step("redo")
    client.look()


def _told(*clients: Annotator) -> dict[str, Any]:
    kinds = dict.fromkeys(kind for client in clients for kind in client.times)
    told: dict[str, Any] = {
        kind: percentiles([ms for client in clients for ms in client.times.get(kind, ())]) for kind in kinds
    }
    faults = [fault for client in clients for fault in client.faults]
    return told | ({"faults": len(faults), "first fault": faults[0]} if faults else {})


def together(place: str, token: str, seconds: float, after: Callable[[Annotator], None]) -> dict[str, Any]:
    """Let `ANNOTATORS` act for a while, each once in `PACE` seconds, `after` what each of their pages asks for."""
    clients = [Annotator(place, token, f"annotator {number}") for number in range(ANNOTATORS)]
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        due = time.monotonic() + PACE * number / ANNOTATORS
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            clients[number].edit()
            after(clients[number])
            due = max(due + PACE, time.monotonic())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(ANNOTATORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _told(*clients)


@contextmanager
def other_work(folder: Path, parent: Path) -> Iterator[None]:
    """Keep a reader in one long transaction, a prediction and a calibration going meanwhile."""
    work = Path(__file__).with_name("other_work.py")
    made = parent / "beside"
    subprocess.run([sys.executable, str(work), "prepare", str(made)], check=True, stdout=subprocess.DEVNULL)
    running = [subprocess.Popen([sys.executable, str(work), kind, str(made)]) for kind in ("predict", "calibrate")]
    try:
        with closing(sqlite3.connect(folder / "project.sqlite", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM edit").fetchone()
            time.sleep(8)
            yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def held(folder: Path, place: str, token: str, seconds: float) -> dict[str, Any]:
    """Hold the database for writing while every annotator wants to store something; return how reads fare."""
    reader, stop = Annotator(place, token, "reader"), threading.Event()
    writers = [Annotator(place, token, f"writer {number}") for number in range(ANNOTATORS * 3)]
    with closing(sqlite3.connect(folder / "project.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=one.edit) for one in writers]
        for thread in threads:
            thread.start()
        threading.Timer(seconds, stop.set).start()
        while not stop.is_set():
            reader.look()
            time.sleep(0.05)
        writer.execute("ROLLBACK")
    for thread in threads:
        thread.join()
    stored = sum(not one.faults for one in writers)
    return {"reads": _told(reader), "edits waiting": len(writers), "stored afterwards": stored}


def memory(place: str, token: str, pid: int, requests: int) -> list[list[float]]:
    """Return (requests, MB resident) as the server answers one request after the other."""
    client, rows = Annotator(place, token, "ana"), [[0.0, _resident(pid)]]
    while rows[-1][0] < requests:
        for number in range(max(1, requests // 160)):
            client.edit() if number % 4 == 0 else client.ask("queue", "/api/queue?limit=20")
            client.step("undo" if number % 2 else "redo")
            client.ask("frames", f"/api/clips/{CLIP}/poses?first={number}&last={number}")
            client.ask("counts", "/api/queue/facets")
        rows.append([sum(map(len, client.times.values())), _resident(pid)])
    return rows


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def measure(parent: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return all figures."""
    found: dict[str, Any] = {"cores": os.cpu_count(), "load before": os.getloadavg()[0]}
    found["journal"] = by_length(parent, options.lengths)
    folder = parent / f"journal-{options.lengths[-1]}.emc"
    with served(folder) as (place, token, pid):
        Annotator(place, token, "warm").look()
        found["annotators"] = together(place, token, options.seconds, Annotator.look)
        if options.seconds and not options.alone:
            with other_work(folder, parent):
                found["with other work"] = together(place, token, options.seconds, Annotator.look)
        found["held"] = held(folder, place, token, 5.0)
        if options.requests:
            found["memory"] = memory(place, token, pid, options.requests)
    return found | {"load after": os.getloadavg()[0]}


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    print(f"{found['cores']} cores, load {found['load before']:.1f} before and {found['load after']:.1f} after; ms")
    lengths = list(found["journal"])
    for kind, first in found["journal"][lengths[0]].items():
        row = "  ".join(f"{length}: {found['journal'][length][kind]['p50']}" for length in lengths)
        ratio = found["journal"][lengths[-1]][kind]["p50"] / first["p50"]
        print(f"  {kind:9} p50 by edits in the journal  {row}  (x {ratio:.2f})")
    for name in ("annotators", "with other work"):
        if name in found:
            print(f"{ANNOTATORS} {name}, an action each {PACE:g} s: {json.dumps(found[name])}")
    print(f"database held by a writer: {json.dumps(found['held'])}")
    if "memory" in found:
        print("memory (requests, MB): " + ", ".join(f"{n:.0f}: {mb}" for n, mb in found["memory"][::20]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[0, 10_000, 100_000])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--alone", action="store_true", help="no prediction and calibration beside the annotators")
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    parent = Path(tempfile.mkdtemp(prefix="emc-load-"))
    try:
        found = measure(parent, options)
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "load.json").write_text(json.dumps(found, indent=1) + "\n")
        draw(found, options.out / "load.svg")
    print(json.dumps(found)) if options.json else show(found)


if __name__ == "__main__":
    main()
