"""Opening a video file safely, and the errors that name what is wrong with it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from emc.errors import DecodeError, InputError
from emc.stages.video.area import Area
from emc.stages.video.info import Orientation
from emc.stages.video.pictures import PICTURE_ERRORS, PICTURES

NEARLY_SQUARE = 0.01
PLAIN_FORMAT = "yuv420p"
"""Eight bits, brightness in full and colours at half size: what nearly all videos decode to."""

# Play lists (HLS, DASH, concat, SDP) are kept out on purpose: they make the library open other files and addresses.
# The audio formats are here so that an audio file is called what it is.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,live_flv,"
    "asf,ogg,gif,apng,mjpeg,mxf,dv,rm,nut,nsv,vc1,y4m,yuv4mpegpipe,wtv,mp3,wav,flac,aac,ac3,eac3,amr,aiff,caf"
)


@contextmanager
def opened(path: Path) -> Generator[tuple[InputContainer, VideoStream]]:
    """Open a video and its main picture stream, decoding on several threads; errors as in `open_video`."""
    container, stream = open_video(path)
    with container:
        yield container, stream


def open_video(path: Path, decoders: int = 0) -> tuple[InputContainer, VideoStream]:
    """Open a video and its main picture stream, to be decoded on `decoders` threads (0: one per core).

    The caller closes the container. Raises `DecodeError` where it is no video or damaged, `InputError` where it has no
    pictures or cannot be opened.
    """
    try:
        # Titles in another encoding than UTF-8 are nothing that a clip is refused for.
        container = av.open(
            str(path),
            "r",
            options={"format_whitelist": FORMATS, "protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        raise InputError(
            f"video {path} cannot be opened ({error.strerror}): check its place and permissions"
        ) from error
    except FFmpegError as error:
        raise DecodeError(_unreadable(path)) from error
    try:
        stream = _picture_stream(path, container)
        stream.codec_context.thread_count = decoders
        # Threads cost a fifth of the decoding itself, in frames that are passed between them.
        stream.thread_type = ThreadType.NONE if decoders == 1 else ThreadType.AUTO
        return container, stream
    except InputError:
        container.close()
        raise


class Converter:
    """Turns decoded frames into upright RGB pictures; one per reader, since it keeps the conversion's tables."""

    def __init__(self, orientation: Orientation, square: tuple[int, int] | None = None) -> None:
        """`square` : (width, height) to which stored frames are stretched; None: as they are."""
        self._orientation = orientation
        self._square = square
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> np.ndarray:
        """Return the frame as (H, W, 3) uint8 RGB, upright."""
        width, height = self._square or (None, None)
        image = self._reformatter.reformat(frame, width, height, format="rgb24").to_ndarray()
        return self._orientation.upright(image)

    def rgb_part(self, frame: VideoFrame, area: Area) -> np.ndarray:
        """Return an area of the upright frame as RGB, bit by bit as `rgb` has it; mostly without converting all."""
        # Pictures with an odd number of rows are converted in another way, which mixes neighbouring colours.
        plain = frame.format.name == PLAIN_FORMAT and self._orientation == Orientation() and frame.height % 2 == 0
        if not plain or self._square or not area.alone or area.size == (frame.width, frame.height):
            return area.of(self.rgb(frame))
        small = VideoFrame.from_numpy_buffer(_packed(frame, area), PLAIN_FORMAT)
        small.colorspace, small.color_range = frame.colorspace, frame.color_range
        return self._reformatter.reformat(small, format="rgb24").to_ndarray()


def _packed(frame: VideoFrame, area: Area) -> np.ndarray:
    """Return the three planes of an area below each other: (1.5 height, width) uint8."""
    width, height = area.size
    packed = np.empty((height * 3 // 2, width), dtype=np.uint8)
    rows = packed.reshape(-1)
    start = 0
    for plane, step in zip(frame.planes, (1, 2, 2), strict=True):
        # A plane offers its memory, which its type does not say.
        memory: Any = plane
        whole: np.ndarray = np.frombuffer(memory, dtype=np.uint8).reshape(-1, plane.line_size)
        part = whole[area.y0 // step : area.y1 // step, area.x0 // step : area.x1 // step]
        rows[start : start + part.size].reshape(part.shape)[:] = part
        start += part.size
    return packed


def pixel_aspect_of(stream: VideoStream) -> float:
    """Return the width of a stream's pixels by their height, 1 where it says none or nearly that."""
    ratio = float(stream.sample_aspect_ratio or 1)
    # Encoders round sizes to whole blocks and say so by ratios that nobody sees.
    return ratio if ratio > 0 and abs(ratio - 1) > NEARLY_SQUARE else 1.0


def squared(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Return the size of a frame with square pixels: stretched, so that none of its pixels is lost."""
    return (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return how a frame becomes upright, from its display matrix; turns that are no quarter go to the nearest one.

    The matrix takes the stored point (p, q) to (a p + c q, b p + d q), y downwards (ISO 14496-12, track header).
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    (a, b), (c, d) = np.frombuffer(bytes(matrix), dtype="<i4").reshape(3, 3)[:2, :2].tolist()
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(False, a < 0, d < 0)
    return Orientation(True, c < 0, b < 0)


def _picture_stream(path: Path, container: InputContainer) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        held = "only audio" if container.streams.audio else "no pictures at all"
        raise InputError(f"clip {path} has no video stream ({held}): check the export, or leave it out")
    best = container.streams.best("video")
    stream = next((s for s in streams if best is not None and s.index == best.index), streams[0])
    # Streams whose codec is unknown to the library have no context, whatever its type hints say.
    if getattr(stream, "codec_context", None) is None:
        raise DecodeError(f"video {path} uses a codec that cannot be decoded here: convert it to H.264")
    return stream


def _unreadable(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return (
            f"video {path} has no readable index (it is cut off, or its recording or copying never finished): "
            "copy or export it again"
        )
    try:
        with Image.open(path, formats=PICTURES) as image:
            return f"{path} is a {image.format} image with the name of a video: give it an image's suffix"
    except PICTURE_ERRORS:
        return f"{path} is not a video in a known format: check that the file is what its name says"
