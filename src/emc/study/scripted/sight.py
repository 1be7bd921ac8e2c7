"""What the editor's page shows and says, read from the page itself: nothing of the server or the project is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emc.errors import EmcError

if TYPE_CHECKING:
    from playwright.sync_api import Page

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SeenJoint:
    """A joint as it is drawn: `xy` pixels of the frame (None: not drawn), who says so, whether it has a flag's ring."""

    xy: Point | None
    provenance: int
    flagged: bool


@dataclass(frozen=True, slots=True)
class SeenTile:
    """A picture of the contact sheet: `xy` the joint's place in the frame (None: no cross).

    middle : the place in the frame that it shows in its middle. side : pixels of the frame that it shows. box : x, y,
    width, height on the screen. changed : the page marks it as changed by the last action.
    """

    frame: int
    xy: Point | None
    middle: Point
    side: float
    box: tuple[float, float, float, float]
    changed: bool = False

    @property
    def zoom(self) -> float:
        """Pixels of the screen for each pixel of the frame."""
        return self.box[2] / self.side

    def on_screen(self, xy: Point) -> Point:
        """Return where a place of the frame lies on the screen."""
        left, top, width, height = self.box
        return (
            left + width * ((xy[0] - self.middle[0]) / self.side + 0.5),
            top + height * ((xy[1] - self.middle[1]) / self.side + 0.5),
        )

    def shows(self, xy: Point) -> bool:
        """Return whether a place of the frame lies inside of the picture, where it can be clicked."""
        return all(abs(at - middle) < self.side / 2 for at, middle in zip(xy, self.middle, strict=True))


@dataclass(frozen=True, slots=True)
class Sight:
    """The page at one moment.

    joint : the active one, -1 for none. armed : it waits for a click. view : scale and offset of the frame on the
    screen. room : x, y, width, height of the picture on the screen. run : first and last frame of the run that the page
    names, None where it names none. candidates : (key, place). tiles : of the contact sheet, None while it is closed.
    heard : what the page announced last. said : all that tells one moment from another.
    """

    frame: int
    frames: int
    joint: int
    armed: bool
    view: tuple[float, float, float]
    room: tuple[float, float, float, float]
    joints: tuple[SeenJoint, ...]
    run: tuple[int, int] | None
    candidates: tuple[tuple[str, Point], ...]
    tiles: tuple[SeenTile, ...] | None
    sheet: str
    heard: str
    said: str

    def on_screen(self, xy: Point) -> Point:
        """Return where a place of the frame lies on the screen."""
        scale, x, y = self.view
        return xy[0] * scale + x, xy[1] * scale + y

    def shows(self, xy: Point) -> bool:
        """Return whether a place of the frame lies on the screen, where it can be clicked."""
        left, top, width, height = self.room
        x, y = self.on_screen(xy)
        return left < x < left + width and top < y < top + height


SEE = """() => {
  const one = (selector) => document.querySelector(selector);
  const numbers = (text) => (text || '').split(' ').filter(Boolean).map(Number);
  const picture = one('#picture'), box = picture.getBoundingClientRect();
  const [scale, x, y] = numbers(picture.dataset.view);
  const joints = [...document.querySelectorAll('[data-joint]')];
  const body = one('.sheet-body');
  const tiles = body && [...body.querySelectorAll('.tile')].map((tile) => {
    const image = tile.querySelector('img'), at = image.getBoundingClientRect();
    const asked = new URL(image.src).searchParams;
    return { frame: Number(tile.dataset.frame), middle: [Number(asked.get('x')), Number(asked.get('y'))],
      side: Number(asked.get('side')), placed: Boolean(tile.querySelector('.cross')),
      changed: tile.classList.contains('changed'),
      box: [at.left, at.top, at.width, at.height] };
  });
  return { frame: Number(one('.frame b').innerText), frames: Number(one('.frame small').innerText.replace('/', '')) + 1,
    joint: joints.findIndex((row) => row.ariaPressed === 'true'), armed: Boolean(one('.jointbar .soft')
      && one('.jointbar .soft').innerText.includes('click to place')),
    view: [scale, x + box.left, y + box.top], room: [box.left, box.top, box.width, box.height],
    joints: joints.map((row) => ({ xy: row.dataset.visibility === 'absent' ? [] : numbers(row.dataset.xy),
      provenance: Number(row.dataset.provenance), flagged: row.classList.contains('flagged') })),
    run: one('.run-words') ? one('.run-words').innerText : '',
    candidates: [...document.querySelectorAll('.candidates button')].map((each) =>
      [each.querySelector('kbd').innerText, numbers(each.dataset.xy)]),
    tiles, sheet: one('dialog.contact h2') ? one('dialog.contact h2').innerText : '',
    heard: [...document.querySelectorAll('[aria-live]')].map((each) => each.innerText.trim()).join(' '),
    said: [picture.dataset.drawn, one('p.spoken').innerText, one('dialog.contact h2')
      ? one('dialog.contact h2').innerText : ''].join('|') };
}"""

# At rest: all is stored, the picture shows what the page is at, and an open sheet is filled. `moved`: not as before.
REST = """async ([before, moved, patience]) => {
  const see = %SEE%;
  const one = (selector) => document.querySelector(selector);
  const said = () => [one('#picture').dataset.drawn, one('p.spoken').innerText, one('dialog.contact h2')
    ? one('dialog.contact h2').innerText : ''].join('|');
  const rest = () => one('.saving').innerText === 'saved' && Boolean(one('#picture').dataset.drawn)
    && !document.querySelector('[aria-busy=true]');
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const started = performance.now();
  if (!moved) { await frame(); await frame(); }
  while (performance.now() - started < patience) {
    if (rest() && (!moved || said() !== before)) return see();
    await frame();
  }
  return null;
}""".replace("%SEE%", SEE)
STUCK = """() => [document.querySelector('.saving').innerText, document.querySelector('#picture').dataset.drawn,
  document.querySelectorAll('[aria-busy=true]').length, document.activeElement.className].join(', ')"""
PATIENCE = 60_000
"""Milliseconds after which a page that does not come to rest is taken for broken."""


class PageStuck(EmcError):
    """The page did not come to rest, or does not show what it should."""


def look(page: Page) -> Sight:
    """Return what the page shows now."""
    return sight_of(page.evaluate(SEE))


def sight_of(raw: Mapping[str, Any]) -> Sight:
    """Return the page's answer as a record."""
    return Sight(
        frame=int(raw["frame"]),
        frames=int(raw["frames"]),
        joint=int(raw["joint"]),
        armed=bool(raw["armed"]),
        view=(raw["view"][0], raw["view"][1], raw["view"][2]),
        room=(raw["room"][0], raw["room"][1], raw["room"][2], raw["room"][3]),
        joints=tuple(
            SeenJoint(_point(row["xy"]), int(row["provenance"]), bool(row["flagged"])) for row in raw["joints"]
        ),
        run=run_of(raw["run"]),
        candidates=tuple((key, (xy[0], xy[1])) for key, xy in raw["candidates"] if len(xy) == 2),
        tiles=None if raw["tiles"] is None else tuple(_tile(row) for row in raw["tiles"]),
        sheet=raw["sheet"],
        heard=raw["heard"],
        said=raw["said"],
    )


def run_of(words: str) -> tuple[int, int] | None:
    """Return the frames that words such as "frames 12–17, 2 of 6 done" or "frame 4" name, None where none."""
    head = words.split(",")[0].strip()
    for start in ("frames ", "frame "):
        if head.startswith(start):
            parts = head.removeprefix(start).split("–")
            return int(parts[0]), int(parts[-1])
    return None


def _tile(row: Mapping[str, Any]) -> SeenTile:
    middle = (float(row["middle"][0]), float(row["middle"][1]))
    left, top, width, height = (float(value) for value in row["box"])
    return SeenTile(
        int(row["frame"]),
        middle if row["placed"] else None,
        middle,
        float(row["side"]),
        (left, top, width, height),
        bool(row.get("changed")),
    )


def _point(values: list[float]) -> Point | None:
    return (float(values[0]), float(values[1])) if len(values) == 2 else None
