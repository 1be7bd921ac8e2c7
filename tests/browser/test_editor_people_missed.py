"""The editor in a real browser: a person whom the detector missed, the whole clip at a glance, what is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.browser.editor_page import CLIP, drawn, edits, go_to, kinds, on_screen, pose, repair, row, saved

from emc.pose.records import Alert, AlertReason, FrameAlerts, Provenance
from emc.workflow.project.folder import open_project

pytestmark = pytest.mark.browser


def draw_box(page: Page, low: tuple[float, float], high: tuple[float, float]) -> None:
    page.mouse.move(*on_screen(page, low))
    page.mouse.down()
    page.mouse.move(*on_screen(page, ((low[0] + high[0]) / 2, high[1])))
    page.mouse.move(*on_screen(page, high))
    page.mouse.up()


def test_a_person_is_added_by_drawing_a_box_and_taken_back(page: Page, project: Path) -> None:
    go_to(page, 4)
    page.keyboard.press("f")
    drawn(page)
    x, y, w, h = (float(v) for v in pose(project, 4).box)  # type: ignore[union-attr]
    page.get_by_role("button", name="Add person").click()
    expect(page.locator(".note")).to_contain_text("draw a box")
    draw_box(page, (x, y), (x + w, y + h))
    expect(page.locator(".note")).to_contain_text("person 1 is added on frame 4")
    expect(page.get_by_role("button", name="Person 1")).to_have_attribute("aria-pressed", "true")
    expect(row(page, "left_knee")).to_contain_text("repaired")
    saved(page)
    assert kinds(project) == ["add person"]
    added, before = pose(project, 4, 1), pose(project, 4, 0)
    assert set(added.provenance.tolist()) <= {0, int(Provenance.PROPAGATED)}
    # The box was drawn with whole pixels of the screen: the model says nearly the same in it.
    assert abs(added.xy - before.xy)[5:].max() < 0.1 * h
    page.locator("#picture").focus()
    page.keyboard.press("z")
    expect(page.locator(".note")).to_contain_text("took back the added person")
    expect(page.get_by_role("button", name="Person 1")).to_have_count(0)


def test_a_person_is_added_by_keyboard_and_drawing_can_be_left(page: Page, project: Path) -> None:
    page.keyboard.press("Shift+N")
    expect(page.get_by_role("button", name="Add person")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add person")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Shift+N")
    page.keyboard.press("Shift+N")
    expect(page.locator(".note")).to_contain_text("person 1 is added")
    saved(page)
    assert kinds(project) == ["add person"]
    repair(page, False)
    row(page, "nose").click()
    page.locator("#picture").focus()
    page.keyboard.press("ArrowLeft")
    expect(row(page, "nose")).to_contain_text("by hand")
    saved(page)
    assert {change.person for change in edits(project)[-1].changes} == {1}


def test_the_strip_below_shows_every_run_of_the_clip(page: Page, project: Path) -> None:
    """More runs than any list asks for at once: the ends of the clip are marked like its middle."""
    with open_project(project) as store:
        run = store.current_run(CLIP)
        assert run is not None
        alerts = [
            Alert(
                CLIP,
                person,
                joint,
                frame,
                frame,
                (AlertReason.LOST, AlertReason.LOW_CONFIDENCE)[joint % 2],
                0.9 if frame == 6 else 0.2,
            )
            for frame in (0, 6, 11)
            for person in range(12)
            for joint in range(17)
        ]
        store.write_alerts(run.id, alerts, [FrameAlerts(frame, 1, 0) for frame in range(12)])
    page.reload()
    strip = page.locator(".strip canvas")
    # Three frames of twelve, in 1200 bins.
    expect(strip).to_have_attribute("data-marked", "300")
    ink = strip.evaluate(
        "(c) => [5, 350, 650, 1195].map((x) => c.getContext('2d').getImageData(x, 17, 1, 1).data[3] > 0)"
    )
    assert ink == [True, False, True, True]


def test_what_is_missing_for_a_calibration_is_said_before_it_starts(page: Page, project: Path) -> None:
    page.get_by_role("button", name="Calibrate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".readiness[data-ready=no]")).to_contain_text("nothing is corrected yet")
    expect(dialog.get_by_role("button", name="Calibrate")).to_be_disabled()
    dialog.get_by_role("button", name="Close").click()
    repair(page, False)
    row(page, "left_knee").click()
    page.locator("#picture").focus()
    page.keyboard.press("ArrowLeft")
    saved(page)
    page.get_by_role("button", name="Calibrate").click()
    expect(dialog.locator(".readiness")).to_contain_text("1 joint of 1 person decided, on 1 frame of 1 clip (1 group)")
    expect(dialog.locator(".readiness .bad")).to_contain_text("too few to hold out validation")


def test_the_project_counts_the_work_and_says_what_the_next_minutes_bring(page: Page) -> None:
    repair(page, False)
    row(page, "left_knee").click()
    page.locator("#picture").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
        saved(page)
        page.wait_for_timeout(700)
    gain = page.locator(".gain")
    expect(gain).to_contain_text("joints/min")
    expect(gain).to_have_attribute("title", re.compile(r"\d+ joints decided and 0 repaired in \d+ s"))


def test_every_tile_of_a_contact_sheet_gets_its_picture(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".jointbar b")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator(".tile img")).not_to_have_count(0)
    expect(page.locator(".tile img[data-here=no]")).to_have_count(0)
    assert page.locator(".tile img").evaluate_all("(all) => all.every((i) => i.complete && i.naturalWidth > 0)")
