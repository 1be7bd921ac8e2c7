"""The people of a clip over the editor's server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from tests.kicks import kick_project
from tests.server.opening import opened

import emc.workflow.editing.session as session
from emc.config import AlertSettings
from emc.errors import StorageError
from emc.pose.skeletons import COCO17
from emc.workflow.predict.found import write_run_alerts
from emc.workflow.project.folder import open_project

BASE = "/api/clips/kick"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people") / "kick.emc"
    with kick_project(folder, persons=2) as store:
        (run,) = store.runs("kick")
        write_run_alerts(store, run, COCO17, AlertSettings())  # pyright: ignore[reportCallIssue]
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "kick.emc"))


@pytest.fixture
def client(project: Path) -> Iterator[TestClient]:
    with opened(project) as found:
        yield found


def say(client: TestClient, action: str, *persons: int, token: str = "", name: str = "", **more: Any) -> Any:
    body = {"action": action, "persons": list(persons), "token": token or uuid4().hex, **more}
    return client.post(f"{BASE}/people", json=body, headers={"x-emc-name": name} if name else {})


def listed(client: TestClient) -> Any:
    return client.get(f"{BASE}/people").json()


def step(client: TestClient, verb: str, name: str = "") -> Any:
    headers = {"x-emc-name": name} if name else {}
    return client.post(f"{BASE}/{verb}", json={"token": uuid4().hex}, headers=headers).json()


def shown(client: TestClient) -> list[int]:
    (frame,) = client.get(f"{BASE}/poses", params={"first": 3, "last": 3}).json()["frames"]
    return [pose["person"] for pose in frame["poses"]]


def queued(client: TestClient) -> int:
    return client.get("/api/queue", params={"state": "all"}).json()["total"]


def test_people_are_listed_with_where_they_are_best_seen(client: TestClient) -> None:
    answer = listed(client)
    assert [(row["person"], row["frames"], row["confidence"]) for row in answer["people"]] == [
        (0, 30, 0.9),
        (1, 30, 0.9),
    ]
    assert answer["athletes"] == []
    assert all(row["square"][2] > 50 and row["counts"] and not row["deleted"] for row in answer["people"])


def test_a_deleted_person_leaves_the_page_and_undo_brings_back_poses_and_queue(client: TestClient) -> None:
    before = queued(client)
    assert before > 0
    answer = say(client, "delete", 0).json()
    kinds = answer["kind"], answer["history"]["undo"]["kind"]
    assert (kinds, answer["touched"]) == (("delete person", "delete person"), None)
    assert [(row["person"], row["deleted"]) for row in listed(client)["people"]] == [(1, False), (0, True)]
    assert (shown(client), queued(client)) == ([1], 0)
    undone = step(client, "undo")
    assert (undone["kind"], undone["touched"], undone["history"]["redo"]["kind"]) == ("undo", None, "delete person")
    assert (shown(client), queued(client)) == ([0, 1], before)
    step(client, "redo")
    assert (shown(client), queued(client)) == ([1], 0)
    assert say(client, "restore", 0).status_code == 200
    assert shown(client) == [0, 1]


def test_sent_twice_it_is_done_once_and_another_one_under_the_token_is_refused(client: TestClient) -> None:
    token = uuid4().hex
    first = say(client, "merge", 1, token=token, into=0).json()
    assert say(client, "merge", 1, token=token, into=0).json() == first
    assert [(row["person"], row["merged"]) for row in listed(client)["people"]] == [(0, [1])]
    assert say(client, "delete", 0, token=token).status_code == 409
    # Its time is no part of what was asked: a page that is loaded again may have measured another.
    assert say(client, "merge", 1, token=token, into=0, seconds=7.0).json() == first
    assert shown(client) == [0]


def test_the_athlete_s_alerts_alone_are_queued_and_nobody_named_means_everyone(client: TestClient) -> None:
    before = queued(client)
    say(client, "athlete", 1)
    answer = listed(client)
    assert [(row["person"], row["counts"]) for row in answer["people"]] == [(0, False), (1, True)]
    assert (answer["athletes"], queued(client), shown(client)) == ([1], 0, [0, 1])
    say(client, "athlete")
    assert listed(client)["athletes"] == []
    assert queued(client) == before


def test_undo_is_each_author_s_own_whoever_acted_since(client: TestClient) -> None:
    say(client, "delete", 0, name="Ana")
    say(client, "athlete", 1, name="Bo")
    assert step(client, "undo", "Ana")["history"]["redo"]["kind"] == "delete person"
    assert (shown(client), listed(client)["athletes"]) == ([0, 1], [1])
    assert step(client, "undo", "Ana")["id"] is None
    step(client, "undo", "Bo")
    assert listed(client)["athletes"] == []
    step(client, "redo", "Ana")
    assert shown(client) == [1]


def test_an_alert_list_that_failed_to_follow_is_made_good_by_the_retry(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StorageError("the disk is full: free some space")

    assert queued(client) > 0
    token = uuid4().hex
    with monkeypatch.context() as patched:
        patched.setattr(session, "refresh_alerts", fails)
        assert say(client, "delete", 0, token=token).status_code >= 500
    assert say(client, "delete", 0, token=token).status_code == 200
    assert (shown(client), queued(client)) == ([1], 0)


def test_what_cannot_be_is_refused_in_words_and_nothing_is_stored(client: TestClient, project: Path) -> None:
    assert "no person 9: there is 0, 1" in say(client, "delete", 9).json()["error"]
    assert "nobody of clip kick is named" in say(client, "delete").json()["error"]
    assert say(client, "merge", 1).status_code == 422
    with open_project(project) as store:
        assert store.edits("kick") == []


def test_a_fix_of_somebody_merged_goes_to_the_one_who_stays_and_of_somebody_deleted_is_refused(
    client: TestClient, project: Path
) -> None:
    def fix(person: int, joint: int = 5, name: str = "", seen: int | None = None) -> Any:
        place = {"frame": 3, "person": person, "joint": joint, "xy": [40.5, 60.25 + person]}
        change = place | {"visibility": 2, "provenance": 2}
        body = {"kind": "drag", "token": uuid4().hex, "changes": [change | {"seen": seen}]}
        return client.post(f"{BASE}/edits", json=body, headers={"x-emc-name": name} if name else {})

    say(client, "merge", 1, into=0)
    assert fix(1).status_code == 200
    with open_project(project) as store:
        assert store.edits("kick")[-1].changes[0].person == 0
    # Of a joint that another decided of the one who stays, both values are shown.
    assert fix(0, joint=6, name="Bo", seen=0).status_code == 200
    assert [one["theirs"]["author"] for one in fix(1, joint=6, name="Ana", seen=0).json()["conflicts"]] == ["Bo"]
    say(client, "delete", 0)
    refused = fix(1)
    assert refused.status_code == 422
    assert "person 1 of clip kick was deleted: bring them back first" in refused.json()["error"]
