from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.server.opening import opened

from emc.pose.records import Prediction
from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
BASE = f"/api/clips/{CLIP}"
JOINT, FRAME, WRONG = 15, 5, (4, 5, 6)


@pytest.fixture
def spoiled(project: Path) -> Path:
    """Put the left ankle of frames 4 to 6 far from where it is, with little confidence, as a second run."""
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        found = list(store.predictions(run.id))
        again = store.start_run(CLIP, "spoiled", run.skeleton, {}).id
        store.write_predictions(again, [_spoil(p) for p in found])
        store.finish_run(again)
    return project


@pytest.fixture
def spoiled_client(spoiled: Path) -> Any:
    with opened(spoiled) as client:
        yield client


def _spoil(p: Prediction) -> Prediction:
    xy, confidence = p.xy.copy(), np.full(len(p.xy), 0.9, np.float32)
    if p.frame in WRONG:
        xy[JOINT] += (60.0, -70.0)
        confidence[JOINT] = 0.3
    return Prediction(p.frame, p.person, xy, p.score, confidence, p.box)


def true_place(project: Path, frame: int = FRAME) -> list[float]:
    with open_project(project) as store:
        first = store.runs(CLIP)[0].id
        (prediction,) = store.predictions(first, frame, frame)
    return [float(v) for v in prediction.xy[JOINT]]


def fix(xy: list[float], **over: Any) -> dict[str, Any]:
    change = {"frame": FRAME, "person": 0, "joint": JOINT, "xy": xy, "visibility": 2, "provenance": 2, "seen": 0}
    return {"kind": "drag", "token": uuid4().hex, "propagate": True, "changes": [change | over]}


def ankles(client: TestClient) -> tuple[list[Any], list[int]]:
    frames = client.get(f"{BASE}/poses", params={"first": 0, "last": 9}).json()["frames"]
    poses = [frame["poses"][0] for frame in frames]
    return [pose["xy"][JOINT] for pose in poses], [pose["provenance"][JOINT] for pose in poses]


def test_a_fix_repairs_its_run_in_one_transaction(spoiled: Path, spoiled_client: TestClient) -> None:
    before = ankles(spoiled_client)
    answer = spoiled_client.post(f"{BASE}/edits", json=fix(true_place(spoiled))).json()
    (span,) = answer["propagated"]
    assert (span["joint"], span["changed"]) == (JOINT, 2)
    assert answer["touched"] == [4, 6]
    assert [frame["frame"] for frame in answer["frames"]] == [4, 5, 6]
    after = ankles(spoiled_client)
    assert after[1] == [0, 0, 0, 0, 1, 2, 1, 0, 0, 0]
    for frame in (4, 6):
        assert np.linalg.norm(np.subtract(after[0][frame], true_place(spoiled, frame))) < 8
    with open_project(spoiled) as store:
        (edit,) = store.edits(CLIP)
    assert [(c.frame, int(c.provenance)) for c in edit.changes] == [(5, 2), (4, 1), (6, 1)]
    undone = spoiled_client.post(f"{BASE}/undo", json={"token": uuid4().hex}).json()
    assert undone["touched"] == [4, 6]
    assert ankles(spoiled_client) == before
    spoiled_client.post(f"{BASE}/redo", json={"token": uuid4().hex})
    assert ankles(spoiled_client) == after


def test_a_preview_says_the_same_and_writes_nothing(spoiled: Path, spoiled_client: TestClient) -> None:
    body = fix(true_place(spoiled))
    said = spoiled_client.post(f"{BASE}/propagate", json={"changes": body["changes"]}).json()
    (span,) = said["spans"]
    assert [frame["frame"] for frame in span["frames"]] == [4, 6]
    assert said["milliseconds"] > 0
    with open_project(spoiled) as store:
        assert store.edits(CLIP) == []
    stored = spoiled_client.post(f"{BASE}/edits", json=body).json()
    now = ankles(spoiled_client)[0]
    assert [frame["xy"] for frame in span["frames"]] == [now[4], now[6]]
    assert stored["propagated"][0]["changed"] == len(span["frames"])


def test_without_propagate_only_the_joint_moves(spoiled: Path, spoiled_client: TestClient) -> None:
    answer = spoiled_client.post(f"{BASE}/edits", json=fix(true_place(spoiled)) | {"propagate": False}).json()
    assert answer["touched"] == [5, 5]
    assert answer["propagated"] == []


def test_a_human_point_beside_it_is_never_moved(spoiled: Path, spoiled_client: TestClient) -> None:
    beside = fix([33.0, 44.0], frame=4) | {"propagate": False}
    spoiled_client.post(f"{BASE}/edits", json=beside)
    answer = spoiled_client.post(f"{BASE}/edits", json=fix(true_place(spoiled))).json()
    (span,) = answer["propagated"]
    assert (span["first"], span["before"]) == (4, "human")
    assert ankles(spoiled_client)[0][4] == [33.0, 44.0]


def test_sent_twice_a_fix_is_stored_once(spoiled: Path, spoiled_client: TestClient) -> None:
    body = fix(true_place(spoiled))
    first, second = (spoiled_client.post(f"{BASE}/edits", json=body).json() for _ in range(2))
    assert first["id"] == second["id"]
    assert second["touched"] == [4, 6]


def test_what_was_propagated_does_not_bear_itself_out(spoiled: Path, spoiled_client: TestClient) -> None:
    """The same fix again finds the same repair: from the predictions, not from what the first one left."""
    first = spoiled_client.post(f"{BASE}/edits", json=fix(true_place(spoiled))).json()
    again = fix(true_place(spoiled), seen=first["id"])
    assert spoiled_client.post(f"{BASE}/edits", json=again).json()["propagated"] == first["propagated"]


def test_pictures_are_decoded_ahead(spoiled_client: TestClient) -> None:
    answer = spoiled_client.post(f"{BASE}/warm", json={"person": 0, "frame": FRAME})
    assert answer.status_code == 202
    assert answer.json()["wanted"] == 10
    spoiled_client.app.state.editing.propagator.shelf._waiting.result(30)  # type: ignore[attr-defined]
    assert spoiled_client.post(f"{BASE}/warm", json={"person": 0, "frame": FRAME}).json()["ready"] == 10
    nobody = spoiled_client.post(f"{BASE}/warm", json={"person": 77, "frame": FRAME}).json()
    assert nobody == {"ready": 0, "wanted": 0}


def test_without_its_media_a_fix_is_stored_all_the_same(spoiled: Path) -> None:
    place = true_place(spoiled)
    with open_project(spoiled) as store:
        store.update_clip(replace(store.clip(CLIP), path=str(spoiled / "gone.mp4")))
    with opened(spoiled) as client:
        answer = client.post(f"{BASE}/edits", json=fix(place))
        assert answer.status_code == 200
        assert ankles(client)[1][5] == 2
