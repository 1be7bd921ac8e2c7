"""The editor when not all goes well: two people at once, a server that dies, work that must not be lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.editor_page import (
    Command,
    close_to,
    drag,
    edits,
    go_to,
    joint,
    kinds,
    on_screen,
    pose,
    repair,
    row,
    saved,
    show,
)

from emc.pose.skeletons.skeleton import COCO17

pytestmark = pytest.mark.browser


@pytest.fixture
def pair(chromium: Browser, address: str):
    """Two people, each with a browser, on the same frame."""
    contexts = [chromium.new_context(viewport={"width": 1366, "height": 768}) for _ in range(2)]
    pages = []
    for context, name in zip(contexts, ("Ana", "Bo"), strict=True):
        context.add_init_script(f"localStorage.setItem('emc.name', '{name}')")
        page = show(context, address, [])
        repair(page, False)
        go_to(page, 5)
        pages.append(page)
    yield pages
    for context in contexts:
        context.close()


def place_text(xy: tuple[float, float]) -> str:
    return f"{xy[0]:g} {xy[1]:g}"


def test_two_people_see_each_other_and_their_joints_merge(pair: list[Page], project: Path) -> None:
    ana, bo = pair
    here = ana.get_by_role("list", name="Who is here")
    expect(here.get_by_role("button", name="Bo is at")).to_be_visible()
    expect(bo.get_by_role("list", name="Who is here").get_by_role("button", name="Ana is at")).to_be_visible()
    drag(ana, "left_hip", 30, -20)
    saved(ana)
    expect(row(bo, "left_hip")).to_contain_text("by hand")
    assert close_to(joint(ana, "left_hip"))(joint(bo, "left_hip"))
    drag(bo, "right_hip", -30, -20)
    saved(bo)
    expect(row(ana, "right_hip")).to_contain_text("by hand")
    assert [(edit.kind, edit.author) for edit in edits(project)] == [("drag", "Ana"), ("drag", "Bo")]


def conflict(ana: Page, bo: Page) -> tuple[tuple[float, float], tuple[float, float]]:
    """Let both move one joint, Bo first while Ana's browser hears nothing; returns where each put it."""
    ana.context.set_offline(True)
    drag(ana, "left_hip", 40, 0)
    expect(ana.locator(".saving")).to_contain_text("retrying")
    drag(bo, "left_hip", -40, 0)
    saved(bo)
    mine, theirs = joint(ana, "left_hip"), joint(bo, "left_hip")
    ana.context.set_offline(False)
    dialog = ana.get_by_role("dialog", name="Somebody else changed the same joint")
    expect(dialog).to_be_visible(timeout=15_000)
    for xy in (mine, theirs):
        expect(dialog).to_contain_text(f"{xy[0]:.1f}, {xy[1]:.1f}")
    expect(dialog).to_contain_text("Bo")
    expect(ana.locator(".note", has_text="does not answer")).to_have_count(0)
    return mine, theirs


def stored_hip(project: Path) -> tuple[float, float]:
    x, y = pose(project, 5).xy[COCO17.index("left_hip")]
    return float(x), float(y)


def test_the_same_joint_shows_both_values_and_keeps_mine(pair: list[Page], project: Path) -> None:
    ana, bo = pair
    mine, theirs = conflict(ana, bo)
    assert close_to(theirs)(stored_hip(project))
    ana.get_by_role("button", name="Keep mine").click()
    expect(ana.get_by_role("dialog")).to_have_count(0)
    saved(ana)
    assert close_to(mine)(stored_hip(project))
    expect(row(bo, "left_hip")).to_have_attribute("data-xy", place_text(joint(ana, "left_hip")))
    assert kinds(project) == ["drag", "resolve"]


def test_the_same_joint_shows_both_values_and_keeps_theirs(pair: list[Page], project: Path) -> None:
    ana, bo = pair
    _, theirs = conflict(ana, bo)
    ana.get_by_role("button", name="Keep theirs").click()
    expect(ana.get_by_role("dialog")).to_have_count(0)
    saved(ana)
    expect(row(ana, "left_hip")).to_have_attribute("data-xy", place_text(joint(bo, "left_hip")))
    assert close_to(theirs)(stored_hip(project))
    assert kinds(project) == ["drag"]


def test_a_conflict_that_waits_survives_a_reload(pair: list[Page], project: Path) -> None:
    ana, bo = pair
    conflict(ana, bo)
    ana.on("dialog", lambda dialog: dialog.accept())
    ana.reload()
    dialog = ana.get_by_role("dialog", name="Somebody else changed the same joint")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Keep theirs").click()
    expect(ana.locator(".saving")).to_have_text("saved")


def test_a_server_killed_in_the_middle_of_a_drag_loses_nothing(
    context: BrowserContext, project: Path, errors: list[str]
) -> None:
    server = Command(project)
    page = show(context, server.address, errors)
    repair(page, False)
    x, y = on_screen(page, joint(page, "left_hip"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y - 10)
    server.stop()
    page.mouse.move(x + 40, y - 30)
    page.mouse.up()
    expect(page.locator(".saving")).to_contain_text("not stored (1): retrying")
    moved = joint(page, "left_hip")
    assert edits(project) == []
    again = Command(project, server.port)
    try:
        # The restarted server has another token: its page brings the cookie that the old page needs, too.
        other = show(context, again.address, [])
        saved(other)
        expect(page.locator(".saving")).to_have_text("saved", timeout=30_000)
        assert kinds(project) == ["drag"]
        assert close_to(moved)(joint(page, "left_hip"))
    finally:
        again.stop()


def test_what_cannot_be_stored_waits_over_a_closed_page(
    context: BrowserContext, project: Path, errors: list[str]
) -> None:
    server = Command(project)
    page = show(context, server.address, errors)
    repair(page, False)
    frame = page.locator(".frame b").inner_text()
    server.stop()
    drag(page, "left_hip", 30, -24)
    expect(page.locator(".saving")).to_contain_text("not stored (1): retrying")
    moved = joint(page, "left_hip")
    page.close()
    assert edits(project) == []
    again = Command(project, server.port)
    try:
        page = show(context, again.address, [])
        saved(page)
        go_to(page, int(frame))
        assert close_to(moved)(joint(page, "left_hip"))
        assert kinds(project) == ["drag"]
    finally:
        again.stop()
