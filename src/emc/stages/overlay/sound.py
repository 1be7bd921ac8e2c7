"""The sound of a video beside new pictures of it: packets are copied as they are, moved to the pictures' time."""

# The stubs of PyAV leave its streams' packets open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.container import OutputContainer
from av.error import FFmpegError


class Sound:
    """The first sound track of a video; a context manager.

    Parameters
    ----------
    path : the video. start : seconds, on the file's own clock, that are the time 0 of the new pictures.
    """

    def __init__(self, path: Path, start: float) -> None:
        self._start, self._name = start, path.name
        self._source = av.open(str(path), "r")
        self._track: Any = next(iter(self._source.streams.audio), None)
        self._target: Any = None
        self._packets: Iterator[Any] = iter(())
        self._held: Any = None
        self.note = ""

    @property
    def kept(self) -> bool:
        """Whether the new video has the sound."""
        return self._target is not None

    def join(self, container: OutputContainer, name: str) -> None:
        """Add the track to a new video called `name`, before its first packet; `note` says why where it cannot be."""
        if self._track is None:
            return
        codec = self._track.codec_context.name
        with suppress(FFmpegError, ValueError):
            if codec in container.supported_codecs:
                self._target = container.add_stream_from_template(self._track)
                self._packets = self._moved()
                return
        self.note = f"note: {name} has no sound: its format cannot hold that of {self._name} ({codec})"

    def upto(self, seconds: float) -> Iterator[Any]:
        """Yield the packets that begin before a time of the new pictures, each once."""
        while True:
            packet = next(self._packets, None) if self._held is None else self._held
            self._held = None
            if packet is None:
                return
            if float(packet.pts * packet.time_base) >= seconds:
                self._held = packet
                return
            packet.stream = self._target
            yield packet

    def _moved(self) -> Iterator[Any]:
        """Yield packets with stamps of the new pictures; what lies before their start is left out."""
        # Damage of the sound is no reason to lose the pictures: what is copied by then is kept.
        with suppress(FFmpegError):
            for packet in self._source.demux(self._track):
                if packet.pts is None or packet.dts is None:
                    continue
                shift = round(float(self._start / packet.time_base))
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                if packet.pts >= 0 and packet.dts >= 0:
                    yield packet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()
