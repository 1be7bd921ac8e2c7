"""What a person does with the editor's page, and where tests look for what came of it."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from emc.pose.records import Pose
from emc.server.app import create_app
from emc.server.security import Access
from emc.workflow.project.folder import open_project

CLIP = "front_kick_00007"
Point = tuple[float, float]


class Command:
    """`emc edit`, as a user starts it."""

    def __init__(self, project: Path, port: int | None = None, *more: str, password: str = "") -> None:
        command = [sys.executable, "-m", "emc", "edit", "--no-browser", "--project", str(project)]
        # A port of one's own: another editor on this machine must not take it while this one is started anew.
        command += ["--port", str(port or free_port()), *more]
        environ = {**os.environ, "EMC_PASSWORD": password}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert "?token=" in self.address, self._process.communicate()[1]

    @property
    def port(self) -> int:
        return int(self.address.split(":")[2].split("/")[0])

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def served(project: Path) -> Iterator[str]:
    """The address of the same server, run by this process: it starts in no time."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        access = Access("token-of-the-test", port=port)
        app = create_app(project, access.token, access=access)
        config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/?token={access.token}"
        server.should_exit = True
        thread.join()


def show(context: BrowserContext, address: str, errors: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda message: errors.append(told(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    ready(page)
    return page


def told(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


def ready(page: Page) -> None:
    page.wait_for_selector("#picture[data-frame]")
    page.wait_for_selector("[data-joint]")


def joint(page: Page, name: str) -> Point:
    """Where the page says a joint of the chosen person is, in pixels of the frame."""
    x, y = (page.get_attribute(f"[data-joint={name}]", "data-xy") or "").split()
    return float(x), float(y)


def row(page: Page, name: str) -> Any:
    return page.locator(f"[data-joint={name}]")


def view(page: Page) -> tuple[float, float, float]:
    scale, x, y = (float(part) for part in (page.get_attribute("#picture", "data-view") or "").split())
    return scale, x, y


def on_screen(page: Page, xy: Point) -> Point:
    scale, x, y = view(page)
    box = page.locator("#picture").bounding_box()
    assert box is not None
    return box["x"] + xy[0] * scale + x, box["y"] + xy[1] * scale + y


def drag(page: Page, name: str, dx: float, dy: float) -> Point:
    """Drag a joint by so many pixels of the screen; returns where it was."""
    before = joint(page, name)
    x, y = on_screen(page, before)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()
    return before


def drawn(page: Page) -> None:
    """Wait until what was done last is on the screen."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def saved(page: Page) -> None:
    drawn(page)
    expect(page.locator(".saving")).to_have_text("saved")


def go_to(page: Page, frame: int) -> None:
    """Show a frame, by the slider as a keyboard moves it."""
    page.get_by_label("Frame", exact=True).and_(page.locator("input")).fill(str(frame))
    expect(page.locator("#picture")).to_have_attribute("data-frame", str(frame))
    expect(page.locator(".frame b")).to_have_text(str(frame))
    page.locator("#picture").focus()


def repair(page: Page, on: bool) -> None:
    """Let each fix repair its run at once, or not."""
    button = page.locator(".jointbar button", has_text="auto")
    if (button.get_attribute("aria-pressed") == "true") != on:
        button.click()
    expect(button).to_have_attribute("aria-pressed", "true" if on else "false")
    page.locator("#picture").focus()


def edits(project: Path) -> list[Any]:
    with open_project(project) as store:
        return store.edits(CLIP)


def kinds(project: Path) -> list[str]:
    return [edit.kind for edit in edits(project)]


def pose(project: Path, frame: int, person: int = 0) -> Pose:
    with open_project(project) as store:
        return next(pose for pose in store.poses(CLIP, first=frame, last=frame) if pose.person == person)


def frame_of(page: Page) -> int:
    return int(page.locator(".frame b").inner_text())


def close_to(expected: Point, within: float = 0.02) -> Callable[[Point], bool]:
    return lambda found: math.dist(found, expected) <= within
