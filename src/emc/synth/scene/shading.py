"""Light on surfaces, and what lens, sensor and file do to a picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Light:
    """One lamp and the light of the surroundings.

    Parameters
    ----------
    direction : ndarray (3,)
        Unit vector towards the lamp, world frame.
    lamp, sky, ground : ndarray (3,)
        Colour of the lamp, of the light from above and of the light from below.
    shadow : float
        Darkness of the cast shadow, 0 to 1.
    """

    direction: Float
    lamp: Float
    sky: Float
    ground: Float
    shadow: float


@dataclass(frozen=True, eq=False)
class Develop:
    """What happens to the picture after the light.

    Parameters
    ----------
    curve : ndarray (1, 256, 3)
        Tone curve of every channel.
    blur, noise : float
        Standard deviation of the blur (pixels) and of the noise (grey levels).
    quality : int
        JPEG quality, or 0 for none.
    grain : ndarray (G, G)
        A tile of standard normal noise.
    """

    curve: Image
    blur: float
    noise: float
    quality: int
    grain: Float


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a light: sun, lamps or an overcast sky, warm or cool."""
    around, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(22, 80))
    direction = [
        np.cos(height) * np.cos(around), np.sin(height), np.cos(height) * np.sin(around)
    ]  # fmt: skip
    warm = rng.uniform(-0.10, 0.12)
    lamp = rng.uniform(0.25, 0.95) * np.array([1 + warm, 1.0, 1 - warm])
    cool = rng.uniform(-0.06, 0.10)
    sky = rng.uniform(0.44, 0.78) * np.array([1 - cool, 1.0, 1 + cool])
    ground = sky * rng.uniform(0.35, 0.8) * (1 + rng.uniform(-0.08, 0.08, 3))
    return Light(
        direction=np.array(direction, np.float32),
        lamp=lamp.astype(np.float32),
        sky=sky.astype(np.float32),
        ground=ground.astype(np.float32),
        shadow=float(rng.uniform(0.15, 0.6)),
    )


def sample_develop(rng: np.random.Generator) -> Develop:
    """Draw exposure, colour cast, blur, noise and compression."""
    tone = np.linspace(0, 1, 256)[:, None]
    gain = rng.uniform(0.75, 1.2) * (1 + 0.05 * rng.standard_normal(3))
    curve = np.clip(gain * tone ** rng.uniform(0.75, 1.3) + rng.uniform(-0.02, 0.06), 0, 1)
    return Develop(
        curve=np.round(255 * curve).astype(np.uint8)[None],
        blur=float(rng.uniform(0.35, 1.0)) if rng.random() < 0.35 else 0.0,
        noise=float(rng.uniform(1, 7)) if rng.random() < 0.5 else 0.0,
        quality=int(rng.integers(35, 95)) if rng.random() < 0.5 else 0,
        grain=rng.standard_normal((96, 96)).astype(np.float32),
    )


def lit(colour: Float, normals: Float, facing: Float, light: Light) -> Float:
    """Colours (N, 3) of surfaces under a light.

    Parameters
    ----------
    colour, normals : ndarray (N, 3)
        Surface colour 0 to 1 and unit normal, world frame.
    facing : ndarray (N,)
        Cosine between normal and line of sight: contours lie in more shade than faces.
    light : Light
        The light.
    """
    wrap = (normals @ light.direction + 0.15) / 1.15
    up = 0.5 + 0.5 * normals[:, 1:2]
    glow = light.ground + up * (light.sky - light.ground)
    glow += np.maximum(wrap, 0)[:, None] * light.lamp
    edge = np.float32(0.72) + np.float32(0.28) * np.clip(facing, 0, 1)
    return (colour * glow * edge[:, None]).astype(np.float32)


def developed(image: Image, develop: Develop, frame: int) -> Image:
    """The picture (H, W, 3) as a camera would store it; `frame` moves the grain."""
    result = image
    if develop.blur > 0:
        result = cv2.GaussianBlur(result, (0, 0), develop.blur)
    result = cv2.LUT(result, develop.curve)
    if develop.noise > 0:
        result = _grainy(np.asarray(result, np.uint8), develop, frame)
    if develop.quality > 0:
        done, packed = cv2.imencode(".jpg", result, [cv2.IMWRITE_JPEG_QUALITY, develop.quality])
        if done:
            result = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(result, np.uint8)


def _grainy(image: Image, develop: Develop, frame: int) -> Image:
    height, width = image.shape[:2]
    side = len(develop.grain)
    # Steps without a common period keep the grain from standing still or drifting visibly.
    tile = np.roll(develop.grain, ((frame * 37) % side, (frame * 53) % side), axis=(0, 1))
    tile = np.concatenate([tile, tile[::-1, ::-1]], axis=1)
    repeats = (-(-height // side), -(-width // (2 * side)))
    grain = np.tile(tile * develop.noise, repeats)[:height, :width]
    noisy = image.astype(np.float32)
    noisy += grain[:, :, None]
    return np.clip(noisy, 0, 255).astype(np.uint8)
