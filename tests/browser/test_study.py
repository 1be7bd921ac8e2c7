"""A study from the invitation to the figure, by two scripted participants (AB and BA) in two browsers at once."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.browser.study_page import Participant, study_served
from tests.small_study import small_study
from typer.testing import CliRunner

from emc.cli.main import app

pytestmark = pytest.mark.browser
SIZE = {"width": 1366, "height": 768}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_study(tmp_path)


@pytest.fixture
def other(chromium: Browser) -> Iterator[Browser]:
    """A second Chromium."""
    args = ["--no-sandbox"]
    made = chromium.browser_type.launch(executable_path=_path(), args=args)
    yield made
    made.close()


def _path() -> str | None:
    import shutil

    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def test_two_participants_at_once_from_start_to_analysis(
    chromium: Browser, other: Browser, folder: Path, tmp_path: Path
):
    with study_served(folder) as address:
        people = [
            Participant(browser.new_context(viewport=SIZE), address, folder)  # type: ignore[arg-type]
            for browser in (chromium, other)
        ]
        going = [person.take_part() for person in people]
        said: list[list[str]] = [[], []]
        while any(going):
            for number, work in enumerate(going):
                if work is None:
                    continue
                word = next(work, None)
                if word is None:
                    going[number] = None  # type: ignore[call-overload]
                else:
                    said[number].append(word)
        assert [person.errors for person in people] == [[], []]
        for person in people:
            person.context.close()
    methods = [words[1:] for words in said]
    by_hand, edited = ["classic"] * 3, ["editor"] * 3
    assert sorted(methods) == [by_hand + edited, edited + by_hand]

    out = tmp_path / "results"
    told = CliRunner().invoke(app, ["study", "analyse", str(folder), "--out", str(out), "--json"])
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert (document["people"], document["finished"], document["simulated"]) == (2, 2, 2)
    assert document["ratio"]["ratio"]["value"] > 0 and document["ratio"]["ratio"]["ci95"] is None
    for method in ("classic", "editor"):
        assert [point["frames"] for point in document["curves"][method]] == [2, 4]
        assert document["methods"][method]["share"]["value"] >= 0.95
        assert document["methods"][method]["tlx"]["value"] == pytest.approx(27.5)
    with (out / "stamps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 2
    assert all(float(row["seconds"]) > 0 for row in rows)
    assert (out / "figure.png").read_bytes()[:4] == b"\x89PNG"
    _page_shows_figure(chromium, out / "study.html")


def _page_shows_figure(chromium: Browser, file: Path) -> None:
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    box = page.locator("svg").bounding_box()
    assert box is not None and box["width"] > 600
    expect(page.locator(".warn")).to_contain_text("2 of the 2 participants who finished a trial are simulated")
    assert asked == [file.as_uri()]  # Nothing else is fetched.
    page.close()


@pytest.fixture
def person(chromium: Browser, folder: Path) -> Iterator[Callable[[str], Participant]]:
    contexts: list[BrowserContext] = []

    def joining(address: str) -> Participant:
        contexts.append(chromium.new_context(viewport=SIZE))  # type: ignore[arg-type]
        return Participant(contexts[0], address, folder)

    yield joining
    for context in contexts:
        context.close()


def _to_classic(person: Participant) -> Page:
    """Join and begin practising by hand."""
    person.join()
    person.begin()
    return person.page


def test_pause_crash_and_new_server_lose_nothing(person: Callable[[str], Participant], folder: Path):
    with study_served(folder) as address:
        port = int(address.split(":")[2].split("/")[0])
        someone = person(address)
        page = _to_classic(someone)
        assert someone.method == "classic"  # Seed 0 puts the first participant in group AB.
        someone.place_frame(0)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("dialog h2")).to_have_text("Pause")
        page.keyboard.press("z")  # Keys do nothing to the work below.
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("button", name="Frame 1: 17 of 17 joints")).to_be_visible()
    # The server is gone: the joint waits in the browser, also over a crash of the page.
    page.locator("[data-joint=nose] th").click()
    page.get_by_label("nose x").fill("77")
    page.get_by_label("nose x").press("Enter")
    expect(page.locator(".beyond")).to_contain_text("Not stored yet")
    page.close(run_before_unload=False)
    with study_served(folder, port) as address:
        page = someone.open()
        expect(page.locator("dialog h2")).to_have_text("Welcome back")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_label("nose x")).to_have_value("77", timeout=30_000)
        assert someone.errors == []


def test_frames_that_are_not_right_are_named_and_withdrawing_deletes(
    person: Callable[[str], Participant], folder: Path
):
    with study_served(folder) as address:
        someone = person(address)
        page = _to_classic(someone)
        page.locator(".studybar .check").click()
        expect(page.locator("dialog h2")).to_have_text("Not quite yet")
        expect(page.get_by_role("button", name="Frame 1: 16 not right")).to_be_visible()
        # In practice one failed check is enough to go on.
        page.get_by_role("button", name="Leave these frames").click()
        expect(page.locator("h2")).to_contain_text("Now for real")
        page.get_by_role("button", name="Start").click()
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Withdraw").click()
        page.get_by_role("button", name="Delete and leave").click()
        expect(page.locator("h2")).to_have_text("You have withdrawn")
    assert not list((folder / "sessions").glob("*.jsonl"))
