from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.server.opening import TOKEN
from tests.server.test_door import ADDRESS

import emc.server.members as members_module
from emc.pose.records import Clip
from emc.pose.records import Role as ClipRole
from emc.server.app import create_app
from emc.server.members import Members
from emc.server.security import Access
from emc.workflow.project import open_project
from emc.workflow.team import Member, Role, add_member, assign, revoke_member

BASE = "/api/clips/front_kick_00007"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process says of members is known at the next request."""
    monkeypatch.setattr(members_module, "FRESH_SECONDS", 0.0)


@pytest.fixture
def tokens(project: Path) -> dict[str, str]:
    with open_project(project) as store:
        return {role.value: add_member(store, f"the {role}", role) for role in Role}


@pytest.fixture
def client(project: Path, tokens: dict[str, str]) -> Iterator[TestClient]:
    access = Access(TOKEN, "0.0.0.0", 0, "open sesame")
    with TestClient(create_app(project, TOKEN, access=access, author="ana"), base_url=ADDRESS) as found:
        yield found


def bearer(token: str, name: str = "") -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "x-emc-name": name}


def edit(client: TestClient, headers: dict[str, str], number: int = 1) -> int:
    moved = {"frame": 0, "person": 0, "joint": 5, "xy": [50.0, 60.0 + number], "visibility": 2, "provenance": 2}
    body = {"kind": "drag", "seconds": 1.0, "token": f"token-{number:04d}", "changes": [moved]}
    return client.post(f"{BASE}/edits", json=body, headers=headers).status_code


def test_an_edit_carries_the_name_that_the_token_proves(
    client: TestClient, project: Path, tokens: dict[str, str]
) -> None:
    assert edit(client, bearer(tokens["annotator"], "somebody else"), 1) == 200
    assert edit(client, bearer(TOKEN, "the annotator"), 2) == 200
    with open_project(project) as store:
        assert [one.author for one in store.edits()] == ["the annotator", "the annotator (no token)"]


def test_a_members_token_opens_the_page_and_a_cookie_keeps_it(client: TestClient, tokens: dict[str, str]) -> None:
    assert client.get("/", params={"token": tokens["annotator"]}).status_code == 200
    assert client.get("/api/project").status_code == 200
    assert client.cookies[Access(TOKEN).cookie] == tokens["annotator"]


def test_the_door_takes_tokens_and_no_password_where_there_are_members(
    client: TestClient, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emc.server.door.FIRST_DELAY", 0.0)
    client.headers["origin"] = ADDRESS
    assert "Token" in client.get("/").text
    assert client.post("/login", data={"password": "open sesame"}).status_code == 401
    opened = client.post("/login", data={"password": tokens["reviewer"]}, follow_redirects=False)
    assert opened.status_code == 303
    assert client.get("/api/project").status_code == 200


def test_a_revoked_token_opens_nothing_at_once(client: TestClient, project: Path, tokens: dict[str, str]) -> None:
    client.headers["origin"] = ADDRESS
    assert edit(client, bearer(tokens["annotator"])) == 200
    with open_project(project) as store:
        revoke_member(store, "the annotator")
    assert edit(client, bearer(tokens["annotator"]), 2) == 401
    assert edit(client, bearer(tokens["reviewer"]), 2) == 200


@pytest.mark.parametrize(("role", "checks", "calibrates"), [("annotator", 403, 403), ("reviewer", 200, 403)])
def test_roles_say_what_each_may_do(
    client: TestClient, tokens: dict[str, str], role: str, checks: int, calibrates: int
) -> None:
    who = bearer(tokens[role])
    assert client.post(f"{BASE}/review", json={"state": "done"}, headers=who).status_code == 200
    assert client.post(f"{BASE}/review", json={"state": "checked"}, headers=who).status_code == checks
    assert client.post("/api/calibration", json={}, headers=who).status_code == calibrates
    refused = client.post("/api/calibration/cancel", json={}, headers=who)
    assert "this needs owner" in refused.json()["error"]


def test_an_owner_is_not_refused(client: TestClient, tokens: dict[str, str]) -> None:
    answer = client.post("/api/calibration", json={}, headers=bearer(tokens["owner"]))
    assert answer.status_code == 422  # there is nothing to learn from yet


def test_a_run_is_sent_back_with_a_note_and_shown_as_edited_since(client: TestClient, tokens: dict[str, str]) -> None:
    who = bearer(tokens["reviewer"])
    assert client.get(f"{BASE}/review", headers=who).json()["state"] == "open"
    assert client.post(f"{BASE}/review", json={"state": "sent back"}, headers=who).status_code == 422
    note = {"state": "sent back", "note": "left knee"}
    said = client.post(f"{BASE}/review", json=note, headers=who).json()
    assert (said["state"], said["note"], said["by"], said["edited_since"]) == (
        "sent back", "left knee", "the reviewer", False,
    )  # fmt: skip
    edit(client, who)
    assert client.get(f"{BASE}/review", headers=who).json()["edited_since"] is True


def test_the_queue_of_a_member_is_that_of_their_clips(
    client: TestClient, project: Path, tokens: dict[str, str]
) -> None:
    def total(who: dict[str, str], **asked: str) -> int:
        return client.get("/api/queue", params={"state": "all", **asked}, headers=who).json()["total"]

    everything = total(bearer(TOKEN))
    assert everything > 0
    annotator, reviewer = bearer(tokens["annotator"]), bearer(tokens["reviewer"])
    assert total(annotator) == everything
    with open_project(project) as store:
        store.add_clip(Clip("walk", "/media/walk.mp4", ClipRole.COMMON, "bo", 10, 640, 480))
        assign(store, "front_kick_00007", ("the reviewer",))
        assign(store, "walk", ("the annotator",))
    assert (total(reviewer), total(annotator)) == (everything, 0)
    assert total(annotator, clip="front_kick_00007") == everything


def test_of_two_first_requests_both_are_known(
    project: Path, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members_module, "FRESH_SECONDS", 60.0)
    with open_project(project) as store:
        members = Members(store)

        async def both() -> list[Member | None]:
            return list(await asyncio.gather(*(members.find(token) for token in tokens.values())))

        # In a thread of its own: the browser's tests leave a loop that runs in this one.
        with ThreadPoolExecutor(1) as thread:
            found = thread.submit(asyncio.run, both()).result()
    assert [one and one.role for one in found] == list(Role)
