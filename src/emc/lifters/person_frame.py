"""The input of the small lifter: 2D joints around the person's own hips, in units of the person's own size.

A user's camera, crop and resolution are unknown, so nothing here depends on them: moving the person in the frame or
scaling the frame leaves the values unchanged.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import percentile_filter

from emc.errors import ShapeMismatch
from emc.pose.skeletons import COCO17, H36M17

HIPS = (COCO17.index("left_hip"), COCO17.index("right_hip"))
SHOULDERS = (COCO17.index("left_shoulder"), COCO17.index("right_shoulder"))
EARS = (COCO17.index("left_ear"), COCO17.index("right_ear"))
LIMBS_IN = tuple(i for i, joint in enumerate(COCO17.joints) if joint in H36M17.joints)
LIMBS_OUT = tuple(H36M17.index(COCO17.joints[i]) for i in LIMBS_IN)

STANDARD_HEIGHT = 1.70
"""Metres; the stature that lengths refer to where the person's own is unknown."""

BONES: tuple[tuple[int, int], ...] = tuple(
    (COCO17.index(f"{side}_{a}"), COCO17.index(f"{side}_{b}"))
    for side in ("left", "right")
    for a, b in (("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)
BONE_LENGTHS: tuple[float, ...] = (0.498, 0.406, 0.410, 0.282, 0.248) * 2
"""Metres, of an adult of `STANDARD_HEIGHT`, in the order of `BONES`."""

SIZE_WINDOW = 81
SIZE_PERCENTILE = 90


def any_joint_seen(xy: np.ndarray) -> bool:
    """Return whether any joint of (T, J, 2) pixels has a place on any frame."""
    # Not `.all(axis=-1)`: over an axis of two it takes longer than the rest of this module.
    return bool((np.isfinite(xy[..., 0]) & np.isfinite(xy[..., 1])).any())


def fill_gaps(xy: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate missing joints in time and mark them with confidence 0.

    xy : (T, 17, 2) pixels, NaN = missing. confidence : (T, 17), NaN counts as 0. Returns xy, where a gap is bridged
    linearly and the ends hold the nearest value (a joint that is never seen stays NaN), and confidence in [0, 1].
    """
    seen = np.asarray(np.isfinite(xy[..., 0]) & np.isfinite(xy[..., 1]))
    filled = xy.astype(np.float64)
    known = np.clip(np.nan_to_num(confidence), 0.0, 1.0).astype(np.float64)
    if seen.all():
        return filled, known
    filled[~seen], known[~seen] = np.nan, 0.0
    frames = np.arange(len(xy))
    for joint in np.flatnonzero(seen.any(axis=0) & ~seen.all(axis=0)):
        there = seen[:, joint]
        for axis in (0, 1):
            filled[:, joint, axis] = np.interp(frames, frames[there], filled[there, joint, axis])
    return filled, known


def person_size(filled: np.ndarray) -> np.ndarray:
    """Return (T,) pixels per metre of a standard adult, from the projected lengths of trunk and limbs.

    filled : (T, 17, 2) as `fill_gaps` gives it. Each of the ten `BONES` is taken at its 90th percentile over
    `SIZE_WINDOW` frames: a limb that points at the camera looks short now, but hardly ever for the whole window.
    Where no bone was ever seen, the spread of the joints stands in.
    """
    # One bone at a time: SciPy's filter of a single series is many times faster than that of a table.
    lengths = [np.hypot(*(filled[:, near] - filled[:, far]).T) for near, far in BONES]
    seen = [bone for bone, length in enumerate(lengths) if np.isfinite(length).all()]
    if seen:
        window = min(SIZE_WINDOW, 2 * len(filled) - 1)
        long = sum(percentile_filter(lengths[b], SIZE_PERCENTILE, size=window, mode="nearest") for b in seen)
        size = np.asarray(long) / sum(BONE_LENGTHS[bone] for bone in seen)
    else:
        size = np.full(len(filled), float(np.nanstd(filled, axis=(0, 1)).max()))
    return np.where(np.isfinite(size) & (size > 1e-9), size, 1.0)


def hip_centre(filled: np.ndarray) -> np.ndarray:
    """Return (T, 2) the middle of the hips, else the one hip that is known, else the mean of the known joints."""
    hips = filled[:, list(HIPS)]
    known = np.isfinite(hips).all(axis=(0, 2))
    if known.any():
        return hips[:, known].mean(axis=1)
    return np.nanmean(filled, axis=1)


def person_frame(xy: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the network's input and where the person's hips are.

    xy : (T, 17, 2) COCO-17 pixels, NaN = missing, at least one joint seen on one frame. confidence : (T, 17).
    Returns (T, 17, 3) float32: x and y from the middle of the hips in units of `person_size` (so roughly metres),
    confidence; a joint that is never seen lies at (0, 0) with confidence 0. And (T, 2) pixels, the middle of the hips.
    Raises `ShapeMismatch` where shapes are wrong or nothing is seen.
    """
    if xy.ndim != 3 or xy.shape[1:] != (len(COCO17), 2) or confidence.shape != xy.shape[:2]:
        raise ShapeMismatch(
            f"lifting got xy {xy.shape} and confidence {confidence.shape}: it needs (T, 17, 2) and (T, 17), COCO-17"
        )
    if not any_joint_seen(xy):
        raise ShapeMismatch(f"no joint is seen on any of {len(xy)} frames: lift only where a person was found")
    filled, known = fill_gaps(xy, confidence)
    centre = hip_centre(filled)
    values = np.empty((*known.shape, 3), dtype=np.float32)
    scale = 1 / person_size(filled)
    filled -= centre[:, None]
    filled *= scale[:, None, None]
    values[..., :2] = filled
    values[..., 2] = known
    values[:, np.isnan(filled[0, :, 0])] = 0.0  # a joint that is never seen is missing on every frame
    return values, centre


def flat_pose(values: np.ndarray) -> np.ndarray:
    """Return (..., 17, 3) Human3.6M joints where the (..., 17, 3) network input sees them, at depth 0.

    The small lifter's network answers with the difference from this: depth, perspective and repairs. What lies in the
    image plane need not be learned, which matters most for poses that no training clip holds. Limbs are copied; spine,
    neck and crown, which COCO-17 lacks, are put on the line from hips over shoulders to ears.
    """
    out = np.zeros_like(values)
    for here, there in zip(LIMBS_IN, LIMBS_OUT, strict=True):
        out[..., there, :2] = values[..., here, :2]
    thorax, ears = ((values[..., a, :2] + values[..., b, :2]) / 2 for a, b in (SHOULDERS, EARS))
    for joint, point in (("spine", thorax / 2), ("thorax", thorax), ("neck_nose", (thorax + ears) / 2)):
        out[..., H36M17.index(joint), :2] = point
    out[..., H36M17.index("head_top"), :2] = ears
    return out


def ray_rotation(centre: np.ndarray, size: tuple[int, int], focal: float) -> np.ndarray:
    """Return the (T, 3, 3) rotations from axes that look straight at the person to the camera's axes.

    centre : (T, 2) pixels. size : (width, height). focal : pixels; the principal point is the frame's middle. Each is
    the shortest rotation that takes (0, 0, 1) to the ray through `centre` (Rodrigues' formula for unit vectors).
    """
    middle = (np.array(size, dtype=np.float64) - 1) / 2
    ray = np.concatenate([(centre - middle) / focal, np.ones((len(centre), 1))], axis=1)
    x, y, z = (ray / np.linalg.norm(ray, axis=1, keepdims=True)).T
    k = 1 / (1 + z)
    rows = [[1 - k * x * x, -k * x * y, x], [-k * x * y, 1 - k * y * y, y], [-x, -y, z]]
    return np.moveaxis(np.array(rows), -1, 0)
