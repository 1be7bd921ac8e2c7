"""The picture of load.py: each request by the length of the journal, annotators together, memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

# Of the palette of M. Okabe and K. Ito (2008); dashes tell the requests apart without colours too.
STYLES = {
    "edit": ("#0068a5", "solid"), "undo": ("#b34700", (0, (5, 2))), "redo": ("#8a6d00", (0, (3, 1, 1, 1))),
    "queue": ("#16202b", (0, (1, 1.5))), "counts": ("#7d8fa0", "solid"), "next run": ("#008a64", "dashed"),
    "effort": ("#a54a8a", "solid"), "frames": ("#52606e", (0, (4, 1))),
}  # fmt: skip
SOFT, LINE = "#52606e", "#d9dfe6"


def draw(found: dict[str, Any], path: Path) -> None:
    """Write the panels as a picture; the kind by its ending."""
    with_memory = "memory" in found
    figure = Figure(figsize=(12 if with_memory else 8.6, 3.8), layout="constrained", facecolor="white")
    panels = figure.subplots(1, 3 if with_memory else 2)
    _journal(panels[0], found["journal"])
    _annotators(panels[1], found)
    if with_memory:
        panels[2].plot(*zip(*found["memory"], strict=True), color="#0068a5")
        panels[2].set_ylim(0)
        _dressed(panels[2], "memory of the server", "requests answered", "MB")
    figure.savefig(path, metadata={"Date": None})


def _journal(axes: Any, journal: dict[str, Any]) -> None:
    lengths = [int(length) for length in journal]
    for kind, (colour, dashes) in STYLES.items():
        places = [max(length, 1) for length in lengths]
        axes.plot(
            places, [rows[kind]["p50"] for rows in journal.values()], "o", ls=dashes, color=colour, ms=3, label=kind
        )
    axes.set_xscale("log")
    axes.set_xticks([max(length, 1) for length in lengths], [f"{length:,}" for length in lengths], minor=False)
    axes.set_ylim(0)
    axes.legend(frameon=False, fontsize=8, ncols=2)
    _dressed(axes, "one request by the length of the journal", "edits in the journal", "p50, ms")


def _annotators(axes: Any, found: dict[str, Any]) -> None:
    names = [name for name in ("annotators", "with other work") if name in found]
    kinds = list(STYLES)
    for place, name in enumerate(names):
        label = "20 annotators" + (" and other work" if place else "")
        heights = [found[name].get(kind, {}).get("p95", 0.0) for kind in kinds]
        at = [number + 0.4 * place for number in range(len(kinds))]
        axes.bar(at, heights, 0.38, color=("#0068a5", "#e0a16b")[place], label=label)
    axes.axhline(150, color="#b34700", lw=1, ls="dashed")
    axes.set_xticks([number + 0.2 for number in range(len(kinds))], kinds, rotation=35, fontsize=8)
    axes.legend(frameon=False, fontsize=8)
    _dressed(axes, "20 annotators at once", "", "p95, ms")


def _dressed(axes: Any, title: str, across: str, up: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_xlabel(across, color=SOFT)
    axes.set_ylabel(up, color=SOFT)
    axes.grid(axis="y", color=LINE, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
