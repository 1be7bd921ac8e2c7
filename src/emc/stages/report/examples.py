"""Which persons the report shows before and after, and what the page needs to draw them."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np

from emc.errors import InputError, ShapeMismatch
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons import Skeleton

Kind = Literal["best", "worst"]
LONGEST_SIDE = 480


def pick_examples(before: np.ndarray, after: np.ndarray, best: int = 3, worst: int = 3) -> list[tuple[int, Kind]]:
    """Return (index, kind) of the persons to show.

    before, after : (N, J) hits (`emc.stages.evaluate.joint_hits`) of the same persons. ``best``: most wrong joints set
    right, only persons who gained; ``worst``: most joints still wrong after, only persons with one. Ties go to the
    lower index; nobody is shown twice. Raises `ShapeMismatch` naming both shapes.
    """
    if before.shape != after.shape:
        raise ShapeMismatch(f"hits before {before.shape} and after {after.shape}: score the same persons twice")
    wrong_before, wrong_after = (before == 0).sum(axis=1), (after == 0).sum(axis=1)
    gained = wrong_before - wrong_after
    chosen: list[tuple[int, Kind]] = [
        (int(i), "best") for i in np.argsort(-gained, kind="stable")[:best] if gained[i] > 0
    ]
    shown = {i for i, _ in chosen}
    left = [int(i) for i in np.argsort(-wrong_after, kind="stable") if wrong_after[i] > 0 and int(i) not in shown]
    return chosen + [(i, "worst") for i in left[:worst]]


def example_of(
    kind: Kind,
    sample: Sample,
    before: Prediction,
    after: Prediction,
    hits: tuple[np.ndarray, np.ndarray],
    name: str,
) -> tuple[dict[str, Any], bytes]:
    """Return one entry of the report's ``examples`` and its picture.

    Predictions and labels are in pixels of `sample.image`; hits : (J,) before and after. The picture is a JPEG cut
    around the person, its longest side at most 480 px. `name` is the medium's name in the entry.
    """
    x0, y0, x1, y1 = _window(sample)
    scale = min(1.0, LONGEST_SIDE / max(x1 - x0, y1 - y0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    cut = np.ascontiguousarray(sample.image[y0:y1, x0:x1, ::-1])
    done, encoded = cv2.imencode(
        ".jpg", cv2.resize(cut, size, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    if not done:
        raise InputError(f"the picture of clip {sample.clip}, frame {sample.frame} could not be encoded: leave it out")
    # Pixel centres: the centre of the cut's first pixel maps to the resized picture's first half pixel.
    factor = np.array([size[0] / (x1 - x0), size[1] / (y1 - y0)])
    origin = np.array([x0, y0])

    def placed(xy: np.ndarray, counted: np.ndarray) -> list[list[float] | None]:
        moved = (np.asarray(xy, dtype=np.float64) - origin + 0.5) * factor
        known = np.isfinite(moved).all(axis=1) & counted
        return [
            [round(float(x), 1), round(float(y), 1)] if ok else None for (x, y), ok in zip(moved, known, strict=True)
        ]

    every = np.ones(len(sample.xy), dtype=bool)
    entry: dict[str, Any] = {
        "kind": kind,
        "clip": sample.clip,
        "frame": int(sample.frame),
        "person": int(sample.person),
        "image": name,
        "width": size[0],
        "height": size[1],
        "before": placed(before.xy, every),
        "after": placed(after.xy, every),
        "truth": placed(sample.xy, np.asarray(sample.visibility) > 0),
        "wrong_before": np.flatnonzero(hits[0] == 0).tolist(),
        "wrong_after": np.flatnonzero(hits[1] == 0).tolist(),
        "labelled": int(np.isfinite(hits[1]).sum()),
    }
    return entry, encoded.tobytes()


def drawing_of(skeleton: Skeleton) -> dict[str, Any]:
    """Return the report's ``skeleton``: name, joints and limbs."""
    return {"name": skeleton.name, "joints": list(skeleton.joints), "limbs": [list(limb) for limb in skeleton.limbs]}


def _window(sample: Sample) -> tuple[int, int, int, int]:
    """Return x0, y0, x1, y1 of the cut: the box widened by a quarter of its longer side, inside the picture."""
    height, width = sample.image.shape[:2]
    x, y, w, h = (float(v) for v in sample.box)
    margin = 0.25 * max(w, h)
    x0, y0 = max(0, int(x - margin)), max(0, int(y - margin))
    x1, y1 = min(width, int(x + w + margin) + 1), min(height, int(y + h + margin) + 1)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else (0, 0, width, height)
