"""The editor in a real browser: calibration from the page, before and after, and the pose in 3D."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.editor_page import CLIP, Command, drag, go_to, repair, saved, served, show
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.pose.records import Provenance, Role
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.edits import Label, edit_from_labels
from emc.workflow.predict.runs import predict_clips
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project, open_project
from emc.workflow.samples.rendered import ClipRequest, render_file

pytestmark = pytest.mark.browser

SETTINGS = """
[predict]
threads = 1
[calibrate]
strategy = "finetune"
steps = 2
batch = 2
ladder = 1
shares = [0.5]
save_every = 1
[evaluate]
bootstrap = 20
"""


@pytest.fixture
def corrected(tmp_path: Path) -> Path:
    """A project of two short clips whose predictions somebody confirmed, set to calibrate for a moment."""
    with new_project(tmp_path / "kicks") as store:
        for seed in (7, 8):
            files = render_file(ClipRequest("front_kick", seed, 4, folder=str(tmp_path / "media")))
            clip = add_clips(store, [files.video], role=Role.TARGET, group=files.group).clips[0]
            predict_clips(store, [clip], read_settings(None, EMBEDDED), boxes_file=files.labels)
            labels = [Label(p.frame, p.person, p.xy, p.visibility * 0 + 2) for p in store.poses(clip.id)]
            store.append_edit(edit_from_labels(labels, clip, COCO17, "confirm", Provenance.CONFIRMED))
        (store.folder / "emc.toml").write_text(SETTINGS, encoding="utf-8")
        return store.folder


@pytest.mark.slow
def test_a_calibration_outlives_the_server_and_shows_its_ladder(context: BrowserContext, corrected: Path) -> None:
    server = Command(corrected)
    page = show(context, server.address, [])
    page.get_by_role("button", name="Calibrate").click()
    page.get_by_role("dialog").get_by_role("button", name="Calibrate").click()
    expect(page.locator(".progress[data-state=running]")).to_be_visible(timeout=30_000)
    server.stop()
    page.close()
    again = Command(corrected, server.port)
    try:
        page = show(context, again.address, [])
        page.get_by_role("button", name="Calibrate").click()
        expect(page.locator(".progress[data-state=done]")).to_be_visible(timeout=300_000)
        expect(page.locator(".ladder .chosen text")).to_have_count(1)
    finally:
        again.stop()


def test_the_pose_is_shown_in_3d_and_its_disagreements_are_told(page: Page) -> None:
    go_to(page, 5)
    page.keyboard.press("t")
    expect(page.locator(".room[data-shown=yes]")).to_be_visible(timeout=30_000)
    canvas = page.locator(".room canvas")
    expect(canvas).to_be_visible()
    before = canvas.screenshot()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 70, steps=4)
    page.mouse.up()
    assert canvas.screenshot() != before
    expect(page.locator(".scene")).to_contain_text("3D")
    page.locator("#picture").focus()
    page.keyboard.press("t")
    expect(page.locator(".room")).to_have_count(0)


def test_3d_shows_joint_angles_over_the_frames_and_what_was_there_before_a_correction(page: Page) -> None:
    repair(page, False)
    go_to(page, 5)
    page.keyboard.press("t")
    expect(page.locator(".room[data-shown=yes]")).to_be_visible(timeout=30_000)
    page.get_by_label("Joint angle").select_option("right_knee")
    told = page.locator(".angle output")
    expect(told).to_contain_text("°")
    before = told.inner_text()
    expect(told).not_to_contain_text("before")
    page.locator("#picture").focus()
    drag(page, "right_ankle", 90, -90)
    saved(page)
    expect(told).not_to_have_text(before)
    page.get_by_role("button", name="Before", exact=True).click()
    expect(told).to_contain_text("before")
    expect(page.locator(".angle path.earlier")).to_have_count(1)
    box = page.locator(".angle svg").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 1, box["y"] + 10)
    expect(page.locator(".frame b")).to_have_text("11")


def test_the_clip_is_played_with_its_3d_until_the_end_or_another_key(page: Page) -> None:
    go_to(page, 0)
    page.keyboard.press("t")
    expect(page.locator(".room[data-shown=yes]")).to_be_visible(timeout=30_000)
    page.locator("#picture").focus()
    page.keyboard.press("Space")
    expect(page.locator(".frame b")).to_have_text("11")
    play = page.get_by_role("button", name="Play", exact=True)
    expect(play).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#picture")).to_have_attribute("data-frame", "11")
    page.keyboard.press("Space")
    page.wait_for_function("() => Number(document.querySelector('.frame b').innerText) < 11")
    page.keyboard.press("h")
    expect(play).to_have_attribute("aria-pressed", "false")


def test_before_and_after_are_parted_by_a_slider(context: BrowserContext, project: Path, errors: list[str]) -> None:
    with open_project(project) as store:
        # The same network under another name: what a calibrated one would be to the page.
        run = store.current_run(CLIP)
        assert run is not None
        other = store.start_run(CLIP, "calibrated", run.skeleton, {}).id
        store.write_predictions(other, list(store.predictions(run.id)), upto=12)
        store.finish_run(other)
    with served(project) as address:
        page = show(context, address, errors)
        page.keyboard.press("k")
        comparison = page.locator(".comparison")
        expect(comparison).to_contain_text("before nano")
        expect(comparison).to_contain_text("after calibrated")
        slider = comparison.locator("input")
        slider.fill("250")
        page.wait_for_function("""() => {
            const handle = document.querySelector('.comparison .handle').getBoundingClientRect();
            const picture = document.querySelector('#picture').getBoundingClientRect();
            const middle = handle.x + handle.width / 2;
            return Math.abs(middle - (picture.x + 0.25 * picture.width)) < 2;
        }""")
        go_to(page, 6)
        expect(comparison).to_be_visible()
        page.keyboard.press("Escape")
        expect(comparison).to_have_count(0)
        assert errors == []


def test_with_one_model_there_is_nothing_to_compare(page: Page) -> None:
    page.keyboard.press("k")
    expect(page.locator(".note")).to_contain_text("calibrate first")
    expect(page.locator(".comparison")).to_have_count(0)
