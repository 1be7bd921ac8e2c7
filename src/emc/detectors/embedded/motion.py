"""Motion against a still background: what differs from the clip's median picture speaks for a person there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from emc.pose.geometry import box_overlap

SIDE = 256
LEAST_FRAMES = 8
# Grey levels that a pixel must differ by, and how many times its own usual flicker.
LEVELS = 14.0
FLICKER = 4.0
# A larger share of differing pixels is the camera or the light, not a person.
MOST_MOVING = 0.25
# A person who crosses the picture covers at least this share of it, and this many times what differs on one frame.
CROSSED = 0.3
TRAVEL = 8.0
# What full foreground adds to a box's log-odds, and the share of foreground that counts as full.
GAIN = 3.0
FULL = 0.25
# A moving piece alone: its least longer side as a share of the picture's, and the score that it is given.
LEAST_SIDE = 0.09
MOVING_SCORE = 0.45
BELIEVED = 0.5
FITS = 0.45
INSIDE = 0.7


@dataclass(frozen=True, slots=True)
class Background:
    """The median picture (h, w, 3) float32 of a clip whose camera stands still, and each pixel's flicker (h, w)."""

    picture: np.ndarray
    flicker: np.ndarray


def still_background(smalls: Sequence[np.ndarray]) -> Background | None:
    """Return the background of a clip from frames spread over it, None where it has none.

    smalls : of `shrunk`, all of one size, at least 8. None where they are fewer or differ in size, or where
    the camera moves: then more than a quarter of the pixels differ on half of the frames. None, too, where nobody
    leaves their place: the trunk of a person who stays is part of the median picture, and only limbs would move.
    """
    if len(smalls) < LEAST_FRAMES or len({small.shape for small in smalls}) > 1:
        return None
    small = np.stack(smalls).astype(np.float32)
    picture = np.median(small, axis=0)
    differences = np.abs(small - picture).max(axis=-1)
    background = Background(picture, np.median(differences, axis=0).astype(np.float32))
    masks = np.stack([foreground(one, background) for one in smalls])
    shaken = np.median([(difference > LEVELS).mean() for difference in differences])
    usual = float(np.median(masks.mean(axis=(1, 2))))
    passed = float(masks.any(axis=0).mean())
    travels = passed >= max(CROSSED, TRAVEL * usual)
    return background if max(usual, float(shaken)) < MOST_MOVING and travels else None


def foreground(small: np.ndarray, background: Background) -> np.ndarray:
    """Return the (h, w) mask, bool, of what of a `shrunk` picture differs from the background.

    Empty where nearly everything does.
    """
    difference = np.abs(small.astype(np.float32) - background.picture).max(axis=-1)
    mask = (difference > np.maximum(LEVELS, FLICKER * background.flicker)).astype(np.uint8)
    if mask.mean() > MOST_MOVING:
        return np.zeros(mask.shape, dtype=bool)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0


def moved_scores(scores: np.ndarray, xywh: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the (N,) scores raised where their boxes fit something that moves.

    xywh : (N, 4) frame pixels. mask : of `foreground`. size : (width, height) of the frame. A box gains by the product
    of three shares: how much foreground it holds (a quarter is full), how much of the touched pieces of foreground lies
    in it, and its IoU with the box around the foreground inside it. No score ever falls: a person may stand still.
    """
    scale = np.array([mask.shape[1] / size[0], mask.shape[0] / size[1]])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA].astype(float)
    gains = np.zeros(len(scores))
    for number, box in enumerate(xywh):
        x0, y0 = np.maximum(np.floor((box[:2] + 0.5) * scale), 0).astype(int)
        x1, y1 = np.ceil((box[:2] + box[2:] + 0.5) * scale).astype(int)
        gains[number] = _fit(labels[y0:y1, x0:x1], areas)
    sure = np.clip(scores, 1e-6, 1 - 1e-6)
    return 1 / (1 + np.exp(-np.log(sure / (1 - sure)) - GAIN * gains))


def _fit(inside: np.ndarray, areas: np.ndarray) -> float:
    """Return how well a box fits the moving pieces in it, 0 to 1, from their labels (h, w) and whole areas."""
    seen = np.bincount(inside.ravel(), minlength=len(areas)).astype(float)
    seen[0] = 0
    # Specks far from the body must not stretch the box around it.
    large = np.flatnonzero(seen > 0.1 * seen.max(initial=0.0))
    if seen.sum() == 0:
        return 0.0
    body = np.isin(inside, large)
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    around = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    whole = (seen * seen / areas).sum() / seen.sum()
    filled = min(seen.sum() / inside.size / FULL, 1.0)
    return float(filled * whole * around / inside.size)


def moving_boxes(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the (M, 4) xywh boxes, frame pixels, of the pieces of foreground that are large enough for a person.

    mask : of `foreground`. size : (width, height) of the frame. Pieces one above the other are joined first: clothes
    of the background's colour cut a body in two. Thin, sparse and small pieces are left out.
    """
    joined = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 3), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    boxes = stats[1:, :4].astype(float)
    longer, shorter = boxes[:, 2:].max(axis=1), boxes[:, 2:].min(axis=1)
    filled = stats[1:, cv2.CC_STAT_AREA] / (boxes[:, 2] * boxes[:, 3])
    keep = (longer >= LEAST_SIDE * max(mask.shape)) & (shorter >= 0.2 * longer) & (filled >= 0.25)
    scale = np.array([size[0] / mask.shape[1], size[1] / mask.shape[0]])
    low = boxes[keep, :2] * scale - 0.5
    return np.concatenate([low, boxes[keep, 2:] * scale], axis=1)


def joined_with_motion(xywh: np.ndarray, raised: np.ndarray, moving: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes (K, 4) and scores (K,): what moves, and the network's boxes that motion does not contradict.

    xywh : (N, 4) boxes of the network, `raised` their scores as `moved_scores` returns them. moving : (M, 4) of
    `moving_boxes`. A network box counts from `BELIEVED` on; what moves inside it is an arm or a leg, unless two large
    pieces do. Where a network box fits something that moves, the moving outline is taken with the better score.
    """
    overlap = box_overlap(moving, xywh)
    held, lies = _share_inside(moving, xywh), _share_inside(xywh, moving).T
    fits = overlap >= FITS
    sides = moving[:, 2:].max(axis=1)[:, None] / np.maximum(xywh[:, 2:].max(axis=1), 1e-9)[None]
    # One box around two moving pieces of some size each is around two persons.
    raised = np.where(((held >= INSIDE) & (sides >= 0.33)).sum(axis=0) >= 2, 0.0, raised)
    part = np.asarray(((raised >= BELIEVED) & (held >= INSIDE) & ~fits).any(axis=1))
    scores = np.where(fits, raised[None], MOVING_SCORE).max(axis=1, initial=MOVING_SCORE)
    explained = (fits | (lies >= INSIDE))[~part].any(axis=0)
    stays = (raised >= BELIEVED) & ~explained
    return np.concatenate([xywh[stays], moving[~part]]), np.concatenate([raised[stays], scores[~part]])


def _share_inside(inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
    """Return the (M, N) share of each inner box's area that lies in each outer box."""
    low = np.maximum(inner[:, None, :2], outer[None, :, :2])
    high = np.minimum((inner[:, :2] + inner[:, 2:])[:, None], (outer[:, :2] + outer[:, 2:])[None])
    return np.maximum(high - low, 0).prod(axis=-1) / np.maximum(inner[:, 2:].prod(axis=-1), 1e-9)[:, None]


def shrunk(image: np.ndarray) -> np.ndarray:
    """Return an (H, W, 3) uint8 picture as motion is looked for on it: slightly blurred, longer side at most `SIDE`."""
    scale = min(1.0, SIDE / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (0, 0), 0.7)
