"""Opening a video file safely, and the errors that name what is wrong with it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from PIL import Image, UnidentifiedImageError

from emc.errors import DecodeError, InputError
from emc.stages.video.info import Orientation

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


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a video and its main picture stream; the caller closes the container.

    Raises `DecodeError` where it is no video or damaged, `InputError` where it has no pictures or cannot be opened.
    """
    try:
        container = av.open(str(path), "r", options={"format_whitelist": FORMATS, "protocol_whitelist": "file"})
    except (PermissionError, FileNotFoundError, IsADirectoryError) as error:
        raise InputError(
            f"video {path} cannot be opened ({error.strerror}): check its place and permissions"
        ) from error
    except FFmpegError as error:
        raise DecodeError(_unreadable(path)) from error
    try:
        return container, _picture_stream(path, container)
    except InputError:
        container.close()
        raise


class Converter:
    """Turns decoded frames into upright RGB pictures; one per reader, since it keeps the conversion's tables."""

    def __init__(self, orientation: Orientation) -> None:
        self._orientation = orientation
        self._reformatter = VideoReformatter()

    def rgb(self, frame: VideoFrame) -> np.ndarray:
        """Return the frame as (H, W, 3) uint8 RGB, upright."""
        image = self._reformatter.reformat(frame, format="rgb24").to_ndarray()
        return self._orientation.upright(image)


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
    stream.thread_type = ThreadType.AUTO
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
        with Image.open(path) as image:
            return f"{path} is a {image.format} image with the name of a video: give it an image's suffix"
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return f"{path} is not a video in a known format: check that the file is what its name says"
