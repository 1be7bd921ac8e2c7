"""The editor on a long clip: 3,000 frames scrolled from end to end, with only a handful of rows in the page."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.editor_page import drawn, served, show

from emc.pose.records import Alert, AlertReason, FrameAlerts, Prediction
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project

pytestmark = pytest.mark.browser
FRAMES = 3000
SIZE = (96, 64)


@pytest.fixture(scope="module")
def long_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    write_video(folder / "long.mp4")
    rng = np.random.default_rng(0)
    with new_project(folder / "long") as store:
        (clip,) = add_clips(store, [folder / "long.mp4"]).clips
        run = store.start_run(clip.id, "nano", "coco17", {}).id
        box = np.array([20, 10, 40, 50], np.float32)
        sure = np.linspace(0.1, 1, 17, dtype=np.float32)
        found = [
            Prediction(frame, 0, rng.uniform((20, 10), (60, 60), (17, 2)).astype(np.float32), sure, sure, box)
            for frame in range(FRAMES)
        ]
        store.write_predictions(run, found, upto=FRAMES)
        flags = [Alert(clip.id, 0, 9, frame, frame + 1, AlertReason.LOST, 0.9) for frame in range(0, FRAMES, 4)]
        store.write_alerts(run, flags, [FrameAlerts(frame, 1, 2) for frame in range(FRAMES)])
        store.finish_run(run)
        return store.folder


def write_video(path: Path) -> None:
    """A clip whose frames tell their number: the brightness of the picture grows with it, over and over."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "30"}
        for number in range(FRAMES):
            picture = np.full((SIZE[1], SIZE[0], 3), number % 200 + 20, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())


@pytest.fixture
def long_page(long_project: Path, context: BrowserContext, errors: list[str]) -> Iterator[Page]:
    with served(long_project) as address:
        page = show(context, address, errors)
        yield page
        assert errors == []
        page.close()


def test_the_list_of_frames_is_scrolled_from_end_to_end(long_page: Page) -> None:
    page = long_page
    page.get_by_role("tab", name="Frames").click()
    page.get_by_label("Sort").select_option("frame")
    rows = page.locator(".virtual li")
    expect(rows.first).to_contain_text("frame 0")
    seen: set[str] = set()
    bar = page.locator(".virtual")
    # The first row reads the same in both orders: the new list is there once it has its length.
    page.wait_for_function("(frames) => document.querySelector('.virtual').scrollHeight > 20 * frames", arg=FRAMES)
    height = bar.evaluate("(list) => list.scrollHeight")
    for step in range(21):
        bar.evaluate("(list, to) => { list.scrollTop = to; }", height * step / 20)
        drawn(page)
        expect(page.locator(".virtual li .waiting")).to_have_count(0)
        expect(page.locator(".virtual .title").first).to_be_visible()
        if step in (0, 20):
            end = f"frame {(FRAMES - 1) * step // 20}"
            expect(page.locator(".virtual .title").get_by_text(end, exact=True)).to_be_visible()
        titles = page.locator(".virtual .title").all_inner_texts()
        assert 0 < len(titles) < 40
        seen.update(titles)
    assert f"frame {FRAMES - 1}" in seen
    assert len(seen) > 150
    page.get_by_role("button", name=f"frame {FRAMES - 1}", exact=False).click()
    expect(page.locator("#picture")).to_have_attribute("data-frame", str(FRAMES - 1))


def test_the_clip_is_scrolled_from_end_to_end_and_each_frame_is_the_right_one(long_page: Page) -> None:
    page = long_page
    slider = page.get_by_label("Frame", exact=True).and_(page.locator("input"))
    for frame in (*range(0, FRAMES, 250), FRAMES - 1):
        slider.fill(str(frame))
        expect(page.locator("#picture")).to_have_attribute("data-frame", str(frame))
        expect(page.locator(".frame b")).to_have_text(str(frame))
        drawn(page)
        assert abs(brightness(page) - (frame % 200 + 20)) <= 6


def brightness(page: Page) -> float:
    """How bright the middle of the picture is on the canvas (joints cover little of it)."""
    return page.evaluate("""() => {
      const picture = document.getElementById('picture');
      const canvas = picture.querySelector('canvas');
      const [scale, x, y] = picture.dataset.view.split(' ').map(Number);
      const dense = canvas.width / picture.clientWidth;
      const [left, top] = [(x + 70 * scale) * dense, (y + 40 * scale) * dense];
      const pixels = canvas.getContext('2d').getImageData(left, top, 9, 9).data;
      return [...pixels].filter((_, i) => i % 4 === 1).sort((a, b) => a - b)[40];
    }""")


def test_the_queue_is_walked_by_tab_without_end(long_page: Page) -> None:
    page = long_page
    expect(page.locator(".row.run").first).to_be_visible()
    shown = set()
    for _ in range(6):
        before = page.locator(".frame b").inner_text()
        page.keyboard.press("Tab")
        expect(page.locator("[data-joint=left_wrist]")).to_have_attribute("aria-pressed", "true")
        if shown:
            expect(page.locator(".frame b")).not_to_have_text(before)
        shown.add(page.locator(".frame b").inner_text())
    assert len(shown) == 6
