"""From an ONNX model's outputs to places and scores.

All readers return places (N, K, 2) as shares of the crop, and scores (N, K) as the model has them.
"""

from __future__ import annotations

import cv2
import numpy as np

from emc.errors import ShapeMismatch
from emc.estimators.heatmap_patches import mirrored, patches, repeat_edge
from emc.estimators.onnx.card import HeatmapOutput, InputPart, MovenetOutput, SimccOutput

CENTRE_PULL = 1.8
"""Cells added to the distance from the rough place: MoveNet's own constant."""
DARK_FLOOR, DARK_CEILING = 1e-3, 50.0
"""What heatmaps are cut to before their logarithm, as OpenMMLab and rtmlib do."""


def read_simcc(x: np.ndarray, y: np.ndarray, how: SimccOutput, given: InputPart) -> tuple[np.ndarray, np.ndarray]:
    """Read SimCC outputs (N, K, split W) and (N, K, split H); see `SimccOutput`."""
    check_joints((x, y), 3)
    bins_x, bins_y = x.argmax(axis=-1), y.argmax(axis=-1)
    peak_x, peak_y = _at(x, bins_x), _at(y, bins_y)
    score = np.minimum(peak_x, peak_y) if how.score == "min" else 0.5 * (peak_x + peak_y)
    places = np.stack([bins_x, bins_y], axis=-1).astype(np.float64)
    if how.refine == "gaussian":
        places += np.stack([_between(x, bins_x), _between(y, bins_y)], axis=-1)
    return places / how.split / np.array(given.size), score.astype(np.float32)


def read_heatmaps(maps: np.ndarray, how: HeatmapOutput) -> tuple[np.ndarray, np.ndarray]:
    """Read heatmaps (N, K, h, w); see `HeatmapOutput`."""
    check_joints((maps,), 4)
    height, width = maps.shape[-2:]
    # The sigmoid rises: the highest cell, and the higher of two, are the same before it.
    best = maps.reshape(*maps.shape[:2], -1).argmax(axis=-1)
    rows, columns = best // width, best % width
    score = _activated(_cell(maps, rows, columns), how)
    places = np.stack([columns, rows], axis=-1).astype(np.float64)
    if how.refine == "quarter":
        places += _quarter(maps, rows, columns)
    elif how.refine == "dark":
        places += _dark(maps, rows, columns, how)
    cells = np.array([width, height], dtype=np.float64)
    return places / (cells - 1 if how.cells == "centres" else cells), score.astype(np.float32)


def read_movenet(
    maps: np.ndarray, centre: np.ndarray, regression: np.ndarray, offsets: np.ndarray | None, how: MovenetOutput
) -> tuple[np.ndarray, np.ndarray]:
    """Read MoveNet's outputs, all (N, ., h, w) with K, 1, 2 K and 2 K channels; see `MovenetOutput`."""
    check_joints((maps, centre, regression, *(() if offsets is None else (offsets,))), 4)
    persons, joints, height, width = maps.shape
    weighed = maps if how.decode == "maxima" else maps / _distance(centre, regression, joints)
    best = weighed.reshape(persons, joints, -1).argmax(axis=-1)
    rows, columns = best // width, best % width
    places = np.stack([columns, rows], axis=-1) + _inside(offsets, rows, columns)
    return places / np.array([width, height]), _cell(maps, rows, columns).astype(np.float32)


def _inside(offsets: np.ndarray | None, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return (N, K, 2): where in its cell each joint lies, 0 to 1; the middle where the model does not say."""
    if offsets is None:
        return np.full((*rows.shape, 2), 0.5)
    persons, joints = rows.shape
    pairs = offsets.reshape(persons, joints, 2, *offsets.shape[-2:])
    moved = np.stack([_cell(pairs[:, :, axis], rows, columns) for axis in (0, 1)], axis=-1)
    return np.clip(moved.astype(np.float64), 0.0, 1.0)


def check_joints(outputs: tuple[np.ndarray, ...], axes: int) -> None:
    """Raise `ShapeMismatch` where outputs do not have `axes` axes and the same number of persons."""
    shapes = [output.shape for output in outputs]
    if any(len(shape) != axes or shape[0] != shapes[0][0] for shape in shapes):
        raise ShapeMismatch(f"the model's outputs have shapes {shapes}: name the right ones in its card (docs/onnx.md)")


def _at(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, bins[..., None], axis=-1)[..., 0]


def _cell(maps: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    person, joint = np.indices(rows.shape)
    return maps[person, joint, rows, columns]


def _between(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return how far, in bins, the top of the Gaussian through three neighbouring bins is from the middle one."""
    last = values.shape[-1] - 1
    left, middle, right = (_at(values, np.clip(bins + step, 0, last)) for step in (-1, 0, 1))
    usable = (bins > 0) & (bins < last) & (np.minimum(left, right) > 0)
    a, b, c = (np.log(np.where(usable, value, 1.0).astype(np.float64)) for value in (left, middle, right))
    bend = a + c - 2 * b
    return np.where(bend < 0, np.clip((a - c) / np.where(bend < 0, 2 * bend, 1.0), -0.5, 0.5), 0.0)


def _quarter(maps: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return a quarter cell towards the higher neighbour on each axis; nothing at the map's edge."""
    height, width = maps.shape[-2:]
    inside_x, inside_y = (columns > 0) & (columns < width - 1), (rows > 0) & (rows < height - 1)
    near = (
        [np.clip(columns + step, 0, width - 1) for step in (-1, 1)],
        [np.clip(rows + step, 0, height - 1) for step in (-1, 1)],
    )
    dx = _cell(maps, rows, near[0][1]) - _cell(maps, rows, near[0][0])
    dy = _cell(maps, near[1][1], columns) - _cell(maps, near[1][0], columns)
    return 0.25 * np.stack([np.sign(dx) * inside_x, np.sign(dy) * inside_y], axis=-1)


def _activated(values: np.ndarray, how: HeatmapOutput) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-values)) if how.activation == "sigmoid" else values


def _dark(maps: np.ndarray, rows: np.ndarray, columns: np.ndarray, how: HeatmapOutput) -> np.ndarray:
    """Return the step in cells to the top of the blurred map's logarithm, by its first and second differences."""
    near = _blurred(maps.reshape(-1, *maps.shape[-2:]), rows.ravel(), columns.ravel(), how)
    logarithm = np.log(np.clip(near, DARK_FLOOR, DARK_CEILING)).astype(np.float64).reshape(*rows.shape, 3, 3)

    def at(dy: int, dx: int) -> np.ndarray:
        return logarithm[..., 1 + dy, 1 + dx]

    middle = at(0, 0)
    slope = np.stack([at(0, 1) - at(0, -1), at(1, 0) - at(-1, 0)], axis=-1) / 2
    dxx, dyy = at(0, 1) + at(0, -1) - 2 * middle, at(1, 0) + at(-1, 0) - 2 * middle
    dxy = (at(1, 1) - at(0, 1) - at(1, 0) + 2 * middle - at(0, -1) - at(-1, 0) + at(-1, -1)) / 2
    bend = np.stack([np.stack([dxx, dxy], axis=-1), np.stack([dxy, dyy], axis=-1)], axis=-2)
    steady = bend + np.finfo(np.float32).eps * np.eye(2)
    singular = np.abs(np.linalg.det(steady)) < np.finfo(np.float64).tiny
    steady[singular] = np.eye(2)
    return -np.linalg.solve(steady, slope[..., None])[..., 0] * ~singular[..., None]


def _blurred(maps: np.ndarray, row: np.ndarray, column: np.ndarray, how: HeatmapOutput) -> np.ndarray:
    """Return the (N, 3, 3) cells around the peaks of (N, h, w) maps, activated and blurred as OpenCV blurs a map."""
    (height, width), half = maps.shape[1:], how.kernel // 2
    reach = np.arange(-half - 1, half + 2)
    patch = patches(maps, mirrored(row[:, None] + reach, height), mirrored(column[:, None] + reach, width))
    # OpenCV itself, once for all patches in one column: a map without a clear top magnifies the last bit. The middle
    # cells read nothing of the patches above and below.
    column_of_all = _activated(patch, how).reshape(-1, patch.shape[2])
    blurred = cv2.GaussianBlur(column_of_all, (how.kernel, how.kernel), 0).reshape(patch.shape)
    near = blurred[:, half : half + 3, half : half + 3].copy()
    repeat_edge(near, row, column, (height, width))
    return near


def _distance(centre: np.ndarray, regression: np.ndarray, joints: int) -> np.ndarray:
    """Return (N, K, h, w): cells from each joint's rough place, told by the person's centre, plus a constant."""
    persons, _, height, width = centre.shape
    best = centre.reshape(persons, -1).argmax(axis=-1)
    rows, columns = best // width, best % width
    arrows = regression[np.arange(persons), :, rows, columns].reshape(persons, joints, 2)
    rough = np.rint(arrows + np.stack([columns, rows], axis=-1)[:, None])
    rough = np.clip(rough, 0, np.array([width, height]) - 1)
    dx = np.arange(width)[None, None, None, :] - rough[..., 0, None, None]
    dy = np.arange(height)[None, None, :, None] - rough[..., 1, None, None]
    return np.hypot(dx, dy) + CENTRE_PULL
