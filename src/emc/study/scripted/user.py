"""Somebody who works in the editor's page, in a real browser: looks, decides, moves, checks, and is timed by a model.

The page is all that the scripted user has: it sees what is drawn (`sight`), hears what is announced, presses
keys and moves the pointer. Where joints really are it knows from an `Oracle`, with a person's lapses and unsteady
hand. Each action is logged with what the cost model needs. Needs Playwright (``pip install playwright``) and Chromium.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from emc.study.scripted.actions import Action, Move
from emc.study.scripted.oracle import Oracle
from emc.study.scripted.sight import PATIENCE, REST, STUCK, PageStuck, Point, SeenTile, Sight, look, sight_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

GRAB_PIXELS = 28.0
"""Width of what a press takes hold of: a marker and the reach around it (``web/src/canvas/pointer.ts``)."""


class ScriptedUser:
    """The hands and eyes of a policy; `log` holds what was done.

    page : the editor, opened. oracle : what the person knows. sight : the page when it last came to rest. journal :
    tells how many edits the project holds; for the log alone, which then says of each action whether it stored one: a
    drag of three pixels is a click, and what is confirmed already is not confirmed again.
    """

    def __init__(self, page: Page, oracle: Oracle, journal: Callable[[], int] | None = None) -> None:
        self.page = page
        self.oracle = oracle
        self._journal = journal
        self._stored = journal() if journal else 0
        self.log: list[Action] = []
        size = page.viewport_size or {"width": 1600, "height": 900}
        self.pointer: Point = (size["width"] / 2, size["height"] / 2)
        page.mouse.move(*self.pointer)
        self.sight = look(page)
        self._settled(lambda: None)

    def look(self) -> Sight:
        """Return what the page showed when it last came to rest."""
        return self.sight

    def key(self, stroke: str, kind: str, moved: bool = False, **told: Any) -> Sight:
        """Press a key and look; `moved`: wait until the page shows or says something else than before."""
        waited = self._settled(lambda: self.page.keyboard.press(stroke), moved)
        self._note(Action(kind, keys=2 if "+" in stroke else 1, waited=waited, **told))
        return self.look()

    def glance(self, kind: str, glances: int = 0, frame: int = -1, joint: int = -1) -> None:
        """Look at something for as long as the rules say; nothing is touched."""
        self.log.append(Action(kind, frame=frame, joint=joint, glances=glances))

    def free(self, act: Callable[[], object]) -> Sight:
        """Do what a classic tool would not need, and is not charged for."""
        self._settled(act)
        return self.look()

    def place(self, sight: Sight, joint: int, kind: str, wait: bool = True) -> None:
        """Click where the armed joint belongs; the view is fitted first where that lies off the screen."""
        sight = self._fitted(sight, [self.oracle.belongs(sight.frame, joint)], kind != "click")
        zoom = sight.view[0]
        xy = self.oracle.place(sight.frame, joint, zoom)
        move = self._aim(sight.on_screen(xy), self.oracle.width(sight.frame, joint, zoom))
        waited = self._settled(lambda: self._click(sight.on_screen(xy))) if wait else self._click_on(sight, xy)
        action = Action(kind, sight.frame, joint, presses=2, moves=(move,), stores=True, corrects=True, waited=waited)
        self._note(action, wait)

    def drag(self, sight: Sight, joint: int, kind: str = "drag", wait: bool = True) -> None:
        """Take a joint where it is drawn, and let it go where it belongs."""
        drawn = sight.joints[joint].xy
        if drawn is None:
            raise PageStuck(f"joint {joint} of frame {sight.frame} is not drawn: place it instead of dragging it")
        sight = self._fitted(sight, [drawn, self.oracle.belongs(sight.frame, joint)])
        zoom = sight.view[0]
        start, end = sight.on_screen(drawn), sight.on_screen(self.oracle.place(sight.frame, joint, zoom))
        take = self._aim(start, GRAB_PIXELS)
        self.pointer = start
        width = self.oracle.width(sight.frame, joint, zoom)
        carry = replace(self._aim(end, width), held=True)
        # Less than the editor takes for a drag would be a click: such a joint is not wrong enough to be moved.
        waited = self._settled(lambda: self._carry(start, end)) if wait else self._now(lambda: self._carry(start, end))
        moved = self.sight.joints[joint].xy != drawn if wait else math.dist(start, end) >= 4
        self._note(
            Action(
                kind, sight.frame, joint, presses=2, moves=(take, carry), stores=moved, corrects=moved, waited=waited
            ),
            wait,
        )

    def place_in_tile(self, tile: SeenTile, joint: int) -> tuple[Sight, bool]:
        """Click in a tile of the contact sheet where the joint belongs; return whether it lies inside of the tile."""
        xy = self.oracle.place(tile.frame, joint, tile.zoom)
        left, top, width, height = tile.box
        x, y = tile.on_screen(xy)
        # What lies outside of the cut cannot be clicked: its border is the nearest that a person can do.
        at = (min(max(x, left + 1), left + width - 2), min(max(y, top + 1), top + height - 2))
        move = self._aim(at, self.oracle.width(tile.frame, joint, tile.zoom))
        waited = self._settled(lambda: self._click(at))
        self._note(
            Action("fix_tile", tile.frame, joint, presses=2, moves=(move,), stores=True, corrects=True, waited=waited)
        )
        return self.look(), tile.shows(xy)

    def _note(self, action: Action, settled: bool = True) -> None:
        """Log an action; where the page came to rest after it, by what the journal holds now."""
        if self._journal and settled:
            before, self._stored = self._stored, self._journal()
            stores = self._stored > before
            action = replace(action, stores=stores, corrects=action.corrects and stores)
        else:
            self._stored += action.stores
        self.log.append(action)

    def _fitted(self, sight: Sight, places: Sequence[Point], charged: bool = True) -> Sight:
        """Return the sight with all these places on the screen: a key fits the person, a second one the whole frame."""
        for stroke in ("f", "0"):
            if all(sight.shows(place) for place in places):
                break
            press = partial(self.page.keyboard.press, stroke)
            sight = self.key(stroke, "step") if charged else self.free(press)
        return sight

    def _aim(self, to: Point, width: float) -> Move:
        return Move(math.dist(self.pointer, to), width)

    def _click(self, at: Point) -> None:
        self.page.mouse.click(*at)
        self.pointer = at

    def _click_on(self, sight: Sight, xy: Point) -> float:
        self._click(sight.on_screen(xy))
        return 0.0

    def _carry(self, start: Point, end: Point) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        mouse.move(*end)
        mouse.up()
        self.pointer = end

    def _now(self, act: Callable[[], object]) -> float:
        act()
        return 0.0

    def _settled(self, act: Callable[[], object], moved: bool = False) -> float:
        """Do something, wait until the page is at rest, and return the seconds between; raises `PageStuck`."""
        start = time.perf_counter()
        act()
        raw = self.page.evaluate(REST, [self.sight.said, moved, PATIENCE])
        if raw is None:
            now = self.page.evaluate(STUCK)
            raise PageStuck(
                f"the page is not at rest after {PATIENCE / 1000:g} s (it showed '{self.sight.said}', now '{now}'): "
                "run this clip again"
            )
        self.sight = sight_of(raw)
        return time.perf_counter() - start
