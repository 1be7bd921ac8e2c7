from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from tests.server.opening import TOKEN
from tests.server.running import running

import emc.server.door as door_module
from emc.server.app import create_app
from emc.server.door import FIRST_DELAY, LOCKED_SECONDS, LONGEST_DELAY, TRIES, Door
from emc.server.security import Access

ADDRESS = "http://192.168.1.5:8731"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_wrong_password_takes_longer_until_the_address_is_locked_out() -> None:
    clock = Clock()
    door = Door(clock)
    delays = [door.wrong("10.0.0.9") for _ in range(TRIES - 1)]
    assert delays[:4] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY]
    assert delays[-1] == LONGEST_DELAY
    assert door.locked("10.0.0.9") == 0
    door.wrong("10.0.0.9")
    assert (door.locked("10.0.0.9"), door.locked("10.0.0.8")) == (LOCKED_SECONDS, 0)
    clock.now = LOCKED_SECONDS - 1
    assert door.locked("10.0.0.9") == 1
    clock.now = LOCKED_SECONDS
    assert door.locked("10.0.0.9") == 0
    assert door.wrong("10.0.0.9") == FIRST_DELAY


def test_the_right_password_forgets_the_wrong_ones() -> None:
    door = Door(Clock())
    door.wrong("10.0.0.9")
    door.right("10.0.0.9")
    assert door.wrong("10.0.0.9") == FIRST_DELAY


def test_a_host_has_one_address_however_many_of_its_network_it_uses() -> None:
    door = Door(Clock())
    door.wrong("2001:db8::1")
    assert door.wrong("2001:db8::ffff") == 2 * FIRST_DELAY
    assert door.wrong("2001:db8:0:1::1") == FIRST_DELAY


def test_not_more_addresses_are_remembered_than_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_module, "KEPT", 3)
    door = Door(Clock())
    for number in range(5):
        door.wrong(f"10.0.0.{number}")
    assert [door.wrong(f"10.0.0.{number}") for number in (4, 0)] == [2 * FIRST_DELAY, FIRST_DELAY]


@pytest.fixture
def guarded(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A server with a password, whose delays take no time."""
    monkeypatch.setattr(door_module, "FIRST_DELAY", 0.0)
    access = Access(TOKEN, "0.0.0.0", 0, "open sesame")
    with TestClient(create_app(project, TOKEN, access=access), base_url=ADDRESS, headers={"origin": ADDRESS}) as client:
        yield client


def test_a_lock_out_is_told_and_holds_for_the_right_password_too(guarded: TestClient) -> None:
    answers = [guarded.post("/login", data={"password": "wrong"}) for _ in range(TRIES)]
    assert {answer.status_code for answer in answers} == {401}
    assert "try again in 15 minutes" in answers[-1].text
    locked = guarded.post("/login", data={"password": "open sesame"}, follow_redirects=False)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= LOCKED_SECONDS
    assert "try again in 15 minutes" in locked.text


def test_a_wrong_password_keeps_nobody_waiting(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty guesses at once wait for half a minute each; with a thread for each, no edit would be stored meanwhile."""
    monkeypatch.setattr(door_module, "FIRST_DELAY", 30.0)
    with running(project, password="open sesame") as address:
        place = urlsplit(address)
        body = b"password=wrong"
        head = (
            f"POST /login HTTP/1.1\r\nhost: {place.netloc}\r\norigin: {address}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        guesses = [socket.create_connection((place.hostname, place.port)) for _ in range(60)]
        for guess in guesses:
            guess.sendall(head.encode() + body)
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = httpx.post(
            f"{address}/api/clips/front_kick_00007/undo", json={"token": "token-1234"}, headers=headers, timeout=20
        )
        assert answer.status_code == 200
        for guess in guesses:
            guess.close()


@pytest.mark.parametrize("origin", ["http://[::1", "http://[x]", "http://a]b", "\x00", "http://\uff0f@x"])
def test_an_origin_that_cannot_be_parsed_is_refused(guarded: TestClient, origin: str) -> None:
    answer = guarded.get("/api/project", headers={"origin": origin.encode()})
    assert answer.status_code == 403


def test_cookies_are_sent_over_tls_alone_where_the_server_speaks_it(project: Path) -> None:
    for tls, address in ((True, "https://192.168.1.5:8731"), (False, ADDRESS)):
        app = create_app(project, TOKEN, access=Access(TOKEN, "0.0.0.0", 8731, "open sesame", tls))
        with TestClient(app, base_url=address, headers={"origin": address}) as client:
            opened = client.post("/login", data={"password": "open sesame"}, follow_redirects=False)
            assert ("secure" in opened.headers["set-cookie"].lower()) is tls
            assert client.get("/api/project").status_code == 200
    with TestClient(app, base_url=address) as client:
        assert client.get("/api/project", headers={"host": "192.168.1.5"}).status_code == 421


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nhost: x\r\n", b"POST /login HTTP/1.1\r\ncontent-length: 9\r\n"]
)
def test_a_request_that_does_not_end_is_closed(project: Path, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emc.server.patience.PatientProtocol.head_seconds", 0.2)
    with running(project) as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=20) as half:
            half.sendall(sent)
            assert half.recv(1000) == b""


def test_a_body_that_does_not_end_is_answered_408(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emc.server.body.BodyLimit.patience", 0.2)
    with running(project, password="open sesame") as address:
        place = urlsplit(address)
        with socket.create_connection((place.hostname, place.port), timeout=20) as half:
            head = f"POST /login HTTP/1.1\r\nhost: {place.netloc}\r\norigin: {address}\r\ncontent-length: 9\r\n\r\n"
            half.sendall(head.encode() + b"pass")
            parts = iter(lambda: half.recv(4096), b"")
            assert b"".join(parts).startswith(b"HTTP/1.1 408")


def test_a_page_that_reads_and_thinks_is_not_closed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the head runs only while one is awaited: a stream of events lasts."""
    monkeypatch.setattr("emc.server.patience.PatientProtocol.head_seconds", 0.2)
    with running(project) as address:
        headers = {"authorization": f"Bearer {TOKEN}"}
        with httpx.stream("GET", f"{address}/api/events", params={"page": "page-one"}, headers=headers) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 1000"
            time.sleep(0.6)
            moved = {**headers, "x-emc-page": "page-one"}
            assert httpx.post(f"{address}/api/presence", json={"frame": 7}, headers=moved).status_code == 204
            assert any('"frame":7' in line for line in lines)
