"""How the report says figures and its verdict: shares as percent with one decimal, intervals in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emc.pose.metrics import MIN_JOINTS, too_few, wrong_joints

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

Document = Mapping[str, Any]


def number(value: float | None, digits: int = 1, sign: bool = False) -> str:
    """Return a number with a true minus sign, a dash for None; with `sign` also a plus."""
    if value is None:
        return NOTHING
    rounded = round(value, digits) + 0.0  # + 0.0: no negative zero
    text = f"{abs(rounded):.{digits}f}"
    if rounded < 0:
        return MINUS + text
    return "+" + text if sign and rounded > 0 else text


def interval(figure: Document | None, factor: float = 1.0, digits: int = 1, sign: bool = False) -> str:
    """Return ``[low, high]`` of a figure, or "" where it has no interval."""
    if not figure or not figure.get("ci95"):
        return ""
    low, high = (number(factor * bound, digits, sign) for bound in figure["ci95"])
    return f"[{low}, {high}]"


def percent(figure: Document | None, counted: str = "joints") -> str:
    """Return the share of a figure as percent, without the sign; of too few joints (`counted`) no share is told."""
    if too_few(figure):
        return f"too few {counted}"
    return number(None if not figure or figure["value"] is None else 100 * figure["value"])


def percent_interval(figure: Document | None) -> str:
    """Return the interval of a share in percent, "" where there are too few joints."""
    return "" if too_few(figure) else interval(figure, 100)


def points(figure: Document | None, counted: str = "joints") -> str:
    """Return a change in points with its sign; of too few joints (`counted`) none is told."""
    if too_few(figure):
        return f"too few {counted}"
    return number(None if not figure else figure["value"], sign=True)


def points_interval(figure: Document | None) -> str:
    """Return the interval of a change, with signs, "" where there are too few joints."""
    return "" if too_few(figure) else interval(figure, sign=True)


def few_errors(report: Document, part: str) -> str:
    """Return why no share of removed errors of a part is told, "" where there are enough errors to tell one.

    A share of fewer than `MIN_JOINTS` wrong joints moves by more than ten points with one joint, and its interval is
    that of the draws in which the joint is there.
    """
    base = next((entry for entry in report.get("ladder", ()) if entry["step"] == 0), None)
    right = base["target"]["pckh"].get(part) if base else None
    wrong = wrong_joints(right)
    if right is None or wrong is None or wrong >= MIN_JOINTS:
        return ""
    return f"the base had {wrong} of {right['n']} {'leg ' if part == 'leg' else ''}joints wrong"


def millimetres(figure: Document | None) -> str:
    """Return a length in mm."""
    return number(None if not figure else figure["value"])


def sentence(text: str) -> str:
    """Return a line of text as a sentence: true arrows, a capital letter, a full stop."""
    text = text.replace("->", "\N{RIGHTWARDS ARROW}").strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def duration(seconds: float) -> str:
    """Return a time in words a person says: seconds below two minutes, then minutes, then hours and minutes."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def verdict(report: Document) -> str:
    """Return what came of the calibration, in one sentence with its intervals."""
    step = report["chosen"]["step"]
    if step == 0:
        return "The base model is kept: no checkpoint was better on the target and still good on common poses."
    changes = report["before_after"]
    part = "leg" if _value(changes, "leg_errors_removed") is not None else "total"
    main = changes.get(f"{part}_errors_removed")
    if main is None or main["value"] is None:
        return f"Step {step} was chosen; the base made no error on the target that could be removed."
    few = few_errors(report, part)
    if few:
        return f"Step {step} was chosen; {few} on the target: too few to say what share was removed."
    noun = "leg errors" if part == "leg" else "errors"
    if main["value"] >= 0:
        sentence = f"Calibration removed {_share(main)} of the {noun} on the target"
    else:
        sentence = f"Calibration added {number(-100 * main['value'])} % to the {noun} on the target"
    told = _value(changes, "total_errors_removed") is not None and not few_errors(report, "total")
    if part == "leg" and told:
        sentence += f" ({_share(changes['total_errors_removed'])} of all)"
    common = changes.get("common_total_change")
    if common and common["value"] is not None and not too_few(common):
        sentence += f", while the score on common poses {_moved(common)}"
    return sentence + "." + _caution(main)


def _value(changes: Document, name: str) -> float | None:
    figure = changes.get(name)
    return None if not figure else figure["value"]


def _share(figure: Document) -> str:
    bounds = percent_interval(figure)
    return f"{percent(figure)}\N{NO-BREAK SPACE}%{' ' + _whole(bounds) if bounds else ''}"


def _whole(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _moved(figure: Document) -> str:
    bounds = points_interval(figure)
    bounds = " " + _whole(bounds) if bounds else ""
    by = f"{number(abs(figure['value']))} points{bounds}"
    if abs(figure["value"]) < 0.05:
        return f"stayed where it was (0.0 points{bounds})"
    return f"{'rose' if figure['value'] > 0 else 'fell'} by {by}"


def _caution(main: Document) -> str:
    if main["ci95"] is None:
        return " There are too few clips and frames for an interval: take the figure as a hint."
    low, high = main["ci95"]
    if low <= 0 <= high:
        return " The interval includes zero: this is no proof yet."
    return ""
