"""Maps and fields as an ideal network would give them, drawn from where people truly are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.pose.skeletons.maps import skeleton_map
from emc.pose.skeletons.skeleton import COCO17, COCO18
from emc.synth.scene.scene import sample_frame

LIMBS = tuple(COCO18.limbs) + tuple(
    (COCO18.index(f"{side}_shoulder"), COCO18.index(f"{side}_ear")) for side in ("right", "left")
)
"""The nineteen limbs of the COCO-18 network, with the two that close a loop."""


def ideal_maps(people: Sequence[np.ndarray], joints: int, size: tuple[int, int], spread: float = 1.0) -> np.ndarray:
    """Return (K, h, w) float32: a bump of height 1 per person and joint. people : (K, 2) cells, NaN = none."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    maps = np.zeros((joints, height, width))
    for cells in people:
        for joint, (x, y) in enumerate(cells):
            if np.isfinite(x):
                bump = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))
                maps[joint] = np.maximum(maps[joint], bump)
    return maps.astype(np.float32)


def ideal_fields(
    people: Sequence[np.ndarray], limbs: Sequence[tuple[int, int]], size: tuple[int, int], width: float = 1.0
) -> np.ndarray:
    """Return (L, 2, h, w) float32: unit vectors on the cells within `width` of a limb, averaged over people."""
    height, columns_count = size
    rows, columns = np.mgrid[:height, :columns_count]
    fields = np.zeros((len(limbs), 2, height, columns_count))
    for limb, (a, b) in enumerate(limbs):
        hits = np.zeros(size)
        for cells in people:
            start, way = cells[a], cells[b] - cells[a]
            length = float(np.hypot(*way))
            if not np.isfinite(length) or length < 1e-6:
                continue
            unit = way / length
            along = (columns - start[0]) * unit[0] + (rows - start[1]) * unit[1]
            across = np.abs((columns - start[0]) * unit[1] - (rows - start[1]) * unit[0])
            on = (along >= -width) & (along <= length + width) & (across <= width)
            fields[limb] += on * unit[:, None, None]
            hits += on
        fields[limb] /= np.maximum(hits, 1)
    return fields.astype(np.float32)


def crowd(seed: int, size: tuple[int, int] = (640, 480), groups: int = 1) -> list[np.ndarray]:
    """Return the (18, 2) COCO-18 pixels of rendered people, up to three per group; hidden joints are told as well.

    The groups are rendered apart and stand before each other, moved by a random part of the picture.
    """
    rng = np.random.default_rng([11, seed])
    people: list[np.ndarray] = []
    for _ in range(groups):
        frame = sample_frame(rng, people=3, size=size)
        shift = rng.uniform(-0.25, 0.25, 2) * size if groups > 1 else np.zeros(2)
        for label in frame.people:
            xy = label.xy + shift
            inside = (xy >= 0).all(axis=1) & (xy <= np.array(size) - 1).all(axis=1)
            people.append(skeleton_map(COCO17, COCO18).places(np.where(inside[:, None], xy, np.nan)))
    return people
