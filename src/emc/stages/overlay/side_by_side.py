"""The 3D skeleton drawn beside the clip: a floor with a grid, in perspective, seen from the side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.geometry import Camera
from emc.pose.motion import Motion3D
from emc.pose.skeletons import H36M17

PAPER, GRID, AXIS, INK = (250, 250, 248), (214, 216, 218), (150, 154, 158), (40, 40, 40)
LEFT_SHADE, SHADOW = 0.62, (226, 227, 228)
PALETTE = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (204, 121, 167), (0, 114, 178), (213, 94, 0),
)  # fmt: skip
"""One colour per person, told apart with any colour blindness (M. Okabe and K. Ito, 2008)."""
SHIFT = 4
LIMB = 0.035
"""Metres: how thick limbs are drawn."""
TRAIL = 12
"""Frames of the trail behind wrists and ankles."""
TIPS = tuple(H36M17.index(j) for j in ("right_ankle", "left_ankle", "right_wrist", "left_wrist"))


def view_camera(motions: Sequence[Motion3D], size: tuple[int, int], turn: float = 60.0, lift: float = 12.0) -> Camera:
    """Return a camera that sees all of some motions.

    turn : degrees around the person from the clip's own camera, to its right; 0 sees what the clip sees. lift : degrees
    from above. size : (width, height) pixels. It stands still, with a field of view of 30 degrees across the shorter
    side.
    """
    points = np.concatenate([motion.xyz.reshape(-1, 3) for motion in motions])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    low[1] = min(low[1], 0.0)
    centre = (low + high) / 2
    radius = max(float(np.linalg.norm(points - centre, axis=1).max()), 0.8)
    focal = min(size) / (2 * np.tan(np.radians(15.0)))
    distance = 1.03 * radius / np.sin(np.radians(15.0))
    around, above = np.radians(turn), np.radians(lift)
    way = np.array([np.sin(around) * np.cos(above), np.sin(above), np.cos(around) * np.cos(above)])
    forward = -way
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    eye = centre + distance * way
    intrinsic = np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1.0]])
    return Camera(intrinsic, rotation, -rotation @ eye, size)


def floor_extent(motions: Sequence[Motion3D]) -> tuple[int, int, int, int]:
    """Return x from, x to, z from, z to in whole metres of a floor around all places that some motions reach."""
    points = np.concatenate([motion.xyz.reshape(-1, 3) for motion in motions])[:, [0, 2]]
    points = points[np.isfinite(points).all(axis=1)]
    low, high = np.floor(points.min(axis=0) - 0.5), np.ceil(points.max(axis=0) + 0.5)
    return int(low[0]), int(high[0]), int(low[1]), int(high[1])


def draw_scene(
    motions: Sequence[Motion3D], rows: Mapping[str, int], camera: Camera, extent: tuple[int, int, int, int]
) -> np.ndarray:
    """Return an (H, W, 3) uint8 RGB picture of some persons on their floor.

    rows : motion name -> row of its arrays to draw; a person without one is not there. extent : the floor, of
    `floor_extent`; its lines are a metre apart. The person's left limbs are darker; what is further away is drawn
    first. Joints without a place, and limbs to them, are left out.
    """
    width, height = camera.size
    canvas = np.full((height, width, 3), PAPER, dtype=np.uint8)
    _draw_floor(canvas, camera, extent)
    limbs: list[tuple[float, np.ndarray, tuple[int, int, int]]] = []
    for number, motion in enumerate(motions):
        if motion.name in rows:
            row = rows[motion.name]
            colour = PALETTE[number % len(PALETTE)]
            _draw_shadow(canvas, camera, motion.xyz[row])
            _draw_trails(canvas, camera, motion.xyz[max(0, row - TRAIL) : row + 1], colour)
            limbs += _limbs(motion.xyz[row], camera, colour)
    for depth, ends, colour in sorted(limbs, key=lambda limb: -limb[0]):
        thick = max(2, round(LIMB * float(camera.intrinsic[0, 0]) / max(depth, 0.1)))
        a, b = _fixed(camera.project(ends))
        cv2.line(canvas, a, b, INK, thick + 2, cv2.LINE_AA, SHIFT)
        cv2.line(canvas, a, b, colour, thick, cv2.LINE_AA, SHIFT)
    return canvas


def join_side_by_side(image: np.ndarray, scene: np.ndarray) -> np.ndarray:
    """Return the clip's (H, W, 3) frame and a scene of the same height side by side; raises `ShapeMismatch`."""
    if image.shape[0] != scene.shape[0]:
        raise ShapeMismatch(f"frame {image.shape} and scene {scene.shape} stand side by side only at equal height")
    return np.concatenate([image, np.full((len(image), 4, 3), AXIS, dtype=np.uint8), scene], axis=1)


def _limbs(
    xyz: np.ndarray, camera: Camera, colour: tuple[int, int, int]
) -> list[tuple[float, np.ndarray, tuple[int, int, int]]]:
    """Return (depth, two ends, colour) of each limb that can be drawn."""
    dark = (int(colour[0] * LEFT_SHADE), int(colour[1] * LEFT_SHADE), int(colour[2] * LEFT_SHADE))
    found: list[tuple[float, np.ndarray, tuple[int, int, int]]] = []
    for a, b in H36M17.limbs:
        ends = xyz[[a, b]]
        if np.isfinite(ends).all():
            left = H36M17.joints[b].startswith("left_")
            found.append((float(camera.to_camera(ends)[:, 2].mean()), ends, dark if left else colour))
    return found


def _draw_floor(canvas: np.ndarray, camera: Camera, extent: tuple[int, int, int, int]) -> None:
    x0, x1, z0, z1 = extent
    rows = [((x, 0, z0), (x, 0, z1), x == 0) for x in range(x0, x1 + 1)]
    rows += [((x0, 0, z), (x1, 0, z), z == 0) for z in range(z0, z1 + 1)]
    for first, last, axis in rows:
        points = np.linspace(first, last, 2)
        if np.isfinite(camera.project(points)).all():
            a, b = _fixed(camera.project(points))
            cv2.line(canvas, a, b, AXIS if axis else GRID, 1, cv2.LINE_AA, SHIFT)


def _draw_shadow(canvas: np.ndarray, camera: Camera, xyz: np.ndarray) -> None:
    for a, b in H36M17.limbs:
        ends = xyz[[a, b]] * [1.0, 0.0, 1.0]
        if np.isfinite(ends).all():
            first, last = _fixed(camera.project(ends))
            cv2.line(canvas, first, last, SHADOW, max(3, round(min(camera.size) / 60)), cv2.LINE_AA, SHIFT)


def _draw_trails(canvas: np.ndarray, camera: Camera, past: np.ndarray, colour: tuple[int, int, int]) -> None:
    for tip in TIPS:
        path = camera.project(past[:, tip])
        for k in range(len(path) - 1):
            if np.isfinite(path[k : k + 2]).all():
                fade = (k + 1) / len(path) * 0.7
                ink = tuple(int(p + fade * (c - p)) for p, c in zip(PAPER, colour, strict=True))
                a, b = _fixed(path[k : k + 2])
                cv2.line(canvas, a, b, ink, 2, cv2.LINE_AA, SHIFT)


def _fixed(points: np.ndarray) -> list[tuple[int, int]]:
    # Beyond these bounds the drawing functions overflow; no visible line depends on it.
    grid = np.rint(np.clip(points, -30_000, 30_000) * (1 << SHIFT)).astype(np.int32)
    return [(int(x), int(y)) for x, y in grid]
