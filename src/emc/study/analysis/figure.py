"""The source's figure: cumulative time per ten frames with 95 % intervals, and accuracy beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from emc.study.analysis.analysis import CurvePoint, StudyResult, simulated_words
from emc.study.analysis.tables import StudyTables
from emc.study.plan import Method

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of the palette of M. Okabe and K. Ito (2008): told apart with any kind of colour blindness; markers and dashes too.
STYLES = {
    Method.CLASSIC: ("#b34700", "s", (0, (5, 2)), "classic: every joint placed or typed"),
    Method.EDITOR: ("#0068a5", "o", "solid", "editor"),
}
LEAST_SPAN = 5.0
"""Points: no axis of shares shows less, or a difference of one rounding error would fill it."""
INK, SOFT, LINE = "#16202b", "#52606e", "#d9dfe6"


def draw_figure(result: StudyResult, tables: StudyTables) -> Figure:
    """Return the figure: left minutes of work over frames, right the share of joints right in each stretch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.4), layout="constrained", facecolor="white")
    times, shares = figure.subplots(1, 2, width_ratios=(3, 2))
    longest = max((row.seconds for row in tables.stamps), default=60.0)
    unit, word = (60.0, "minutes") if longest >= 120 else (1.0, "seconds")
    for method, (colour, marker, dashes, label) in STYLES.items():
        points = result.curves[str(method)]
        if not points:
            continue
        _people(times, tables, str(method), colour, unit)
        _line(times, points, "seconds", unit, {"color": colour, "marker": marker, "linestyle": dashes, "label": label})
        _line(shares, points, "share", 0.01, {"color": colour, "marker": marker, "linestyle": dashes, "label": label})
    who = simulated_words(result)
    mark = f" ({who})" if who else ""
    _dressed(times, f"Working time so far{mark}", f"{word} of work (idle time and pauses left out)")
    _dressed(shares, "Joints right at hand-in", "% of the joints that count")
    times.set_ylim(bottom=0)
    shares.set_ylim(min(shares.get_ylim()[0], 100 - LEAST_SPAN), 100.8)
    handles, labels = times.get_legend_handles_labels()
    if handles:
        times.legend(handles, labels, frameon=False, loc="upper left", fontsize=9)
    return figure


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as ``svg`` or ``png``; the same figure gives the same bytes."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"svg.hashsalt": "emc", "svg.fonttype": "none"}):
        figure.savefig(buffer, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()


def _people(axes: Axes, tables: StudyTables, method: str, colour: str, unit: float) -> None:
    for person in sorted({row.person for row in tables.stamps}):
        rows = [row for row in tables.stamps if row.person == person and row.method == method]
        axes.plot(
            [0, *(r.frames for r in rows)], [0, *(r.seconds / unit for r in rows)], color=colour, lw=0.8, alpha=0.3
        )


def _line(axes: Axes, points: tuple[CurvePoint, ...], name: str, unit: float, style: dict[str, Any]) -> None:
    figures = [getattr(point, name) for point in points]
    values = [figure.value / unit for figure in figures]
    low = [0 if f.ci95 is None else (f.value - f.ci95[0]) / unit for f in figures]
    high = [0 if f.ci95 is None else (f.ci95[1] - f.value) / unit for f in figures]
    axes.errorbar([p.frames for p in points], values, yerr=[low, high], lw=2, ms=6, capsize=4, elinewidth=1.3, **style)


def _dressed(axes: Axes, title: str, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel("frames done", color=SOFT)
    axes.set_ylabel(unit, color=SOFT)
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
