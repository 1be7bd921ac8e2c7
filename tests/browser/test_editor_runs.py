"""The editor in a real browser: what repairs, swaps, checks and confirms a whole run of frames."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.editor_page import (
    CLIP,
    edits,
    frame_of,
    go_to,
    joint,
    kinds,
    on_screen,
    pose,
    repair,
    row,
    saved,
    served,
    show,
)

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.pose.skeletons.skeleton import COCO17
from emc.workflow.project.folder import open_project

pytestmark = pytest.mark.browser
LAST = 11
FLIP = list(COCO17.flip)


def places(project: Path, frame: int) -> np.ndarray:
    return pose(project, frame).xy.copy()


def test_left_and_right_are_swapped_from_here_on_and_taken_back_as_one(page: Page, project: Path) -> None:
    before = {frame: places(project, frame) for frame in (4, 5, LAST)}
    go_to(page, 5)
    page.keyboard.press("Shift+S")
    expect(page.locator(".note")).to_contain_text("from here on")
    saved(page)
    assert np.allclose(places(project, 4), before[4], equal_nan=True)
    for frame in (5, LAST):
        assert np.allclose(places(project, frame), before[frame][FLIP], atol=0.02, equal_nan=True)
    page.keyboard.press("z")
    expect(page.locator(".note")).to_contain_text("took back the left/right swap")
    saved(page)
    assert np.allclose(places(project, LAST), before[LAST], equal_nan=True)
    assert kinds(project) == ["swap run", "undo"]


def test_the_legs_are_swapped_and_the_arms_stay(page: Page, project: Path) -> None:
    before = places(project, frame_of(page))
    page.click("[data-joint=left_ankle]")
    page.keyboard.press("x")
    expect(page.locator(".note")).to_contain_text("limb are swapped on this frame")
    saved(page)
    after = places(project, frame_of(page))
    ankle, wrist = COCO17.index("left_ankle"), COCO17.index("left_wrist")
    assert np.allclose(after[ankle], before[FLIP[ankle]], atol=0.02)
    assert np.allclose(after[wrist], before[wrist], atol=0.02)


def test_a_joint_is_copied_from_the_frame_before(page: Page, project: Path) -> None:
    go_to(page, 6)
    page.click("[data-joint=left_wrist]")
    page.keyboard.press("q")
    index = COCO17.index("left_wrist")
    expected = places(project, 5)[index]
    expect(row(page, "left_wrist")).to_contain_text("by hand")
    saved(page)
    assert np.allclose(places(project, 6)[index], expected, atol=0.02)


def test_a_limb_is_mirrored_from_the_other_side(page: Page, project: Path) -> None:
    before = places(project, frame_of(page))
    page.click("[data-joint=left_knee]")
    page.keyboard.press("m")
    expect(row(page, "left_knee")).to_contain_text("by hand")
    saved(page)
    after = places(project, frame_of(page))
    knee = COCO17.index("left_knee")
    assert not np.allclose(after[knee], before[knee], atol=0.5)
    assert np.allclose(after[FLIP[knee]], before[FLIP[knee]], atol=0.02)


def test_two_persons_are_swapped_from_here_on(
    context: BrowserContext, address: str, project: Path, errors: list[str]
) -> None:
    with open_project(project) as store:
        other = [
            JointChange(frame, 1, joint, 40.0 + joint, 60.0, Visibility.VISIBLE, Provenance.HUMAN)
            for frame in range(LAST + 1)
            for joint in range(17)
        ]
        store.append_edit(Edit(CLIP, "import", tuple(other)))
    page = show(context, address, errors)
    go_to(page, 7)
    page.locator(".people button", has_text="Person 0").click()
    before = places(project, LAST)
    page.locator("#picture").focus()
    page.keyboard.press("i")
    expect(page.locator(".note")).to_contain_text("persons 0 and 1 are swapped from here on")
    saved(page)
    assert np.allclose(pose(project, LAST, 0).xy[:, 1], 60.0)
    assert np.allclose(pose(project, LAST, 1).xy, before, atol=0.02)
    assert np.allclose(pose(project, 6, 1).xy[:, 1], 60.0)
    assert errors == []


def test_a_fix_repairs_its_run_and_undo_takes_back_both(page: Page, project: Path) -> None:
    repair(page, True)
    go_to(page, 5)
    page.keyboard.press("Escape")
    page.click("[data-joint=left_wrist]")
    before = {frame: places(project, frame) for frame in range(LAST + 1)}
    index = COCO17.index("left_wrist")
    x, y = joint(page, "left_wrist")
    page.mouse.click(*on_screen(page, (x + 25, y - 25)))
    saved(page)
    (edit,) = edits(project)
    moved = {change.frame for change in edit.changes if change.provenance == Provenance.PROPAGATED}
    assert moved
    assert {change.joint for change in edit.changes} == {index}
    neighbour = min(moved, key=lambda frame: abs(frame - 5))
    go_to(page, neighbour)
    expect(row(page, "left_wrist")).to_contain_text("repaired")
    page.keyboard.press("z")
    expect(page.locator(".note")).to_contain_text("took back the placing")
    saved(page)
    for frame, xy in before.items():
        assert np.allclose(places(project, frame), xy, equal_nan=True)


def test_a_repair_is_shown_before_it_is_made(page: Page, project: Path) -> None:
    repair(page, False)
    go_to(page, 5)
    page.click("[data-joint=left_wrist]")
    x, y = joint(page, "left_wrist")
    page.mouse.click(*on_screen(page, (x + 25, y - 25)))
    saved(page)
    page.click("[data-joint=left_wrist]")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.locator(".note")).to_contain_text("would repair")
    assert kinds(project) == ["place"]
    page.keyboard.press("r")
    saved(page)
    expect(page.locator(".note")).to_contain_text("repaired")
    assert kinds(project) == ["place", "drag"]
    assert any(change.provenance == Provenance.PROPAGATED for change in edits(project)[-1].changes)


def test_a_candidate_is_accepted_by_its_key(page: Page, project: Path) -> None:
    repair(page, False)
    go_to(page, 5)
    page.click("[data-joint=left_wrist]")
    first = page.locator(".candidates button").first
    expect(first).to_be_visible()
    key = first.locator("kbd").inner_text()
    page.locator("#picture").focus()
    page.keyboard.press(key)
    expect(row(page, "left_wrist")).to_contain_text("by hand")
    saved(page)
    assert kinds(project) == ["candidate"]


def test_the_queue_is_filtered_and_sorted(page: Page) -> None:
    rows = page.locator(".row.run")
    expect(rows.first).to_be_visible()
    open_runs = page.get_by_role("tab", name="Queue").locator("small")
    expect(open_runs).to_have_text(re.compile(r"\d+"))
    everything = int(open_runs.inner_text())
    page.get_by_role("button", name="Filter").click()
    filters = page.get_by_role("group", name="Filters")
    chip = filters.get_by_role("group", name="Joint").get_by_role("button").first
    name = " ".join(word for word in chip.inner_text().split() if not word.isdigit())
    chip.click()
    page.wait_for_function(
        """name => {
            const titles = [...document.querySelectorAll('.row.run .title')];
            return titles.length > 0 && titles.every(e => e.innerText === name);
        }""",
        arg=name,
    )
    filters.get_by_role("button", name="Show all again").click()
    expect(open_runs).to_have_text(str(everything))
    page.get_by_label("Sort").select_option(label="most probably wrong first")
    # The list arrives after the choice: the page is asked until it is in order.
    page.wait_for_function("""() => {
        const sure = [...document.querySelectorAll('.row.run .side')]
            .filter(e => e.innerText.includes('%')).map(e => parseInt(e.innerText));
        return sure.length > 1 && sure.every((value, i) => i === 0 || sure[i - 1] >= value);
    }""")
    page.get_by_label("Sort").select_option(label="by reason")
    page.wait_for_function("""() => {
        const reasons = [...document.querySelectorAll('.row.run .chip')].map(e => e.innerText);
        const blocks = reasons.filter((reason, i) => i === 0 || reasons[i - 1] !== reason);
        return reasons.length > 1 && blocks.length === new Set(reasons).size;
    }""")


def test_frames_are_listed_with_their_counts_and_opened(page: Page) -> None:
    page.get_by_role("tab", name="Frames").click()
    page.get_by_label("Sort").select_option("frame")
    page.get_by_role("button", name="frame 4", exact=False).first.click()
    expect(page.locator(".frame b")).to_have_text("4")
    page.keyboard.press(".")
    expect(page.locator("#picture")).to_have_attribute("data-frame", "5")
    page.keyboard.press(",")
    expect(page.locator("#picture")).to_have_attribute("data-frame", "4")
    expect(page.locator(".row[aria-current=true] .title")).to_have_text("frame 4")


def test_a_run_is_checked_and_confirmed_on_a_contact_sheet(page: Page, project: Path) -> None:
    repair(page, False)
    page.locator(".row.run").first.click()
    expect(page.locator(".jointbar b")).to_be_visible()
    name = page.locator("[data-joint][aria-pressed=true]").get_attribute("data-joint") or ""
    page.keyboard.press("e")
    sheet = page.get_by_role("dialog")
    tiles = sheet.locator(".tile")
    expect(tiles).to_have_count(12)
    expect(sheet.locator(".trajectory .spark")).to_have_count(2)
    tile = tiles.nth(6)
    frame = int(tile.get_attribute("data-frame") or -1)
    picture = tile.locator("img")
    box = picture.bounding_box()
    assert box is not None
    before = places(project, frame)[COCO17.index(name)]
    picture.click(position={"x": 0.75 * box["width"], "y": 0.5 * box["height"]})
    expect(page.locator(".spoken[aria-live]")).not_to_have_text("")
    expect(tile.locator(".mark path")).to_have_attribute("d", "M-.92-.92H.92V.92H-.92Z")
    page.keyboard.press("Enter")
    expect(sheet).to_have_count(0)
    saved(page)
    after = places(project, frame)[COCO17.index(name)]
    assert after[0] > before[0] + 3
    assert abs(after[1] - before[1]) < 1
    assert kinds(project) == ["place", "confirm run"]


def test_a_tile_opens_its_frame_by_keyboard(page: Page) -> None:
    page.locator(".row.run").first.click()
    expect(page.locator(".jointbar b")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator(".tile:focus")).to_have_count(1)
    here = page.locator(".tile:focus").get_attribute("data-frame")
    page.keyboard.press("ArrowLeft" if int(here or 0) > 5 else "ArrowRight")
    expect(page.locator(f".tile:focus:not([data-frame='{here}'])")).to_have_count(1)
    wanted = page.locator(".tile:focus").get_attribute("data-frame") or ""
    page.keyboard.press("Space")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".frame b")).to_have_text(wanted)


def test_the_joint_is_confirmed_on_its_run_by_one_key(page: Page, project: Path) -> None:
    first = page.locator(".row.run").first
    first.click()
    expect(first).to_have_attribute("aria-current", "true")
    name = page.locator("[data-joint][aria-pressed=true]").get_attribute("data-joint") or ""
    page.keyboard.press("Shift+Enter")
    expect(row(page, name)).to_contain_text("confirmed")
    saved(page)
    (edit,) = edits(project)
    assert {change.joint for change in edit.changes} == {COCO17.index(name)}
    assert {change.provenance for change in edit.changes} == {Provenance.CONFIRMED}


def test_bisection_goes_into_the_middle_of_what_is_open(page: Page, project: Path) -> None:
    repair(page, False)
    page.get_by_label("Sort").select_option(label="longest runs first")
    page.locator(".row.run").first.click()
    expect(page.locator(".jointbar b")).to_be_visible()
    page.keyboard.press("v")
    saved(page)
    decided = frame_of(page)
    page.keyboard.press("b")
    expect(page.locator(".note")).to_contain_text("of this run are open")
    assert frame_of(page) != decided


def test_undo_and_redo_survive_a_restart_of_the_server(
    context: BrowserContext, project: Path, errors: list[str]
) -> None:
    before = places(project, 3)
    with served(project) as address:
        page = show(context, address, errors)
        go_to(page, 3)
        page.keyboard.press("Shift+S")
        saved(page)
        page.close()
    swapped = places(project, 3)
    assert not np.allclose(swapped, before, equal_nan=True)
    with served(project) as address:
        page = show(context, address, errors)
        go_to(page, 3)
        page.keyboard.press("z")
        expect(page.locator(".note")).to_contain_text("took back")
        saved(page)
        assert np.allclose(places(project, 3), before, equal_nan=True)
        page.keyboard.press("Shift+Z")
        expect(page.locator(".note")).to_contain_text("brought back")
        saved(page)
        assert np.allclose(places(project, 3), swapped, equal_nan=True)
        page.close()
    assert errors == []
