from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from emc.server.body import MAX_BODY

BASE = "/api/clips/front_kick_00007"


def test_a_body_that_announces_too_much_is_refused(client: TestClient) -> None:
    answer = client.post(f"{BASE}/edits", content=b"x" * (MAX_BODY + 1))
    assert answer.status_code == 413
    assert str(MAX_BODY) in answer.json()["error"]


def test_a_body_that_does_not_say_how_long_it_is_is_counted(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 2):
            yield b"x" * 65536

    assert client.post(f"{BASE}/edits", content=pieces()).status_code == 413


def test_the_door_is_bounded_too(client: TestClient) -> None:
    assert client.post("/login", content=b"x" * (MAX_BODY + 1)).status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 5000, b"[" * 20_000, b'{"kind": 1e999}']
)
def test_malformed_json_is_refused(client: TestClient, body: bytes) -> None:
    for path in ("edits", "undo", "operations", "propagate", "warm"):
        answer = client.post(f"{BASE}/{path}", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422)
        assert "error" in answer.json()


def test_a_large_edit_within_the_bound_is_read(client: TestClient) -> None:
    changes = [
        {"frame": f % 10, "person": f // 170, "joint": f % 17, "xy": [1, 2], "visibility": 2, "provenance": 2}
        for f in range(1700)
    ]
    body = {"kind": "confirm", "token": "token-1234", "changes": changes}
    assert client.post(f"{BASE}/edits", json=body).status_code == 200
