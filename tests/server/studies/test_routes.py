"""What participants' pages and the server of a study say to each other, without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.small_study import WRONG, small_study, truth

from emc.server.security import Access
from emc.server.studies.app import create_study_app, stable_token
from emc.study.session.tlx import SCALES

ADDRESS = "http://127.0.0.1:8741"
CLOCKS = {"active": 3.0, "idle": 1.0, "paused": 0.5}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_study(tmp_path)


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with served(folder) as found:
        yield found


def served(folder: Path) -> TestClient:
    access = Access(stable_token(folder))
    app: Any = create_study_app(folder, access)
    client = TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS})
    client.cookies.set(access.cookie, access.token)
    return client


def told(client: TestClient, path: str, **body: Any) -> Any:
    answer = client.post(f"/study/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def begun(client: TestClient, classic: bool = True) -> Any:
    """Join until the first method is the one wanted, and begin to practise it."""
    while True:
        told(client, "join")
        seat = told(client, "consent", agreed=True)["seat"]
        if (seat["steps"][1]["method"] == "classic") == classic:
            return told(client, "begin", step=1)["seat"]
        del client.cookies[next(name for name in client.cookies if name.endswith("_seat"))]


def places(clip: str, frames: range, step: int) -> list[dict[str, Any]]:
    return [
        {"id": f"place-{step}-{frame}-{joint}", "kind": "place", "step": step, "frame": frame, "joint": joint}
        | {"xy": list(xy), "how": "click", **CLOCKS}
        for frame in frames
        for joint, xy in enumerate(truth(clip, frame))
    ]


def check(client: TestClient, step: int, stretch: int) -> Any:
    return told(client, "check", id=f"check-{step}-{stretch}-0", step=step, stretch=stretch, **CLOCKS)


def test_only_who_has_the_address_gets_in(folder: Path):
    with served(folder) as client:
        client.cookies.clear()
        assert client.get("/study/state").status_code == 401
        token = json.loads((folder / "access.json").read_text())["token"]
        page = client.get(f"/?token={token}")
        assert page.status_code == 200 and 'data-page="study"' in page.text
        assert client.get("/study/state").json()["seat"] is None
        assert client.get("/app-studymain.js").status_code == 200
    assert (folder / "access.json").stat().st_mode & 0o077 == 0


def test_address_and_seat_stay_over_a_new_start(folder: Path):
    with served(folder) as client:
        seat = begun(client)
        told(client, "events", events=places("practice", range(1), 1)[:3])
        cookies = dict(client.cookies)
    with served(folder) as client:
        client.cookies.update(cookies)
        again = client.get("/study/state").json()["seat"]
    assert (again["code"], again["begun"], again["active"]) == (seat["code"], True, 3.0)
    assert [(p["frame"], p["joint"]) for p in again["placed"]] == [(0, 0), (0, 1), (0, 2)]


def test_the_classic_way_from_practice_to_ratings(client: TestClient):
    begun(client)
    assert told(client, "events", events=places("practice", range(1), 1))["stored"] == 17
    assert told(client, "events", events=places("practice", range(1), 1))["stored"] == 0
    seat = check(client, 1, 0)["state"]["seat"]
    clip = seat["task"]["clip"]
    assert (seat["step"], seat["begun"], clip in ("north", "south")) == (2, False, True)
    told(client, "begin", step=2)
    told(client, "events", events=places(clip, range(2), 2))
    found = check(client, 2, 0)
    assert (found["passed"], found["share"], found["state"]["seat"]["stretch"]) == (True, 1.0, 1)
    missing = check(client, 2, 1)
    assert (missing["passed"], missing["missing"], missing["wrong"]) == (False, 32, {"2": 16, "3": 16})
    told(client, "events", events=places(clip, range(2, 4), 2))
    found = told(client, "check", id="check-2-1-again", step=2, stretch=1, **CLOCKS)
    assert found["state"]["seat"]["steps"][found["state"]["seat"]["step"]]["kind"] == "tlx"
    after = told(client, "ratings", step=3, ratings=dict.fromkeys(SCALES, 20))["seat"]
    assert after["steps"][after["step"]] == {"kind": "training", "period": 2, "method": "editor"}


def test_the_editor_works_on_the_participants_own_copy(client: TestClient, folder: Path):
    assert client.get("/api/project").status_code == 404
    seat = begun(client, classic=False)
    project = client.get("/api/project").json()
    assert [clip["id"] for clip in project["clips"]] == ["practice"]
    found = check(client, 1, 0)
    assert (found["passed"], found["wrong"]) == (False, {"0": 2})
    changes = [
        {"frame": 0, "person": 0, "joint": joint, "xy": list(truth("practice", 0)[joint]), "visibility": 2}
        | {"provenance": 2}
        for joint in WRONG
    ]
    body = {"kind": "place", "seconds": 2.0, "token": "token-of-this-edit", "changes": changes}
    assert client.post("/api/clips/practice/edits", json=body).status_code == 200
    found = told(client, "check", id="check-again-0", step=1, stretch=0, **CLOCKS)
    assert found["passed"] and found["state"]["seat"]["step"] == 2
    # The editor of the practice is over; the timed one begins with its clock.
    assert client.get("/api/project").status_code == 404
    number = seat["code"].split("-")[0]
    assert [path.name for path in (folder / "desks").iterdir()] == [f"{number}-1.emc"]


def test_calibrating_is_no_part_of_a_study(client: TestClient):
    begun(client, classic=False)
    assert client.post("/api/calibration", json={"predict": False}).status_code == 403


def test_frames_of_other_clips_are_not_shown_before_their_time(client: TestClient):
    begun(client)
    assert client.get("/study/clips/practice/0").headers["content-type"] == "image/jpeg"
    assert client.get("/study/clips/practice/1").status_code == 404
    assert client.get("/study/clips/north/0").status_code == 404


def test_coming_back_by_code_and_withdrawing(client: TestClient, folder: Path):
    code = begun(client)["code"]
    client.cookies.pop(next(name for name in client.cookies if name.endswith("_seat")))
    assert client.get("/study/state").json()["seat"] is None
    assert client.post("/study/resume", json={"code": "P99-NOBODYXX"}).status_code == 404
    assert told(client, "resume", code=f" {code.lower()} ")["seat"]["code"] == code
    assert client.post("/study/withdraw", json={}).status_code == 204
    assert client.get("/study/state").json()["seat"] is None
    assert not (folder / "sessions" / f"{code.split('-')[0]}.jsonl").exists()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("begin", {"step": 2}, 409),
        ("ratings", {"step": 1, "ratings": dict.fromkeys(SCALES, 20)}, 409),
        ("comment", {"text": "early"}, 409),
        ("check", {"id": "check-odd-1", "step": 1, "stretch": 3, **CLOCKS}, 409),
        ("events", {"events": [{"id": "odd-event", "kind": "check", "step": 1, **CLOCKS}]}, 422),
        ("events", {"events": [{"id": "odd-event", "kind": "place", "step": 1, **CLOCKS}]}, 422),
        ("events", {"events": [{"id": "odd-event", "kind": "beat", "step": 1, **CLOCKS, "active": -1.0}]}, 422),
    ],
)
def test_what_cannot_be_now_is_refused_in_words(client: TestClient, path: str, body: dict[str, Any], status: int):
    begun(client)
    answer = client.post(f"/study/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_requests_of_other_sites_are_refused(client: TestClient):
    answer = client.post("/study/join", json={}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
