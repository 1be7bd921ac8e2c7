"""A project of many frames, a journal of any length, and clients of its editor: what load.py measures with."""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from sqlalchemy import insert

import emc.store.schema as schema
from emc.pose.records import (
    Alert,
    AlertReason,
    Clip,
    FrameAlerts,
    Prediction,
    Role,
)
from emc.store import SqlStore
from emc.store.trust.links import START, chained, digest_of_rows

FRAMES, JOINTS, CLIP = 20_000, 17, "kick"


def make_project(folder: Path) -> None:
    """Write a clip on which one person is predicted and every tenth frame has an alert; it has no media."""
    rng, draw = np.random.default_rng(0), random.Random(0)
    with SqlStore.create(folder) as store:
        store.add_clip(Clip(CLIP, "kick.mp4", Role.TARGET, "a", FRAMES, 1920, 1080))
        run = store.start_run(CLIP, "nano", "coco17", {}).id
        for first in range(0, FRAMES, 1000):
            xy = rng.uniform(100, 1000, (1000, JOINTS, 2)).astype(np.float32)
            score = rng.uniform(0, 1, (1000, JOINTS)).astype(np.float32)
            box = np.array([100, 100, 400, 800], np.float32)
            made = [Prediction(first + i, 0, xy[i], score[i], score[i], box) for i in range(1000)]
            store.write_predictions(run, made, upto=first + 1000)
        alerts = [
            Alert(CLIP, 0, draw.randrange(JOINTS), f, f + 9, AlertReason.LOST, draw.random())
            for f in range(0, FRAMES, 10)
        ]
        frames = [FrameAlerts(f, draw.randrange(6), draw.randrange(12)) for f in range(FRAMES)]
        store.write_alerts(run, alerts, frames)
        store.finish_run(run)


def lengthen(folder: Path, length: int) -> None:
    """Let an empty journal have `length` edits: of several authors, every tenth taken back, spread over the clip.

    Rows are written many at once: one edit at a time would take minutes.
    """
    draw = random.Random(length)
    edits, changes = [], []
    for number in range(1, length + 1):
        undoes = number - 1 if number % 10 == 0 else 0
        author = f"annotator {(number - 1 if undoes else number) % 5}"
        edits.append(
            {"id": number, "clip": 1, "kind": "undo" if undoes else "place", "author": author, "seconds": 2.0}
            | {"undoes": undoes, "created": "2026-01-01T00:00:00+00:00", "token": f"made-{number:08d}"}
        )
        frame = draw.randrange(FRAMES)
        for place, joint in enumerate(() if undoes else draw.sample(range(JOINTS), 2)):
            changes.append(
                {"clip": 1, "frame": frame, "edit": number, "place": place, "person": 0, "joint": joint}
                | {"x": 50.0, "y": 60.0, "visibility": 2, "provenance": 2}
            )
    with SqlStore.open(folder) as store, store._database.writing_bulk() as connection:
        if edits:
            connection.execute(insert(schema.edit), edits)
            connection.execute(insert(schema.edit_change), changes)
            connection.execute(insert(schema.edit_chain), _links(edits, changes))


def _links(edits: list[dict[str, Any]], changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the chain over the edits: a journal without it would be taken for a damaged one."""
    of_edit: dict[int, list[tuple[Any, ...]]] = {}
    for row in changes:
        names = ("frame", "place", "person", "joint", "x", "y", "visibility", "provenance")
        of_edit.setdefault(row["edit"], []).append(tuple(row[name] for name in names))
    before, links = START, []
    for number, row in enumerate(edits, 1):
        names = ("id", "clip", "kind", "author", "seconds", "undoes", "created", "token")
        digest = digest_of_rows((*(row[name] for name in names), None), of_edit.get(number, []), [])
        before = chained(before, number, row["created"], digest)
        links.append({"number": number, "edit": number, "created": row["created"], "digest": digest, "chain": before})
    return links


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Start `emc edit`; gives its host and port, the token, and its process id."""
    command = [sys.executable, "-c", "from emc.cli.main import main; main()", "edit", "--no-browser"]
    process = subprocess.Popen(
        [*command, "--project", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    try:
        address = urlsplit(process.stdout.readline().strip() if process.stdout else "")
        yield address.netloc, parse_qs(address.query)["token"][0], process.pid
    finally:
        process.terminate()
        process.wait(20)


class Annotator:
    """One client with a connection of its own; `times` : kind -> milliseconds of each answer."""

    def __init__(self, place: str, token: str, name: str, seed: int = 0) -> None:
        self.times: dict[str, list[float]] = {}
        self.faults: list[str] = []
        self._connection = http.client.HTTPConnection(place, timeout=90)
        self._headers = {"authorization": f"Bearer {token}", "x-emc-name": name, "content-type": "application/json"}
        self._draw = random.Random(f"{name} {seed}")
        self._sent, self._last = 0, 0.0

    def ask(self, kind: str, path: str, body: Any = None) -> Any:
        """Send one request, note how long its whole answer took, and return it."""
        start = time.perf_counter()
        # The server closes a connection that was idle for some seconds, which a request would find out too late.
        if start - self._last > 3.0:
            self._connection.close()
        text = None if body is None else json.dumps(body)
        self._connection.request("GET" if body is None else "POST", path, text, self._headers)
        answer = self._connection.getresponse()
        said = answer.read()
        self._last = time.perf_counter()
        self.times.setdefault(kind, []).append(1000 * (self._last - start))
        if answer.status != 200:
            self.faults.append(f"{kind}: {answer.status} {said[:200]!r}")
            return {}
        return json.loads(said)

    def token(self) -> str:
        """Return a name for the next edit."""
        self._sent += 1
        return f"bench-{self._draw.getrandbits(64):016x}-{self._sent}"

    def edit(self) -> Any:
        """Place one joint somewhere."""
        change = {
            "frame": self._draw.randrange(FRAMES), "person": 0, "joint": self._draw.randrange(JOINTS),
            "xy": [self._draw.uniform(10, 900), 70.0], "visibility": 2, "provenance": 2,
        }  # fmt: skip
        body = {"kind": "drag", "changes": [change], "seconds": 2.0, "token": self.token()}
        return self.ask("edit", f"/api/clips/{CLIP}/edits", body)

    def step(self, verb: str) -> Any:
        """Undo or redo."""
        return self.ask(verb, f"/api/clips/{CLIP}/{verb}", {"token": self.token()})

    def look(self) -> None:
        """Ask for what a page shows after an action: the queue, its counts, the next run, the effort, a frame."""
        frame = self._draw.randrange(FRAMES - 8)
        self.ask("queue", "/api/queue?limit=100")
        self.ask("counts", "/api/queue/facets")
        self.ask("next run", f"/api/queue/next?clip_at={CLIP}&frame_at={frame}&person_at=0&joint_at=3")
        self.ask("effort", "/api/queue/effort")
        self.ask("frames", f"/api/clips/{CLIP}/poses?first={frame}&last={frame + 7}")


def percentiles(times: list[float]) -> dict[str, float]:
    """Return p50, p95 and the longest of some milliseconds."""
    p50, p95 = np.percentile(times, [50, 95]).tolist() if times else (float("nan"),) * 2
    return {"p50": round(p50, 1), "p95": round(p95, 1), "max": round(max(times, default=float("nan")), 1)}
