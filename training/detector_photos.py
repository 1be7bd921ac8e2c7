"""Real photos for the person detector's training: cut-out persons, and the photos with the person painted over.

Each photo of `lspe/common_train` has one annotated person. GrabCut (Rother et al., 2004), started from the limbs
between the labelled joints, gives a mask good enough to paste the person elsewhere; inpainting gives a background
without them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

# LSP-14 order: right ankle, knee, hip, left hip, knee, ankle, right wrist, elbow, shoulder, left ..., neck, head top.
LIMBS = ((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (9, 10), (10, 11), (12, 13), (2, 8), (3, 9), (2, 3), (8, 9))
TORSO = (2, 3, 9, 8)
LONGEST = 176


@dataclass(frozen=True)
class Photo:
    """One photo: RGB image, person mask (uint8 0 / 255), widened joint box (x, y, w, h), background without them."""

    image: np.ndarray
    mask: np.ndarray
    box: np.ndarray
    background: np.ndarray | None


def read_photos(folder: Path, cache: Path, limit: int) -> list[Photo]:
    """Return the photos of `folder`/common_train (never another split), masks and backgrounds kept in `cache`."""
    document = json.loads((folder / "common_train.json").read_text())
    names = {entry["id"]: entry["file_name"] for entry in document["images"]}
    cache.mkdir(parents=True, exist_ok=True)
    photos = []
    for annotation in document["annotations"][:limit]:
        name = names[annotation["image_id"]]
        kept = cache / f"{Path(name).stem}.npz"
        if not kept.exists():
            photo = _prepare(cv2.imread(str(folder / name)), annotation, len(photos) % 2 == 0)
            background = photo.background if photo.background is not None else np.zeros(0, np.uint8)
            np.savez(kept, image=photo.image, mask=photo.mask, box=photo.box, background=background)
        with np.load(kept) as data:
            background = data["background"] if data["background"].size else None
            photos.append(Photo(data["image"], data["mask"], data["box"], background))
    return photos


def _prepare(bgr: np.ndarray, annotation: dict, paint: bool) -> Photo:
    scale = min(1.0, LONGEST / max(bgr.shape[:2]))
    image = cv2.cvtColor(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    joints = np.array(annotation["keypoints"], np.float32).reshape(-1, 3)
    joints[:, :2] *= scale
    joints[joints[:, 2] == 0, :2] = np.nan
    box = _widened(np.array(annotation["bbox"], np.float32) * scale, image.shape)
    mask = _person_mask(image, joints[:, :2], box)
    background = _painted_over(image, mask) if paint else None
    return Photo(image, mask, box, background)


def _widened(box: np.ndarray, shape: tuple[int, ...], margin: float = 0.06) -> np.ndarray:
    """Widen a joint box to the body's outline: joints lie inside hands, feet and shoulders."""
    grow = margin * max(box[2], box[3])
    low = np.maximum(box[:2] - grow, 0)
    high = np.minimum(box[:2] + box[2:] + grow, [shape[1], shape[0]])
    return np.concatenate([low, high - low]).astype(np.float32)


def _person_mask(image: np.ndarray, joints: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return a uint8 mask (0 / 255) of the person by GrabCut from limb strokes, outside of `box` never."""
    trunk = np.nan_to_num(np.linalg.norm(joints[[2, 3]] - joints[[8, 9]], axis=1)).max()
    torso = float(trunk) if trunk > 4 else float(max(box[2:])) * 0.3
    sure = _strokes(image.shape[:2], joints, max(1, round(torso * 0.10)))
    likely = _strokes(image.shape[:2], joints, max(2, round(torso * 0.36)))
    state = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    x, y, w, h = box.round().astype(int)
    state[y : y + h, x : x + w] = cv2.GC_PR_BGD
    state[(likely > 0) & (state != cv2.GC_BGD)] = cv2.GC_PR_FGD
    state[sure > 0] = cv2.GC_FGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), state, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    person = np.isin(state, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    near = cv2.dilate(likely, np.ones((3, 3), np.uint8), iterations=max(1, round(torso * 0.12)))
    person[near == 0] = 0
    return cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) * 255 | sure


def _strokes(shape: tuple[int, int], joints: np.ndarray, thickness: int) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    for a, b in LIMBS:
        if np.isfinite(joints[[a, b]]).all():
            ends = joints[[a, b]].round().astype(int)
            cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), 255, thickness)
    trunk = joints[list(TORSO)]
    if np.isfinite(trunk).all():
        cv2.fillConvexPoly(canvas, cv2.convexHull(trunk.round().astype(np.int32)), 255)
    if np.isfinite(joints[[12, 13]]).all():
        radius = np.linalg.norm(joints[12] - joints[13]) * 0.32
        cv2.circle(canvas, joints[[12, 13]].mean(axis=0).round().astype(int).tolist(), max(1, int(radius)), 255, -1)
    return canvas


def _painted_over(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return the image with the person filled from what is around them."""
    hole = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=5)
    return cv2.inpaint(image, hole, 3, cv2.INPAINT_TELEA)
