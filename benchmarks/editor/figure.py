"""Quality over simulated seconds, one line for each way of working: the picture of ergonomics.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

# Of the palette of M. Okabe and K. Ito (2008); dashes tell the ways apart without colours too.
STYLES = {
    "full": ("#0068a5", "solid", "our full way"),
    "drag_flagged": ("#b34700", (0, (5, 2)), "dragging what is flagged"),
    "click_all": ("#16202b", (0, (1, 1.5)), "clicking every joint"),
    "type_all": ("#8a6d00", (0, (3, 1, 1, 1)), "typing every joint"),
}
AWAY = ("#7d8fa0", "solid", "our way without one of its means")
SOFT, LINE = "#52606e", "#d9dfe6"


def draw(populations: dict[str, Any], path: Path) -> None:
    """Write one panel for each population (kicks or photos, and the model) as a picture; the kind by its ending."""
    figure = Figure(figsize=(1.4 + 4.6 * len(populations), 4.4), layout="constrained", facecolor="white")
    panels = figure.subplots(1, len(populations), squeeze=False)[0]
    labels: dict[str, Any] = {}
    for axes, (name, found) in zip(panels, populations.items(), strict=True):
        for way, row in found["policies"].items():
            colour, dashes, label = STYLES.get(way, AWAY)
            curve = row["curve"]
            wide = 2.4 if way in STYLES else 0.9
            (line,) = axes.plot(
                np.maximum(curve["seconds"], 1), curve["oks"], color=colour, lw=wide, linestyle=dashes, label=label
            )
            axes.plot(curve["seconds"][-1], curve["oks"][-1], "o", color=colour, ms=5 if way in STYLES else 3)
            labels.setdefault(label, line)
        dressed(axes, f"{name.replace('/', ', ')} ({found['clips']} clips)")
    panels[0].set_ylabel("mean OKS of the clip", color=SOFT)
    figure.legend(labels.values(), labels.keys(), frameon=False, loc="outside lower center", ncols=3, fontsize=9)
    figure.savefig(path, dpi=150)


def dressed(axes: Any, title: str) -> None:
    axes.set_xscale("log")
    axes.set_xlim(left=10)
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("simulated seconds", color=SOFT)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(axis="y", color=LINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=SOFT)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
