from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests.server.running import TOKEN, running

from emc.server.writing import WRITERS

BASE = "/api/clips/front_kick_00007"
THREADS = 40
"""Threads in which Starlette answers requests: as many waiting edits would stop everything."""


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    with running(project) as found:
        yield found


def change(number: int) -> dict[str, object]:
    moved = {"frame": 0, "person": 0, "joint": number % 17, "xy": [50.0, 60.0], "visibility": 2, "provenance": 2}
    return {"kind": "drag", "seconds": 1.0, "token": f"token-{number:04d}", "changes": [moved]}


def test_pages_are_shown_however_many_edits_wait_for_another_process(project: Path, address: str) -> None:
    assert WRITERS < THREADS
    headers = {"authorization": f"Bearer {TOKEN}"}
    stored: list[int] = []

    def send(number: int) -> None:
        answer = httpx.post(f"{address}{BASE}/edits", json=change(number), headers=headers, timeout=60)
        stored.append(answer.status_code)

    with closing(sqlite3.connect(project / "project.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS + 10)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            assert httpx.get(f"{address}/api/queue", headers=headers, timeout=20).status_code == 200
            params = {"first": 0, "last": 0}
            assert httpx.get(f"{address}{BASE}/poses", params=params, headers=headers, timeout=20).status_code == 200
        assert stored == []
        other.execute("ROLLBACK")
    for thread in threads:
        thread.join()
    assert stored == [200] * len(threads)
