from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from tests.server.opening import opened

from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
BASE = f"/api/clips/{CLIP}"


def change(**over: Any) -> dict[str, Any]:
    return {"frame": 3, "person": 0, "joint": 5, "xy": [40.5, 60.25], "visibility": 2, "provenance": 2, **over}


def send(client: TestClient, *changes: dict[str, Any], kind: str = "drag", token: str = "") -> Any:
    body = {"kind": kind, "seconds": 1.5, "token": token or uuid4().hex, "changes": list(changes) or [change()]}
    return client.post(f"{BASE}/edits", json=body)


def step(client: TestClient, verb: str, **over: Any) -> Any:
    return client.post(f"{BASE}/{verb}", json={"token": uuid4().hex, **over})


def joint(client: TestClient, number: int = 5, frame: int = 3) -> tuple[Any, int, int]:
    (found,) = client.get(f"{BASE}/poses", params={"first": frame, "last": frame}).json()["frames"]
    pose = found["poses"][0]
    return pose["xy"][number], pose["visibility"][number], pose["provenance"][number]


def test_an_edit_changes_the_pose_and_is_in_the_journal(client: TestClient, project: Path) -> None:
    before = joint(client)
    answer = send(client).json()
    assert joint(client) == ([40.5, 60.25], 2, 2) != before
    (frame,) = answer["frames"]
    assert frame["poses"][0]["xy"][5] == [40.5, 60.25]
    assert frame["state"] == "changed"
    step = {"id": answer["id"], "kind": "drag"}
    assert answer["history"] == {"undo": step, "redo": None, "last": answer["id"]}
    with open_project(project) as store:
        (edit,) = store.edits(CLIP)
    assert (edit.id, edit.kind, edit.author, edit.seconds) == (answer["id"], "drag", "ana", 1.5)


def test_undo_and_redo_survive_a_new_start(project: Path) -> None:
    with opened(project) as client:
        before = joint(client)
        send(client)
        send(client, change(xy=[50, 70]), kind="nudge")
    with opened(project) as client:
        assert step(client, "undo").json()["history"]["redo"]["kind"] == "nudge"
        assert joint(client)[0] == [40.5, 60.25]
        step(client, "undo")
        assert joint(client) == before
        assert step(client, "undo").json()["id"] is None
    with opened(project) as client:
        step(client, "redo")
        assert joint(client)[0] == [40.5, 60.25]
        answer = step(client, "redo").json()
        assert joint(client)[0] == [50, 70]
        assert answer["history"]["redo"] is None
        assert step(client, "redo").json()["id"] is None
        step(client, "undo")
        assert joint(client)[0] == [40.5, 60.25]


def test_a_new_edit_ends_what_can_be_brought_back(client: TestClient) -> None:
    send(client)
    step(client, "undo")
    history = send(client, change(joint=6)).json()["history"]
    assert history["redo"] is None


def test_an_action_of_many_joints_is_taken_back_as_one(client: TestClient) -> None:
    before = [joint(client, number) for number in (5, 6)]
    send(client, change(joint=5, xy=[1, 2]), change(joint=6, xy=[3, 4]), kind="swap")
    assert [joint(client, number)[0] for number in (5, 6)] == [[1, 2], [3, 4]]
    step(client, "undo")
    assert [joint(client, number) for number in (5, 6)] == before


def test_an_edit_that_is_sent_twice_is_stored_once(client: TestClient, project: Path) -> None:
    first, second = (send(client, token="the-same-token").json() for _ in range(2))
    assert first["id"] == second["id"]
    for _ in range(2):
        undone = step(client, "undo", target=first["id"], token="another-token")
        assert undone.status_code == 200
    with open_project(project) as store:
        assert [edit.kind for edit in store.edits(CLIP)] == ["drag", "undo"]


def test_an_import_is_not_undone_by_the_key(client: TestClient, project: Path) -> None:
    from emc.pose.records import Edit, JointChange, Provenance, Visibility

    moved = JointChange(3, 0, 5, 9.0, 9.0, Visibility.VISIBLE, Provenance.HUMAN)
    with open_project(project) as store:
        store.append_edit(Edit(CLIP, "import", (moved,)))
    assert step(client, "undo").json()["id"] is None
    assert joint(client)[0] == [9, 9]


def test_deciding_flagged_joints_lowers_the_counts_and_closes_alerts(client: TestClient) -> None:
    alert = client.get(f"{BASE}/alerts").json()["rows"][0]
    frame = alert["first"]
    (before,) = client.get(f"{BASE}/poses", params={"first": frame, "last": frame}).json()["frames"]
    number, person = alert["joint"], alert["person"]
    answer = send(client, change(frame=frame, person=person, joint=number)).json()
    (after,) = answer["frames"]
    assert len(after["flagged"]) == len(before["flagged"]) - 1
    assert after["lost"] + after["low"] <= before["lost"] + before["low"]
    rows = client.get(f"{BASE}/alerts").json()["rows"]
    assert rows[0]["done"] == 1
    listed = client.get(f"{BASE}/frames", params={"order": "frame"}).json()["rows"][frame]
    assert (listed["lost"], listed["low"], listed["state"]) == (after["lost"], after["low"], "changed")


def test_confirming_every_joint_confirms_the_frame(client: TestClient) -> None:
    (frame,) = client.get(f"{BASE}/poses", params={"first": 3, "last": 3}).json()["frames"]
    changes = [
        change(person=pose["person"], joint=number, xy=xy, visibility=pose["visibility"][number], provenance=3)
        for pose in frame["poses"]
        for number, xy in enumerate(pose["xy"])
        if xy
    ]
    (after,) = send(client, *changes, kind="confirm").json()["frames"]
    assert after["state"] == "confirmed"


def test_next_goes_to_frames_with_open_alerts_and_ends(client: TestClient) -> None:
    first = client.get(f"{BASE}/next", params={"frame": 0, "order": "frame"}).json()["frame"]
    assert first is not None
    rows = client.get(f"{BASE}/alerts", params={"limit": 200}).json()["rows"]
    changes = [
        change(frame=frame, person=row["person"], joint=row["joint"])
        for row in rows
        for frame in range(row["first"], row["last"] + 1)
    ]
    send(client, *changes, kind="place")
    assert client.get(f"{BASE}/next", params={"frame": 0}).json()["frame"] is None


def test_an_absent_joint_keeps_or_lacks_its_place(client: TestClient) -> None:
    send(client, change(visibility=0), kind="visibility")
    assert joint(client) == ([40.5, 60.25], 0, 2)
    send(client, change(visibility=0, xy=None), kind="visibility")
    assert joint(client) == (None, 0, 2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"frame": 10}, "no such frame"),
        ({"joint": 17}, "joints 0 to 16"),
        ({"xy": [5000, 3]}, "far outside"),
        ({"xy": None}, "has no place"),
        ({"xy": ["x", 3]}, "changes.0.xy"),
        ({"provenance": 0}, "provenance"),
        ({"visibility": 3}, "visibility"),
        ({"path": "/etc/passwd"}, "path"),
    ],
)
def test_a_wrong_change_is_refused_and_named(
    client: TestClient, project: Path, wrong: dict[str, Any], words: str
) -> None:
    answer = send(client, change(**wrong))
    assert answer.status_code == 422
    assert words in answer.json()["error"]
    with open_project(project) as store:
        assert store.edits(CLIP) == []


def test_numbers_that_are_none_are_refused(client: TestClient) -> None:
    body = '{"kind":"drag","token":"12345678","changes":[{"frame":1,"person":0,"joint":1,"xy":[NaN,1],'
    body += '"visibility":2,"provenance":2}]}'
    answer = client.post(f"{BASE}/edits", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_unknown_kinds_clips_and_empty_edits_are_refused(client: TestClient) -> None:
    assert send(client, kind="import").status_code == 422
    empty = {"kind": "drag", "token": "12345678", "changes": []}
    assert client.post(f"{BASE}/edits", json=empty).status_code == 422
    whole = {**empty, "changes": [change()]}
    assert client.post("/api/clips/none/edits", json=whole).status_code == 404
    assert step(client, "undo", target=99).status_code == 422
