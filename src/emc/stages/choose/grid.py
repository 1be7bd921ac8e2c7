"""One picture of the same hard frames drawn by the base and by each checkpoint of a ladder, with the labels beside."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from emc.errors import ShapeMismatch, UsageError
from emc.pose.metrics import head_sizes, relative_errors, stack_labels, stack_predictions
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons import Skeleton

CELL = 216
GAP = 8
TOP = 34
LINE = 24
FAR = 2.0
"""An error beyond this many head sizes is no worse than this one: one stray joint does not make a frame hard."""
_PAPER, _INK, _SOFT = (255, 255, 255), (28, 33, 38), (86, 94, 104)
_LEFT, _RIGHT, _MIDDLE, _WRONG, _CHOSEN = (255, 178, 79), (86, 184, 255), (240, 240, 240), (224, 26, 46), (0, 96, 159)


@dataclass(frozen=True, slots=True, eq=False)
class GridColumn:
    """One column: its heading, the predictions of the shown persons (None: the labels), and whether it was chosen."""

    name: str
    predictions: Sequence[Prediction] | None
    chosen: bool = False


def hardest_samples(
    predictions: Sequence[Prediction], samples: Sequence[Sample], skeleton: Skeleton, head: str, count: int = 6
) -> list[int]:
    """Return the `count` persons whom the predictions miss most, the worst first, of as many clips as there are.

    The measure is the mean over labelled joints of the error in head sizes, each at most `FAR`. Persons without a
    labelled joint or of unknown head size are left out.
    """
    labels = stack_labels(samples, skeleton)
    errors = relative_errors(stack_predictions(predictions, labels), labels, head_sizes(labels, skeleton, head))
    counted = ~np.isnan(errors)
    mean = np.where(counted, np.minimum(errors, FAR), 0.0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    order = [int(i) for i in np.argsort(-mean, kind="stable") if counted[i].any()]
    seen: dict[str, int] = {}
    turn: dict[int, int] = {}
    for i in order:  # the worst of every clip comes before the second of any
        turn[i] = seen.get(samples[i].clip, 0)
        seen[samples[i].clip] = turn[i] + 1
    return sorted(order, key=lambda i: (turn[i], order.index(i)))[:count]


def draw_grid(
    samples: Sequence[Sample], columns: Sequence[GridColumn], wrong: Mapping[str, np.ndarray], skeleton: Skeleton
) -> bytes:
    """Return a PNG: a row per sample, a column per model and one for the labels.

    columns : predictions in pixels of each sample's image. wrong : column name -> (N, J), 0.0 where a joint is wrong,
    1.0 right, NaN where it counts nowhere; wrong joints get a cross. Left limbs are orange, right ones blue.
    Raises `UsageError` where there is nothing to draw, `ShapeMismatch` where a column has other persons.
    """
    if not samples or not columns:
        raise UsageError("there is no frame or no model to draw: give at least one of each")
    for column in columns:
        if column.predictions is not None and len(column.predictions) != len(samples):
            raise ShapeMismatch(
                f"column {column.name} has {len(column.predictions)} predictions for {len(samples)} frames: "
                "give one each"
            )
    width = GAP + len(columns) * (CELL + GAP)
    height = TOP + len(samples) * (CELL + LINE + GAP)
    page = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(page)
    for number, column in enumerate(columns):
        left = GAP + number * (CELL + GAP)
        _write(pen, left + CELL / 2, TOP / 2, column.name, 17, _CHOSEN if column.chosen else _INK)
        for row, sample in enumerate(samples):
            top = TOP + row * (CELL + LINE + GAP)
            hits = wrong.get(column.name)
            page.paste(Image.fromarray(_cell(sample, column, row, hits, skeleton)), (left, top))
            if column.chosen:
                pen.rectangle((left - 2, top - 2, left + CELL + 1, top + CELL + 1), outline=_CHOSEN, width=3)
            text = f"{sample.clip[:20]}, frame {sample.frame}" if hits is None else _count(hits[row])
            _write(pen, left + CELL / 2, top + CELL + LINE / 2, text, 14, _SOFT)
    out = io.BytesIO()
    page.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _count(hits: np.ndarray) -> str:
    return f"{int((hits == 0).sum())} of {int(np.isfinite(hits).sum())} wrong"


def _write(pen: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, colour: tuple[int, int, int]) -> None:
    pen.text((x, y), text, fill=colour, font=ImageFont.load_default(size=size), anchor="mm")


def _cell(sample: Sample, column: GridColumn, row: int, hits: np.ndarray | None, skeleton: Skeleton) -> np.ndarray:
    """Return the (CELL, CELL, 3) picture of one person: the cut around its box, the skeleton, wrong joints crossed."""
    x, y, w, h = (float(v) for v in sample.box)
    side = 1.35 * max(w, h, 1.0)
    scale = CELL / side
    affine = np.array([[scale, 0, (side / 2 - x - w / 2) * scale], [0, scale, (side / 2 - y - h / 2) * scale]])
    # Pixel centres: (x + 0.5) * scale - 0.5.
    affine[:, 2] += (scale - 1) / 2
    how = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.warpAffine(sample.image, affine, (CELL, CELL), flags=how, borderMode=cv2.BORDER_REPLICATE)
    picture = np.ascontiguousarray((picture * 0.82).astype(np.uint8))
    if column.predictions is None:
        xy = np.where((np.asarray(sample.visibility) > 0)[:, None], sample.xy, np.nan)
    else:
        xy = column.predictions[row].xy
    _draw(picture, np.asarray(xy, dtype=np.float64) @ affine[:, :2].T + affine[:, 2], hits, row, skeleton)
    return picture


def _draw(picture: np.ndarray, xy: np.ndarray, hits: np.ndarray | None, row: int, skeleton: Skeleton) -> None:
    known = [bool(np.isfinite(point).all()) for point in xy]
    sides = [_colour(name) for name in skeleton.joints]
    for thick, halo in ((6, True), (3, False)):
        for a, b in skeleton.limbs:
            if known[a] and known[b]:
                colour = (10, 12, 14) if halo else (sides[a] if sides[a] == sides[b] else _MIDDLE)
                cv2.line(picture, _point(xy[a]), _point(xy[b]), colour, thick, cv2.LINE_AA, 4)
    for j in (j for j, placed in enumerate(known) if placed):
        if hits is not None and hits[row, j] == 0:
            for colour, thick in ((_PAPER, 5), (_WRONG, 2)):
                for sign in (1, -1):
                    ends = xy[j] - [6, 6 * sign], xy[j] + [6, 6 * sign]
                    cv2.line(picture, _point(ends[0]), _point(ends[1]), colour, thick, cv2.LINE_AA, 4)
        else:
            cv2.circle(picture, _point(xy[j]), 4 * 16, (10, 12, 14), -1, cv2.LINE_AA, 4)
            cv2.circle(picture, _point(xy[j]), 3 * 16, sides[j], -1, cv2.LINE_AA, 4)


def _colour(joint: str) -> tuple[int, int, int]:
    return _LEFT if joint.startswith("left_") else _RIGHT if joint.startswith("right_") else _MIDDLE


def _point(xy: np.ndarray) -> tuple[int, int]:
    """Return a point in sixteenths of a pixel, kept near the picture: drawing far outside would overflow."""
    x, y = np.clip(xy, -2 * CELL, 3 * CELL)
    return round(float(x) * 16), round(float(y) * 16)
