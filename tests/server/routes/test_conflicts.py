from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi.testclient import TestClient

from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
BASE = f"/api/clips/{CLIP}"
ANA, BO = {"x-emc-name": "Ana"}, {"x-emc-name": "Bo%20%C3%98st"}


def send(client: TestClient, who: dict[str, str], seen: int | None = 0, kind: str = "drag", **over: Any) -> Any:
    change = {"frame": 3, "person": 0, "joint": 5, "xy": [40, 60], "visibility": 2, "provenance": 2, "seen": seen}
    body = {"kind": kind, "token": uuid4().hex, "changes": [change | over]}
    return client.post(f"{BASE}/edits", json=body, headers=who)


def versions(client: TestClient) -> list[int]:
    (frame,) = client.get(f"{BASE}/poses", params={"first": 3, "last": 3}).json()["frames"]
    return frame["poses"][0]["versions"]


def test_poses_say_which_edit_decides_each_joint(client: TestClient) -> None:
    assert versions(client) == [0] * 17
    first = send(client, ANA).json()["id"]
    assert versions(client) == [0] * 5 + [first] + [0] * 11


def test_different_joints_merge_by_themselves(client: TestClient) -> None:
    one = send(client, ANA, joint=5).json()["id"]
    two = send(client, BO, joint=6, xy=[50, 70]).json()["id"]
    assert versions(client)[5:7] == [one, two]


def test_of_the_same_joint_both_values_are_told_and_nothing_is_stored(client: TestClient, project: Path) -> None:
    theirs = send(client, ANA).json()["id"]
    answer = send(client, BO, xy=[50, 70])
    assert answer.status_code == 409
    (conflict,) = answer.json()["conflicts"]
    assert (conflict["frame"], conflict["person"], conflict["joint"], conflict["seen"]) == (3, 0, 5, 0)
    assert conflict["theirs"]["xy"] == [40, 60]
    assert (conflict["theirs"]["version"], conflict["theirs"]["author"]) == (theirs, "Ana")
    assert conflict["yours"] == {"xy": [50, 70], "visibility": 2, "provenance": 2}
    assert "Ana" in answer.json()["error"]
    with open_project(project) as store:
        assert len(store.edits(CLIP)) == 1


def test_a_conflict_is_resolved_by_an_edit(client: TestClient, project: Path) -> None:
    theirs = send(client, ANA).json()["id"]
    assert send(client, BO, xy=[50, 70]).status_code == 409
    kept = send(client, BO, seen=theirs, kind="resolve", xy=[50, 70])
    assert kept.status_code == 200
    with open_project(project) as store:
        assert [(edit.kind, edit.author) for edit in store.edits(CLIP)] == [("drag", "Ana"), ("resolve", "Bo Øst")]


def test_the_same_value_is_no_conflict(client: TestClient) -> None:
    send(client, ANA)
    assert send(client, BO).status_code == 200


def test_without_a_version_the_later_edit_holds(client: TestClient) -> None:
    send(client, ANA)
    assert send(client, BO, seen=None, xy=[50, 70]).status_code == 200


def test_what_a_machine_propagated_never_stands_against_a_person(client: TestClient, project: Path) -> None:
    from emc.pose.records import Edit, JointChange, Provenance, Visibility

    carried = JointChange(3, 0, 5, 9.0, 9.0, Visibility.VISIBLE, Provenance.PROPAGATED)
    with open_project(project) as store:
        store.append_edit(Edit(CLIP, "drag", (carried,), "Ana"))
    assert send(client, BO, xy=[50, 70]).status_code == 200


def test_an_edit_that_was_taken_back_is_no_conflict(client: TestClient) -> None:
    send(client, ANA)
    client.post(f"{BASE}/undo", json={"token": uuid4().hex}, headers=ANA)
    assert send(client, BO, xy=[50, 70]).status_code == 200


def test_nobody_undoes_the_work_of_another(client: TestClient) -> None:
    mine = send(client, ANA).json()["id"]
    send(client, BO, joint=6)
    undone = client.post(f"{BASE}/undo", json={"token": uuid4().hex}, headers=ANA).json()
    assert versions(client)[5:7] == [0, mine + 1]
    assert undone["history"]["redo"]["kind"] == "drag"
    assert client.post(f"{BASE}/undo", json={"token": uuid4().hex}, headers=ANA).json()["id"] is None
    # A new edit of somebody else does not end what Ana can bring back.
    send(client, BO, joint=7)
    assert client.post(f"{BASE}/redo", json={"token": uuid4().hex}, headers=ANA).json()["id"] is not None
    assert versions(client)[5] == mine


def test_an_operation_that_did_not_know_of_another_persons_edit_is_refused(client: TestClient) -> None:
    send(client, ANA)
    body = {"op": "swap", "limb": "body", "person": 0, "frame": 3, "last": 3, "token": uuid4().hex}
    refused = client.post(f"{BASE}/operations", json=body | {"base": 0}, headers=BO)
    assert refused.status_code == 409
    assert [c["joint"] for c in refused.json()["conflicts"]] == [5]
    assert client.post(f"{BASE}/operations", json=body | {"base": 0}, headers=ANA).status_code == 200
    last = client.get(f"{BASE}/poses", params={"first": 0, "last": 0}).json()["history"]["last"]
    again = body | {"token": uuid4().hex, "base": last}
    assert client.post(f"{BASE}/operations", json=again, headers=BO).status_code == 200
