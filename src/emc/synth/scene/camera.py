"""The pinhole camera that synthetic pictures are taken with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera without distortion.

    Parameters
    ----------
    K : ndarray (3, 3)
        Intrinsics in pixels; the centre of the top-left pixel is (0, 0).
    R : ndarray (3, 3)
        World to camera rotation; the camera frame is x right, y down, z forward.
    t : ndarray (3,)
        World to camera translation, metres: ``camera = R @ world + t``.
    """

    K: Array
    R: Array
    t: Array

    @property
    def position(self) -> Array:
        """Where the camera stands, world metres (3,)."""
        return -self.R.T @ self.t

    def to_camera(self, points: ArrayLike) -> Array:
        """World points (..., 3) in the camera frame (x right, y down, z forward), metres."""
        return np.asarray(points, np.float64) @ self.R.T + self.t

    def project(self, points: ArrayLike) -> Array:
        """World points (..., 3) as pixels (..., 2); meaningless for points behind the camera."""
        seen = self.to_camera(points) @ self.K.T
        depth = seen[..., 2:]
        return seen[..., :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)


def look_at(position: ArrayLike, target: ArrayLike, focal: float, size: tuple[int, int], roll: float = 0.0) -> Camera:
    """A camera at `position` that looks at `target`.

    Parameters
    ----------
    position, target : array_like (3,)
        World metres; `target` must not be straight above or below.
    focal : float
        Focal length in pixels.
    size : (int, int)
        Picture width and height in pixels.
    roll : float
        Turn about the viewing axis, radians.
    """
    place = np.asarray(position, np.float64)
    ahead = np.asarray(target, np.float64) - place
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    cosine, sine = np.cos(roll), np.sin(roll)
    turn = np.stack([cosine * right + sine * down, cosine * down - sine * right, ahead])
    width, height = size
    lens = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])
    return Camera(K=lens, R=turn, t=-turn @ place)
