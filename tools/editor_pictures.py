"""Make the pictures of the editor in the documentation again: docs/images/editor-*.webp, from a real Chromium.

Usage: python tools/editor_pictures.py [--out docs/images] [--steps 150]. A kick is rendered, predicted, partly
corrected from its labels, and calibrated for a moment, so that there is a before and an after; everything else is
thrown away.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from emc.config import read_settings
from emc.pose.records import Edit, JointChange, Provenance, Role, Visibility
from emc.workflow.predict import predict_clips
from emc.workflow.project import add_clips, new_project
from emc.workflow.samples import ClipRequest
from emc.workflow.samples.rendered import render_file

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 48
SIZE = (640, 640)
SEEDS = (7, 11, 12)
CLIMAX = 25
HAND = range(0, FRAMES, 2)
# So short a training would be refused by the rule that guards common poses; the picture is to show two models.
SETTINGS = """
[calibrate]
strategy = "finetune"
budget = 100
ladder = 2
shares = [0.9]
batch = 16
"""


def make_project(folder: Path) -> Path:
    """Render and predict three kicks; two are corrected on every second frame, so that calibration has food."""
    files = [
        render_file(ClipRequest("front_kick", seed, FRAMES, size=SIZE, folder=str(folder / "media"))) for seed in SEEDS
    ]
    with new_project(folder / "kicks") as store:
        settings = read_settings(None, {})
        for number, each in enumerate(files):
            clip = add_clips(store, [each.video], role=Role.TARGET, group=each.group).clips[0]
            predict_clips(store, [clip], settings, boxes_file=each.labels)
            if number:
                store.append_edit(Edit(clip.id, "import", corrections(each.labels), author="labels"))
        (store.folder / "emc.toml").write_text(SETTINGS, encoding="utf-8")
        return store.folder


def corrections(labels: Path) -> tuple[JointChange, ...]:
    """Return what a patient person would place by hand: the labels of some frames of a rendered clip."""
    truth = true_places(labels)
    return tuple(
        JointChange(frame, 0, joint, float(x), float(y), Visibility.VISIBLE, Provenance.HUMAN)
        for frame in HAND
        for joint, (x, y) in enumerate(truth[frame])
        if np.isfinite(x)
    )


def true_places(labels: Path) -> np.ndarray:
    """Return the (frames, 17, 2) labels of a rendered clip."""
    import json

    document = json.loads(labels.read_text("utf-8"))
    places = np.full((FRAMES, 17, 2), np.nan)
    order = {image["id"]: index for index, image in enumerate(document["images"])}
    for note in document["annotations"]:
        points = np.array(note["keypoints"], float).reshape(-1, 3)
        places[order[note["image_id"]]] = np.where(points[:, 2:] > 0, points[:, :2], np.nan)
    return places


@contextmanager
def editor(project: Path) -> Iterator[str]:
    """Run `emc edit`; gives its address."""
    command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.terminate()
        process.wait()


class Pictures:
    """A browser that opens the editor and keeps what it sees."""

    def __init__(self, browser: Browser, address: str, out: Path) -> None:
        self._browser = browser
        self._address = address
        self._out = out

    def open(self, width: int, height: int, dark: bool = False, name: str = "") -> Page:
        """Open the editor in a window of this size."""
        theme = "dark" if dark else "light"
        context = self._browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        if name:
            context.add_init_script(f"localStorage.setItem('emc.name', '{name}')")
        page = context.new_page()
        page.goto(self._address)
        page.wait_for_selector("#picture[data-frame]")
        page.wait_for_selector(".row.run")
        return page

    def keep(self, page: Page, name: str) -> None:
        """Keep what a page shows, once it has come to rest."""
        page.wait_for_timeout(700)
        picture = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"the picture '{name}' cannot be read: run this again")
        cv2.imwrite(str(self._out / f"editor-{name}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, 88])


def take(pictures: Pictures) -> None:
    """Take every picture but the one that needs a calibrated model."""
    page = pictures.open(1600, 1000)
    pictures.keep(page, "first-open")
    page.locator(".row.run").nth(2).click()
    expect(page.locator(".jointbar b")).to_be_visible()
    pictures.keep(page, "flagged-kick")
    page.keyboard.press("e")
    expect(page.locator(".tile img")).not_to_have_count(0)
    expect(page.locator(".tile img[data-here=no]")).to_have_count(0, timeout=60_000)
    pictures.keep(page, "contact-sheet")
    page.close()
    dark = pictures.open(1600, 1000, dark=True)
    dark.locator(".row.run").nth(1).click()
    dark.keyboard.press("t")
    expect(dark.locator(".room[data-shown=yes]")).to_be_visible(timeout=30_000)
    pictures.keep(dark, "dark")
    dark.close()
    small = pictures.open(1366, 768)
    small.locator(".row.run").nth(2).click()
    pictures.keep(small, "1366x768")
    small.keyboard.press("?")
    pictures.keep(small, "keys")
    small.close()
    take_conflict(pictures)


def take_conflict(pictures: Pictures) -> None:
    """Let two people move one joint, and keep the question that follows."""
    ana, bo = (pictures.open(1366, 768, name=name) for name in ("Ana", "Bo"))
    for page in (ana, bo):
        page.locator(".row.run").first.click()
        expect(page.locator(".jointbar b")).to_be_visible()
    ana.context.set_offline(True)
    for page, key in ((ana, "Shift+ArrowLeft"), (bo, "Shift+ArrowRight")):
        page.locator("#picture").focus()
        page.keyboard.press(key)
        page.keyboard.press(key)
        expect(page.locator(".saving")).to_have_text("saved" if page is bo else "not stored (1): retryingnow")
        page.wait_for_timeout(800)
    ana.context.set_offline(False)
    expect(ana.get_by_role("dialog")).to_be_visible(timeout=20_000)
    pictures.keep(ana, "conflict")
    ana.get_by_role("button", name="Keep theirs").click()
    expect(ana.locator(".saving")).to_have_text("saved")
    # One nudged joint is no label to calibrate on: what was done for the picture is taken back.
    bo.keyboard.press("z")
    expect(bo.locator(".note")).to_contain_text("took back")
    expect(bo.locator(".saving")).to_have_text("saved")
    for page in (ana, bo):
        page.close()


def take_calibration(pictures: Pictures, steps: int) -> None:
    """Calibrate for a moment, and keep the ladder and the slider between before and after."""
    page = pictures.open(1366, 900)
    page.evaluate(
        "(steps) => fetch('/api/calibration', { method: 'POST', headers: { 'content-type': 'application/json' },"
        " body: JSON.stringify({ predict: true, steps }) })",
        steps,
    )
    page.get_by_role("button", name="Calibrate").click()
    ended = page.locator(".progress:is([data-state=done], [data-state=failed])")
    expect(ended).to_be_visible(timeout=3_600_000)
    if ended.get_attribute("data-state") == "failed":
        raise SystemExit(ended.inner_text())
    pictures.keep(page, "calibration")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_label("Frame", exact=True).and_(page.locator("input")).fill(str(CLIMAX))
    expect(page.locator("#picture")).to_have_attribute("data-frame", str(CLIMAX))
    page.locator("#picture").focus()
    page.keyboard.press("k")
    expect(page.locator(".comparison")).to_be_visible()
    page.locator(".comparison input").fill("480")
    expect(page.locator(".note")).to_have_count(0, timeout=20_000)
    pictures.keep(page, "before-after")


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    args = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        project = make_project(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        with editor(project) as address:
            pictures = Pictures(browser, address, options.out)
            take(pictures)
            if options.steps:
                take_calibration(pictures, options.steps)
        browser.close()


if __name__ == "__main__":
    main()
