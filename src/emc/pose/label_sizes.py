"""Whether sizes in a file fit the clip: labels made on a smaller or larger copy are scaled, others refused."""

from __future__ import annotations

from collections.abc import Sequence

from emc.errors import InputError

NEAR = 1.0
"""Pixels by which a side may differ from the exact ratio: copies are made in whole pixels."""


def scale_between(said: tuple[int, int], actual: tuple[int, int], where: str) -> float:
    """Return the factor from lengths in an image of size `said` to the same ones in a frame of size `actual`.

    said, actual : (width, height) in pixels; a side of 0 is not known, and the factor 1. A copy of another size has the
    same ratio of sides but for rounding. Raises `InputError` that names `where` and both sizes for another ratio.
    """
    if said == actual or not all(said) or not all(actual):
        return 1.0
    factor = max(actual) / max(said)
    slack = NEAR * max(factor, 1.0)
    if all(abs(one * factor - other) <= slack for one, other in zip(said, actual, strict=True)):
        return factor
    turned = " (turned by a quarter?)" if said == actual[::-1] else ""
    raise InputError(
        f"{where} is {said[0]} x {said[1]}, the clip's frame {actual[0]} x {actual[1]}{turned}, which is no other size "
        "of the same picture: give the file that was made from this clip"
    )


def scaled(values: Sequence[float], factor: float) -> tuple[float, float, float, float]:
    """Return an xywh box in a copy `factor` times as large; the centre of the first pixel is (0, 0) in both."""
    x, y, width, height = values
    return (x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5, width * factor, height * factor


def refuse_box(xywh: Sequence[float], size: tuple[int, int], where: str) -> None:
    """Raise `InputError` where a box cannot lie on a frame of (width, height): it is all outside, or far larger.

    A box in shares of the frame (0 to 1) is named as one.
    """
    x, y, width, height = xywh
    if not all(size):
        return
    if max(abs(x), abs(y), width, height) <= 1.0 and min(size) > 2:
        raise InputError(
            f"{where} has the box {_words(xywh)}, which reads as shares of the frame: write pixels (times {size[0]} "
            f"and {size[1]}; YOLO writes the centre, so take half of the size off)"
        )
    outside = x + width <= 0 or y + height <= 0 or x >= size[0] or y >= size[1]
    if outside or width > 2 * size[0] or height > 2 * size[1]:
        what = "outside of" if outside else "far larger than"
        raise InputError(
            f"{where} has the box {_words(xywh)}, {what} its frame of {size[0]} x {size[1]} pixels: drop it, or give "
            "boxes in pixels of this clip"
        )


def _words(xywh: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in xywh)
