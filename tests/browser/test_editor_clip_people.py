"""The people of a clip in a real browser: seen with pictures, deleted, merged, named as the athlete, all taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect
from tests.browser.editor_page import drag, saved, show
from tests.people_clips import ghosts, plant_boxes, squatter

import emc.workflow.editing.session as session
from emc.config import read_settings
from emc.workflow.predict.runs import predict_clips
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project, open_project

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def made_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One woman who squats, found as two people on all frames."""
    folder = tmp_path_factory.mktemp("twice")
    clip = squatter(folder, frames=10)
    own = clip.boxes[:, 0]
    with new_project(folder / "twice") as store:
        added = add_clips(store, [clip.video])
        plant_boxes(store, "squat", [own, ghosts(own, "upper")], [0.9, 0.6])
        wanted = {"estimator": "nano", "detector": "embedded", "doubles": "keep"}
        predict_clips(store, added.clips, read_settings(None, {}, predict=wanted, alerts={"low": 0.99}))
        (store.folder / "emc.toml").write_text("[alerts]\nlow = 0.99\n")
        return store.folder


@pytest.fixture
def project(made_twice: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_twice, tmp_path / "twice.emc"))


def open_people(page: Page) -> Locator:
    page.get_by_role("button", name="People of the clip").click()
    dialog = page.get_by_role("dialog", name="People of squat")
    expect(dialog.locator("li")).to_have_count(2)
    return dialog


def chip(page: Page, person: int) -> Locator:
    """The button that chooses a person of the frame."""
    return page.locator(".people").get_by_role("button", name=f"Person {person}")


def numbers(project: Path) -> set[int]:
    with open_project(project) as store:
        return {pose.person for pose in store.poses("squat")}


def test_people_are_seen_with_pictures_length_and_confidence(page: Page) -> None:
    dialog = open_people(page)
    expect(dialog.locator("li").first).to_contain_text("10 of 10 frames (frames 0–9), mean confidence 0.")
    for picture in dialog.locator("img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") == 192
    dialog.locator("li").nth(1).get_by_role("button", name="Show").click()
    expect(dialog).to_have_count(0)
    expect(chip(page, 1)).to_have_attribute("aria-pressed", "true")


def test_a_deleted_ghost_is_gone_and_comes_back_by_undo_by_key_and_by_button(page: Page, project: Path) -> None:
    flagged = page.locator(".queue, .lists").first.inner_text()
    dialog = open_people(page)
    dialog.get_by_role("button", name="Delete person 1").click()
    expect(dialog.locator("li[data-deleted]")).to_contain_text("deleted; 10 of 10 frames")
    expect(dialog.locator(".told")).to_have_text("person 1 is deleted; Z takes it back")
    assert numbers(project) == {0}
    dialog.get_by_role("button", name="Done").click()
    expect(chip(page, 1)).to_have_count(0)
    expect(chip(page, 0)).to_have_attribute("aria-pressed", "true")
    assert page.locator(".queue, .lists").first.inner_text() != flagged
    page.locator("#picture").focus()
    page.keyboard.press("z")
    expect(page.locator(".note")).to_contain_text("took back the deletion of a person")
    expect(chip(page, 1)).to_have_count(1)
    saved(page)
    assert numbers(project) == {0, 1}
    page.keyboard.press("Shift+P")
    dialog = page.get_by_role("dialog", name="People of squat")
    dialog.get_by_role("button", name="Delete person 0").click()
    dialog.get_by_role("button", name="Restore person 0").click()
    expect(dialog.locator("li[data-deleted]")).to_have_count(0)
    assert numbers(project) == {0, 1}


def test_two_are_merged_and_parted_and_the_athlete_is_named(page: Page, project: Path) -> None:
    dialog = open_people(page)
    expect(dialog.locator(".overlap")).to_contain_text("Person 1 lies on person 0 on 10 of 10 frames.")
    dialog.get_by_role("button", name="They are one person").click()
    expect(dialog.locator("li")).to_have_count(1)
    expect(dialog.locator(".overlap")).to_have_count(0)
    assert numbers(project) == {0}
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.locator("li")).to_have_count(2)
    dialog.get_by_label("Person 1 is the same as").select_option("person 0")
    expect(dialog.locator("li")).to_have_count(1)
    assert numbers(project) == {0}
    dialog.get_by_role("button", name="Part from person 1").click()
    expect(dialog.locator("li")).to_have_count(2)
    first = dialog.locator("li").first
    first.get_by_role("button", name="This is the athlete").click()
    expect(first.locator(".state")).to_have_text("athlete")
    expect(dialog.locator("li.left-out")).to_have_count(1)
    with open_project(project) as store:
        assert store.people("squat").athletes == {0}
        assert {alert.person for alert in store.alerts(store.runs("squat")[-1].id)} == {0}
    dialog.get_by_role("button", name="Undo").click()
    expect(dialog.locator("li.left-out")).to_have_count(0)
    assert numbers(project) == {0, 1}


def test_undo_in_the_dialog_is_of_people_alone(page: Page, project: Path) -> None:
    drag(page, "left_hip", 20, -10)
    saved(page)
    dialog = open_people(page)
    undo = dialog.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    dialog.get_by_role("button", name="Delete person 1").click()
    undo.click()
    expect(dialog.locator("li[data-deleted]")).to_have_count(0)
    expect(undo).to_be_disabled()
    with open_project(project) as store:
        assert [edit.kind for edit in store.edits("squat")] == ["drag", "delete person", "undo"]


def test_an_action_that_the_server_fails_on_is_set_aside_with_its_reason(
    page: Page, project: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise IndexError("index 1 is out of bounds")

    dialog = open_people(page)
    with monkeypatch.context() as patched:
        patched.setattr(session.Editing, "change_people", fails)
        dialog.get_by_role("button", name="Delete person 1").click()
        expect(dialog.locator(".told.bad")).to_contain_text("not stored, set aside: the server failed", timeout=30_000)
    dialog.locator("li").first.get_by_role("button", name="This is the athlete").click()
    expect(dialog.locator(".state")).to_have_text("athlete")
    dialog.get_by_role("button", name="Done").click()
    page.locator(".saving button", has_text="look").click()
    aside = page.get_by_role("dialog", name="Not stored")
    expect(aside).to_contain_text("person 1 is deleted, squat")
    aside.get_by_role("button", name="Send again").click()
    expect(chip(page, 1)).to_have_count(0)
    assert numbers(project) == {0}
    errors.clear()  # The browser tells of every answer that is a failure.


def test_another_page_sees_at_once_that_a_person_is_gone(
    page: Page, project: Path, address: str, context: BrowserContext, errors: list[str]
) -> None:
    other = show(context, address, errors)
    expect(chip(other, 1)).to_have_count(1)
    open_people(page).get_by_role("button", name="Delete person 1").click()
    expect(chip(other, 1)).to_have_count(0)
    other.close()


def test_what_cannot_be_is_said_in_the_dialog_and_holds_nothing_up(
    page: Page, project: Path, address: str, context: BrowserContext, errors: list[str]
) -> None:
    dialog = open_people(page)
    # Somebody else deletes the same person while this page does not hear of it.
    page.route("**/api/clips/squat/people", lambda route: None if route.request.method == "GET" else route.continue_())
    other = show(context, address, errors)
    open_people(other).get_by_role("button", name="Delete person 1").click()
    expect(other.locator("li[data-deleted]")).to_have_count(1)
    other.close()
    dialog.get_by_role("button", name="Delete person 1").click()
    expect(dialog.locator(".told.bad")).to_contain_text("clip squat has no person 1: there is 0")
    page.unroute_all()
    dialog.locator("li").first.get_by_role("button", name="This is the athlete").click()
    expect(dialog.locator(".state")).to_have_text("athlete")
    expect(dialog.locator("li[data-deleted]")).to_have_count(1)
    with open_project(project) as store:
        assert store.people("squat").athletes == {0}
    errors.clear()  # The browser tells of every answer that is a refusal.
