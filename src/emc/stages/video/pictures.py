"""What Pillow may take a file for, and what it raises on damaged ones."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

PICTURES = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")
"""Formats that Pillow may take a file for: of its some forty others one starts a program (Ghostscript, for EPS)."""
PICTURE_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, EOFError, MemoryError,
    struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises on damaged pictures, `UnidentifiedImageError` (an `OSError`) among them."""
