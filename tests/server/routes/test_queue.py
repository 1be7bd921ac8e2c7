from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from emc.pose.records import Alert, AlertReason, FrameAlerts
from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
LOST, SWAP, LOW = AlertReason.LOST, AlertReason.SWAP, AlertReason.LOW_CONFIDENCE
ALERTS = [
    Alert(CLIP, 0, 13, 0, 9, SWAP, 0.9),
    Alert(CLIP, 0, 14, 2, 4, LOST, 0.95),
    Alert(CLIP, 0, 15, 7, 7, LOW, 0.6),
    Alert(CLIP, 1, 15, 8, 9, LOW, 0.3),
]


@pytest.fixture(autouse=True)
def listed(project: Path) -> None:
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        store.write_alerts(run.id, ALERTS, [FrameAlerts(frame, 1, 0) for frame in range(10)])


def rows(client: TestClient, **params: Any) -> list[tuple[int, int]]:
    answer = client.get("/api/queue", params=params)
    assert answer.status_code == 200, answer.text
    return [(row["person"], row["joint"]) for row in answer.json()["rows"]]


def decide(client: TestClient, joint: int, *frames: int) -> None:
    changes = [
        {"frame": f, "person": 0, "joint": joint, "xy": [40, 60], "visibility": 2, "provenance": 3} for f in frames
    ]
    body = {"kind": "confirm", "token": uuid4().hex, "changes": changes}
    assert client.post(f"/api/clips/{CLIP}/edits", json=body).status_code == 200


def test_most_repaired_frames_per_second_come_first(client: TestClient) -> None:
    assert rows(client) == [(0, 13), (0, 14), (0, 15), (1, 15)]
    found = client.get("/api/queue").json()["rows"]
    assert [row["value"] for row in found] == sorted((row["value"] for row in found), reverse=True)
    first = found[0]
    assert (first["name"], first["reason"], first["frames"], first["state"]) == ("left_knee", "swap", 10, "open")


def test_filters_orders_and_pages(client: TestClient) -> None:
    assert rows(client, reason=["lost", "low_confidence"]) == [(0, 14), (0, 15), (1, 15)]
    assert rows(client, joint="left_ankle") == [(0, 15), (1, 15)]
    assert rows(client, person=1) == [(1, 15)]
    assert rows(client, clip="another") == []
    assert rows(client, order="severity") == [(0, 14), (0, 13), (0, 15), (1, 15)]
    assert rows(client, order="frame", down=False) == [(0, 13), (0, 14), (0, 15), (1, 15)]
    page = client.get("/api/queue", params={"offset": 1, "limit": 2}).json()
    assert page["total"] == 4
    assert [row["joint"] for row in page["rows"]] == [14, 15]


def test_a_run_is_confirmed_when_every_frame_is_decided_and_open_again_after_undo(client: TestClient) -> None:
    decide(client, 14, 2, 3)
    (row,) = client.get("/api/queue", params={"joint": "right_knee"}).json()["rows"]
    assert (row["done"], row["total"], row["state"]) == (2, 3, "open")
    decide(client, 14, 4)
    assert (0, 14) not in rows(client)
    assert rows(client, state="confirmed") == [(0, 14)]
    assert len(rows(client, state="all")) == 4
    client.post(f"/api/clips/{CLIP}/undo", json={"token": uuid4().hex})
    assert (0, 14) in rows(client)


def test_facets_count_what_there_is(client: TestClient) -> None:
    decide(client, 15, 7)
    found = client.get("/api/queue/facets").json()
    assert (found["open"], found["confirmed"]) == (3, 1)
    assert found["reasons"] == {"low_confidence": 1, "lost": 1, "swap": 1}
    assert found["joints"] == {"left_knee": 1, "right_knee": 1, "left_ankle": 1}
    assert found["clips"] == {CLIP: 3}
    assert found["persons"] == [{"clip": CLIP, "person": 0, "n": 2}, {"clip": CLIP, "person": 1, "n": 1}]
    assert found["seconds"] > 0


def test_facets_of_some_clips_count_their_runs_and_say_what_each_clip_has(client: TestClient, project: Path) -> None:
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        store.add_clip(replace(store.clip(CLIP), id="walk"))
        other = store.start_run("walk", "nano", run.skeleton, {}).id
        store.write_predictions(other, list(store.predictions(run.id)))
        store.write_alerts(other, [Alert("walk", 0, 15, 1, 1, LOW, 0.4)], [FrameAlerts(1, 0, 1)])
        store.finish_run(other)
    decide(client, 15, 7)
    every, walk = (client.get("/api/queue/facets", params=asked).json() for asked in ({}, {"clip": "walk"}))
    assert (every["open"], every["confirmed"]) == (4, 1)
    assert (walk["open"], walk["confirmed"], walk["joints"]) == (1, 0, {"left_ankle": 1})
    assert 0 < walk["seconds"] < every["seconds"]
    assert every["clips"] == walk["clips"] == {CLIP: 3, "walk": 1}


def next_row(client: TestClient, **params: Any) -> tuple[int, int] | None:
    row = client.get("/api/queue/next", params=params).json()["row"]
    return None if row is None else (row["person"], row["joint"])


def test_next_goes_on_from_a_place_and_round(client: TestClient) -> None:
    assert next_row(client) == (0, 13)
    at = {"clip_at": CLIP, "frame_at": 3, "person_at": 0, "joint_at": 14}
    assert next_row(client, **at) == (0, 15)
    assert next_row(client, **at, step=-1) == (0, 13)
    assert next_row(client, **(at | {"joint_at": 15, "frame_at": 9, "person_at": 1})) == (0, 13)
    assert next_row(client, **(at | {"joint_at": 3})) == (0, 13)
    decide(client, 14, 2, 3, 4)
    assert next_row(client, **at) == (0, 15)
    assert next_row(client, reason="jump") is None


def test_new_predictions_make_a_new_queue(client: TestClient, project: Path) -> None:
    assert len(rows(client)) == 4
    with open_project(project) as store:
        run = store.start_run(CLIP, "other", "coco17", {}).id
        store.finish_run(run)
        store.write_alerts(run, ALERTS[:1], [])
    assert rows(client) == [(0, 13)]


def density(client: TestClient, bins: int) -> dict[str, list[float]]:
    return client.get("/api/queue/density", params={"clip": CLIP, "bins": bins}).json()


def test_the_whole_clip_is_told_in_equal_stretches(client: TestClient) -> None:
    # Ten frames in five bins: the swap lies over all, the lost joint over frames 2 to 4, the low ones at the end.
    assert density(client, 5) == {"open": [0.9, 1.85, 1.85, 1.5, 1.2], "confirmed": [0.0] * 5}
    decide(client, 14, 2, 3, 4)
    assert density(client, 5) == {"open": [0.9, 0.9, 0.9, 1.5, 1.2], "confirmed": [0.0, 0.95, 0.95, 0.0, 0.0]}
    assert sum(density(client, 1)["open"]) == pytest.approx(0.9 + 0.6 + 0.3)


def test_density_of_a_clip_that_is_not_there_or_of_no_bins(client: TestClient) -> None:
    assert client.get("/api/queue/density", params={"clip": "other"}).status_code == 404
    assert client.get("/api/queue/density", params={"clip": CLIP, "bins": 0}).status_code == 422


def test_effort_counts_what_stands_of_the_work(client: TestClient) -> None:
    nothing = client.get("/api/queue/effort").json()
    assert (nothing["seconds"], nothing["actions"], nothing["decided"], nothing["per_minute"]) == (0, 0, 0, None)
    assert nothing["curve"] == []
    changes = [{"frame": f, "person": 0, "joint": 14, "xy": [9, 9], "visibility": 2, "provenance": 2} for f in (2, 3)]
    for seconds, change in zip((6.0, 2.0), changes, strict=True):
        body = {"kind": "drag", "token": uuid4().hex, "changes": [change], "seconds": seconds}
        assert client.post(f"/api/clips/{CLIP}/edits", json=body).status_code == 200
    found = client.get("/api/queue/effort").json()
    assert (found["seconds"], found["actions"], found["decided"], found["repaired"]) == (8.0, 2, 2, 0)
    assert found["per_minute"] == 15.0
    assert (found["curve"][0], found["curve"][-1]) == (10.0, 30.0)  # one joint in six seconds, then one in two
    client.post(f"/api/clips/{CLIP}/undo", json={"token": uuid4().hex})
    assert client.get("/api/queue/effort").json()["decided"] == 1
    assert client.get("/api/queue/effort", params={"author": "bo"}).json()["actions"] == 0


def test_the_forecast_takes_the_best_runs_first(client: TestClient) -> None:
    forecast = client.get("/api/queue/effort").json()["forecast"]
    assert [one["seconds"] for one in forecast] == [60, 300, 900, 3600]
    runs = [row for row in client.get("/api/queue").json()["rows"]]
    assert forecast[-1]["runs"] == 4
    assert forecast[-1]["joints"] == pytest.approx(sum(row["severity"] * row["frames"] for row in runs), abs=0.06)
    assert forecast[-1]["worked"] == pytest.approx(sum(row["seconds"] for row in runs), abs=0.06)
