"""How many joints a share needs before it may be called a score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MIN_JOINTS = 10
"""With fewer, one joint moves the share by more than ten points: such a share is told as a count, not as a score."""


def too_few(figure: Mapping[str, Any] | None) -> bool:
    """Return whether a figure (``value``, ``ci95``, ``n``) has a value that comes from fewer than `MIN_JOINTS`.

    A figure without a value (nothing was labelled) or without a count is not one of too few.
    """
    if not figure or figure.get("value") is None:
        return False
    count = figure.get("n")
    return count is not None and count < MIN_JOINTS


def wrong_joints(figure: Mapping[str, Any] | None) -> int | None:
    """Return how many joints a share of right joints has wrong; None where it has no value or no count."""
    if not figure or figure.get("value") is None or figure.get("n") is None:
        return None
    return round(figure["n"] * (1 - figure["value"]))
