"""Corrections and two people at once: nothing that one of them did is lost, changed or said to be somebody else's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import predicted_project  # noqa: F401 - a fixture
from tests.browser.crowd import crowd, second_clip
from tests.browser.editor_page import edits, go_to, joint, on_screen, repair, row, saved, served, show
from tests.server.opening import opened

from emc.errors import ConflictError
from emc.pose.records import Alert, AlertReason, Clip, Edit, Prediction, Provenance, Role
from emc.workflow.project import new_project, open_project

CLIP = "kick"
BASE = f"/api/clips/{CLIP}"
ANA = {"x-emc-name": "Ana", "x-emc-browser": "browser-of-ana"}
BO = {"x-emc-name": "Bo", "x-emc-browser": "browser-of-bo"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clip of 20 frames on which one person was predicted; its media are not there."""
    with new_project(tmp_path / "kick") as store:
        store.add_clip(Clip(CLIP, str(tmp_path / "kick.mp4"), Role.TARGET, "ana", 20, 640, 480))
        run = store.start_run(CLIP, "nano", "coco17", {}).id
        store.write_predictions(run, [_standing(frame) for frame in range(20)], upto=20)
        store.finish_run(run)
        return store.folder


def _standing(frame: int) -> Prediction:
    xy = np.stack([100 + 10.0 * np.arange(17), np.full(17, 200.0)], axis=1).astype(np.float32)
    return Prediction(
        frame, 0, xy, np.ones(17, np.float32), np.full(17, 0.9, np.float32), np.array([90, 100, 200, 200])
    )


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    with opened(folder) as found:
        yield found


def place(client: TestClient, who: dict[str, str], token: str = "", propagate: bool = False, **over: Any) -> Any:
    change = {"frame": 3, "person": 0, "joint": 5, "xy": [40, 60], "visibility": 2, "provenance": 2} | over
    body = {"kind": "place", "token": token or uuid4().hex, "propagate": propagate, "changes": [change]}
    return client.post(f"{BASE}/edits", json=body, headers=who)


def step(client: TestClient, verb: str, who: dict[str, str], token: str = "") -> Any:
    return client.post(f"{BASE}/{verb}", json={"token": token or uuid4().hex}, headers=who)


def journal(folder: Path) -> list[tuple[str, str, int]]:
    with open_project(folder) as store:
        return [(edit.author, edit.kind, edit.undoes) for edit in store.edits(CLIP)]


def next_steps(client: TestClient, who: dict[str, str]) -> tuple[int | None, int | None]:
    """What the page offers to undo and to redo once it has read the poses."""
    history = client.get(f"{BASE}/poses", params={"first": 3, "last": 3}, headers=who).json()["history"]
    return tuple(each and each["id"] for each in (history["undo"], history["redo"]))  # type: ignore[return-value]


KICK = "front_kick_00007"
KNEE, WRIST = 13, 9


@pytest.fixture
def page(chromium: Browser, predicted_project: Path, tmp_path: Path) -> Iterator[Page]:  # noqa: F811 - a fixture
    """The editor in Chromium on two people of one clip, and a second clip: one joint of each is flagged."""
    project = Path(shutil.copytree(predicted_project, tmp_path / "crowd.emc"))
    low, lost = AlertReason.LOW_CONFIDENCE, AlertReason.LOST
    crowd(project, [Alert(KICK, 0, KNEE, 5, 5, lost, 0.96), Alert(KICK, 1, WRIST, 5, 5, low, 0.8)])
    second_clip(project, [Alert("walk", 0, WRIST, 3, 3, low, 0.5)])
    with served(project) as address:
        context = chromium.new_context(viewport={"width": 1366, "height": 768})
        opened_page = show(context, address, [])
        go_to(opened_page, 5)
        opened_page.locator(".people button", has_text="Person 0").click()
        opened_page.locator("#picture").focus()
        yield opened_page
        context.close()


@pytest.mark.browser
def test_09_a_click_after_a_fix_never_labels_another_person(page: Page, tmp_path: Path) -> None:
    repair(page, True)
    page.keyboard.press("Tab")
    expect(page.locator(".jointbar b")).to_have_text("left knee")
    x, y = on_screen(page, joint(page, "left_knee"))
    page.mouse.dblclick(x + 3, y)
    saved(page)
    expect(page.locator(".note")).to_contain_text(re.compile("^(placed on this frame alone|repaired)"))
    expect(page.locator(".people button[aria-pressed=true]")).to_contain_text("Person 0")
    page.wait_for_timeout(500)
    page.mouse.click(x + 30, y + 20)
    saved(page)
    (edit,) = edits(tmp_path / "crowd.emc")
    decided = [(c.frame, c.person, c.joint) for c in edit.changes if c.provenance >= Provenance.HUMAN]
    assert decided == [(5, 0, KNEE)]


@pytest.mark.browser
def test_10_numbers_markers_and_lists_mean_one_thing(page: Page) -> None:
    expect(page.locator(".run", has_text="left knee").locator(".side")).to_have_text("96 %")
    expect(row(page, "left_knee").locator(".side")).to_have_text("lost 96 %")
    expect(row(page, "left_knee")).to_have_attribute("data-mark", "cross")
    expect(row(page, "nose").locator(".side")).to_have_text("2 %")
    for panel in (".lists", ".joints"):
        expect(page.locator(f"{panel} .heading")).to_contain_text("probably wrong")
    expect(page.locator(".lists .heading b")).to_have_text("All clips")
    page.locator(".clip select").select_option("walk")
    expect(page.locator(".lists .heading b")).to_have_text("walk")
    expect(page.locator(".run")).to_have_count(1)


def test_11_undo_and_redo_take_ones_own_last_action_whoever_else_acted(client: TestClient, folder: Path) -> None:
    place(client, ANA, joint=5)
    place(client, BO, joint=6)
    assert (next_steps(client, ANA), next_steps(client, BO)) == ((1, None), (2, None))
    for verb in ("undo", "redo"):
        for who in (ANA, BO):
            assert step(client, verb, who).status_code == 200
    assert journal(folder)[2:] == [("Ana", "undo", 1), ("Bo", "undo", 2), ("Ana", "redo", 3), ("Bo", "redo", 4)]


def test_11_another_persons_edit_is_refused_where_it_is_appended(client: TestClient, folder: Path) -> None:
    place(client, BO)
    refused = client.post(f"{BASE}/undo", json={"token": uuid4().hex, "target": 1}, headers=ANA)
    assert (refused.status_code, refused.json()["error"]) == (
        409,
        "edit 1 of clip kick is by Bo: undo takes your own last action",
    )
    words = "is by Bo, not by Ana: each takes back their own edits"
    with open_project(folder) as store, pytest.raises(ConflictError, match=words):
        store.append_edit(Edit(CLIP, "undo", (), "Ana", undoes=1))
    assert journal(folder) == [("Bo", "place", 0)]


def test_11_two_people_without_a_name_are_two_authors(client: TestClient, folder: Path) -> None:
    one, two = ({"x-emc-browser": f"browser-number-{n}"} for n in (1, 2))
    place(client, one, joint=5)
    place(client, two, joint=6)
    step(client, "undo", one)
    assert step(client, "undo", one).json()["id"] is None
    assert journal(folder) == [("ana", "place", 0), ("ana 2", "place", 0), ("ana", "undo", 1)]


def test_11_undo_and_redo_sent_again_are_done_once(client: TestClient, folder: Path) -> None:
    for number in (5, 6):
        place(client, ANA, joint=number)
    for verb, token in (("undo", "first-undo"), ("undo", "other-undo"), ("redo", "first-redo"), ("redo", "other-redo")):
        answers = [step(client, verb, ANA, token).json()["id"] for _ in range(3)]
        assert len(set(answers)) == 1 and answers[0] is not None
    assert [kind for _, kind, _ in journal(folder)] == ["place", "place", "undo", "undo", "redo", "redo"]


def test_12_a_person_without_predictions_can_be_placed_joint_by_joint(client: TestClient, folder: Path) -> None:
    answers = [
        place(client, ANA, propagate=True, person=7, frame=frame, joint=joint) for frame, joint in ((4, 0), (5, 1))
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.json()["fault"] for answer in answers] == ["", ""]
    # The same poses with fewer joints than the skeleton stopped what is asked for beside it, too.
    for path in ("candidates?frame=5&person=7&joint=9", "track?person=7&joint=9&first=0&last=9"):
        assert client.get(f"{BASE}/{path}").status_code == 200
    swap = {"op": "swap", "limb": "body", "person": 7, "frame": 5, "last": 5, "token": uuid4().hex}
    assert client.post(f"{BASE}/operations", json=swap).status_code == 200


def test_12_a_fix_is_stored_though_its_propagation_fails(
    client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr("emc.workflow.editing.propagation.propagate.propagate", broken)
    answer = place(client, ANA, propagate=True)
    assert (answer.status_code, answer.json()["fault"]) == (200, "ZeroDivisionError: float division by zero")
    assert journal(folder) == [("Ana", "place", 0)]


def test_12_a_fault_of_the_server_is_answered_with_its_reason(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise IndexError("index 1 is out of bounds")

    with opened(folder) as client:
        client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
        monkeypatch.setattr("emc.workflow.editing.session.check_edit", broken)
        answer = place(client, ANA)
    assert answer.status_code == 500
    assert "IndexError: index 1 is out of bounds" in answer.json()["error"]


@pytest.mark.parametrize("over", [{"xy": [41, 60]}, {"joint": 6}, {"frame": 4}, {"visibility": 1}, {"propagate": True}])
def test_12_a_token_sent_twice_with_other_content_is_refused(
    client: TestClient, folder: Path, over: dict[str, Any]
) -> None:
    first = place(client, ANA, token="one-token")
    assert place(client, ANA, token="one-token").json()["id"] == first.json()["id"]
    refused = place(client, ANA, token="one-token", **over)
    assert refused.status_code == 409
    assert "asked for something else: nothing was stored" in refused.json()["error"]
    assert journal(folder) == [("Ana", "place", 0)]


def test_12_a_token_of_an_operation_stands_for_that_operation(client: TestClient, folder: Path) -> None:
    swap = {"op": "swap", "limb": "body", "person": 0, "frame": 5, "last": 5, "token": "one-token"}
    codes = [
        client.post(f"{BASE}/operations", json=swap | over, headers=ANA).status_code
        for over in ({}, {}, {"frame": 6, "last": 6}, {"limb": "knee"})
    ]
    assert codes == [200, 200, 409, 409]
    assert journal(folder) == [("Ana", "swap run", 0)]
