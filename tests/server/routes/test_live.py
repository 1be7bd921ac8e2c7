from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.server.running import Stream, poster, running

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
ANA, BO = "page-of-ana", "page-of-bo"


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    with running(project) as found:
        yield found


def drag(joint: int = 5) -> dict[str, object]:
    change = {"frame": 3, "person": 0, "joint": joint, "xy": [40, 60], "visibility": 2, "provenance": 2}
    return {"kind": "drag", "token": uuid4().hex, "changes": [change]}


def test_two_pages_see_each_other_come_move_and_go(address: str) -> None:
    ana = Stream(address, page=ANA, name="Ana")
    assert ana.wait("hello")["page"] == ANA
    bo = Stream(address, page=BO, name="Bo")
    assert {p["name"] for p in bo.wait("hello")["people"]} == {"Ana", "Bo"}
    while len(ana.wait("presence")["people"]) < 2:
        pass
    with poster(address, BO, "Bo") as client:
        place = {"clip": CLIP, "frame": 7, "person": 0, "joint": 15}
        assert client.post("/api/presence", json=place).status_code == 204
    while not any(p["page"] == BO and p["frame"] == 7 for p in ana.wait("presence")["people"]):
        pass
    bo.close()
    while len(ana.wait("presence")["people"]) > 1:
        pass
    ana.close()


def test_an_edit_is_told_to_all_and_says_whose_it_is(address: str) -> None:
    ana, bo = Stream(address, page=ANA, name="Ana"), Stream(address, page=BO, name="Bo")
    ana.wait("hello")
    bo.wait("hello")
    with poster(address, ANA, "Ana") as client:
        stored = client.post(f"/api/clips/{CLIP}/edits", json=drag()).json()
    own, other = ana.wait("edit"), bo.wait("edit")
    assert (own["id"], own["own"], other["own"]) == (stored["id"], True, False)
    assert (other["author"], other["touched"], other["joints"]) == ("Ana", [3, 3], [[3, 0, 5]])
    ana.close()
    bo.close()


def test_edits_of_other_processes_and_new_predictions_are_told_too(address: str, project: Path) -> None:
    ana = Stream(address, page=ANA, name="Ana")
    ana.wait("hello")
    change = JointChange(4, 0, 5, 1.0, 2.0, Visibility.VISIBLE, Provenance.HUMAN)
    with open_project(project) as store:
        store.append_edit(Edit(CLIP, "import", (change,), "file"))
        assert ana.wait("edit")["kind"] == "import"
        run = store.start_run(CLIP, "other", "coco17", {}).id
        store.finish_run(run)
    assert ana.wait("run") == {"clip": CLIP, "run": run}
    ana.close()


def test_who_connects_again_is_told_what_was_missed(address: str) -> None:
    with poster(address, ANA, "Ana") as client:
        first = client.post(f"/api/clips/{CLIP}/edits", json=drag(5)).json()["id"]
        second = client.post(f"/api/clips/{CLIP}/edits", json=drag(6)).json()["id"]
    bo = Stream(address, page=BO, name="Bo", after=first)
    assert bo.wait("hello")["last"] == second
    assert bo.wait("edit")["id"] == second
    bo.close()


def test_a_stream_needs_the_token(address: str) -> None:
    with poster(address) as client:
        del client.headers["authorization"]
        assert client.get("/api/events").status_code == 401
