"""The exact list of a video's frames: from its packets where decoding confirms them, else from decoding it all."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from emc.errors import DecodeError, InputError
from emc.stages.video.container import opened, orientation_of, pixel_aspect_of, squared
from emc.stages.video.info import MediaInfo, Orientation, check_pixels

# Frames decoded at the start to confirm what the packets promise; more than any codec's reordering.
HEAD_FRAMES = 20
# A damaged frame that is displayed among this many last ones may have been the last that was decoded.
LAST_FRAMES = 4


@dataclass
class _Packets:
    """What one pass over the packets promises; stamps in units of the stream's time base.

    `keys` : stamp of each keyframe -> stamp to seek to. Matroska's seek points are presentation stamps, every other
    container searches decoding stamps, and those of a keyframe lie before its presentation where frames are reordered.
    """

    by_pts: bool
    pts: list[int] = field(default_factory=list[int])
    keys: dict[int, int] = field(default_factory=dict[int, int])
    count: int = 0
    stamped: bool = True
    damaged_end: bool = False
    end: Fraction = Fraction(0)

    def add(self, packet: Packet[Stream]) -> None:
        self.count += 1
        self.damaged_end = packet.is_corrupt
        if packet.pts is None:
            self.stamped = False
            return
        if packet.is_keyframe:
            self.keys[packet.pts] = packet.pts if self.by_pts or packet.dts is None else packet.dts
        if not packet.is_discard:
            self.pts.append(packet.pts)


@dataclass(frozen=True)
class _Decoded:
    """What decoding yields: stamps in the order of decoding (None where a frame has none), indices of damaged ones."""

    pts: list[int | None]
    damaged: list[int]
    size: tuple[int, int]
    orientation: Orientation


def probe_video(path: Path, max_pixels: int) -> MediaInfo:
    """Return what a video file holds; see `emc.stages.video.probe` for its meaning and errors."""
    with opened(path) as (container, stream):
        aspect = pixel_aspect_of(stream)
        check_pixels(path, *squared(stream.codec_context.width, stream.codec_context.height, aspect), max_pixels)
        packets = _demux(path, container, stream)
        _refuse_cut_off(path, container, stream, packets)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        time_base, codec = stream.time_base or Fraction(1), stream.codec_context.name
    decoded = _confirmed(path, packets) or _decode_all(path, packets)
    pts, times, keyframes, seeks = _timeline(decoded, packets, time_base, rate)
    orientation = decoded.orientation
    square = squared(*decoded.size, aspect)
    width, height = square[::-1] if orientation.swap else square
    frames = len(times)
    fps = (frames - 1) / float(times[-1]) if frames > 1 and times[-1] > 0 else float(rate)
    return MediaInfo(
        path, "video", frames, width, height, fps, times, orientation.rotation, codec, keyframes,
        pts=pts, time_base=time_base, orientation=orientation, seeks=seeks, coded=decoded.size,
        pixel_aspect=1 / aspect if orientation.swap else aspect,
    )  # fmt: skip


def _demux(path: Path, container: InputContainer, stream: VideoStream) -> _Packets:
    """Pass over all packets: those of the pictures in detail, of the others only where they end."""
    found = _Packets(by_pts="matroska" in container.format.name)
    try:
        for packet in container.demux():
            if packet.size == 0:
                continue
            if packet.pts is not None:
                found.end = max(found.end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream_index == stream.index:
                found.add(packet)
    except FFmpegError as error:
        raise DecodeError(
            f"video {path} cannot be read beyond frame {found.count} ({error.strerror}): copy or export it again"
        ) from error
    found.pts.sort()
    return found


def _refuse_cut_off(path: Path, container: InputContainer, stream: VideoStream, packets: _Packets) -> None:
    if packets.count == 0:
        raise InputError(f"video {path} has a video stream but no frames in it: export it again, or leave it out")
    whole = packets.count - packets.damaged_end
    promised = len(stream.index_entries)
    if packets.damaged_end or promised > packets.count:
        of = f" of {promised}" if promised > packets.count else ""
        raise _cut_off(path, f"its data end after {whole} frames{of}")
    # Matroska lists only seek points, but its header says how long the whole is; half a second allows for rounding.
    if "matroska" in container.format.name and container.duration:
        seconds, last = container.duration / av.time_base, float(packets.end)
        if last < seconds - max(0.5, 0.002 * seconds):
            raise _cut_off(path, f"its data end after {whole} frames, at {last:.1f} of {seconds:.1f} s")


def _cut_off(path: Path, how: str) -> DecodeError:
    return DecodeError(f"video {path} is cut off: {how}: copy or export it again, or cut it before that place")


def _confirmed(path: Path, packets: _Packets) -> _Decoded | None:
    """Return the frames that the packets promise, None where decoding the head or the tail contradicts them."""
    if not packets.stamped or not packets.keys or any(a >= b for a, b in pairwise(packets.pts)):
        return None
    key = max(packets.keys)
    try:
        head = _decode(path, limit=HEAD_FRAMES)
        # Threads blur which frames are flagged as damaged.
        tail = _decode(path, seek=packets.keys[key], threads=ThreadType.NONE)
    except DecodeError:
        return None
    decoded = [stamp for stamp in tail.pts if stamp is not None and stamp >= key]
    promised = [stamp for stamp in packets.pts if stamp >= key]
    if head.pts != packets.pts[:HEAD_FRAMES] or decoded != promised:
        return None
    damaged = [place for place in tail.damaged if (tail.pts[place] or key) >= key]
    if damaged:
        raise _cut_off(path, f"{len(packets.pts) - len(tail.pts) + damaged[0]} of {packets.count} frames decode")
    return _Decoded([*packets.pts], [], head.size, head.orientation)


def _decode_all(path: Path, packets: _Packets) -> _Decoded:
    decoded = _decode(path)
    last = decoded.pts[-1]
    whole = len(decoded.pts)
    if decoded.damaged and decoded.damaged[-1] >= whole - LAST_FRAMES:
        raise _cut_off(path, f"{decoded.damaged[-1]} of {packets.count} frames decode")
    if packets.stamped and last is not None and last < packets.pts[-1] and _ordered(decoded):
        raise _cut_off(path, f"{whole} of {packets.count} frames decode")
    return decoded


def _ordered(decoded: _Decoded) -> bool:
    stamps = [stamp for stamp in decoded.pts if stamp is not None]
    return len(stamps) == len(decoded.pts) and all(a < b for a, b in pairwise(stamps))


def _decode(
    path: Path, seek: int | None = None, limit: int | None = None, threads: ThreadType = ThreadType.AUTO
) -> _Decoded:
    """Decode from the start or from a keyframe's stamp: all, or `limit` frames."""
    pts: list[int | None] = []
    damaged: list[int] = []
    size, orientation = (0, 0), Orientation()
    try:
        with opened(path) as (container, stream):
            stream.thread_type = threads
            if seek is not None:
                container.seek(seek, stream=stream)
            for frame in islice(container.decode(stream), limit):
                if not pts:
                    size, orientation = (frame.width, frame.height), orientation_of(frame)
                if frame.is_corrupt:
                    damaged.append(len(pts))
                pts.append(frame.pts)
    except FFmpegError as error:
        raise DecodeError(
            f"frame {len(pts)} of video {path} cannot be decoded ({error.strerror}): copy or export it again"
        ) from error
    if not pts:
        raise DecodeError(f"no frame of video {path} can be decoded: export it again, or leave it out")
    return _Decoded(pts, damaged, size, orientation)


def _timeline(
    decoded: _Decoded, packets: _Packets, time_base: Fraction, rate: Fraction
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray]:
    """Return stamps (None where they contradict the order of decoding), times in seconds, keyframes, their seeks."""
    count = len(decoded.pts)
    if not _ordered(decoded):
        start = np.zeros(1, dtype=np.int64)
        return None, np.arange(count, dtype=np.float64) / float(rate), start, start
    pts = np.array(decoded.pts, dtype=np.int64)
    times = (pts - pts[0]).astype(np.float64) * time_base.numerator / time_base.denominator
    keyframes = np.flatnonzero(np.isin(pts, np.array(list(packets.keys), dtype=np.int64)))
    seeks = np.array([packets.keys[stamp] for stamp in pts[keyframes].tolist()], dtype=np.int64)
    return pts, times, keyframes, seeks
