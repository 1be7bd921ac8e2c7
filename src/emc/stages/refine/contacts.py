"""Which foot stands when, and where the floor is: seen from one camera that stands still."""

from __future__ import annotations

import numpy as np

from emc.pose.motion import height_above
from emc.pose.skeletons import ANKLE_HEIGHT, ANKLES, STANDARD_STATURE

SLOW, QUICK = 0.25, 0.60
"""m/s across the line of sight: an ankle slower than the one may stand, and one quicker than the other moves."""
NEAR, HIGH = 0.05, 0.14
"""Metres above where a standing ankle is: up to the one it may stand, above the other it does not."""
SHORTEST = 0.1
"""Seconds: a foot that is slow for less has only turned round."""
ROLL, PITCH = np.tan(np.radians(4.0)), np.tan(np.radians(20.0))
"""Tangents by which a held camera leans sideways and nods; the floor's tilt is sought around level."""
UPRIGHT = np.tan(np.radians(7.0))
"""Tangent by which the mean trunk of people who stand on their feet leans."""
_PLACE = 0.03
_ROUNDS = 4


def find_contacts(root: np.ndarray, xyz: np.ndarray, fps: float, stature: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the (T, 2) contact of right and left foot in [0, 1] and the (4,) floor of the camera frame.

    root : (T, 3) metres, the pelvis in the camera frame. xyz : (T, 17, 3) joints around it. stature : metres.
    A foot stands where its ankle hardly moves across the line of sight (along it one camera sees too little) for a
    tenth of a second or more and is near the floor. The floor is the plane under the places where feet stood, each
    place counting once, drawn to level and to the upright trunk of standing people; plane and contacts take turns.
    """
    ankles = root[:, None] + xyz[:, list(ANKLES)]
    height = ANKLE_HEIGHT * stature / STANDARD_STATURE
    slow = _slow(ankles, fps)
    floor = _first_floor(ankles, slow, height)
    contact = slow
    for _ in range(_ROUNDS):
        contact = slow * _share(height_above(ankles, floor) - height, NEAR, HIGH)
        contact = _lasting(contact, fps)
        floor = _plane(ankles, contact, xyz, height)
    return contact, floor


def _share(value: np.ndarray, full: float, none: float) -> np.ndarray:
    """Return 1 up to `full`, 0 from `none` on, linear between."""
    return np.clip((none - value) / (none - full), 0.0, 1.0)


def _slow(ankles: np.ndarray, fps: float) -> np.ndarray:
    """Return (T, 2) in [0, 1]: how still each ankle is across the line of sight, over two frames either way."""
    if len(ankles) < 3:
        return np.zeros(ankles.shape[:2])
    sight = ankles / np.maximum(np.linalg.norm(ankles, axis=-1, keepdims=True), 1e-9)
    speed = np.gradient(ankles, axis=0) * fps
    speed = speed - (speed * sight).sum(axis=-1, keepdims=True) * sight
    return _share(np.linalg.norm(speed, axis=-1), SLOW, QUICK)


def _lasting(contact: np.ndarray, fps: float) -> np.ndarray:
    """Return (T, 2) contacts without those that last less than `SHORTEST`."""
    kept = contact.copy()
    for foot in range(contact.shape[1]):
        for first, last in stretches(contact[:, foot] > 0.5):
            if last - first < SHORTEST * fps:
                kept[first:last, foot] = 0.0
    return kept


def stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Return (first, last + 1) of each run of true values of a (T,) array."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _first_floor(ankles: np.ndarray, slow: np.ndarray, height: float) -> np.ndarray:
    """Return a level floor below the lower ankles: the median of those that are slow, else the lowest of all."""
    low = -ankles[..., 1]
    still = low[slow > 0.5]
    level = float(np.percentile(still, 30)) if still.size else float(np.percentile(low, 2))
    return np.array([0.0, -1.0, 0.0, height - level])


def _plane(ankles: np.ndarray, contact: np.ndarray, xyz: np.ndarray, height: float) -> np.ndarray:
    """Return the (4,) plane; unknowns are the slopes of -y in x and z and the offset."""
    rows, rights = [np.array([1 / ROLL, 0.0, 0.0]), np.array([0.0, 1 / PITCH, 0.0])], [0.0, 0.0]
    standing = contact.max(axis=1) > 0.5
    trunk = (xyz[standing, 8] - xyz[standing, 0]).mean(axis=0) if standing.any() else np.zeros(3)
    if trunk[1] < -0.1:
        rows += [np.array([1 / UPRIGHT, 0.0, 0.0]), np.array([0.0, 1 / UPRIGHT, 0.0])]
        rights += [-trunk[0] / trunk[1] / UPRIGHT, -trunk[2] / trunk[1] / UPRIGHT]
    places = [
        ankles[first:last, foot].mean(axis=0) for foot in range(2) for first, last in stretches(contact[:, foot] > 0.5)
    ]
    if not places:
        return _first_floor(ankles, contact, height)
    for x, y, z in places:
        rows.append(np.array([x, z, 1.0]) / _PLACE)
        rights.append((y + height) / _PLACE)
    a, c, offset = np.linalg.lstsq(np.array(rows), np.array(rights), rcond=None)[0]
    normal = np.array([a, -1.0, c])
    size = float(np.linalg.norm(normal))
    return np.concatenate([normal / size, [offset / size]])
