"""Training scenes for the person detector: rendered frames, whole photos, and cut-out persons on other backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from detector_photos import Photo

SIDE = 192
STRIDE = 8
SMALLEST = 14.0  # pixels of the longer side: smaller persons are neither asked for nor punished
HIDDEN = -1
GROUND = 0


@dataclass(frozen=True)
class Rendered:
    """One rendered frame: RGB image and its persons' boxes (N, 4) xywh, pixels."""

    image: np.ndarray
    boxes: np.ndarray


@dataclass(frozen=True)
class Pool:
    """What scenes are made of."""

    photos: Sequence[Photo]
    rendered: Sequence[Rendered]
    empty: Sequence[np.ndarray]

    def backgrounds(self, rng: np.random.Generator) -> np.ndarray:
        """Return one background without an annotated person: a photo two times out of three, else a painted one."""
        if rng.random() < 0.33:
            return self.empty[int(rng.integers(len(self.empty)))]
        while True:
            photo = self.photos[int(rng.integers(len(self.photos)))]
            if photo.background is not None:
                return photo.background


@dataclass
class Scene:
    """One training image (192, 192, 3) uint8; boxes (N, 4) xywh; weight (24, 24) of "no person here" per cell."""

    image: np.ndarray
    boxes: np.ndarray
    weight: np.ndarray


def compose(pool: Pool, rng: np.random.Generator) -> Scene:
    """Return one random scene."""
    kind = rng.random()
    if kind < 0.25 and pool.rendered:
        scene = rendered_scene(pool, rng)
    elif kind < 0.55:
        scene = photo_scene(pool, rng)
    else:
        scene = pasted_scene(pool, rng)
    if rng.random() < 0.5:
        scene = _mirrored(scene)
    if rng.random() < 0.15:
        _letterbox_bar(scene, rng)
    scene.image = photometric(scene.image, rng)
    return scene


def rendered_scene(pool: Pool, rng: np.random.Generator) -> Scene:
    """Return a rendered frame, cut or shrunk at random."""
    frame = pool.rendered[int(rng.integers(len(pool.rendered)))]
    height, width = frame.image.shape[:2]
    scale = SIDE / max(height, width) * float(np.exp(rng.uniform(np.log(0.4), np.log(1.7))))
    shift = [float(rng.uniform(*sorted((0.0, SIDE - side * scale)))) for side in (width, height)]
    image = _placed(frame.image, backdrop(pool, rng), scale, shift, feather=0)
    boxes = frame.boxes * scale + np.array([*shift, 0.0, 0.0])
    return _labelled(image, boxes, np.ones((SIDE // STRIDE,) * 2, np.float32))


def photo_scene(pool: Pool, rng: np.random.Generator) -> Scene:
    """Return a whole photo around its person; the rest of the photo may hold others and hardly counts."""
    photo = pool.photos[int(rng.integers(len(pool.photos)))]
    box = (photo.box + mask_box(photo.mask > 0)) / 2
    scale = SIDE / float(max(box[2:])) * float(np.exp(rng.uniform(np.log(0.2), np.log(1.15))))
    shift = []
    for axis in range(2):
        room = SIDE - box[2 + axis] * scale
        slack = 0.15 * box[2 + axis] * scale
        shift.append(float(rng.uniform(min(0, room) - slack, max(0, room) + slack) - box[axis] * scale))
    image = _placed(photo.image, backdrop(pool, rng), scale, shift, feather=int(rng.integers(0, 9)))
    weight = np.ones((SIDE // STRIDE,) * 2, np.float32)
    placed = np.array([*shift, photo.image.shape[1] * scale, photo.image.shape[0] * scale])
    _weigh(weight, placed, 0.1)
    moved = box * scale + np.array([*shift, 0.0, 0.0])
    _weigh(weight, moved, 1.0)
    return _labelled(image, moved[None], weight)


def pasted_scene(pool: Pool, rng: np.random.Generator) -> Scene:
    """Return cut-out persons pasted on a background, some partly behind an object or another person."""
    image = backdrop(pool, rng)
    owner = np.full((SIDE, SIDE), GROUND, np.int16)
    for _ in range(int(rng.integers(0, 4))):
        _paste_object(image, owner, pool, rng, GROUND)
    whole: list[float] = []
    base = float(np.exp(rng.uniform(np.log(20), np.log(170))))
    for _ in range(int(rng.choice([0, 1, 2, 3, 4], p=[0.08, 0.37, 0.27, 0.17, 0.11]))):
        tall = base * float(rng.uniform(0.7, 1.35)) if base < 110 or not whole else float(rng.uniform(30, 110))
        photo = pool.photos[int(rng.integers(len(pool.photos)))]
        whole.append(_paste_person(image, owner, photo, tall, len(whole) + 1, rng))
        if rng.random() < 0.3:
            _paste_object(image, owner, pool, rng, HIDDEN)
    weight = np.full((SIDE // STRIDE,) * 2, 0.6, np.float32)
    boxes = []
    for number, area in enumerate(whole, start=1):
        seen = owner == number
        if not seen.any():
            continue
        if seen.sum() < 0.3 * area:
            _weigh(weight, mask_box(seen), 0.0)
        else:
            boxes.append(mask_box(seen))
    return _labelled(image, np.array(boxes).reshape(-1, 4), weight)


def backdrop(pool: Pool, rng: np.random.Generator) -> np.ndarray:
    """Return a (192, 192, 3) background of one or two pieces."""
    image = _cut(pool.backgrounds(rng), rng)
    if rng.random() < 0.45:
        other = _cut(pool.backgrounds(rng), rng)
        angle, along = rng.uniform(0, 2 * np.pi), rng.uniform(-60, 60)
        if rng.random() < 0.6:
            angle = float(rng.integers(4)) * np.pi / 2
        across, down = (np.arange(SIDE, dtype=np.float32) - SIDE / 2) * np.cos(angle), np.arange(SIDE) - SIDE / 2
        slope = across[None] + (down * np.sin(angle) - along)[:, None].astype(np.float32)
        image = blend(image, other, np.clip(slope / np.float32(rng.uniform(0.5, 12)), 0, 1))
    return image


def _cut(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    side = rng.uniform(0.35, 1.0, 2) * (height, width)
    y, x = (int(rng.integers(0, max(1, size - int(s)))) for size, s in zip((height, width), side, strict=True))
    piece = image[y : y + max(8, int(side[0])), x : x + max(8, int(side[1]))]
    return cv2.resize(piece, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).copy()


def _paste_person(
    image: np.ndarray, owner: np.ndarray, photo: Photo, tall: float, number: int, rng: np.random.Generator
) -> float:
    """Paste one cut-out person, `tall` pixels on the longer side; return the area that it would have in full."""
    box = mask_box(photo.mask > 0)
    scale = tall / float(max(box[2:]))
    angle = float(rng.normal(0, 8)) + (float(rng.choice([90, 180, 270])) if rng.random() < 0.12 else 0.0)
    turn = cv2.getRotationMatrix2D((box[0] + box[2] / 2, box[1] + box[3] / 2), angle, scale)
    if rng.random() < 0.5:
        turn = turn @ np.array([[-1, 0, 2 * box[0] + box[2]], [0, 1, 0], [0, 0, 1.0]])
    reach = (0.5 - 0.12) * tall
    target = rng.uniform(reach, SIDE - reach, 2) if 2 * reach < SIDE else rng.uniform(0.4 * SIDE, 0.6 * SIDE, 2)
    turn[:, 2] += target - (box[:2] + box[2:] / 2) @ turn[:, :2].T - turn[:, 2]
    source = photo.image if scale > 0.6 else cv2.GaussianBlur(photo.image, (0, 0), 0.4 / scale)
    person = cv2.warpAffine(source, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(photo.mask, turn, (SIDE, SIDE)).astype(np.float32) / 255
    alpha = cv2.GaussianBlur(alpha, (0, 0), float(rng.uniform(0.4, 1.0)))
    owner[alpha > 0.5] = number
    gain, lift = rng.uniform(0.55, 1.25) * rng.uniform(0.92, 1.08, 3), float(rng.uniform(-12, 12))
    image[:] = blend(image, relit(person, gain, lift), alpha)
    return float((photo.mask > 127).sum()) * scale**2


def _paste_object(image: np.ndarray, owner: np.ndarray, pool: Pool, rng: np.random.Generator, mark: int) -> None:
    """Paste a post, a slab, a round or a rectangular piece of another background; it owns its pixels as `mark`."""
    shape = np.zeros((SIDE, SIDE), np.uint8)
    x, y = rng.uniform(0, SIDE, 2)
    kind = rng.random()
    if kind < 0.35:
        half = rng.uniform(3, 26)
        lean = rng.uniform(-20, 20)
        corners = [[x - half, 0], [x + half, 0], [x + half + lean, SIDE], [x - half + lean, SIDE]]
    elif kind < 0.75:
        w, h = rng.uniform(5, 45, 2)
        corners = [[x - w, y - h], [x + w, y - h], [x + w, y + h], [x - w, y + h]]
    else:
        around = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 12))))
        radius = rng.uniform(6, 40) * rng.uniform(0.5, 1.3, len(around))
        corners = np.column_stack([x + radius * np.cos(around), y + radius * np.sin(around)])
    cv2.fillPoly(shape, [np.asarray(corners).round().astype(np.int32)], 255)
    alpha = cv2.GaussianBlur(shape, (0, 0), float(rng.uniform(0.4, 2.0))).astype(np.float32) / 255
    texture = relit(_cut(pool.backgrounds(rng), rng), np.full(3, rng.uniform(0.4, 1.2)), 0.0)
    owner[alpha > 0.5] = mark
    image[:] = blend(image, texture, alpha)


def _placed(image: np.ndarray, ground: np.ndarray, scale: float, shift: Sequence[float], feather: int) -> np.ndarray:
    """Return `ground` with `image` laid on it, scaled and shifted, its border softened by `feather` pixels."""
    affine = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    source = image if scale > 0.6 else cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    laid = cv2.warpAffine(source, affine, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    cover = np.full(image.shape[:2], 255, np.uint8)
    alpha = cv2.warpAffine(cover, affine, (SIDE, SIDE)).astype(np.float32) / 255
    if feather > 1:
        alpha = np.clip(2 * cv2.GaussianBlur(alpha, (0, 0), feather) - 1, 0, 1)
    return blend(ground, laid, alpha)


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return `above` laid over `below`, both (H, W, 3) uint8, with an (H, W) opacity."""
    alpha = alpha.astype(np.float32, copy=False)
    return cv2.blendLinear(above, below, alpha, 1 - alpha)


def relit(image: np.ndarray, gain: np.ndarray, lift: float) -> np.ndarray:
    """Return the image with its three channels scaled by `gain` and raised by `lift`."""
    tone = np.arange(256)[:, None] * gain + lift
    return cv2.LUT(image, np.clip(tone, 0, 255).astype(np.uint8)[None])


def _labelled(image: np.ndarray, boxes: np.ndarray, weight: np.ndarray) -> Scene:
    """Cut the boxes at the border; persons that are hardly there or tiny are ignored, not denied."""
    kept = []
    for box in boxes:
        low = np.maximum(box[:2], 0)
        high = np.minimum(box[:2] + box[2:], SIDE)
        inside = np.maximum(high - low, 0)
        share = inside.prod() / max(float(box[2] * box[3]), 1e-6)
        if share < 0.35 or max(inside) < SMALLEST:
            _weigh(weight, np.concatenate([low, inside]), 0.0)
        else:
            kept.append(np.concatenate([low, inside]))
    return Scene(image, np.array(kept, np.float32).reshape(-1, 4), weight)


def _weigh(weight: np.ndarray, box: np.ndarray, value: float) -> None:
    """Set the weight of the cells that a box touches."""
    x0, y0 = np.floor(np.clip(box[:2], 0, SIDE) / STRIDE).astype(int)
    x1, y1 = np.ceil(np.clip(box[:2] + box[2:], 0, SIDE) / STRIDE).astype(int)
    weight[y0:y1, x0:x1] = value


def mask_box(mask: np.ndarray) -> np.ndarray:
    """Return the (4,) xywh box of a boolean mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    low = np.array([columns[0], rows[0]], np.float32)
    return np.concatenate([low, np.array([columns[-1] + 1, rows[-1] + 1], np.float32) - low])


def _mirrored(scene: Scene) -> Scene:
    boxes = scene.boxes.copy()
    boxes[:, 0] = SIDE - boxes[:, 0] - boxes[:, 2]
    return Scene(np.ascontiguousarray(scene.image[:, ::-1]), boxes, scene.weight[:, ::-1].copy())


def _letterbox_bar(scene: Scene, rng: np.random.Generator) -> None:
    """Grey out the right or the lower edge, as letterboxing does, where no person stands."""
    axis = int(rng.integers(2))
    end = float((scene.boxes[:, axis] + scene.boxes[:, 2 + axis]).max(initial=SIDE / 3))
    start = int(rng.uniform(end, SIDE))
    bar = np.s_[:, start:] if axis == 0 else np.s_[start:]
    scene.image = scene.image.copy()
    scene.image[bar] = 114


def photometric(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the image with light, colour, glare, sharpness, noise and compression changed at random."""
    tone = np.arange(256) / 255.0
    curve = rng.uniform(0.65, 1.3) * tone ** np.exp(rng.normal(0, 0.3)) + rng.uniform(-0.1, 0.12)
    lut = np.stack([np.clip(255 * curve * gain, 0, 255) for gain in rng.uniform(0.9, 1.1, 3)], axis=-1)
    out = cv2.LUT(image, lut[None].astype(np.uint8))
    if rng.random() < 0.15:
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None]
        share = float(rng.uniform(0, 0.8))
        out = cv2.addWeighted(out, share, grey.repeat(3, axis=2), 1 - share, 0)
    if rng.random() < 0.12:
        out = _glare(out, rng)
    if rng.random() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.3:
        noise = rng.standard_normal((SIDE, SIDE // 2, 3), np.float32) * np.float32(rng.uniform(2, 14))
        noise = np.concatenate([noise, noise[::-1, ::-1]], axis=1)
        out = cv2.add(out, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.2:
        _, packed = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])
        out = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(out)


def _glare(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    spread, centre = float(rng.uniform(15, 110)), rng.uniform(0, SIDE, 2)
    x, y = (np.exp(-((np.arange(SIDE) - at) ** 2) / (2 * spread**2)) for at in centre)
    light = (y[:, None] * x[None] * rng.uniform(60, 220))[..., None] * rng.uniform(0.75, 1.0, 3)
    return cv2.add(image, light, dtype=cv2.CV_8U)
