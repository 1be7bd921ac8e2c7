"""Videos whose every frame says its own number, written with the codecs and containers that people bring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

BITS = 8
BLOCK = 16


def numbered(frame: int, size: tuple[int, int] = (192, 96)) -> np.ndarray:
    """A moving texture; the top row of blocks is `frame` in binary, lowest bit first."""
    rng = np.random.default_rng(7)
    texture = rng.integers(60, 200, (size[1] // 4, size[0] // 4, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    image = np.roll(texture, 3 * frame, axis=1)
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255 * ((frame >> bit) & 1)
    return image


def number_on(image: np.ndarray) -> int:
    centre = BLOCK // 2
    return sum(int(image[centre, bit * BLOCK + centre].mean() > 127) << bit for bit in range(BITS))


Writer = Callable[..., Path]


@pytest.fixture
def write_clip(tmp_path: Path) -> Writer:
    def write(
        name: str,
        frames: int = 48,
        codec: str = "libx264",
        options: Mapping[str, str] | None = None,
        container: Mapping[str, str] | None = None,
        stamps: Sequence[int] | None = None,
        clock: int = 30,
        turn: tuple[float, bool, bool] | None = None,
        pixels: str = "yuv420p",
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=dict(container or {})) as out:
            stream = out.add_stream(codec, rate=30, options=dict(options or {}))
            stream.codec_context.width, stream.codec_context.height = 192, 96
            stream.codec_context.pix_fmt = pixels
            stream.codec_context.time_base = Fraction(1, clock)
            if turn is not None:
                stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24")
                frame.pts = index if stamps is None else stamps[index]
                frame.time_base = Fraction(1, clock)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def write_sound(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, codec: str) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as out:
            stream = out.add_stream(codec, rate=16000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16000, 0
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def read_number() -> Callable[[np.ndarray], int]:
    return number_on


@pytest.fixture
def picture() -> Callable[[int], np.ndarray]:
    return numbered


def decoded_in_order(path: Path) -> list[np.ndarray]:
    """The independent reference: every frame by the library's plain loop from the start, stored as it is."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture
def in_order() -> Callable[[Path], list[np.ndarray]]:
    return decoded_in_order
