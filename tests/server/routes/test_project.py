from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from emc.stages.video import open_media
from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"


def test_the_project_names_clips_skeleton_and_bands(client: TestClient) -> None:
    said = client.get("/api/project").json()
    assert (said["name"], said["lost"], said["low"]) == ("kick", 0.15, 0.5)
    (clip,) = said["clips"]
    assert (clip["id"], clip["frames"], clip["width"], clip["frames_predicted"]) == (CLIP, 10, 256, 10)
    assert clip["every"] == 1
    assert said["skeletons"][clip["skeleton"]]["flip"][1] == 2


def test_frames_come_worst_first_or_in_order_by_pages(client: TestClient) -> None:
    worst = client.get(f"/api/clips/{CLIP}/frames", params={"limit": 200}).json()
    assert worst["total"] == 10
    counts = [(row["lost"], row["low"]) for row in worst["rows"]]
    assert counts == sorted(counts, reverse=True)
    page = client.get(f"/api/clips/{CLIP}/frames", params={"order": "frame", "offset": 4, "limit": 3}).json()
    assert [row["frame"] for row in page["rows"]] == [4, 5, 6]


def test_alerts_are_those_of_the_store(client: TestClient, project: Path) -> None:
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        stored = store.alerts(run.id)
    said = client.get(f"/api/clips/{CLIP}/alerts", params={"limit": 200}).json()
    assert said["total"] == len(stored) > 0
    assert [(r["joint"], r["first"], r["last"]) for r in said["rows"]] == [(a.joint, a.first, a.last) for a in stored]
    by_frame = client.get(f"/api/clips/{CLIP}/alerts", params={"order": "frame"}).json()["rows"]
    firsts = [row["first"] for row in by_frame]
    assert firsts == sorted(firsts)


def test_poses_are_those_of_the_store(client: TestClient, project: Path) -> None:
    with open_project(project) as store:
        stored = store.poses(CLIP, first=3, last=4)
    frames = client.get(f"/api/clips/{CLIP}/poses", params={"first": 3, "last": 4}).json()["frames"]
    assert [frame["frame"] for frame in frames] == [3, 4]
    said = [pose for frame in frames for pose in frame["poses"]]
    assert len(said) == len(stored) > 0
    for pose, record in zip(said, stored, strict=True):
        xy = np.array([place or (np.nan, np.nan) for place in pose["xy"]])
        np.testing.assert_allclose(xy, record.xy, atol=0.006)
        assert pose["visibility"] == record.visibility.tolist()
        assert pose["provenance"] == [0] * 17


@pytest.mark.parametrize("frame", [0, 7, 3])
def test_a_frame_is_exactly_that_frame(client: TestClient, project: Path, frame: int) -> None:
    with open_project(project) as store:
        path = Path(store.clip(CLIP).path)
    with open_media(path) as media:
        truth = [media.read(number).astype(np.int16) for number in range(10)]
    answer = client.get(f"/api/clips/{CLIP}/frames/{frame}")
    assert answer.headers["content-type"] == "image/jpeg"
    image = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    differences = [float(np.abs(image[:, :, ::-1].astype(np.int16) - other).mean()) for other in truth]
    assert int(np.argmin(differences)) == frame
    assert differences[frame] < 3


def test_a_frame_that_the_browser_has_is_not_sent_again(client: TestClient) -> None:
    first = client.get(f"/api/clips/{CLIP}/frames/2")
    assert "immutable" in first.headers["cache-control"]
    again = client.get(f"/api/clips/{CLIP}/frames/2", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/api/clips/{CLIP}/frames/3", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("clip", ["none", "..", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a%00b", "/etc/passwd"])
def test_unknown_clips_and_paths_are_not_found(client: TestClient, clip: str) -> None:
    for what in ("frames", "frames/0", "alerts", "poses?first=0&last=0", "next?frame=0"):
        assert client.get(f"/api/clips/{clip}/{what}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/index.html", "/static/app.js", "/../app.py", "/%2e%2e/app.py", "/app.js/../../app.py", "/api/../app.py"]
)
def test_only_the_three_files_of_the_page_are_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_frame_outside_of_the_clip_is_not_found(client: TestClient) -> None:
    assert client.get(f"/api/clips/{CLIP}/frames/10").status_code == 404
    assert client.get(f"/api/clips/{CLIP}/frames/-1").status_code == 404
    assert client.get(f"/api/clips/{CLIP}/poses", params={"first": 0, "last": 10}).status_code == 422


def test_missing_media_say_what_to_do(client: TestClient, project: Path, tmp_path: Path) -> None:
    with open_project(project) as store:
        store.update_clip(replace(store.clip(CLIP), path=str(tmp_path / "gone.mp4")))
    client.app.state.editing._held.clear()  # type: ignore[attr-defined]
    answer = client.get(f"/api/clips/{CLIP}/frames/0")
    assert answer.status_code == 422
    assert "gone.mp4" in answer.json()["error"]


def test_the_page_and_its_files_are_there(client: TestClient) -> None:
    page = client.get("/").text
    assert 'src="/app.js"' in page
    assert 'href="/app.css"' in page
    assert client.get("/app.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/app.css").status_code == 200
