"""What the report's 3D viewer needs: lifted sequences, their joint angles, and small pictures of the video."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np

from emc.errors import InputError, ShapeMismatch
from emc.pose.motion import joint_angles
from emc.pose.skeletons import H36M17, Skeleton

PICTURE_SIDE = 360
PICTURE_QUALITY = 72
Tracks = Mapping[Literal["before", "after", "truth"], np.ndarray]


@dataclass(frozen=True, slots=True)
class VideoPreview:
    """Every `every`-th frame of a clip, from the first on, as JPEGs of `width` x `height` pixels."""

    every: int
    width: int
    height: int
    jpeg: tuple[bytes, ...]


def video_preview(images: Iterable[np.ndarray], every: int, clip: str) -> VideoPreview | None:
    """Return the pictures that run beside a 3D sequence, the longer side at most 360 px; None where there are none.

    images : (H, W, 3) RGB, every `every`-th frame of the clip. Raises `InputError` where one cannot be encoded.
    """
    size, made = (0, 0), list[bytes]()
    for image in images:
        height, width = image.shape[:2]
        scale = min(1.0, PICTURE_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(image[:, :, ::-1], size, interpolation=cv2.INTER_AREA)
        done, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
        if not done:
            raise InputError(f"picture {len(made)} of clip {clip} could not be encoded: leave the film out")
        made.append(encoded.tobytes())
    return VideoPreview(every, *size, tuple(made)) if made else None


def sequence_medium(
    sequences: Tracks,
    clip: str,
    fps: float,
    skeleton: Skeleton = H36M17,
    root: int = 0,
    film: VideoPreview | None = None,
) -> str:
    """Return the medium of the 3D viewer: JSON with whole millimetres and whole degrees.

    sequences : name -> (T, J, 3) metres, camera axes (x right, y down, z forward), equally long; each frame is shown
    with its `root` at the origin; a joint that is NaN is left out. Joint angles (`emc.pose.motion`) are there for
    Human3.6M-17. film : pictures of the clip's frames 0 to T - 1. Raises `ShapeMismatch` naming the shapes.
    """
    shapes = {name: points.shape for name, points in sequences.items()}
    if not shapes or len(set(shapes.values())) != 1 or next(iter(shapes.values()))[1:] != (len(skeleton), 3):
        raise ShapeMismatch(f"3D sequences of clip {clip} must all be (T, {len(skeleton)}, 3): got {shapes}")
    document = {
        "clip": clip,
        "fps": fps,
        "joints": list(skeleton.joints),
        "limbs": [list(limb) for limb in skeleton.limbs],
        "left": [joint.startswith("left_") for joint in skeleton.joints],
        "tracks": {name: _millimetres(points, root) for name, points in sequences.items()},
        "angles": _angles(sequences) if skeleton.name == H36M17.name else {},
        "video": None if film is None else _preview_document(film),
    }
    return json.dumps(document, separators=(",", ":"))


def _millimetres(points: np.ndarray, root: int) -> list[list[list[int] | None]]:
    rooted = (points - points[:, root : root + 1]) * 1000.0
    return [
        [[round(float(v)) for v in joint] if np.isfinite(joint).all() else None for joint in frame] for frame in rooted
    ]


def _angles(sequences: Tracks) -> dict[str, dict[str, list[int | None]]]:
    """Return angle -> track -> degrees per frame, None where a joint is missing."""
    found: dict[str, dict[str, list[int | None]]] = {}
    for name, points in sequences.items():
        for angle, degrees in joint_angles(points).items():
            found.setdefault(angle, {})[name] = [round(float(v)) if np.isfinite(v) else None for v in degrees]
    return found


def _preview_document(film: VideoPreview) -> dict[str, Any]:
    jpeg = [base64.b64encode(picture).decode("ascii") for picture in film.jpeg]
    return {"every": film.every, "width": film.width, "height": film.height, "jpeg": jpeg}
