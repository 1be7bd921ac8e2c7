"""The floor, and the world that stands on it: from a camera's axes to metres with y up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class WorldAxes:
    """How camera points become world points: ``world = rotation @ camera + translation``.

    The world is right-handed, in metres: y up from the floor, x to the camera's right, z back towards the camera.
    rotation : (3, 3). translation : (3,).
    """

    rotation: np.ndarray
    translation: np.ndarray

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Take (..., 3) camera points (x right, y down, z forward) to the world, metres."""
        return points @ self.rotation.T + self.translation

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Take (..., 3) world points back to the camera's axes, metres."""
        return (points - self.translation) @ self.rotation


LEVEL_FLOOR = np.array([0.0, -1.0, 0.0, 0.0])
"""The plane through the lens of a camera that is held level."""


def height_above(points: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Return (...) metres of (..., 3) camera points above a (4,) floor: unit normal and offset."""
    return points @ floor[:3] + floor[3]


def world_axes(floor: np.ndarray, origin: np.ndarray) -> WorldAxes:
    """Return the world with the (4,) `floor` as y = 0 and its zero below the camera point `origin` (3,)."""
    up = floor[:3] / np.linalg.norm(floor[:3])
    right = np.array([1.0, 0.0, 0.0])
    right = right - (right @ up) * up
    right /= np.linalg.norm(right)
    rotation = np.stack([right, up, np.cross(right, up)])
    foot = origin - float(height_above(origin, floor)) * up
    return WorldAxes(rotation, -rotation @ foot)


def tilt_between(first: np.ndarray, second: np.ndarray) -> float:
    """Return the degrees between the normals of two (4,) floors (or (3,) directions)."""
    a, b = first[:3] / np.linalg.norm(first[:3]), second[:3] / np.linalg.norm(second[:3])
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))
