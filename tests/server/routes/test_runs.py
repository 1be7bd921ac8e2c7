from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.server.opening import opened

from emc.pose.records import Prediction
from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
BASE = f"/api/clips/{CLIP}"


def operate(client: TestClient, op: str, **over: Any) -> Any:
    body = {"op": op, "person": 0, "frame": 3, "last": 3, "token": uuid4().hex, **over}
    return client.post(f"{BASE}/operations", json=body)


def pose(client: TestClient, frame: int = 3, person: int = 0) -> dict[str, Any]:
    (found,) = client.get(f"{BASE}/poses", params={"first": frame, "last": frame}).json()["frames"]
    return next(p for p in found["poses"] if p["person"] == person)


def test_a_swap_from_here_on_is_one_action(client: TestClient) -> None:
    before = [pose(client, frame) for frame in (2, 3, 9)]
    answer = operate(client, "swap", limb="leg", last=None).json()
    assert answer["touched"] == [3, 9]
    after = [pose(client, frame) for frame in (2, 3, 9)]
    assert after[0] == before[0]
    for one, other in zip(before[1:], after[1:], strict=True):
        assert (one["xy"][15], one["xy"][16]) == (other["xy"][16], other["xy"][15])
        assert one["xy"][9] == other["xy"][9]
    # On the frame itself a person's word, beyond it a machine's.
    assert (after[1]["provenance"][15], after[2]["provenance"][15]) == (2, 1)
    client.post(f"{BASE}/undo", json={"token": uuid4().hex})
    assert [pose(client, frame)["xy"] for frame in (2, 3, 9)] == [p["xy"] for p in before]


def test_confirming_a_run_confirms_it(client: TestClient) -> None:
    operate(client, "confirm", joints=[15], first=2, last=5)
    assert [pose(client, frame)["provenance"][15] for frame in (1, 2, 5, 6)] == [0, 3, 3, 0]
    left = client.get(f"{BASE}/bisect", params={"person": 0, "joint": 15, "first": 0, "last": 9}).json()
    assert left == {"frame": 7, "left": 6}


def test_visibility_keeps_the_place(client: TestClient) -> None:
    before = pose(client)["xy"][15]
    operate(client, "visibility", joints=[15], visibility=1)
    assert (pose(client)["xy"][15], pose(client)["visibility"][15]) == (before, 1)


def test_a_person_can_be_added_and_exchanged(client: TestClient) -> None:
    answer = operate(client, "add_person", person=-1, xy=[100, 120])
    number = answer.json()["person"]
    assert number == 1
    added = pose(client, person=1)
    places = np.array([xy for xy in added["xy"] if xy])
    np.testing.assert_allclose(places.mean(axis=0), [100, 120], atol=0.5)
    assert set(added["provenance"]) == {1}
    first = pose(client)["xy"]
    operate(client, "identity", other=1)
    assert pose(client)["xy"] == added["xy"]
    assert pose(client, person=1)["xy"] == first


def test_copy_and_mirror(client: TestClient) -> None:
    operate(client, "copy", joints=[9])
    assert pose(client)["xy"][9] == pose(client, 2)["xy"][9]
    before = pose(client)["xy"]
    operate(client, "mirror", limb="left_arm")
    after = pose(client)["xy"]
    assert [j for j in range(17) if before[j] != after[j]] == [5, 7, 9]


@pytest.mark.parametrize(
    ("op", "over", "words"),
    [
        ("swap", {"limb": "tail"}, "no limb 'tail'"),
        ("swap", {"last": 10}, "no frame 10"),
        ("swap", {"first": 5, "last": 4}, "run backwards"),
        ("swap", {"person": 8}, "nothing to swap"),
        ("identity", {}, "another person"),
        ("visibility", {}, "send 0"),
        ("copy", {"frame": 0}, "nothing to copy"),
        ("confirm", {"joints": [99]}, "use 0 to 16"),
        ("explode", {}, "op"),
    ],
)
def test_what_cannot_be_done_is_said(client: TestClient, op: str, over: dict[str, Any], words: str) -> None:
    answer = operate(client, op, **over)
    assert answer.status_code == 422
    assert words in answer.json()["error"]


def test_candidates_come_with_their_keys(client: TestClient) -> None:
    params = {"frame": 3, "person": 0, "joint": 15}
    answer = client.get(f"{BASE}/candidates", params=params).json()["candidates"]
    assert [one["key"] for one in answer] == sorted({one["key"] for one in answer})
    sources = {one["source"]: one for one in answer}
    assert {"peak", "mirror"} <= sources.keys()
    here = np.array(pose(client)["xy"][15])
    assert np.linalg.norm(np.array(sources["peak"]["xy"]) - here) > 10
    assert all(0 <= one["score"] <= 1 for one in answer)
    assert client.get(f"{BASE}/candidates", params=params | {"joint": 17}).status_code == 422
    assert client.get(f"{BASE}/candidates", params=params | {"person": 5}).json()["candidates"] == []


def test_the_sheet_shows_a_joint_over_its_run(client: TestClient) -> None:
    operate(client, "visibility", joints=[15], visibility=1)
    track = client.get(f"{BASE}/track", params={"person": 0, "joint": 15, "first": 2, "last": 4}).json()
    assert track["frames"] == [2, 3, 4]
    assert track["visibility"] == [2, 1, 2]
    assert track["provenance"] == [0, 2, 0]
    assert track["versions"][1] > 0
    assert track["xy"] == track["predicted"]
    far = client.get(f"{BASE}/track", params={"person": 0, "joint": 15, "first": 0, "last": 10})
    assert far.status_code == 422


def test_a_crop_is_the_square_around_a_place(client: TestClient) -> None:
    whole = client.get(f"{BASE}/frames/3").content
    image = cv2.imdecode(np.frombuffer(whole, np.uint8), cv2.IMREAD_COLOR)
    answer = client.get(f"{BASE}/frames/3/crop", params={"x": 128, "y": 100, "side": 63, "size": 64})
    crop = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert crop is not None
    assert crop.shape == (64, 64, 3)
    expected = cv2.getRectSubPix(image, (64, 64), (128.0, 100.0))
    assert float(np.abs(crop.astype(int) - expected.astype(int)).mean()) < 4
    outside = client.get(f"{BASE}/frames/3/crop", params={"x": -500, "y": -500, "side": 50})
    assert outside.status_code == 200
    assert client.get(f"{BASE}/frames/10/crop", params={"x": 0, "y": 0, "side": 50}).status_code == 404


def test_two_models_are_shown_side_by_side(client: TestClient, project: Path) -> None:
    first = client.get(f"{BASE}/compare", params={"frame": 3}).json()
    assert first["before"] is None
    with open_project(project) as store:
        old = store.current_run(CLIP)
        assert old is not None
        moved = [
            Prediction(p.frame, p.person, p.xy + 1, p.score, p.confidence, p.box) for p in store.predictions(old.id)
        ]
        new = store.start_run(CLIP, "calibrated", "coco17", {}).id
        store.write_predictions(new, moved)
        store.finish_run(new)
    both = client.get(f"{BASE}/compare", params={"frame": 3}).json()
    assert (both["before"]["run"], both["after"]["run"], both["after"]["model"]) == (old.id, new, "calibrated")
    x, y = both["before"]["people"][0]["xy"][5]
    np.testing.assert_allclose(both["after"]["people"][0]["xy"][5], [x + 1, y + 1], atol=0.02)
    runs = client.get(f"{BASE}/runs").json()["runs"]
    assert [run["current"] for run in runs] == [False, True]
    assert client.get(f"{BASE}/compare", params={"frame": 3, "before": "run-99"}).status_code == 422


def test_the_lifted_pose_says_where_it_does_not_fit(client: TestClient) -> None:
    params = {"frame": 3, "person": 0}
    answer = client.get(f"{BASE}/lifted", params=params).json()
    assert (len(answer["xyz"]), len(answer["joints"])) == (17, 17)
    assert answer["xyz"][0] == [0, 0, 0]
    assert 20 < answer["scale"] < 1000
    shares = {row["joint"]: row["share"] for row in answer["joints2d"]}
    assert len(shares) == 12
    x, y = pose(client)["xy"][15]
    body = {"kind": "drag", "token": uuid4().hex, "changes": [
        {"frame": 3, "person": 0, "joint": 15, "xy": [x + 60, y - 60], "visibility": 2, "provenance": 2}
    ]}  # fmt: skip
    client.post(f"{BASE}/edits", json=body)
    moved = {row["joint"]: row["share"] for row in client.get(f"{BASE}/lifted", params=params).json()["joints2d"]}
    assert moved[15] > shares[15] + 0.05
    assert client.get(f"{BASE}/lifted", params=params | {"person": 9}).status_code == 422


def test_the_lifted_pose_brings_its_joint_angles_and_what_the_model_said_first(client: TestClient) -> None:
    params = {"frame": 3, "person": 0}
    answer = client.get(f"{BASE}/lifted", params=params | {"before": "current"}).json()
    knees = answer["angles"]["degrees"]["left_knee"]
    assert (answer["angles"]["first"], len(knees)) == (0, 10)
    assert all(0 <= knee <= 180 for knee in knees)
    assert answer["earlier"] == {"xyz": answer["xyz"], "angles": answer["angles"]}, "nothing was corrected yet"
    assert client.get(f"{BASE}/lifted", params=params).json()["earlier"] is None
    x, y = pose(client)["xy"][15]
    body = {"kind": "drag", "token": uuid4().hex, "changes": [
        {"frame": 3, "person": 0, "joint": 15, "xy": [x + 60, y - 60], "visibility": 2, "provenance": 2}
    ]}  # fmt: skip
    client.post(f"{BASE}/edits", json=body)
    moved = client.get(f"{BASE}/lifted", params=params | {"before": "current"}).json()
    assert moved["earlier"] == answer["earlier"]
    assert np.abs(np.subtract(moved["xyz"], answer["xyz"])).max() > 0.05
    assert moved["angles"]["degrees"]["left_knee"][3] != knees[3]
    refused = client.get(f"{BASE}/lifted", params=params | {"before": "run-99"})
    assert (refused.status_code, "run-99" in refused.json()["error"]) == (422, True)


def box_of(client: TestClient) -> list[float]:
    return pose(client)["box"]


def test_a_missed_person_is_predicted_in_the_box_that_is_drawn(client: TestClient) -> None:
    body = {"frame": 3, "box": box_of(client), "follow": False, "token": uuid4().hex}
    answer = client.post(f"{BASE}/persons", json=body).json()
    assert (answer["person"], answer["touched"]) == (1, [3, 3])
    # In the box of the person who is there already the model says what it said before.
    added, before = pose(client, person=1), pose(client)
    both = [(a, b) for a, b in zip(added["xy"], before["xy"], strict=True) if a and b]
    assert len(both) >= 12
    np.testing.assert_allclose([a for a, _ in both], [b for _, b in both], atol=0.6)
    assert {p for p, xy in zip(added["provenance"], added["xy"], strict=True) if xy} == {1}
    again = client.post(f"{BASE}/persons", json=body).json()
    assert (again["id"], again["person"]) == (answer["id"], 1)
    client.post(f"{BASE}/undo", json={"token": uuid4().hex})
    (found,) = client.get(f"{BASE}/poses", params={"first": 3, "last": 3}).json()["frames"]
    assert [p["person"] for p in found["poses"]] == [0]


def test_following_ends_where_the_person_is_one_who_is_there(client: TestClient) -> None:
    body = {"frame": 3, "box": box_of(client), "token": uuid4().hex}
    assert client.post(f"{BASE}/persons", json=body).json()["touched"] == [3, 3]


def test_a_missed_person_is_followed_to_the_frames_around(project: Path) -> None:
    """The only person of frames 2 to 6 is what the detector missed: the run is stored anew without them."""
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        found = list(store.predictions(run.id))
        box = next(p.box for p in found if p.frame == 4)
        made = store.start_run(CLIP, run.model, run.skeleton, {**run.settings, "missed": 1})
        store.write_predictions(made.id, [p for p in found if not 2 <= p.frame <= 6], upto=10)
        store.finish_run(made.id)
    with opened(project) as client:
        body = {"frame": 4, "box": [float(v) for v in box], "token": uuid4().hex}
        answer = client.post(f"{BASE}/persons", json=body).json()
        assert (answer["person"], answer["touched"]) == (1, [2, 6])


def test_where_the_model_cannot_be_asked_a_figure_stands_in_the_box(project: Path) -> None:
    with open_project(project) as store:
        Path(store.clip(CLIP).path).rename(project / "away.mp4")
    try:
        with opened(project) as client:
            body = {"frame": 3, "box": [20, 10, 40, 100], "token": uuid4().hex}
            assert client.post(f"{BASE}/persons", json=body).json()["touched"] == [3, 3]
            places = np.array(pose(client, person=1)["xy"])
            assert places[:, 1].min() >= 10
            assert places[:, 1].max() <= 110
            assert np.ptp(places[:, 1]) > 85
            assert abs(places[:, 0].mean() - 40) < 1
    finally:
        with open_project(project) as store:
            (project / "away.mp4").rename(store.clip(CLIP).path)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"frame": 10}, "no frame 10"),
        ({"box": [5, 5, 3, 90]}, "holds nobody"),
        ({"box": [-500, 0, 100, 100]}, "holds nobody"),
        ({"box": [0, 0, -4, 90]}, "box"),
    ],
)
def test_boxes_that_hold_nobody_are_refused(client: TestClient, over: dict[str, Any], words: str) -> None:
    answer = client.post(f"{BASE}/persons", json={"frame": 3, "box": [5, 5, 50, 90], "token": uuid4().hex, **over})
    assert answer.status_code == 422
    assert words in answer.json()["error"]
