"""The editor for everyone: keyboard only, touch, zoomed pages, both themes, and what an accessibility checker finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.editor_page import (
    Command,
    close_to,
    drawn,
    frame_of,
    joint,
    kinds,
    on_screen,
    ready,
    repair,
    row,
    saved,
    show,
    view,
)

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """What axe finds of WCAG 2.2 A and AA and of its own best practices."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `make web` (npm ci in web/)")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(chromium: Browser, address: str, errors: list[str], theme: str) -> None:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, color_scheme=theme)  # type: ignore[arg-type]
    try:
        page = show(context, address, errors)
        assert violations(page) == []
        page.keyboard.press("Tab")
        expect(page.locator(".jointbar b")).to_be_visible()
        page.get_by_role("button", name="Filter").click()
        expect(page.get_by_role("group", name="Filters")).to_be_visible()
        assert violations(page) == []
        for open_it, name in (("?", "Keys"), ("e", None)):
            page.locator("#picture").focus()
            page.keyboard.press(open_it)
            dialog = page.get_by_role("dialog", name=name) if name else page.get_by_role("dialog")
            expect(dialog).to_be_visible()
            assert violations(page) == []
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name="Calibrate").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert violations(page) == []
        assert errors == []
    finally:
        context.close()


def test_a_clip_is_corrected_by_keyboard_only(page: Page, project: Path) -> None:
    repair(page, False)
    page.keyboard.press("Tab")
    name = page.locator("[data-joint][aria-pressed=true]").get_attribute("data-joint")
    assert name is not None
    x, y = joint(page, name)
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    expect(row(page, name)).to_contain_text("by hand")
    frame = frame_of(page)
    page.keyboard.press("c")
    expect(page.locator(".note")).to_contain_text("confirmed")
    saved(page)
    assert close_to((x - 3, y - 10))(joint(page, name))
    assert kinds(project) == ["nudge", "confirm"]
    page.keyboard.press("Enter")
    expect(page.locator(".frame b")).not_to_have_text(str(frame))
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(page.locator(".note")).to_contain_text("took back the nudge")


def test_every_control_can_be_reached_and_the_picture_can_be_left(page: Page) -> None:
    page.locator("#picture").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tab", name="Queue")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("tab", name="Frames")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Frames")).to_have_attribute("aria-selected", "true")


def test_a_key_can_be_changed_and_stays_changed(page: Page) -> None:
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    change = sheet.get_by_role("button", name="Change the key of: hide or show the skeletons")
    change.click()
    page.keyboard.press("u")
    expect(change.locator("kbd")).to_have_text("U")
    page.reload()
    ready(page)
    page.keyboard.press("?")
    expect(change.locator("kbd")).to_have_text("U")
    sheet.get_by_role("button", name="Usual keys").click()
    expect(change.locator("kbd")).to_have_text("H")


def test_a_finger_places_the_joint_that_waits(
    chromium: Browser, address: str, project: Path, errors: list[str]
) -> None:
    context = chromium.new_context(viewport={"width": 1180, "height": 820}, has_touch=True)
    try:
        page = show(context, address, errors)
        repair(page, False)
        row(page, "left_elbow").tap()
        target = (joint(page, "left_elbow")[0] + 5, joint(page, "left_elbow")[1] - 4)
        page.touchscreen.tap(*on_screen(page, target))
        saved(page)
        assert close_to(target, 0.6)(joint(page, "left_elbow"))
        assert kinds(project) == ["place"]
        assert errors == []
    finally:
        context.close()


class Fingers:
    """What a touch screen sends: so many fingers at so many places."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def send(self, kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_a_finger_drags_and_two_fingers_zoom(chromium: Browser, address: str, project: Path, errors: list[str]) -> None:
    context = chromium.new_context(viewport={"width": 1180, "height": 820}, has_touch=True)
    try:
        page = show(context, address, errors)
        repair(page, False)
        before = joint(page, "left_knee")
        x, y = on_screen(page, before)
        fingers = Fingers(page)
        fingers.send("touchStart", (x, y))
        fingers.send("touchMove", (x + 20, y - 12))
        fingers.send("touchMove", (x + 40, y - 24))
        fingers.send("touchEnd")
        saved(page)
        scale = view(page)[0]
        assert close_to((before[0] + 40 / scale, before[1] - 24 / scale), 0.6)(joint(page, "left_knee"))
        assert kinds(project) == ["drag"]
        box = page.locator("#picture").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] - 30
        fingers.send("touchStart", (x - 30, y), (x + 30, y))
        fingers.send("touchMove", (x - 60, y), (x + 60, y))
        fingers.send("touchEnd")
        drawn(page)
        assert view(page)[0] == pytest.approx(2 * scale, rel=0.05)
        assert kinds(project) == ["drag"]
        assert errors == []
    finally:
        context.close()


def test_a_pen_places_the_joint_that_waits_and_drags_another(page: Page, project: Path) -> None:
    page.evaluate(
        "document.getElementById('picture')"
        ".addEventListener('pointerdown', (event) => { document.body.dataset.kind = event.pointerType; })"
    )
    repair(page, False)
    pen = Pen(page)
    row(page, "left_elbow").click()
    target = (joint(page, "left_elbow")[0] + 5, joint(page, "left_elbow")[1] - 4)
    pen.draw(on_screen(page, target))
    saved(page)
    assert page.get_attribute("body", "data-kind") == "pen"
    assert close_to(target, 0.6)(joint(page, "left_elbow"))
    page.keyboard.press("Escape")
    before = joint(page, "left_knee")
    x, y = on_screen(page, before)
    pen.draw((x, y), (x + 20, y - 12), (x + 40, y - 24))
    saved(page)
    scale = view(page)[0]
    assert close_to((before[0] + 40 / scale, before[1] - 24 / scale), 0.6)(joint(page, "left_knee"))
    assert kinds(project) == ["place", "drag"]


class Pen:
    """What a pen sends: pressed at the first place, drawn over the others, lifted at the last."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def draw(self, *places: tuple[float, float]) -> None:
        self._send("mousePressed", places[0], 1)
        for place in places[1:]:
            self._send("mouseMoved", place, 1)
        self._send("mouseReleased", places[-1], 0)

    def _send(self, kind: str, at: tuple[float, float], buttons: int) -> None:
        event = {"type": kind, "x": at[0], "y": at[1], "buttons": buttons, "pointerType": "pen", "force": 0.5}
        if kind != "mouseMoved":
            event |= {"button": "left", "clickCount": 1}
        self._session.send("Input.dispatchMouseEvent", event)


@pytest.mark.parametrize("size", [(683, 384), (1366, 768), (3840, 2160)], ids=["200-percent", "laptop", "4k"])
def test_nothing_is_cut_off_on_small_and_large_screens(
    chromium: Browser, address: str, errors: list[str], size: tuple[int, int]
) -> None:
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]})
    try:
        page = show(context, address, errors)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        for control in ("Next flagged", "Confirm frame", "Undo", "Redo", "Calibrate", "Keys"):
            button = page.get_by_role("button", name=control)
            button.scroll_into_view_if_needed()
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["x"] + box["width"] <= size[0]
            assert min(box["width"], box["height"]) >= 24
        page.locator("#picture").scroll_into_view_if_needed()
        picture = page.locator("#picture").bounding_box()
        assert picture is not None
        assert picture["height"] >= 160
        row(page, "right_ankle").scroll_into_view_if_needed()
        expect(row(page, "right_ankle")).to_be_visible()
    finally:
        context.close()


def test_who_comes_from_elsewhere_is_asked_for_the_password(context: BrowserContext, project: Path) -> None:
    server = Command(project, None, "--host", "0.0.0.0", password="open sesame")
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        field = page.get_by_label("Password")
        expect(page.locator("#picture")).to_have_count(0)
        field.fill("wrong")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not the password")
        field = page.get_by_label("Password")
        field.fill("open sesame")
        field.press("Enter")
        ready(page)
        page.close()
    finally:
        server.stop()


def test_the_theme_can_be_chosen_and_stays(page: Page) -> None:
    def ground() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    before = ground()
    page.get_by_role("button", name="Light or dark").click()
    assert ground() != before
    chosen = ground()
    page.reload()
    ready(page)
    assert ground() == chosen


def test_the_view_follows_a_system_that_is_dark(context: BrowserContext, address: str, errors: list[str]) -> None:
    page = show(context, address, errors)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--dark').trim()") == "1"
