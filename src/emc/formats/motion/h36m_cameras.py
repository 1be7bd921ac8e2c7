"""Cameras of Human3.6M from a JSON file of the user's.

Two forms are read:

- ``{"extrinsics": {subject: {camera: {"R": 3x3, "t": 3x1 mm}}}, "intrinsics": {camera: {"calibration_matrix": 3x3,
  "distortion": [k1, k2, p1, p2, k3]}}}``, where a camera sees R X + t;
- ``{subject: [{"id", "orientation": [w, x, y, z], "translation" (mm, or metres), "focal_length": [x, y], "center": [x,
  y], "radial_distortion": [k1, k2, k3], "tangential_distortion": [p1, p2], "res_w", "res_h"}, ...]}``, where
  `orientation` turns the camera's axes into the world's and `translation` is the camera's place. A file may hold a
  second list of what all subjects share under ``"intrinsics"``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from emc.errors import InputError
from emc.untrusted import one_line

RESOLUTIONS: Mapping[str, tuple[int, int]] = MappingProxyType({
    "54138969": (1000, 1002), "55011271": (1000, 1000), "58860488": (1000, 1000), "60457274": (1000, 1002),
})  # fmt: skip
"""Width and height of the data set's four cameras, in their usual order."""
MILLIMETRES_BEYOND = 100.0
"""No camera stands this many metres off: larger numbers are millimetres."""


@dataclass(frozen=True, slots=True)
class H36MCamera:
    """A camera with lens distortion.

    rotation : (3, 3) world to camera axes. position : (3,) metres, world. focal, centre : (2,) pixels.
    radial : (3,) k1, k2, k3. tangential : (2,) p1, p2. size : (width, height).
    """

    name: str
    rotation: np.ndarray
    position: np.ndarray
    focal: np.ndarray
    centre: np.ndarray
    radial: np.ndarray
    tangential: np.ndarray
    size: tuple[int, int]

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Take (..., 3) world points in metres to camera axes (x right, y down, z forward), metres."""
        return (points - self.position) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project (..., 3) world points to (..., 2) pixels; NaN behind the camera.

        Source: Brown, "Close-range camera calibration", 1971, the model of OpenCV and of the data set's calibration.
        """
        camera = self.to_camera(points)
        depth = np.where(camera[..., 2:] > 1e-6, camera[..., 2:], np.nan)
        flat = camera[..., :2] / depth
        x, y = flat[..., 0], flat[..., 1]
        r2 = x * x + y * y
        k1, k2, k3 = self.radial
        p1, p2 = self.tangential
        grow = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        bent = np.stack(
            [x * grow + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * grow + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y],
            axis=-1,
        )
        return bent * self.focal + self.centre


@one_line("download it again")
def read_h36m_cameras(path: Path) -> dict[str, list[H36MCamera]]:
    """Return subject -> cameras in the order of the 2D files; raises `InputError` naming the file and the entry."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the cameras {path} ({error}): give a JSON file of camera parameters") from error
    try:
        if "extrinsics" in document:
            return _by_matrix(document)
        return _by_quaternion(document)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(
            f"{path} has a camera without usable parameters ({error!r}): see docs/lifting.md for the two forms"
        ) from error


def _by_matrix(document: Mapping[str, Any]) -> dict[str, list[H36MCamera]]:
    out: dict[str, list[H36MCamera]] = {}
    for subject, cameras in document["extrinsics"].items():
        for name in sorted(cameras):
            inside, place = document["intrinsics"][name], cameras[name]
            rotation = _numbers(place["R"], (3, 3))
            matrix = _numbers(inside["calibration_matrix"], (3, 3))
            k1, k2, p1, p2, k3 = _numbers(inside["distortion"], (5,))
            position = -rotation.T @ _metres(_numbers(np.ravel(place["t"]), (3,)))
            out.setdefault(subject, []).append(
                H36MCamera(
                    name=name,
                    rotation=rotation,
                    position=position,
                    focal=np.array([matrix[0, 0], matrix[1, 1]]),
                    centre=matrix[:2, 2].copy(),
                    radial=np.array([k1, k2, k3]),
                    tangential=np.array([p1, p2]),
                    size=_size(inside, name),
                )
            )
    return out


def _by_quaternion(document: Mapping[str, Any]) -> dict[str, list[H36MCamera]]:
    shared: Sequence[Mapping[str, Any]] = document.get("intrinsics", ())
    out: dict[str, list[H36MCamera]] = {}
    for subject, cameras in document.items():
        if subject == "intrinsics":
            continue
        for number, own in enumerate(cameras):
            # Subjects of the training of others have entries without a place: such cameras cannot be used.
            entry = {**(shared[number] if number < len(shared) else {}), **own}
            if "orientation" not in entry:
                continue
            name = str(entry.get("id", number))
            out.setdefault(subject, []).append(
                H36MCamera(
                    name=name,
                    rotation=_matrix(_numbers(entry["orientation"], (4,))).T,
                    position=_metres(_numbers(entry["translation"], (3,))),
                    focal=_numbers(entry["focal_length"], (2,)),
                    centre=_numbers(entry["center"], (2,)),
                    radial=_numbers(entry.get("radial_distortion", [0, 0, 0]), (3,)),
                    tangential=_numbers(entry.get("tangential_distortion", [0, 0]), (2,)),
                    size=_size(entry, name),
                )
            )
    return out


def _numbers(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(value, dtype=np.float64)
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"numbers {value} are not finite {shape}")
    return array


def _metres(place: np.ndarray) -> np.ndarray:
    return place / 1000 if np.abs(place).max() > MILLIMETRES_BEYOND else place


def _size(entry: Mapping[str, Any], name: str) -> tuple[int, int]:
    if "res_w" in entry:
        return int(entry["res_w"]), int(entry["res_h"])
    if name not in RESOLUTIONS:
        raise ValueError(f"camera {name} has no res_w and res_h")
    return RESOLUTIONS[name]


def _matrix(quaternion: np.ndarray) -> np.ndarray:
    """Return the rotation matrix of a quaternion (w, x, y, z)."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
