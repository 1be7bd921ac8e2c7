from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.server.opening import ADDRESS, TOKEN, opened

from emc.errors import UsageError
from emc.server.app import create_app
from emc.server.security import Access
from emc.server.serving import serve

EDIT = {"kind": "drag", "seconds": 1, "token": "token-1234", "changes": []}


@pytest.mark.parametrize("path", ["/", "/api/project", "/app.js", "/app.css", "/api/openapi.json", "/nothing"])
def test_nothing_is_shown_without_the_token(client: TestClient, path: str) -> None:
    client.cookies.clear()
    assert client.get(path).status_code == 401
    assert client.get(path, params={"token": "another"}).status_code == 401


def test_the_address_with_the_token_opens_the_page_and_leaves_a_cookie(client: TestClient) -> None:
    client.cookies.clear()
    answer = client.get("/", params={"token": TOKEN})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/api/project").status_code == 200


def test_the_token_in_an_address_opens_only_the_page(client: TestClient) -> None:
    client.cookies.clear()
    assert client.get("/api/project", params={"token": TOKEN}).status_code == 401


def test_the_token_works_as_a_header(client: TestClient) -> None:
    client.cookies.clear()
    assert client.get("/api/project", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/api/project", headers={"authorization": "Bearer no"}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8731", "127.0.0.1.evil.example", "", "192.168.1.5:8731"]
)
def test_other_host_names_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/api/project", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8731"])
def test_pages_of_other_sites_are_refused(client: TestClient, origin: str) -> None:
    answer = client.post("/api/clips/front_kick_00007/edits", json=EDIT, headers={"origin": origin})
    assert answer.status_code == 403


def test_a_write_that_does_not_say_its_page_is_refused(project: Path) -> None:
    with opened(project) as client:
        del client.headers["origin"]
        assert client.post("/api/clips/front_kick_00007/undo", json={"token": "token-1234"}).status_code == 403
        bearer = {"authorization": f"Bearer {TOKEN}"}
        answer = client.post("/api/clips/front_kick_00007/undo", json={"token": "token-1234"}, headers=bearer)
        assert answer.status_code == 200


def test_every_answer_forbids_foreign_frames_and_scripts(client: TestClient) -> None:
    for path in ("/", "/api/project", "/api/none"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("host", "header", "known"),
    [
        ("127.0.0.1", "localhost:8731", True),
        ("127.0.0.1", "[::1]:8731", True),
        ("127.0.0.1", "127.0.0.1:8732", False),
        ("127.0.0.1", "192.168.1.5:8731", False),
        ("0.0.0.0", "192.168.1.5:8731", True),
        ("0.0.0.0", "evil.example:8731", False),
        ("studio.example", "studio.example:8731", True),
        ("127.0.0.1", "127.0.0.1:port", False),
    ],
)
def test_host_headers(host: str, header: str, known: bool) -> None:
    assert Access("t", host, 8731, "p").knows_host(header) is known


def test_two_servers_have_different_cookies() -> None:
    assert Access("one").cookie != Access("two").cookie


def test_a_password_opens_the_door_on_other_hosts(project: Path) -> None:
    access = Access(TOKEN, "0.0.0.0", 0, "open sesame")
    address = "http://192.168.1.5:8731"
    with TestClient(create_app(project, TOKEN, access=access), base_url=address, headers={"origin": address}) as client:
        assert "password" in client.get("/").text
        assert client.get("/api/project").status_code == 401
        assert client.post("/login", data={"password": "wrong"}).status_code == 401
        assert client.post("/login", data={"password": "open sesame"}, follow_redirects=False).status_code == 303
        assert client.get("/api/project").status_code == 200


def test_there_is_no_door_without_a_password(client: TestClient) -> None:
    client.cookies.clear()
    assert client.post("/login", data={"password": ""}).status_code == 401


def test_other_hosts_need_a_password(project: Path) -> None:
    with pytest.raises(UsageError, match="set a password"):
        serve(project, lambda url: None, host="0.0.0.0")


def test_a_port_in_use_is_an_error_that_names_it(project: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            serve(project, lambda url: None, port=port)


def test_the_address_is_the_servers_own() -> None:
    assert Access("t").knows_host(ADDRESS.removeprefix("http://"))
