"""The editor in a real browser, on the real server and a real project."""

from __future__ import annotations

import math
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from emc.config import read_settings
from emc.pose.records import Pose, Provenance, Visibility
from emc.pose.skeleton import COCO17
from emc.server.app import create_app
from emc.server.security import Access
from emc.workflow.clips import add_clips
from emc.workflow.predict import predict_clips
from emc.workflow.project import new_project, open_project
from emc.workflow.rendered import ClipOrder, render_file

pytestmark = pytest.mark.browser
CLIP = "front_kick_00007"


@pytest.fixture(scope="module")
def predicted_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor")
    files = render_file(ClipOrder("front_kick", 7, 12, folder=str(folder / "media")))
    with new_project(folder / "kick") as store:
        added = add_clips(store, [files.video])
        settings = read_settings(None, {}, alerts={"low": 0.9})  # enough flags to walk through
        predict_clips(store, added.clips, settings, boxes_file=files.labels)
        return store.folder


@pytest.fixture
def project(predicted_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(predicted_project, tmp_path / "kick.emc"))


class Command:
    """`emc edit`, as a user starts it."""

    def __init__(self, project: Path, port: int | None = None) -> None:
        command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
        command += ["--port", str(port)] if port else []
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert "?token=" in self.address, self._process.communicate()[1]

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def address(project: Path) -> Iterator[str]:
    """The address of the same server, run by this process: it starts in no time."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        access = Access("token-of-the-test", port=port)
        app = create_app(project, access.token, access=access)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/?token={access.token}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1366, "height": 768})
    yield made
    made.close()


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def page(context: BrowserContext, address: str, errors: list[str]) -> Iterator[Page]:
    opened = show(context, address, errors)
    yield opened
    assert errors == []


def show(context: BrowserContext, address: str, errors: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    ready(page)
    return page


def ready(page: Page) -> None:
    page.wait_for_selector("#picture[data-frame]")
    page.wait_for_selector("[data-joint]")


def joint(page: Page, name: str) -> tuple[float, float]:
    """Where the page says a joint of the chosen person is, in pixels of the frame."""
    x, y = (page.get_attribute(f"[data-joint={name}]", "data-xy") or "").split()
    return float(x), float(y)


def on_screen(page: Page, xy: tuple[float, float]) -> tuple[float, float]:
    scale, x, y = (float(part) for part in (page.get_attribute("#picture", "data-view") or "").split())
    box = page.locator("#picture").bounding_box()
    assert box is not None
    return box["x"] + xy[0] * scale + x, box["y"] + xy[1] * scale + y


def drag(page: Page, name: str, dx: float, dy: float) -> tuple[float, float]:
    """Drag a joint by so many pixels of the screen; returns where it was."""
    before = joint(page, name)
    x, y = on_screen(page, before)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    return before


def saved(page: Page) -> None:
    # What an action changed is drawn with the next frame of the screen: only then does the sign say so.
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator(".saving")).to_have_text("saved")


def edits(project: Path) -> list[Any]:
    with open_project(project) as store:
        return store.edits(CLIP)


def pose(project: Path, frame: int) -> Pose:
    with open_project(project) as store:
        return store.poses(CLIP, first=frame, last=frame)[0]


def frame_of(page: Page) -> int:
    return int(page.locator(".frame b").inner_text())


def close_to(expected: tuple[float, float], within: float = 0.02) -> Callable[[tuple[float, float]], bool]:
    return lambda found: math.dist(found, expected) <= within


def test_a_dragged_joint_stays_where_it_was_put(page: Page, project: Path) -> None:
    scale = float((page.get_attribute("#picture", "data-view") or "").split()[0])
    before = drag(page, "left_hip", 30, -24)
    moved = (before[0] + 30 / scale, before[1] - 24 / scale)
    saved(page)
    assert close_to(moved)(joint(page, "left_hip"))
    frame = frame_of(page)
    page.reload()
    ready(page)
    assert frame_of(page) == frame
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
    before = drag(page, "left_hip", 30, -24)
    saved(page)
    after = joint(page, "left_hip")
    page.reload()
    ready(page)
    page.keyboard.press("z")
    expect(page.locator("[data-joint=left_hip]")).to_have_attribute("data-xy", f"{before[0]:g} {before[1]:g}")
    page.reload()
    ready(page)
    page.keyboard.press("Shift+Z")
    expect(page.locator("[data-joint=left_hip]")).to_have_attribute("data-xy", f"{after[0]:g} {after[1]:g}")
    saved(page)
    assert [edit.kind for edit in edits(project)] == ["drag", "undo", "redo"]


def test_tab_goes_to_the_next_flagged_joint_and_a_click_places_it(page: Page, project: Path) -> None:
    page.keyboard.press("Tab")
    active = page.locator("[data-joint][aria-pressed=true]")
    expect(active).to_have_class("row joint flagged")
    first = active.get_attribute("data-joint")
    assert first is not None
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


def test_tab_goes_on_to_the_next_flagged_frame(page: Page) -> None:
    frame = frame_of(page)
    for _ in range(page.locator(".joint.flagged").count() + 1):
        page.keyboard.press("Tab")
        page.wait_for_timeout(150)
    assert frame_of(page) != frame


def test_arrow_keys_nudge_in_three_sizes(page: Page, project: Path) -> None:
    page.click("[data-joint=nose]")
    x, y = joint(page, "nose")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Alt+ArrowRight")
    page.wait_for_timeout(600)
    saved(page)
    assert close_to((x + 1.1, y + 10))(joint(page, "nose"))
    assert [edit.kind for edit in edits(project)] == ["nudge"]


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


def test_swap_and_confirm_are_one_action_each(page: Page, project: Path) -> None:
    left, right = joint(page, "left_knee"), joint(page, "right_knee")
    page.keyboard.press("s")
    saved(page)
    assert close_to(right)(joint(page, "left_knee"))
    assert close_to(left)(joint(page, "right_knee"))
    page.keyboard.press("c")
    expect(page.locator("header .state")).to_have_text("confirmed")
    saved(page)
    assert [edit.kind for edit in edits(project)] == ["swap", "confirm"]
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(page.locator("[data-joint=left_knee]")).to_have_attribute("data-xy", f"{left[0]:g} {left[1]:g}")


def test_keys_step_through_frames_and_the_list_opens_them(page: Page) -> None:
    page.get_by_role("tab", name="Frames").click()
    page.get_by_label("Sort").select_option("frame")
    page.get_by_role("button", name="frame 4", exact=False).first.click()
    expect(page.locator(".frame b")).to_have_text("4")
    page.keyboard.press(".")
    expect(page.locator("#picture")).to_have_attribute("data-frame", "5")
    page.keyboard.press(",")
    expect(page.locator("#picture")).to_have_attribute("data-frame", "4")
    expect(page.locator(".row[aria-current=true] .title")).to_have_text("frame 4")


def test_the_view_zooms_pans_and_fits(page: Page) -> None:
    page.keyboard.press("f")
    fitted = page.get_attribute("#picture", "data-view")
    box = page.locator("#picture").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(100)
    assert page.get_attribute("#picture", "data-view") != fitted
    page.keyboard.press("f")
    assert page.get_attribute("#picture", "data-view") == fitted
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 70)
    page.mouse.up()
    scale, x, y = (float(part) for part in (page.get_attribute("#picture", "data-view") or "").split())
    before = [float(part) for part in (fitted or "").split()]
    assert (scale, round(x - before[1]), round(y - before[2])) == (before[0], 60, 40)


def test_a_finger_places_the_joint_that_waits(
    chromium: Browser, address: str, project: Path, errors: list[str]
) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, has_touch=True)
    try:
        page = show(context, address, errors)
        page.locator("[data-joint=left_elbow]").tap()
        target = (joint(page, "left_elbow")[0] + 5, joint(page, "left_elbow")[1] - 4)
        page.touchscreen.tap(*on_screen(page, target))
        saved(page)
        assert close_to(target, 0.6)(joint(page, "left_elbow"))
        assert [edit.kind for edit in edits(project)] == ["place"]
        assert errors == []
    finally:
        context.close()


def test_the_key_sheet_opens_and_closes_and_the_picture_can_be_left(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#picture").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab", name="Joints")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Frames")).to_be_focused()


def test_frame_and_counts_are_spoken(page: Page) -> None:
    page.keyboard.press(".")
    spoken = page.locator(".spoken[aria-live=polite]")
    expect(spoken).to_contain_text("frame ")
    lost, low = page.locator("header .counts b").all_inner_texts()
    expect(spoken).to_contain_text(f"({lost}, {low})")


def test_what_cannot_be_stored_is_told_and_stored_later(
    context: BrowserContext, project: Path, errors: list[str]
) -> None:
    server = Command(project)
    page = show(context, server.address, errors)
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
        assert close_to(moved)(joint(page, "left_hip"))
        assert [edit.kind for edit in edits(project)] == ["drag"]
    finally:
        again.stop()


def test_without_the_token_there_is_nothing(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    answer = page.goto(address.split("?")[0])
    assert answer is not None
    assert answer.status == 401
