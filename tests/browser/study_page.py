"""What a participant of a study does in a browser, by script; and a server of a study to do it on."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.editor_page import on_screen

from emc.pose.skeletons.skeleton import COCO17
from emc.server.security import Access
from emc.server.studies.app import create_study_app, stable_token
from emc.study.plan.design import read_design
from emc.study.session.accuracy import tolerances
from emc.study.session.tlx import SCALES

Point = tuple[float, float]
PATIENCE = 60_000
"""Milliseconds: a loaded machine is slow, not wrong."""


@contextmanager
def study_served(folder: Path, port: int = 0) -> Iterator[str]:
    """The address of a study's server, run by this process."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        number = listener.getsockname()[1]
        access = Access(stable_token(folder), port=number)
        app = create_study_app(folder, access)
        config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{number}/?simulated=1&token={access.token}"
        finally:
            app.editors.end_streams()
            server.should_exit = True
            thread.join()


class Participant:
    """A script in a participant's place: it knows where joints are, and sees the rest on the page.

    look : called with a word at each new sight, for pictures. method : of the present step.
    """

    def __init__(self, context: BrowserContext, address: str, folder: Path) -> None:
        self.context = context
        self.address = address
        self.errors: list[str] = []
        self.method = ""
        self.look: Callable[[str, Page], object] = lambda word, page: None
        self._design = read_design(folder)
        self._truth = json.loads((folder / "reference.json").read_text())
        self.page = self.open()

    def open(self) -> Page:
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(self.address)
        return self.page

    def join(self) -> str:
        page = self.page
        page.get_by_role("button", name="Take part").wait_for()
        self.look("welcome", page)
        page.get_by_role("button", name="Take part").click()
        page.get_by_label("I have read this").check()
        self.look("consent", page)
        code = page.locator(".code b").inner_text()
        page.get_by_role("button", name="Continue").click()
        return code

    def take_part(self) -> Iterator[str]:
        """Go from the invitation to the end; pauses after every stretch, so that others can work meanwhile."""
        yield self.join()
        for _ in range(2):
            for _ in range(2):
                self.begin()
                while self.page.locator(".studybar").count():
                    self.stretch()
                    yield self.method
            self.rate({name: 5 * number for number, name in enumerate(SCALES, start=3)})
        self.finish("The second clip went faster.")

    def begin(self) -> None:
        page = self.page
        # The page before has a heading with these words too, but nothing to start.
        page.get_by_role("button", name="Start").wait_for()
        title = page.locator("h2").inner_text()
        self.method = "classic" if "hand" in title else "editor"
        self._training = title.startswith("Practice")
        self.look(f"intro-{self.method}", page)
        page.get_by_role("button", name="Start").click()
        page.wait_for_selector("#picture[data-view]")

    def stretch(self) -> None:
        """Correct the frames of this stretch, and hand them in."""
        frames = self.frames()
        for frame in frames:
            (self.place_frame if self.method == "classic" else self.correct_frame)(frame)
        self.look(f"{self.method}-{'training' if self._training else 'trial'}", self.page)
        before = self.page.locator(".goal").inner_text()
        self.page.locator(".studybar .check").click()
        # The next frames, or the next page.
        self.page.wait_for_function(
            "before => document.querySelector('dialog.study') || document.querySelector('.goal')?.innerText !== before",
            arg=before,
        )
        assert not self.page.locator("dialog.study").count(), self.page.locator("dialog.study").inner_text()

    def frames(self) -> range:
        first, last = (int(b) for b in self.page.locator(".goal b").all_inner_texts())
        numbered = 1 if self.method == "classic" else 0
        return range(first - numbered, last - numbered + 1)

    def rate(self, ratings: dict[str, int]) -> None:
        page = self.page
        page.locator(".scale").first.wait_for()
        for name, value in ratings.items():
            page.locator(f"input[name={name}][value='{value}']").check(force=True)
        self.look("ratings", page)
        page.get_by_role("button", name="Continue").click()

    def finish(self, comment: str) -> None:
        page = self.page
        page.get_by_label("Would you like").fill(comment)
        page.get_by_role("button", name="Finish").click()
        expect(page.locator("h2")).to_have_text("Thank you!")
        self.look("thanks", page)

    def truth(self, frame: int) -> dict[str, Point | None]:
        rows = self._truth[self._clip()][frame]
        return {name: None if xy is None else (xy[0], xy[1]) for name, xy in zip(COCO17.joints, rows, strict=True)}

    def place_frame(self, frame: int) -> None:
        """Every joint by a click, the second one typed, hidden ones said to be."""
        page = self.page
        page.get_by_role("button", name=f"Frame {frame + 1}:").click()
        page.wait_for_selector(f"#picture[data-frame='{frame}']")
        for number, (name, xy) in enumerate(self.truth(frame).items()):
            words = name.replace("_", " ")
            expect(page.locator(".ask b")).to_have_text(words)
            if xy is None:
                page.keyboard.press("h")
            elif number == 1:
                page.get_by_label(f"{words} x").fill(f"{xy[0]:.1f}")
                page.get_by_label(f"{words} y").fill(f"{xy[1]:.1f}")
                page.get_by_label(f"{words} y").press("Enter")
                page.locator(f"[data-joint={COCO17.joints[number + 1]}] th").click()
                page.locator("#picture").focus()
            else:
                page.mouse.click(*on_screen(page, xy))
        expect(page.locator(".ask")).to_contain_text("All joints are placed")

    def correct_frame(self, frame: int) -> None:
        """Click what is wrong to its place; the rest stays as the model, and the repair of earlier fixes, has it."""
        page = self.page
        page.wait_for_selector("[data-joint]")
        page.get_by_label("Frame", exact=True).and_(page.locator("input")).fill(str(frame))
        page.wait_for_selector(f"#picture[data-frame='{frame}']")
        expect(page.locator(".frame b").first).to_have_text(str(frame))
        task = next(task for task in self._design.tasks() if task.clip == self._clip())
        radii = tolerances(COCO17, task.scale, self._design.tolerance)
        for (name, xy), radius in zip(self.truth(frame).items(), radii, strict=True):
            if xy is not None and math.dist(self._at(name), xy) > 0.7 * radius:
                self._move(name, xy, radius)

    def _move(self, name: str, xy: Point, radius: float) -> None:
        page = self.page
        page.locator(f"[data-joint={name}]").click()
        page.locator("#picture").focus()
        page.keyboard.press("0")
        page.keyboard.press("p")
        page.mouse.click(*on_screen(page, xy))
        for _ in range(400):
            if math.dist(self._at(name), xy) <= 0.7 * radius:
                return
            page.wait_for_timeout(50)
        raise AssertionError(f"{name} is at {self._at(name)}, not at {xy}")

    def _at(self, name: str) -> Point:
        said = self.page.get_attribute(f"[data-joint={name}]", "data-xy") or ""
        return tuple(float(v) for v in said.split()) if said else (math.inf, math.inf)  # type: ignore[return-value]

    def _clip(self) -> str:
        return self.page.get_attribute(".studybar", "data-clip") or ""
