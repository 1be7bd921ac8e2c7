"""Images of more than eight bits: numbers of a camera or of a measurement, brought to the eight that are looked at."""

# The stubs of Pillow and PyAV leave tags and packets open.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageOps

from emc.stages.video.info import Orientation

DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras have; files hold them in 16."""
BRIGHT = 32.0
"""A picture of floating-point numbers from 0 to 255 has one as large as this somewhere; else its range is its own."""
BITS_TAG, MOST_TAG = 258, 281
"""TIFF: bits of each channel, and the largest value that occurs."""
_EXIF = {
    2: Orientation(False, True, False),
    3: Orientation(False, True, True),
    4: Orientation(False, False, True),
    5: Orientation(True, False, False),
    6: Orientation(True, True, False),
    7: Orientation(True, True, True),
    8: Orientation(True, False, True),
}
"""How a picture with that value of the EXIF tag becomes upright (CIPA DC-008, 4.6.4)."""


def is_deep(path: Path, image: Image.Image) -> bool:
    """Return whether an opened image holds more than eight bits per channel."""
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return True
    if image.format == "PNG":
        with path.open("rb") as file:
            # Behind the signature and the name of the first block: width, height, bits.
            return file.read(25)[24] == 16
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(BITS_TAG, (8,))
        return max(bits if isinstance(bits, tuple) else (bits,)) > 8
    return False


def read_deep(path: Path, image: Image.Image, orientation: int) -> tuple[np.ndarray, str]:
    """Return a deep image as (H, W, 3) uint8 RGB, upright, and its range in words.

    orientation : the value of its EXIF tag. Raises `OSError` or `ValueError` where it cannot be decoded.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        most = getattr(image, "tag_v2", {}).get(MOST_TAG)
        values, orientation = np.asarray(ImageOps.exif_transpose(image)), 1
    else:
        values, most = _coloured(path, image.format == "TIFF"), None
    small, words = by_range(values, most[0] if isinstance(most, tuple) else most)
    grey = small if small.ndim == 3 else np.repeat(small[..., None], 3, axis=2)
    return _EXIF.get(orientation, Orientation()).upright(np.ascontiguousarray(grey[..., :3])), words


def read_other_floats(path: Path) -> tuple[np.ndarray, str] | None:
    """Return a TIFF of floating-point colours or of doubles, which Pillow does not know, as `read_deep` does.

    None where it is none; OpenCV has turned it upright.
    """
    # It would tell of every damaged TIFF on stderr, in lines of its own.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    values = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype.kind != "f":
        return None
    small, words = by_range(values[..., 2::-1] if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2), None)
    return np.ascontiguousarray(small), words


def by_range(values: np.ndarray, most: float | None) -> tuple[np.ndarray, str]:
    """Return values as uint8 by their real range, and that range in words.

    Integers: of the number of bits, of those that cameras have, that holds their largest value (or `most`, which the
    file tells). Floating point: of 0 to 1, or of 0 to 255 where something is as bright as `BRIGHT`, else from the least
    to the largest. What is not finite is black.
    """
    if values.dtype.kind in "ui":
        peak = int(max(int(values.max(initial=0)), int(most or 0)))
        bits = next((depth for depth in DEPTHS if peak < 1 << depth), 0)
        if bits and int(values.min(initial=0)) >= 0:
            return (values >> (bits - 8)).astype(np.uint8), f"{bits} bits"
    known = np.isfinite(values)
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 0.0)
    if low >= 0 and high <= 2:
        low, high = 0.0, max(high, 1.0)
    elif low >= 0 and BRIGHT <= high <= 255:
        low, high = 0.0, 255.0
    scaled = (np.where(known, values, low).astype(np.float64) - low) * (255.0 / max(high - low, 1e-12))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8), f"{low:.6g} to {high:.6g}"


def _coloured(path: Path, tiff: bool) -> np.ndarray:
    """Return (H, W, 3) of 16 bits; Pillow would keep the upper eight, which are empty where 12 are used."""
    decoder = av.CodecContext.create("tiff" if tiff else "png", "r")
    packet = av.Packet(path.read_bytes())
    frames = [*decoder.decode(packet), *decoder.decode(None)]
    if not frames:
        raise ValueError("no picture in it")
    return frames[0].reformat(format="rgb48le").to_ndarray()  # pyright: ignore[reportAttributeAccessIssue]
