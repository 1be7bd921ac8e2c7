"""The editor in a real browser: opening, correcting joints one by one, undo, and what is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.editor_page import (
    CLIP,
    close_to,
    drag,
    edits,
    frame_of,
    go_to,
    joint,
    kinds,
    on_screen,
    pose,
    ready,
    repair,
    row,
    saved,
    served,
    show,
    view,
)

from emc.pose.records import Provenance, Visibility
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.edits import Label, edit_from_labels
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import open_project
from emc.workflow.samples.rendered import ClipRequest, render_file

pytestmark = pytest.mark.browser


def test_a_dragged_joint_stays_where_it_was_put(page: Page, project: Path) -> None:
    repair(page, False)
    scale = float((page.get_attribute("#picture", "data-view") or "").split()[0])
    before = drag(page, "left_hip", 30, -24)
    moved = (before[0] + 30 / scale, before[1] - 24 / scale)
    saved(page)
    assert close_to(moved)(joint(page, "left_hip"))
    frame = frame_of(page)
    page.reload()
    ready(page)
    go_to(page, frame)
    assert close_to(moved)(joint(page, "left_hip"))
    (edit,) = edits(project)
    assert edit.kind == "drag"
    assert edit.seconds > 0
    assert len(edit.changes) == 1
    index = COCO17.index("left_hip")
    stored = pose(project, frame)
    assert close_to(moved)((float(stored.xy[index, 0]), float(stored.xy[index, 1])))
    assert stored.provenance[index] == Provenance.HUMAN


def test_undo_and_redo_after_a_reload(page: Page, project: Path) -> None:
    repair(page, False)
    frame = frame_of(page)
    before = drag(page, "left_hip", 30, -24)
    saved(page)
    after = joint(page, "left_hip")
    page.reload()
    ready(page)
    go_to(page, frame)
    page.keyboard.press("z")
    expect(page.locator("[data-joint=left_hip]")).to_have_attribute("data-xy", f"{before[0]:g} {before[1]:g}")
    page.reload()
    ready(page)
    go_to(page, frame)
    page.keyboard.press("Shift+Z")
    expect(page.locator("[data-joint=left_hip]")).to_have_attribute("data-xy", f"{after[0]:g} {after[1]:g}")
    saved(page)
    assert [edit.kind for edit in edits(project)] == ["drag", "undo", "redo"]


def test_tab_brings_the_next_flagged_joint_to_the_pointer_and_a_click_places_it(page: Page, project: Path) -> None:
    repair(page, False)
    box = page.locator("#picture").bounding_box()
    assert box is not None
    pointer = (box["x"] + 0.45 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.move(*pointer)
    page.keyboard.press("Tab")
    active = page.locator("[data-joint][aria-pressed=true]")
    expect(active).to_have_class("row joint flagged")
    first = active.get_attribute("data-joint")
    assert first is not None
    assert close_to(pointer, 1.5)(on_screen(page, joint(page, first)))
    flagged = page.locator(".joint.flagged").count()
    target = (joint(page, first)[0] + 2, joint(page, first)[1] + 3)
    page.mouse.click(*on_screen(page, target))
    saved(page)
    expect(page.locator(".joint.flagged")).to_have_count(flagged - 1)
    (edit,) = edits(project)
    (change,) = edit.changes
    assert (edit.kind, COCO17.joints[change.joint]) == ("place", first)
    assert close_to(target, 0.6)((change.x, change.y))
    if flagged > 1:
        assert active.get_attribute("data-joint") not in (None, first)


def test_tab_goes_on_to_another_flagged_frame_when_one_is_done(page: Page) -> None:
    frame = frame_of(page)
    for _ in range(page.locator(".joint.flagged").count()):
        before = page.locator(".jointbar b").all_inner_texts()
        page.keyboard.press("Tab")
        expect(page.locator(".jointbar b")).not_to_have_text(before[0] if before else "-")
    page.keyboard.press("Tab")
    expect(page.locator(".frame b")).not_to_have_text(str(frame))


def test_arrow_keys_nudge_in_three_sizes_as_one_action(page: Page, project: Path) -> None:
    repair(page, False)
    page.click("[data-joint=nose]")
    x, y = joint(page, "nose")
    # In one task of the page: on a busy machine real key presses may lie further apart than one action allows.
    page.evaluate(
        """() => {
            const presses = [["ArrowRight", {}], ["ArrowDown", {shiftKey: true}], ["ArrowRight", {altKey: true}]];
            for (const [key, held] of presses) {
                const press = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...held});
                document.body.dispatchEvent(press);
            }
        }"""
    )
    expect(row(page, "nose")).to_contain_text("by hand")
    page.keyboard.press("Escape")
    page.keyboard.press(".")
    page.keyboard.press(",")
    saved(page)
    assert close_to((x + 1.1, y + 10))(joint(page, "nose"))
    assert kinds(project) == ["nudge"]


def test_holding_g_the_joint_follows_the_pointer(page: Page, project: Path) -> None:
    repair(page, False)
    page.click("[data-joint=left_knee]")
    page.keyboard.press("Escape")
    target = (joint(page, "left_knee")[0] + 9, joint(page, "left_knee")[1] - 7)
    page.mouse.move(*on_screen(page, joint(page, "left_knee")))
    page.keyboard.down("g")
    page.mouse.move(*on_screen(page, target))
    page.keyboard.up("g")
    saved(page)
    assert close_to(target, 0.6)(joint(page, "left_knee"))
    assert kinds(project) == ["drag"]


def test_only_shift_g_moves_a_whole_person(page: Page, project: Path) -> None:
    page.click("[data-joint=left_knee]")
    page.keyboard.press("Escape")
    before = {name: joint(page, name) for name in ("nose", "left_knee", "right_ankle")}
    x, y = on_screen(page, before["left_knee"])
    scale = view(page)[0]
    page.mouse.move(x + 40, y)
    page.keyboard.down("Shift")
    page.keyboard.down("g")
    page.mouse.move(x + 40 + 8 * scale, y - 5 * scale)
    page.keyboard.up("g")
    page.keyboard.up("Shift")
    expect(page.locator(".note")).to_contain_text("whole person 0 is moved")
    saved(page)
    for name, (was_x, was_y) in before.items():
        assert close_to((was_x + 8, was_y - 5), 0.6)(joint(page, name))
    assert kinds(project) == ["drag"]
    page.keyboard.press("z")
    saved(page)
    assert {name: joint(page, name) for name in before} == before


def test_a_joint_outside_of_the_picture_can_be_placed(page: Page, project: Path) -> None:
    repair(page, False)
    page.keyboard.press("0")
    page.click("[data-joint=left_ankle]")
    page.keyboard.press("0")
    target = (-20.0, 120.0)
    page.mouse.click(*on_screen(page, target))
    saved(page)
    assert close_to(target, 1.0)(joint(page, "left_ankle"))
    assert pose(project, frame_of(page)).xy[COCO17.index("left_ankle"), 0] < -18


def test_visibility_goes_round_and_keeps_the_place(page: Page, project: Path) -> None:
    page.click("[data-joint=left_wrist]")
    row = page.locator("[data-joint=left_wrist]")
    place = joint(page, "left_wrist")
    seen = ["visible", "occluded", "absent"]
    start = seen.index(row.get_attribute("data-visibility") or "")
    for step in (1, 2):
        page.keyboard.press("v")
        expect(row).to_have_attribute("data-visibility", seen[(start + step) % 3])
    saved(page)
    assert close_to(place)(joint(page, "left_wrist"))
    stored = pose(project, frame_of(page)).visibility[COCO17.index("left_wrist")]
    assert Visibility(int(stored)).name.lower() == seen[(start + 2) % 3]


def test_shift_v_gives_a_visibility_to_the_rest_of_the_run(page: Page, project: Path) -> None:
    go_to(page, 8)
    page.click("[data-joint=left_ear]")
    page.keyboard.press("v")
    row = page.locator("[data-joint=left_ear]")
    expect(row).to_have_attribute("data-provenance", "2")
    wanted = row.get_attribute("data-visibility")
    page.keyboard.press("Shift+V")
    expect(page.locator(".note")).to_contain_text(f"is {wanted}")
    saved(page)
    assert kinds(project) == ["visibility", "visibility run"]
    changed = [change.frame for change in edits(project)[1].changes]
    assert changed == list(range(8, max(changed) + 1))
    ear = COCO17.index("left_ear")
    assert {Visibility(int(pose(project, frame).visibility[ear])).name.lower() for frame in changed} == {wanted}


def test_swap_and_confirm_are_one_action_each(page: Page, project: Path) -> None:
    left, right = joint(page, "left_knee"), joint(page, "right_knee")
    page.keyboard.press("s")
    saved(page)
    assert close_to(right)(joint(page, "left_knee"))
    assert close_to(left)(joint(page, "right_knee"))
    page.keyboard.press("c")
    expect(page.locator("header .state")).to_have_text("confirmed")
    saved(page)
    assert kinds(project) == ["swap", "confirm"]
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(row(page, "left_knee")).to_have_attribute("data-xy", f"{left[0]:g} {left[1]:g}")


def test_the_view_zooms_pans_and_fits(page: Page) -> None:
    page.keyboard.press("f")
    fitted = page.get_attribute("#picture", "data-view")
    box = page.locator("#picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.wheel(0, -200)
    expect(page.locator("#picture")).not_to_have_attribute("data-view", fitted or "")
    page.keyboard.press("f")
    expect(page.locator("#picture")).to_have_attribute("data-view", fitted or "")
    before = view(page)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 70)
    page.mouse.up()
    scale, x, y = view(page)
    assert (scale, round(x - before[1]), round(y - before[2])) == (before[0], 60, 40)


def test_the_person_stays_in_place_on_the_screen_from_frame_to_frame(page: Page) -> None:
    def middle() -> tuple[float, float]:
        joints = [joint(page, f"{side}_{part}") for side in ("left", "right") for part in ("shoulder", "hip")]
        places = [on_screen(page, xy) for xy in joints]
        return sum(x for x, _ in places) / 4, sum(y for _, y in places) / 4

    go_to(page, 3)
    page.keyboard.press("f")
    before = middle()
    for frame in range(4, 8):
        page.keyboard.press(".")
        expect(page.locator("#picture")).to_have_attribute("data-frame", str(frame))
        expect(page.locator(".frame b")).to_have_text(str(frame))
    box = page.locator("#picture").bounding_box()
    assert box is not None
    assert close_to(before, 0.12 * box["height"])(middle())


def test_frame_and_counts_are_spoken(page: Page) -> None:
    page.keyboard.press(".")
    spoken = page.locator(".spoken[aria-live=polite]")
    expect(spoken).to_contain_text("frame ")
    lost, low = page.locator("header .counts b").all_inner_texts()
    expect(spoken).to_contain_text(f"({lost}, {low})")


def test_where_nothing_is_flagged_a_clip_with_poses_is_opened(
    project: Path, context: BrowserContext, errors: list[str]
) -> None:
    with open_project(project) as store:
        (clip,) = store.clips()
        labels = [Label(p.frame, p.person, p.xy, p.visibility * 0 + 2) for p in store.poses(clip.id)]
        store.append_edit(edit_from_labels(labels, clip, COCO17, "confirm", Provenance.CONFIRMED))
        walk = render_file(ClipRequest("walk", 3, 2, folder=str(project.parent / "media")))
        add_clips(store, [Path(shutil.copy(walk.video, project.parent / "another.mp4"))])
        assert [each.id for each in store.clips()] == ["another", CLIP]
    with served(project) as address:
        page = show(context, address, errors)
        expect(page.get_by_role("combobox", name="Clip")).to_have_value(CLIP)
        expect(page.get_by_role("combobox", name="Clip").locator("option")).to_have_count(2)
        page.close()
    assert errors == []


def test_without_the_token_there_is_nothing(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    answer = page.goto(address.split("?")[0])
    assert answer is not None
    assert answer.status == 401
