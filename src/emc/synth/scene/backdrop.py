"""What stands behind the people: a floor seen in perspective, a wall or a sky, and clutter."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from emc.synth.scene.camera import Camera

Float = NDArray[np.float32]
Image = NDArray[np.uint8]

BACKDROPS: tuple[str, ...] = ("hall", "dojo", "field", "street", "studio", "stage", "noise", "room")


@dataclass(frozen=True, eq=False)
class _View:
    """Where every pixel looks: on the floor (x, z metres), or on a wall (along, height metres)."""

    floor: NDArray[np.bool_]
    across: Float
    along: Float
    far: Float
    height: Float


def paint_backdrop(
    rng: np.random.Generator,
    camera: Camera,
    size: tuple[int, int],
    kind: str,
    wall: float,
    coarse: bool = False,
) -> Image:
    """Paint a background.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    camera : Camera
        Who looks.
    size : (int, int)
        Width and height, pixels.
    kind : str
        One of `BACKDROPS`.
    wall : float
        How far away the wall stands, metres.
    coarse : bool
        Paint all but the clutter at half the resolution, three times as fast, and clutter more:
        for training pictures.

    Returns
    -------
    ndarray (H, W, 3)
        RGB, uint8.
    """
    step = 2 if coarse else 1
    small = (-(-size[0] // step), -(-size[1] // step))
    lens = camera.K / np.array([[step], [step], [1]])
    view = _view(replace(camera, K=lens), small, wall, float(rng.uniform(-0.5, 0.5)))
    painters = {
        "hall": _hall, "dojo": _dojo, "field": _field, "street": _street, "studio": _studio,
        "stage": _stage, "noise": _abstract, "room": _room,
    }  # fmt: skip
    image = painters[kind](rng, view)
    cloudy = float(rng.uniform(0.02, 0.10) if coarse else rng.uniform(0.01, 0.05))
    image *= rng.uniform(0.65, 1.05) * (1 + _noise(rng, small, cloudy)[:, :, None])
    if coarse:
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.float32)
    if kind not in ("studio", "stage") or rng.random() < 0.3:
        count = int(rng.integers(0, 14)) if coarse else int(rng.integers(0, 6))
        _clutter(rng, image, float((~view.floor).mean()), count, 0.4 if coarse else 0.15)
    if rng.random() < (0.4 if coarse else 0.6):
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.5, 2.0)))
    pixels = np.clip(255 * image, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        fine = rng.integers(0, 2 + int(rng.integers(10)), (*pixels.shape[:2], 1), np.uint8)
        pixels = cv2.add(pixels, np.repeat(fine, 3, axis=2))
    return np.asarray(pixels, np.uint8)


def _view(camera: Camera, size: tuple[int, int], wall: float, slant: float) -> _View:
    width, height = size
    x = ((np.arange(width) - camera.K[0, 2]) / camera.K[0, 0]).astype(np.float32)
    y = ((np.arange(height) - camera.K[1, 2]) / camera.K[1, 1]).astype(np.float32)
    turn, place = camera.R.astype(np.float32), camera.position.astype(np.float32)
    rays = [
        (x * turn[0, k])[None, :] + (y * turn[1, k] + turn[2, k])[:, None] for k in range(3)
    ]  # fmt: skip
    heading = np.arctan2(camera.R[2, 0], camera.R[2, 2]) + slant
    sine, cosine = np.float32(np.sin(heading)), np.float32(np.cos(heading))
    hit = np.float32(wall) / np.maximum(rays[0] * sine + rays[2] * cosine, np.float32(1e-3))
    sinking = np.minimum(rays[1], np.float32(-1e-4))
    reach = np.where(rays[1] < -1e-4, -place[1] / sinking, np.float32(1e4))
    floor = reach < hit
    distance = np.where(floor, reach, hit)
    spot = [place[k] + rays[k] * distance for k in range(3)]
    across = np.where(floor, spot[0], spot[0] * cosine - spot[2] * sine)
    return _View(floor, across, spot[2], distance, np.clip(spot[1], 0, 200))


def _noise(rng: np.random.Generator, size: tuple[int, int], strength: float) -> Float:
    """Soft noise in several octaves (H, W)."""
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(4):
        cells = rng.normal(0, 0.6**octave, (3 << octave, 3 << octave)).astype(np.float32)
        total += cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)
    return total * np.float32(strength)


def _tint(rng: np.random.Generator, low: float, high: float, colour: float = 0.15) -> Float:
    """A colour of a brightness, more or less grey."""
    shade = rng.uniform(low, high) * (1 + colour * rng.standard_normal(3))
    return np.clip(shade, 0.02, 1.0).astype(np.float32)


def _mixed(mask: Float, first: Float, second: Float) -> Float:
    return np.asarray(second + mask[..., None] * (first - second), np.float32)


def _stripes(values: Float, period: float, share: float, far: Float) -> Float:
    """1 on stripes, faded where they would be finer than a pixel."""
    wave = (np.mod(values / period, 1.0) < share).astype(np.float32)
    fade = np.exp(-far / (25 * period + 4)).astype(np.float32)
    return np.asarray(share + (wave - share) * fade, np.float32)


def _floor(rng: np.random.Generator, view: _View, base: Float) -> Float:
    """Planks, tiles, mats or a plain floor, perhaps with painted lines."""
    kind = int(rng.integers(5))
    other = np.clip(base * rng.uniform(0.6, 1.3), 0, 1).astype(np.float32)
    step = float(rng.uniform(0.3, 1.6))
    if kind == 0:
        image = _mixed(_stripes(view.across, step * 0.3, 0.12, view.far), other, base)
    elif kind == 1:
        a = _stripes(view.across, step, 0.5, view.far)
        b = _stripes(view.along, step, 0.5, view.far)
        image = _mixed(np.abs(a - b), other, base)
    elif kind == 2:
        seams = np.maximum(_stripes(view.across, step, 0.04, view.far), _stripes(view.along, step, 0.04, view.far))
        image = _mixed(seams, base * 0.5, base)
    else:
        image = np.broadcast_to(base, (*view.floor.shape, 3)).copy()
    for _ in range(int(rng.integers(0, 4)) if kind < 4 else 0):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-3, 3)
        gap = np.abs(np.cos(angle) * view.across + np.sin(angle) * view.along - offset)
        line = (gap < 0.03 + 0.004 * view.far).astype(np.float32) * view.floor
        image = _mixed(line, _tint(rng, 0.3, 0.95, 0.4), image)
    return image * np.clip(1.15 - 0.02 * view.far, 0.6, 1.2).astype(np.float32)[..., None]


def _walled(rng: np.random.Generator, view: _View, floor: Float, wall: Float) -> Float:
    """Floor and wall in one picture, with a skirting board now and then."""
    if rng.random() < 0.5:
        band = ((view.height < rng.uniform(0.1, 1.4)) & ~view.floor).astype(np.float32)
        wall = _mixed(band, _tint(rng, 0.1, 0.8), wall)
    return np.where(view.floor[..., None], floor, wall)


def _hall(rng: np.random.Generator, view: _View) -> Float:
    wood = np.array([0.72, 0.53, 0.33], np.float32) * np.float32(rng.uniform(0.6, 1.2))
    base = wood if rng.random() < 0.6 else _tint(rng, 0.2, 0.7, 0.3)
    panel = _stripes(view.across, float(rng.uniform(0.8, 3)), float(rng.uniform(0.05, 0.5)), view.far)
    shade = _tint(rng, 0.3, 0.9)
    wall = _mixed(panel, shade * np.float32(rng.uniform(0.7, 1.1)), shade)
    high = (view.height > rng.uniform(2.0, 4.0)).astype(np.float32)
    wall = _mixed(high * np.float32(rng.random() < 0.5), _tint(rng, 0.6, 1.0), wall)
    return _walled(rng, view, _floor(rng, view, base), wall)


def _dojo(rng: np.random.Generator, view: _View) -> Float:
    mats = (
        np.array([0.62, 0.60, 0.38], np.float32), np.array([0.25, 0.45, 0.33], np.float32),
        np.array([0.70, 0.20, 0.16], np.float32), np.array([0.16, 0.30, 0.58], np.float32),
    )  # fmt: skip
    first, second = (mats[int(k)] for k in rng.integers(len(mats), size=2))
    tile = _stripes(view.across, 2.0, 0.5, view.far * 0.4)
    other = _stripes(view.along, 2.0, 0.5, view.far * 0.4)
    seam = np.maximum(_stripes(view.across, 1.0, 0.03, view.far), _stripes(view.along, 1.0, 0.03, view.far))
    floor = _mixed(seam, first * 0.6, _mixed(np.abs(tile - other), first, second))
    panel = _stripes(view.across, 1.8, 0.06, view.far)
    wood = np.array([0.45, 0.31, 0.2], np.float32)
    wall = _mixed(panel, wood, _tint(rng, 0.55, 0.95, 0.06))
    return _walled(rng, view, floor, wall)


def _room(rng: np.random.Generator, view: _View) -> Float:
    shade = _tint(rng, 0.25, 0.95, 0.2)
    wall = np.broadcast_to(shade, (*view.floor.shape, 3)).copy()
    for _ in range(int(rng.integers(0, 5))):
        left, low = rng.uniform(-6, 5), rng.uniform(0, 1.6)
        wide, tall = rng.uniform(0.3, 2.2), rng.uniform(0.3, 1.6)
        inside = (np.abs(view.across - left) < wide / 2) & (np.abs(view.height - low) < tall)
        frame = inside & ~((np.abs(view.across - left) < wide / 2 - 0.05) & (np.abs(view.height - low) < tall - 0.05))
        wall[inside] = _tint(rng, 0.1, 1.0, 0.4)
        wall[frame] = _tint(rng, 0.05, 0.9)
    return _walled(rng, view, _floor(rng, view, _tint(rng, 0.15, 0.7, 0.2)), wall)


def _field(rng: np.random.Generator, view: _View) -> Float:
    rise = np.clip(view.height / max(float(view.height.max()), 1.0), 0, 1)
    low, high = _tint(rng, 0.7, 1.0, 0.06), np.array([0.35, 0.55, 0.85], np.float32)
    if rng.random() < 0.3:
        high = _tint(rng, 0.6, 0.85, 0.04)
    sky = _mixed(rise, high, low)
    skyline = _noise(rng, (view.floor.shape[1], 1), 1.0)[0]
    trees = view.height < (rng.uniform(0, 4) + 1.5 * skyline)[None, :]
    green = np.array([0.13, 0.25, 0.10], np.float32) * np.float32(rng.uniform(0.6, 1.7))
    size = (view.floor.shape[1], view.floor.shape[0])
    leaves = green * (1 + _noise(rng, size, 0.35))[..., None]
    sky = np.where(trees[..., None], leaves, sky)
    grounds = ([0.30, 0.45, 0.16], [0.75, 0.66, 0.48], [0.45, 0.44, 0.42], [0.55, 0.25, 0.18])
    base = np.array(grounds[int(rng.integers(4))], np.float32) * np.float32(rng.uniform(0.7, 1.2))
    grass = base * (1 + rng.normal(0, 0.10, view.floor.shape).astype(np.float32))[..., None]
    return np.where(view.floor[..., None], grass, sky)


def _street(rng: np.random.Generator, view: _View) -> Float:
    shade = _tint(rng, 0.3, 0.8, 0.12)
    wide, tall = float(rng.uniform(1.2, 2.5)), float(rng.uniform(2, 3.2))
    u = _stripes(view.across, wide, float(rng.uniform(0.4, 0.65)), view.far * 0.3)
    v = _stripes(view.height + 0.6, tall, float(rng.uniform(0.4, 0.65)), view.far * 0.3)
    front = _mixed(u * v, _tint(rng, 0.05, 0.6), shade)
    roof = view.height > rng.uniform(4, 15)
    front[roof] = _tint(rng, 0.65, 1.0, 0.06)
    return _walled(rng, view, _floor(rng, view, _tint(rng, 0.25, 0.6, 0.05)), front)


def _studio(rng: np.random.Generator, view: _View) -> Float:
    first, second = _tint(rng, 0.05, 1.0, 0.3), _tint(rng, 0.05, 1.0, 0.3)
    rows = np.linspace(0, 1, view.floor.shape[0], dtype=np.float32)[:, None]
    columns = np.linspace(0, 1, view.floor.shape[1], dtype=np.float32)[None, :]
    shade = np.clip(rows + rng.uniform(-1, 1) * columns, 0, 1).astype(np.float32)
    return _mixed(shade, first, second)


def _stage(rng: np.random.Generator, view: _View) -> Float:
    folds = 0.5 + 0.5 * np.sin(view.across * rng.uniform(3, 9)).astype(np.float32)
    curtain = _tint(rng, 0.05, 0.45, 0.5)
    wall = _mixed(folds, curtain, curtain * np.float32(0.55))
    image = _walled(rng, view, _floor(rng, view, _tint(rng, 0.1, 0.45, 0.2)), wall)
    height, width = view.floor.shape
    row, column = np.mgrid[:height, :width].astype(np.float32)
    x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.3, 0.9) * height
    spot = np.exp(-(((column - x) / (0.4 * width)) ** 2) - ((row - y) / (0.5 * height)) ** 2)
    return image * (0.5 + 0.9 * spot)[..., None]


def _abstract(rng: np.random.Generator, view: _View) -> Float:
    height, width = view.floor.shape
    image = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        image[..., channel] = rng.uniform(0.2, 0.7) + _noise(rng, (width, height), 0.18)
    return image


def _clutter(rng: np.random.Generator, image: Float, wall: float, count: int, colour: float) -> None:
    """Draw things that are not people: boards, bars, balls, and upright shapes.

    `wall` is the share of the picture above the floor, `colour` how bright the colours may be.
    """
    height, width = image.shape[:2]
    horizon = float(np.clip(wall, 0.1, 0.9)) * height
    for _ in range(count):
        paint = [float(c) for c in _tint(rng, 0.05, 0.95, colour)]
        x, y = rng.uniform(0, width), rng.normal(horizon, 0.22 * height)
        a, b = rng.uniform(0.01, 0.12, 2) * (width, height)
        kind = int(rng.integers(6))
        if kind == 0:
            corner, end = (int(x - a), int(y - b)), (int(x + a), int(y + b))
            cv2.rectangle(image, corner, end, paint, -1)
        elif kind == 1:
            angle = float(rng.uniform(0, 180))
            cv2.ellipse(image, (int(x), int(y)), (int(a) + 1, int(b) + 1), angle, 0, 360, paint, -1)
        elif kind == 2:
            end = (int(x + rng.normal(0, 0.3) * width), int(y + rng.normal(0, 0.5) * height))
            cv2.line(image, (int(x), int(y)), end, paint, int(rng.integers(1, 7)), cv2.LINE_AA)
        elif kind == 3:
            corners = np.array([x, y]) + rng.normal(0, 0.08, (4, 2)) * (width, height)
            cv2.fillConvexPoly(image, cv2.convexHull(corners.astype(np.int32)), paint)
        elif kind == 4:
            cv2.line(image, (int(x), 0), (int(x), int(horizon)), paint, int(rng.integers(1, 9)))
        else:
            _post(rng, image, x, horizon, paint)


def _post(rng: np.random.Generator, image: Float, x: float, horizon: float, paint: list[float]) -> None:
    """An upright of two blobs: about as tall as a person, yet none."""
    tall = rng.uniform(0.08, 0.3) * image.shape[0]
    foot = horizon + 0.35 * tall
    body = (int(0.18 * tall) + 1, int(0.42 * tall) + 1)
    cv2.ellipse(image, (int(x), int(foot - 0.42 * tall)), body, 0, 0, 360, paint, -1)
    top = [float(c) for c in _tint(rng, 0.1, 0.8, 0.3)]
    cv2.circle(image, (int(x), int(foot - 0.95 * tall)), int(0.1 * tall) + 1, top, -1)
