"""How figures with intervals are written in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def percent(figure: Mapping[str, Any] | None) -> str:
    """Return a share with its 95 % interval in percent, a dash where there is none."""
    if not figure or figure.get("value") is None:
        return "-"
    interval = figure.get("ci95")
    text = f"{100 * figure['value']:.1f}"
    return f"{text} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]" if interval else text


def plain(figure: Mapping[str, Any] | None, digits: int = 1) -> str:
    """Return a figure with its 95 % interval in its own unit, a dash where there is none."""
    if not figure or figure.get("value") is None:
        return "-"
    interval = figure.get("ci95")
    text = f"{figure['value']:.{digits}f}"
    return f"{text} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]" if interval else text
