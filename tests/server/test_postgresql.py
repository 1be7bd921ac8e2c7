"""The editor on a project whose database is a PostgreSQL server's: `emc new --database`, `emc edit`, two annotators."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from tests.store.postgresql_cluster import emptied, missing, server

from emc.pose.records import Clip, Prediction, Role
from emc.workflow.project import new_project, open_project
from emc.workflow.team import add_member

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as found:
        yield found


@pytest.fixture
def project(address: str, tmp_path: Path) -> Iterator[Path]:
    with new_project(tmp_path / "kick", database=address) as store:
        store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 20, 640, 480))
        run = store.start_run("kick", "nano", "coco17", {}).id
        ones, xy = np.ones(17, np.float32), np.full((17, 2), 150, np.float32)
        box = np.array([100, 100, 100, 100], np.float32)
        store.write_predictions(run, [Prediction(f, 0, xy, ones, ones, box) for f in range(20)], upto=20)
        store.finish_run(run)
        folder = store.folder
    yield folder
    emptied(address)


@contextmanager
def edited(project: Path) -> Iterator[tuple[str, str, subprocess.Popen[str]]]:
    """`emc edit` as people start it; gives its address, its token and the process."""
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            parts = urlsplit(process.stdout.readline().strip() if process.stdout else "")
            yield f"{parts.scheme}://{parts.netloc}", parse_qs(parts.query)["token"][0], process
        finally:
            process.kill()


def send(address: str, token: str, frame: int, number: int, seen: int | None = None) -> httpx.Response:
    moved = {
        "frame": frame,
        "person": 0,
        "joint": 5,
        "xy": [50.0, 60.0 + number % 100],
        "visibility": 2,
        "provenance": 2,
    }
    body = {"kind": "drag", "seconds": 1.0, "token": f"edit-{number:05d}", "changes": [{**moved, "seen": seen}]}
    headers = {"authorization": f"Bearer {token}"}
    return httpx.post(f"{address}/api/clips/kick/edits", json=body, headers=headers, timeout=60)


def test_two_annotators_edit_at_once_and_of_one_joint_one_is_told(project: Path) -> None:
    with open_project(project) as store:
        tokens = {name: add_member(store, name) for name in ("ana", "bo")}
    answers: dict[str, list[int]] = {"ana": [], "bo": []}
    with edited(project) as (address, _, _):

        def work(name: str, first: int) -> None:
            answers[name] += [send(address, tokens[name], frame, first + frame).status_code for frame in range(10)]

        threads = [threading.Thread(target=work, args=(name, 100 * n)) for n, name in enumerate(tokens, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert send(address, tokens["ana"], 3, 900, seen=0).status_code == 409
        headers = {"authorization": f"Bearer {tokens['bo']}"}
        step = {"token": "undo-0001"}
        assert httpx.post(f"{address}/api/clips/kick/undo", json=step, headers=headers, timeout=60).status_code == 200
        assert httpx.get(f"{address}/api/queue", headers=headers, timeout=60).status_code == 200
    assert answers == {"ana": [200] * 10, "bo": [200] * 10}
    with open_project(project) as store:
        assert sorted(edit.author for edit in store.edits()) == ["ana"] * 10 + ["bo"] * 11
        assert not store.verify_journal().lost


def test_a_server_that_is_killed_loses_no_edit_that_it_acknowledged(project: Path) -> None:
    acknowledged: list[int] = []
    with edited(project) as (address, token, process):

        def work() -> None:
            for number in range(1, 200):
                try:
                    acknowledged.append(send(address, token, number % 20, number).json()["id"])
                except httpx.TransportError:
                    return

        thread = threading.Thread(target=work)
        thread.start()
        while len(acknowledged) < 15 and thread.is_alive():
            thread.join(0.02)
        process.kill()
        thread.join()
    assert len(acknowledged) >= 15
    with open_project(project) as store:
        assert {edit.id for edit in store.edits()} >= set(acknowledged)
        assert all(len(edit.changes) == 1 for edit in store.edits())


def test_a_database_that_goes_away_is_503(tmp_path: Path) -> None:
    with server() as address:
        with new_project(tmp_path / "away", database=address) as store:
            store.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 20, 640, 480))
            folder = store.folder
        running = edited(folder)
        place, token, _ = running.__enter__()
        assert send(place, token, 1, 1).status_code == 200
    try:
        lost = send(place, token, 2, 2)
        assert lost.status_code == 503
        assert "cannot be used" in lost.json()["error"]
    finally:
        running.__exit__(None, None, None)
