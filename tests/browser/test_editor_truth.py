"""The editor never writes what nobody meant, and its numbers and markers mean one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.crowd import OTHER, crowd, second_clip
from tests.browser.editor_page import CLIP, drag, edits, go_to, joint, kinds, on_screen, repair, row, saved, show, view

from emc.pose.records import Alert, AlertReason
from emc.pose.skeletons import COCO17

pytestmark = pytest.mark.browser
LOST, JUMP, LOW = AlertReason.LOST, AlertReason.JUMP, AlertReason.LOW_CONFIDENCE
KNEE, ANKLE, WRIST = (COCO17.index(name) for name in ("left_knee", "left_ankle", "left_wrist"))


def alert(person: int, joint: int, first: int, last: int, reason: AlertReason = LOW, severity: float = 0.96) -> Alert:
    return Alert(CLIP, person, joint, first, last, reason, severity)


def opened(context: BrowserContext, address: str, errors: list[str], frame: int, person: int = 0) -> Page:
    page = show(context, address, errors)
    go_to(page, frame)
    page.locator(".people button", has_text=f"Person {person}").click()
    page.locator("#picture").focus()
    return page


def waits(page: Page, armed: bool = True) -> None:
    """See that the active joint waits for a click, or that none does."""
    expect(page.locator(".jointbar .armed")).to_have_count(1 if armed else 0)


def test_after_the_last_joint_of_a_person_no_click_waits_for_another_person(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, KNEE, 5, 5), alert(1, WRIST, 5, 5)])
    page = opened(context, address, errors, 5)
    repair(page, False)
    page.keyboard.press("Tab")
    expect(page.locator(".jointbar b")).to_have_text("left knee")
    x, y = on_screen(page, joint(page, "left_knee"))
    page.mouse.click(x + 4, y + 3)
    expect(page.locator(".note")).to_contain_text(
        "no flagged joint of person 0 is left on this frame: Tab goes on to person 1"
    )
    waits(page, False)
    page.wait_for_timeout(600)
    page.mouse.click(x + 30, y + 20)
    saved(page)
    assert kinds(project) == ["place"]
    expect(page.locator(".people button[aria-pressed=true]")).to_contain_text("Person 0")
    page.keyboard.press("Tab")
    expect(page.locator(".people button[aria-pressed=true]")).to_contain_text("Person 1")
    expect(page.locator(".jointbar b")).to_have_text("left wrist")


def test_the_next_joint_is_one_of_the_same_person_and_a_double_click_places_one(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, ANKLE, 5, 5), alert(0, WRIST, 5, 5), alert(1, ANKLE, 5, 5)])
    page = opened(context, address, errors, 5)
    repair(page, False)
    page.click("[data-joint=left_ankle]")
    x, y = on_screen(page, joint(page, "left_ankle"))
    page.mouse.dblclick(x + 5, y + 4)
    saved(page)
    assert [[c.joint for c in edit.changes] for edit in edits(project)] == [[ANKLE]]
    expect(page.locator(".jointbar b")).to_have_text("left wrist")
    waits(page)


@pytest.mark.parametrize("key", [".", "n", "i"])
def test_a_change_of_person_or_frame_leaves_no_click_armed(
    context: BrowserContext, address: str, errors: list[str], project: Path, key: str
) -> None:
    crowd(project, [alert(0, KNEE, 0, 11)])
    page = opened(context, address, errors, 5)
    page.click("[data-joint=left_knee]")
    waits(page)
    page.keyboard.press(key)
    waits(page, False)
    saved(page)
    assert not {"drag", "place"} & set(kinds(project))


def test_a_click_after_undo_is_for_the_joint_that_was_taken_back(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, KNEE, 5, 5), alert(0, ANKLE, 5, 5)])
    page = opened(context, address, errors, 5)
    repair(page, False)
    page.click("[data-joint=left_knee]")
    x, y = on_screen(page, joint(page, "left_knee"))
    page.mouse.click(x + 5, y)
    expect(page.locator(".jointbar b")).to_have_text("left ankle")
    page.keyboard.press("z")
    expect(page.locator(".jointbar b")).to_have_text("left knee")
    waits(page)
    saved(page)


def test_a_fix_says_how_far_it_reached_also_where_it_reached_nowhere(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, KNEE, 0, 11)])
    page = opened(context, address, errors, 5)
    repair(page, True)
    page.click("[data-joint=left_knee]")
    x, y = on_screen(page, joint(page, "left_knee"))
    page.mouse.click(x + 1, y)
    how_far = r"(placed on this frame alone: no other frame was repaired|repaired \d+ frames? of \d+–\d+)"
    expect(page.locator(".note")).to_have_text(re.compile(rf"^{how_far}.*, up to .+ \(this run has 12 frames\)"))


def test_the_view_goes_to_a_frame_of_the_run_that_shows_the_person(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(1, WRIST, 2, 10)], gone=[(5, 1), (6, 1), (7, 1)])
    page = opened(context, address, errors, 0)
    page.keyboard.press("Tab")
    expect(page.locator(".frame b")).to_have_text(re.compile("^[48]$"))
    expect(page.locator(".people button[aria-pressed=true]")).to_contain_text("Person 1")
    page.keyboard.press("e")
    expect(page.locator(".tile[data-frame='4']")).to_be_visible()
    expect(page.locator(".tile[data-frame='6']")).to_have_count(0)


def test_the_view_shows_the_person_where_the_joint_was_put_elsewhere(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, WRIST, 5, 5, JUMP)], astray={(5, 0, WRIST): (-40.0, -30.0)})
    page = opened(context, address, errors, 0)
    page.keyboard.press("Tab")
    expect(page.locator("#picture")).to_have_attribute("data-drawn", f"5 0 {WRIST}")
    picture = page.locator("#picture").bounding_box()
    assert picture is not None
    for name in ("left_shoulder", "left_hip", "left_wrist"):
        x, y = on_screen(page, joint(page, name))
        assert picture["x"] <= x <= picture["x"] + picture["width"]
        assert picture["y"] <= y <= picture["y"] + picture["height"]
    page.keyboard.press("e")
    cut = page.locator(".tile[data-frame='5'] img").get_attribute("src") or ""
    side = float(re.findall(r"side=(\d+)", cut)[0])
    others = page.locator(".tile[data-frame='4'] img").get_attribute("src") or ""
    assert side > float(re.findall(r"side=(\d+)", others)[0])


def test_a_percentage_is_how_probably_a_joint_is_wrong_in_both_lists(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, KNEE, 5, 5, JUMP, 0.96)])
    page = opened(context, address, errors, 5)
    for panel in (".lists .heading", ".joints .heading"):
        expect(page.locator(panel)).to_contain_text("probably wrong")
    expect(page.locator(".run .side")).to_have_text("96 %")
    expect(row(page, "left_knee").locator(".side")).to_have_text("jump 96 %")
    expect(row(page, "nose").locator(".side")).to_have_text("2 %")
    page.click("[data-joint=left_knee]")
    expect(page.locator(".jointbar")).to_contain_text("96 % probably wrong: jumps")


def test_a_joint_that_is_called_lost_has_the_marker_of_lost_ones(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, KNEE, 5, 5, LOST), alert(0, WRIST, 5, 5, JUMP)])
    page = opened(context, address, errors, 5)
    marks = {name: row(page, name).get_attribute("data-mark") for name in ("left_knee", "left_wrist", "nose")}
    assert marks == {"left_knee": "cross", "left_wrist": "disc", "nose": "disc"}
    expect(row(page, "left_knee").locator(".side")).to_have_text("lost 96 %")


def test_the_queue_follows_the_chosen_clip_or_says_all_clips(
    context: BrowserContext, address: str, errors: list[str], project: Path
) -> None:
    crowd(project, [alert(0, KNEE, 5, 5), alert(0, WRIST, 7, 7)])
    second_clip(project, [Alert(OTHER, 0, ANKLE, 3, 3, LOW, 0.5)])
    page = show(context, address, errors)
    heading, runs = page.locator(".lists .heading b"), page.locator(".run")
    expect(heading).to_have_text("All clips")
    expect(runs).to_have_count(3)
    page.locator(".clip select").select_option(OTHER)
    expect(heading).to_have_text(OTHER)
    expect(runs).to_have_count(1)
    expect(page.locator(".total")).to_contain_text("1 open")
    expect(page.get_by_role("tab", name="Queue")).to_contain_text("1")
    expect(page.locator(".clip option").first).to_contain_text("2 ·")
    page.locator(".heading button", has_text="all clips").click()
    expect(heading).to_have_text("All clips")
    expect(runs).to_have_count(3)
    page.locator(".heading button", has_text="this clip").click()
    expect(heading).to_have_text(OTHER)
    assert view(page)[0] > 0


@pytest.fixture
def two(chromium: Browser, address: str) -> Iterator[list[Page]]:
    """Two people, each with a browser, neither of whom gave a name."""
    contexts = [chromium.new_context(viewport={"width": 1366, "height": 768}) for _ in range(2)]
    pages = []
    for context in contexts:
        page = show(context, address, [])
        repair(page, False)
        go_to(page, 5)
        pages.append(page)
    yield pages
    for context in contexts:
        context.close()


def test_each_of_two_people_without_a_name_takes_back_their_own(two: list[Page], project: Path) -> None:
    one, other = two
    before = joint(one, "left_hip"), joint(one, "right_hip")
    drag(one, "left_hip", 30, -20)
    saved(one)
    drag(other, "right_hip", -30, -20)
    saved(other)
    expect(row(one, "right_hip")).to_contain_text("by hand")
    one.keyboard.press("z")
    expect(one.locator(".note")).to_contain_text("took back the move")
    saved(one)
    assert joint(one, "left_hip") == before[0]
    expect(row(one, "right_hip")).to_contain_text("by hand")
    other.keyboard.press("z")
    expect(other.locator(".note")).to_contain_text("took back the move")
    saved(other)
    assert joint(other, "right_hip") == before[1]
    for page, name in ((one, "left_hip"), (other, "right_hip")):
        page.keyboard.press("Shift+Z")
        expect(row(page, name)).to_contain_text("by hand")
        saved(page)
    made = edits(project)
    assert [(edit.kind, edit.undoes) for edit in made] == [
        ("drag", 0), ("drag", 0), ("undo", 1), ("undo", 2), ("redo", 3), ("redo", 4),
    ]  # fmt: skip
    assert len({edit.author for edit in made}) == 2


def fail_on(monkeypatch: pytest.MonkeyPatch, joints: set[int]) -> None:
    """Let the server fail on actions that change one of these joints."""
    from emc.workflow.editing import session

    check = session.check_edit

    def broken(clip, skeleton, kind, changes) -> None:
        if joints & {change.joint for change in changes}:
            raise IndexError("index 1 is out of bounds for axis 0 with size 1")
        check(clip, skeleton, kind, changes)

    monkeypatch.setattr(session, "check_edit", broken)


def test_an_action_that_the_server_fails_on_is_set_aside_and_the_others_go_on(
    context: BrowserContext, address: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {COCO17.index("left_hip"), COCO17.index("left_wrist")}
    fail_on(monkeypatch, broken)
    page = show(context, address, [])
    repair(page, False)
    go_to(page, 5)
    before = joint(page, "left_wrist")
    drag(page, "left_hip", 30, -20)
    drag(page, "left_wrist", 10, 10)
    drag(page, "right_hip", -30, -20)
    expect(page.locator(".saving")).to_contain_text("2 not stored", timeout=30_000)
    assert [[c.joint for c in edit.changes] for edit in edits(project)] == [[COCO17.index("right_hip")]]
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    go_to(page, 5)
    assert joint(page, "left_wrist") == before
    page.locator(".saving button", has_text="look").click()
    dialog = page.get_by_role("dialog", name="Not stored")
    expect(dialog).to_contain_text("move, left hip, person 0, frame 5")
    expect(dialog).to_contain_text("IndexError: index 1 is out of bounds for axis 0 with size 1")
    broken.clear()
    dialog.get_by_role("button", name="Send again").first.click()
    expect(row(page, "left_hip")).to_contain_text("by hand")
    dialog.get_by_role("button", name="Drop", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    saved(page)
    stored = [[c.joint for c in edit.changes] for edit in edits(project)]
    assert stored == [[COCO17.index("right_hip")], [COCO17.index("left_hip")]]


def test_undo_drops_an_action_that_could_not_be_stored(
    context: BrowserContext, address: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on(monkeypatch, {COCO17.index("left_hip")})
    page = show(context, address, [])
    repair(page, False)
    go_to(page, 5)
    drag(page, "right_hip", -30, -20)
    saved(page)
    before = joint(page, "left_hip")
    drag(page, "left_hip", 30, -20)
    expect(page.locator(".saving")).to_contain_text("1 not stored", timeout=30_000)
    page.keyboard.press("z")
    saved(page)
    assert (kinds(project), joint(page, "left_hip")) == (["drag"], before)
