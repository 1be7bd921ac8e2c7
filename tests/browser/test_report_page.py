"""The report's page in a real browser: it loads nothing, says nothing on the console, and its parts can be worked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.stages.report.made_up import made_up

from emc.stages.report import render_html

pytestmark = pytest.mark.browser
DRIVER = "GL Driver Message"
"""What a software renderer says of the speed when a test reads the picture."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_html(*made_up(resamples=20)), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(params=[(1366, 768, "light"), (390, 844, "dark")], ids=["wide-light", "phone-dark"])
def page(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    width, height, scheme = request.param
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if DRIVER not in message.text else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(address)
    yield page
    context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {address}


def painted(page: Page) -> str:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("document.querySelector('#viewer canvas').toDataURL()")


def test_nothing_overflows_and_everything_is_painted(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for image in page.locator("img").all():
        expect(image).to_have_js_property("complete", True)
    # The policy lets the page's own style in: a page without it would have the browser's default margin.
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
    blank = page.evaluate("Object.assign(document.createElement('canvas'), {width: 10, height: 10}).toDataURL()")
    assert len(painted(page)) > 10 * len(blank)


def test_slider_moves_by_keyboard_and_by_pointer(page: Page) -> None:
    figure = page.locator(".example").first
    slider, left = figure.locator("input"), figure.locator("rect.left")
    before = float(left.get_attribute("width") or 0)
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert float(left.get_attribute("width") or 0) > before
    page.keyboard.press("End")
    full = float(left.get_attribute("width") or 0)
    assert figure.locator("rect.right").get_attribute("width") == "0"
    picture = figure.locator("svg")
    picture.scroll_into_view_if_needed()
    image = figure.locator("image").bounding_box()
    assert image is not None
    y = image["y"] + image["height"] / 2
    page.mouse.move(image["x"] + image["width"] * 0.9, y)
    page.mouse.down()
    page.mouse.move(image["x"] + image["width"] * 0.25, y, steps=4)
    page.mouse.up()
    assert float(left.get_attribute("width") or 0) == pytest.approx(full / 4, rel=0.05)
    assert 23 <= int(slider.input_value()) <= 27


def test_labels_can_be_hidden(page: Page) -> None:
    rings = page.locator(".example .truth").first
    assert rings.evaluate("e => getComputedStyle(e).display") != "none"
    page.locator("#show-truth").focus()
    page.keyboard.press("Space")
    assert rings.evaluate("e => getComputedStyle(e).display") == "none"


def test_viewer_plays_and_steps_by_keyboard(page: Page) -> None:
    viewer = page.locator("#viewer")
    viewer.locator("canvas").focus()
    start = int(viewer.get_attribute("data-frame") or -1)
    assert start == 45
    page.keyboard.press(".")
    assert viewer.get_attribute("data-frame") == "46"
    page.keyboard.press(",")
    page.keyboard.press(",")
    assert viewer.get_attribute("data-frame") == "44"
    still = painted(page)
    page.keyboard.press("Space")
    assert viewer.locator("[data-act=play]").get_attribute("aria-pressed") == "true"
    # Not wait_for_function: the page's own policy forbids evaluating strings.
    expect(viewer).not_to_have_attribute("data-frame", "44")
    page.keyboard.press("Space")
    assert viewer.locator("[data-act=play]").text_content() == "Play"
    stopped = viewer.get_attribute("data-frame")
    assert painted(page) != still
    page.wait_for_timeout(120)
    assert viewer.get_attribute("data-frame") == stopped


def test_viewer_turns_zooms_and_comes_home(page: Page) -> None:
    viewer = page.locator("#viewer")
    home = (viewer.get_attribute("data-yaw"), viewer.get_attribute("data-zoom"))
    viewer.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    assert viewer.get_attribute("data-yaw") != home[0]
    assert float(viewer.get_attribute("data-zoom") or 0) == pytest.approx(1.15)
    page.keyboard.press("Home")
    assert (viewer.get_attribute("data-yaw"), viewer.get_attribute("data-zoom")) == home
    viewer.locator("canvas").scroll_into_view_if_needed()
    box = viewer.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 50, steps=3)
    page.mouse.up()
    assert viewer.get_attribute("data-yaw") != home[0]


def test_viewer_looks_from_the_camera_the_side_and_above(page: Page) -> None:
    viewer = page.locator("#viewer")
    seen = set()
    for name, yaw in (("camera", "0.000"), ("side", "1.571"), ("above", "0.000")):
        viewer.locator(f"[data-act={name}]").click()
        expect(viewer).to_have_attribute("data-yaw", yaw)
        page.wait_for_timeout(100)
        seen.add(viewer.locator("canvas").screenshot())
    assert len(seen) == 3


def test_tracks_toggle_by_keyboard_and_scrub(page: Page) -> None:
    viewer = page.locator("#viewer")
    assert viewer.get_attribute("data-shown") == "before after truth"
    with_all = painted(page)
    viewer.locator("[data-track=before]").focus()
    page.keyboard.press("Enter")
    assert viewer.get_attribute("data-shown") == "after truth"
    assert painted(page) != with_all
    page.keyboard.press("Space")
    assert viewer.get_attribute("data-shown") == "before after truth"
    viewer.locator("[data-act=seek]").focus()
    page.keyboard.press("Home")
    assert viewer.get_attribute("data-frame") == "0"


def test_trails_and_ground_can_be_left_out_and_tracks_laid_over_each_other(page: Page) -> None:
    viewer = page.locator("#viewer")
    seen = [painted(page)]
    for act in ("trails", "ground", "apart"):
        viewer.locator(f"[data-act={act}]").focus()
        page.keyboard.press("Enter")
        expect(viewer.locator(f"[data-act={act}]")).to_have_attribute("aria-pressed", "false")
        seen.append(painted(page))
    assert len(set(seen)) == 4
    expect(viewer.locator(".columns span")).to_have_count(0)


def test_video_and_angles_go_with_the_frame(page: Page) -> None:
    viewer = page.locator("#viewer")
    image = viewer.locator(".video img")
    expect(image).to_have_js_property("naturalWidth", 96)
    first = image.get_attribute("data-picture")
    viewer.locator("[data-act=seek]").focus()
    page.keyboard.press("Home")
    expect(image).to_have_attribute("data-picture", "0")
    assert first != "0"
    said = viewer.locator(".angles output").inner_text()
    assert said.startswith("before ") and "truth " in said
    viewer.locator("#angle").select_option("left_hip")
    expect(viewer.locator(".angles")).to_have_attribute("data-angle", "left_hip")
    curve = viewer.locator(".angles .curve.truth").get_attribute("d") or ""
    assert curve.startswith("M0.0,") and curve.count("L") == 89
    assert viewer.get_attribute("data-frame") == "0"


def test_all_controls_have_names_and_can_be_reached(page: Page) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, a, [tabindex]')].filter((e) =>
             !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map((e) => e.outerHTML)"""
    )
    assert nameless == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    sizes = page.evaluate(
        "[...document.querySelectorAll('#viewer button')].map((e) => [e.offsetWidth, e.offsetHeight])"
    )
    assert len(sizes) == 12
    assert min(min(size) for size in sizes) >= 24  # WCAG 2.2 target size


def test_the_saved_figures_are_the_report(page: Page) -> None:
    with page.expect_download() as download:
        page.locator("a.save").click()
    assert download.value.suggested_filename == "report.json"
    assert '"leg_errors_removed"' in Path(download.value.path()).read_text(encoding="utf-8")
