"""How figures with intervals are written in tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def percent(figure: Mapping[str, Any] | None, counted: str = "joints") -> str:
    """Return a share with its 95 % interval in percent, a dash where there is none.

    counted : what the figure's ``n`` counts. A share of fewer than `emc.pose.metrics.MIN_JOINTS` is no score and is
    said to be one of too few.
    """
    from emc.pose.metrics import too_few

    if not figure or figure.get("value") is None:
        return "-"
    if too_few(figure):
        return f"too few {counted} ({figure['n']})"
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


def removed(figure: Mapping[str, Any] | None, before: Mapping[str, Any] | None) -> str:
    """Return a share of removed errors in percent with its unit; ``before`` is the base's share of right joints.

    Of fewer than `emc.pose.metrics.MIN_JOINTS` wrong joints no share is told: one joint moves it by more than ten
    points, and its interval is that of the draws in which the joint is there.
    """
    from emc.pose.metrics import MIN_JOINTS, wrong_joints

    wrong = wrong_joints(before)
    if figure and figure.get("value") is not None and wrong is not None and wrong < MIN_JOINTS:
        return f"too few errors ({wrong} of {before['n'] if before else 0} joints wrong before)"
    text = percent(figure)
    return text if text == "-" or text.startswith("too few") else f"{text} %"
