"""Crops around one person that stay steady from frame to frame."""

# SciPy has no complete types.
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, median_filter

from emc.errors import UsageError
from emc.pose.geometry import crop_affine
from emc.pose.records import Box

# A single wrong box among this many frames does not move the window.
MEDIAN_FRAMES = 5
# A crop that is enlarged further than this shows no more, it only jitters more.
LARGEST_ZOOM = 4


def stabilised_crops(
    boxes_per_frame: Sequence[Box | None], size: int, sigma: float = 6.0, padding: float = 1.25
) -> np.ndarray:
    """Return one square window per frame that follows a person smoothly and holds the whole box.

    Box edges pass a running median (lone wrong boxes), the centre a Gaussian; the side is the largest that the
    Gaussian's reach needs, smoothed by the same Gaussian, so that it neither trembles nor cuts the person.

    Parameters
    ----------
    boxes_per_frame : the person's box on each frame of a stretch, None where there is none; gaps are bridged in a
        straight line, ends hold the nearest box.
    size : pixels of the crops that will be cut; windows are at least a quarter of it.
    sigma : frames, of the Gaussian. padding : factor on the side.

    Returns
    -------
    (T, 3) float64: centre x, centre y, side, pixels of the frame; what `emc.pose.geometry.crop_affine` takes.

    Raises
    ------
    UsageError : no frame has a box.
    """
    edges = _edges(boxes_per_frame)
    centre = (edges[:, :2] + edges[:, 2:]) / 2
    radius = max(1, round(3 * sigma))
    centre = gaussian_filter1d(centre, sigma, axis=0, mode="nearest", radius=radius)
    reach = np.maximum(np.abs(edges[:, :2] - centre), np.abs(edges[:, 2:] - centre)).max(axis=1)
    # The maximum reaches as far as the Gaussian: every value that is averaged is then large enough on its own.
    side = maximum_filter1d(2 * reach * padding, 2 * radius + 1, mode="nearest")
    side = gaussian_filter1d(side, sigma, mode="nearest", radius=radius)
    return np.column_stack([centre, np.maximum(side, max(size / LARGEST_ZOOM, 2.0))])


def cut(image: np.ndarray, square: np.ndarray, size: int) -> np.ndarray:
    """Return the (size, size, 3) uint8 crop of `square`, black outside of the image.

    image : (H, W, 3) uint8. square : (3,) centre x, centre y, side in pixels. A shrunken crop averages over what each
    of its pixels covers. Pixel (u, v) of the crop is where `crop_affine(square, size)` takes the image's points.
    """
    affine = crop_affine(square, size)
    finer = max(1, int(np.ceil(float(square[2]) / size)))
    # Pixel centre u of the crop lies at (u + 0.5) * finer - 0.5 of the finer grid.
    fine = affine * finer
    fine[:, 2] += (finer - 1) / 2
    crop = cv2.warpAffine(image, fine, (size * finer, size * finer), flags=cv2.INTER_LINEAR)
    return crop if finer == 1 else cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)


def _edges(boxes: Sequence[Box | None]) -> np.ndarray:
    """Return (T, 4) left, top, right, bottom with gaps bridged and lone outliers removed."""
    known = [(frame, box.xywh) for frame, box in enumerate(boxes) if box is not None]
    if not known:
        raise UsageError(f"no box on any of {len(boxes)} frames: a crop needs a person, detect or draw a box first")
    frames = np.array([frame for frame, _ in known], dtype=np.float64)
    xywh = np.array([values for _, values in known], dtype=np.float64)
    corners = np.column_stack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
    every = np.arange(len(boxes), dtype=np.float64)
    full = np.column_stack([np.interp(every, frames, corners[:, column]) for column in range(4)])
    return median_filter(full, size=(MEDIAN_FRAMES, 1), mode="nearest")
