"""The numbers behind the report's pictures: axes, the ladder, the curve. The template turns them into SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emc.pose.metrics import too_few
from emc.stages.report.wording import interval, number

Document = Mapping[str, Any]
LEAST_SPAN = 1.0
"""Points of PCKh: no axis shows less, or differences of 1e-11 would fill the picture."""
LETTER = 8.5
"""Pixels kept free per letter of a label: its mean width, and room for the larger type of small screens."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis: values low..high lie at pixels start..end; `ticks` are (pixel, text)."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[tuple[float, str], ...] = ()

    def at(self, value: float) -> float:
        """Return the pixel of a value, to a tenth."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


@dataclass(frozen=True, slots=True)
class LadderPoint:
    """One checkpoint in the picture; bars are pixel spans (None: no interval); the label is placed to overlap none."""

    step: int
    label: str
    title: str
    x: float
    y: float
    x_bar: tuple[float, float] | None
    y_bar: tuple[float, float] | None
    chosen: bool
    refused: bool
    reason: str
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class LadderPlot:
    """The ladder: common score to the right, target score up, both in percent.

    limit : the margin's line. path : the checkpoints in the order of training. front : the stairs through those that no
    other one beats on both scores (the Pareto front).
    """

    x: Axis
    y: Axis
    points: tuple[LadderPoint, ...]
    limit: float | None
    part: str
    path: str
    front: str


@dataclass(frozen=True, slots=True)
class CurvePlot:
    """PCKh over alpha for one population.

    lines : (name, polyline, area in percent). alpha : the pixel of the scores' own alpha.
    """

    title: str
    x: Axis
    y: Axis
    lines: tuple[tuple[str, str, str], ...]
    alpha: float


def axis(low: float, high: float, start: float, end: float, ticks: int = 5, least: float = LEAST_SPAN) -> Axis:
    """Return an axis over low..high widened by a twelfth, with about `ticks` round values.

    least : the smallest range that is drawn. Values closer together are no different to the eye of whoever reads
    scores with one decimal; the range is then centred on them, and kept within 0 and 100 where they lie there.
    """
    if high - low < least:
        middle = (low + high) / 2
        if low >= 0 and high <= 100:
            middle = min(max(middle, least / 2), 100 - least / 2)
        low, high = middle - least / 2, middle + least / 2
    span = high - low
    low, high = low - span / 12, high + span / 12
    step = _round_step((high - low) / ticks)
    first, digits = math.ceil(low / step), max(0, -math.floor(math.log10(step)))
    plain = Axis(low, high, start, end)
    values = [first * step + i * step for i in range(int((high - first * step) / step + 1e-9) + 1)]
    return Axis(low, high, start, end, tuple((plain.at(v), number(v, digits)) for v in values))


def ladder_plot(report: Document, width: int = 640, height: int = 430) -> LadderPlot | None:
    """Return the ladder's picture; None where `no_ladder` says why there is none."""
    if no_ladder(report):
        return None
    steps = [entry for entry in report["ladder"] if _total(entry) is not None]
    base = next(entry for entry in steps if entry["step"] == 0)
    parts = report["chosen"].get("parts") or ["leg"]
    scores = [(entry, _pooled(entry, parts), entry["common"]["pckh"]["total"]) for entry in steps]
    scores = [s for s in scores if s[1]["value"] is not None]
    budget = report["chosen"].get("budget")
    limit = None if budget is None else 100 * base["common"]["pckh"]["total"]["value"] - budget
    xs = [v for _, _, common in scores for v in _ends(common)] + ([] if limit is None else [limit])
    ys = [v for _, target, _ in scores for v in _ends(target)]
    x, y = axis(min(xs), max(xs), 64, width - 24), axis(min(ys), max(ys), height - 56, 20)
    refusals = report["chosen"].get("refused")
    points: list[LadderPoint] = []
    marks = [(x.at(100 * c["value"]), y.at(100 * t["value"])) for _, t, c in scores]
    for entry, target, common in scores:
        reason = _refusal(entry, refusals, 100 * common["value"], limit)
        points.append(_point(entry["step"], target, common, x, y, report["chosen"]["step"], reason, points, marks))
    path = " ".join(f"{p.x},{p.y}" for p in points)
    at_limit = None if limit is None else x.at(limit)
    return LadderPlot(x, y, tuple(points), at_limit, " + ".join(parts), path, _front(points))


def no_ladder(report: Document) -> str:
    """Return why the ladder is not drawn, "" where it is: without scores on both populations it has no second axis."""
    steps = [entry for entry in report["ladder"] if _total(entry) is not None]
    base = next((entry for entry in steps if entry["step"] == 0), None)
    if base is None:
        return "There is no common score to draw the ladder against"
    if len(steps) < 2:
        return "There is no second step to draw"
    parts = report["chosen"].get("parts") or ["leg"]
    for name, figure in (("target", _pooled(base, parts)), ("common", base["common"]["pckh"]["total"])):
        if figure["value"] is None:
            return f"No joint of {' + '.join(parts)} is labelled on the scored {name} persons, so no ladder is drawn"
        if too_few(figure):
            count = f"{figure['n']} labelled joint{'s' if figure['n'] != 1 else ''}"
            return f"The {name} has {count}, too few joints for a score, so no ladder is drawn"
    return ""


def curve_plot(
    before: Document | None, after: Document | None, part: str, title: str, size: tuple[int, int] = (420, 270)
) -> CurvePlot | None:
    """Return the PCKh curve of one population before and after; None where either was not scored, or on too few."""
    if not before or not after or not before.get("curve") or not after.get("curve"):
        return None
    if too_few(before["curve"]["area"].get(part)):
        return None
    plain = [Axis(0, 1, 44, size[0] - 12), Axis(0, 1, size[1] - 40, 12)]
    x, y = (
        Axis(a.low, a.high, a.start, a.end, tuple((a.at(v / 5), t) for v, t in enumerate(texts)))
        for a, texts in zip(
            plain, (["0", ".2", ".4", ".6", ".8", "1"], ["0", "20", "40", "60", "80", "100"]), strict=True
        )
    )
    lines: list[tuple[str, str, str]] = []
    for name, population in (("before", before), ("after", after)):
        values = population["curve"]["pckh"].get(part)
        if values is None:
            return None
        pairs = zip(population["curve"]["alphas"], values, strict=True)
        area = population["curve"]["area"][part]["value"]
        lines.append(
            (name, " ".join(f"{x.at(a)},{y.at(v)}" for a, v in pairs), number(None if area is None else 100 * area))
        )
    return CurvePlot(title, x, y, tuple(lines), x.at(min(1.0, float(before["alpha"]))))


def _round_step(raw: float) -> float:
    size = 10.0 ** math.floor(math.log10(raw))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw * 0.8)


def _total(entry: Document) -> float | None:
    return entry["common"]["pckh"]["total"]["value"] if entry.get("common") else None


def _pooled(entry: Document, parts: Sequence[str]) -> Document:
    figures = [entry["target"]["pckh"][part] for part in parts if entry["target"]["pckh"].get(part)]
    if len(figures) == 1:
        return figures[0]
    counted = [figure for figure in figures if figure["value"] is not None and figure["n"]]
    n = sum(figure["n"] for figure in counted)
    value = sum(figure["value"] * figure["n"] for figure in counted) / n if n else None
    return {"value": value, "ci95": None, "n": n}


def _ends(figure: Document) -> list[float]:
    return [100 * v for v in (figure["value"], *(figure["ci95"] or ()))]


def _point(
    step: int,
    target: Document,
    common: Document,
    x: Axis,
    y: Axis,
    chosen: int,
    reason: str,
    placed: Sequence[LadderPoint],
    marks: Sequence[tuple[float, float]],
) -> LadderPoint:
    at = (x.at(100 * common["value"]), y.at(100 * target["value"]))
    label = "base" if step == 0 else f"{step:,}".replace(",", "\N{THIN SPACE}")
    if step == chosen:
        label += " \N{EM DASH} chosen"
    title = f"{'base' if step == 0 else f'step {step}'}: target {_said(target)}, common {_said(common)}"
    title += f"; refused: {reason}" if reason else ""
    dx, dy, anchor = _free_place(at, len(label) * LETTER, placed, marks)
    bars = [
        None if not figure["ci95"] else (a.at(100 * figure["ci95"][0]), a.at(100 * figure["ci95"][1]))
        for a, figure in ((x, common), (y, target))
    ]
    return LadderPoint(
        step, label, title, *at, bars[0], bars[1], step == chosen, bool(reason), reason, at[0] + dx, at[1] + dy, anchor
    )  # fmt: skip


def _refusal(entry: Document, refusals: Document | None, common: float, limit: float | None) -> str:
    """Return why a checkpoint was refused: the rule's own reason where it is told, else by the drawn scores."""
    if refusals is not None:
        return str(refusals.get(str(entry["step"]), ""))
    if limit is None or common >= limit - 1e-9:
        return ""
    return f"common {number(limit - common)} points below the margin's line"


def _front(points: Sequence[LadderPoint]) -> str:
    """Return the stairs from the best target score to the best common one, pixels (y grows downwards)."""
    best = [p for p in points if not any(q.x >= p.x and q.y <= p.y and (q.x > p.x or q.y < p.y) for q in points)]
    stairs: list[str] = []
    for p in sorted(best, key=lambda p: (p.x, p.y)):
        if stairs:
            stairs.append(f"{stairs[-1].split(',')[0]},{p.y}")
        stairs.append(f"{p.x},{p.y}")
    return " ".join(stairs)


def _said(figure: Document) -> str:
    return f"{number(100 * figure['value'])} {interval(figure, 100)}".strip()


def _free_place(
    at: tuple[float, float], width: float, placed: Sequence[LadderPoint], marks: Sequence[tuple[float, float]]
) -> tuple[float, float, str]:
    """Return an offset and anchor for a label that overlaps neither label nor mark; the first one if none is free."""
    places = [(dx, dy) for dy in (-10, 21, -26, 37) for dx in (11, -11)]
    taken = [_extent(p.label_x, p.label_y, len(p.label) * LETTER, p.anchor) for p in placed]
    taken += [(x - 7, y - 7, x + 7, y + 7) for x, y in marks]
    for dx, dy in places:
        anchor = "start" if dx > 0 else "end"
        mine = _extent(at[0] + dx, at[1] + dy, width, anchor)
        inside = mine[0] > 66 and mine[2] < 636
        if inside and not any(_overlap(mine, other) for other in taken):
            return dx, dy, anchor
    return places[0][0], places[0][1], "start"


def _extent(x: float, y: float, width: float, anchor: str) -> tuple[float, float, float, float]:
    left = x if anchor == "start" else x - width
    return (left, y - 12, left + width, y + 3)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
