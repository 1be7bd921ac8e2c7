"""Media written by real encoders: films with odd rates, pixels, cuts and sound, and pictures of many depths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from emc.pose.records import Clip
from emc.workflow.media import open_clip
from emc.workflow.project import open_project


def write_film(
    path: Path,
    images: Iterable[np.ndarray],
    rate: int = 30,
    stamps: Sequence[int] | None = None,
    clock: int = 1000,
    pixels: Fraction = Fraction(1),
    sound: str = "",
) -> Path:
    """Write (H, W, 3) pictures as H.264.

    stamps : of each picture in units of 1 / `clock` s. pixels : sample aspect ratio. sound : codec of a tone, which is
    one second longer.
    """
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": "10"})
        tone = out.add_stream(sound, rate=16000, layout="mono") if sound else None
        count = 0
        for count, image in enumerate(images, start=1):
            if count == 1:
                context = stream.codec_context
                context.height, context.width = image.shape[:2]
                context.pix_fmt, context.sample_aspect_ratio = "yuv420p", pixels
                context.time_base = Fraction(1, rate if stamps is None else clock)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = count - 1 if stamps is None else stamps[count - 1]
            frame.time_base = stream.codec_context.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if tone is not None:
            context = tone.codec_context
            form = av.AudioResampler(context.format, "mono", 16000, frame_size=context.frame_size or 1024)
            for first in range(0, 16000 * (count // rate + 1), 1024):
                wave = np.sin(2 * np.pi * 440 * (first + np.arange(1024)) / 16000).astype(np.float32)[None]
                heard = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                heard.sample_rate, heard.pts = 16000, first
                for part in form.resample(heard):
                    out.mux(tone.encode(part))
            out.mux(tone.encode(None))
    return path


def frames_of(path: Path) -> list[np.ndarray]:
    """Return the pictures of a film by the library's plain loop."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def as_pictures(path: Path, folder: Path) -> Path:
    """Return a folder with the pictures of a film as PNG files."""
    folder.mkdir()
    for number, image in enumerate(frames_of(path)):
        Image.fromarray(image).save(folder / f"{number:03d}.png")
    return folder


def scene(shade: int, seed: int = 0, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """Return a picture of coarse blocks: another seed is another place."""
    blocks = np.random.default_rng(seed).integers(20, 236, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8)
    return np.clip(blocks.repeat(20, 0).repeat(20, 1).astype(int) + shade, 0, 255).astype(np.uint8)


def seconds_of_sound(path: Path) -> float:
    """Return how long the sound of a film lasts, 0 where it has none."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return 0.0
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def only_clip(folder: Path) -> Clip:
    """Return the one clip of a project."""
    with open_project(folder) as store:
        (clip,) = store.clips()
        return store.clip(clip.id)


def frames_as_read(clip: Clip) -> list[np.ndarray]:
    """Return the pictures of a clip as the product reads them."""
    with open_clip(clip) as media:
        return [image for _, image in media.frames()]
