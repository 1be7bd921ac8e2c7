"""Exact frames of a video: seek to a keyframe, decode forward, and believe only the stamps of decoded frames."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from emc.errors import DecodeError
from emc.stages.video.area import Area
from emc.stages.video.container import Converter, open_video
from emc.stages.video.info import MediaInfo, MediaReader

# Below this distance decoding on is cheaper than a seek, which empties the decoder's threads.
NEAR_FRAMES = 12
# Decoded frames that `read` keeps, so that stepping backwards does not decode a whole group of pictures each time.
RECENT_BYTES = 128 * 1024 * 1024


class VideoReader(MediaReader):
    """Reads a video on `decoders` threads (0: one per core). `info` must be what `probe` said of this file."""

    def __init__(self, path: Path, info: MediaInfo, decoders: int = 0) -> None:
        super().__init__(path, info)
        self._decoders = decoders
        self._keyframes: list[int] = info.keyframes.tolist()
        self._seeks: dict[int, int] = dict(zip(self._keyframes, info.seeks.tolist(), strict=True))
        self._index = {} if info.pts is None else {stamp: i for i, stamp in enumerate(info.pts.tolist())}
        square = (info.height, info.width) if info.orientation.swap else (info.width, info.height)
        self._stored = info.coded
        self._convert = Converter(info.orientation, None if square == info.coded else square)
        self._recent: OrderedDict[int, VideoFrame] = OrderedDict()
        self._keep = max(2, int(RECENT_BYTES / (info.width * info.height * 1.5)))
        self._opened: tuple[InputContainer, VideoStream] | None = None
        self._pictures: Iterator[VideoFrame] = iter(())
        self._position = info.frames
        self._fault = ""

    def read(self, frame: int) -> np.ndarray:
        """Return one frame; see `MediaReader.read`."""
        self._check(frame)
        picture = self._recent.get(frame)
        if picture is None:
            picture = self._find(frame, self._recent)
        return self._rgb(frame, picture)

    def parts(self, wanted: Iterable[tuple[int, Area]]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield areas of rising frames; see `MediaReader.parts`."""
        for frame, area in wanted:
            self._check(frame)
            picture = self._find(frame, None)
            self._check_size(frame, picture)
            yield frame, self._convert.rgb_part(picture, area)

    def close(self) -> None:
        """Release the file; safe to call twice."""
        self._pictures, self._position = iter(()), self._info.frames
        self._recent.clear()
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    def _next(self, frame: int) -> np.ndarray:
        self._check(frame)
        return self._rgb(frame, self._find(frame, None))

    def _rgb(self, frame: int, picture: VideoFrame) -> np.ndarray:
        self._check_size(frame, picture)
        return self._convert.rgb(picture)

    def _check_size(self, frame: int, picture: VideoFrame) -> None:
        if (picture.width, picture.height) != self._stored:
            raise DecodeError(
                f"frame {frame} of video {self._path} is {picture.width} x {picture.height} while the first is "
                f"{self._stored[0]} x {self._stored[1]}: cut the video where its size changes"
            )

    def _find(self, target: int, seen: OrderedDict[int, VideoFrame] | None) -> VideoFrame:
        """Return the decoded frame `target`; frames passed on the way go into `seen`."""
        self._fault = "the decoder leaves it out"
        if self._is_near(target) and (found := self._advance(target, seen)) is not None:
            return found
        for start in self._starts(target):
            if self._restart(start) and (found := self._advance(target, seen)) is not None:
                return found
        raise DecodeError(
            f"frame {target} of video {self._path} cannot be decoded ({self._fault}): copy or export it again, "
            "or cut the video before it"
        )

    def _is_near(self, target: int) -> bool:
        if self._position > target:
            return False
        place = bisect_right(self._keyframes, target)
        return place == 0 or self._keyframes[place - 1] <= self._position + NEAR_FRAMES

    def _starts(self, target: int) -> Iterator[int | None]:
        """Yield keyframes to try, nearest first, then None: the start of the file."""
        if self._info.pts is not None:
            place = bisect_right(self._keyframes, target)
            yield from reversed(self._keyframes[max(place - 2, 0) : place])
        yield None

    def _restart(self, key: int | None) -> bool:
        """Put the decoder on a keyframe, or (None) on the start, by reopening the file; False where it is not clean.

        A seek may land late, and a keyframe may be only the start of a gradual refresh, from which later frames come
        out nearly but not exactly right. Both show in that the first picture is not a keyframe at or before `key`:
        such a keyframe is never tried again.
        """
        self._position = 0
        try:
            if key is None or self._opened is None:
                self.close()
                self._opened = open_video(self._path, self._decoders)
            container, stream = self._opened
            self._position = 0
            if key is None:
                self._pictures = container.decode(stream)
                return True
            container.seek(self._seeks[key], stream=stream)
            pictures = container.decode(stream)
            first = next(pictures, None)
        except FFmpegError as error:
            self._stop(str(error.strerror))
            return False
        if first is not None and (place := self._place(first)) <= key and place in self._seeks:
            self._pictures = chain([first], pictures)
            return True
        self._keyframes.remove(key)
        return False

    def _advance(self, target: int, seen: OrderedDict[int, VideoFrame] | None) -> VideoFrame | None:
        """Decode on to `target`; None where the decoder passes it or ends."""
        try:
            for picture in self._pictures:
                index = self._place(picture)
                # Frames that the index does not hold are lead-in of an edit list.
                if index < 0:
                    continue
                self._position = index + 1
                self._remember(seen, index, picture)
                if index >= target:
                    return picture if index == target else None
        except FFmpegError as error:
            self._fault = str(error.strerror)
        self._stop(self._fault)
        return None

    def _stop(self, fault: str) -> None:
        self._fault = fault
        self._pictures, self._position = iter(()), self._info.frames

    def _place(self, picture: VideoFrame) -> int:
        if self._info.pts is None:
            return self._position
        return -1 if picture.pts is None else self._index.get(picture.pts, -1)

    def _remember(self, seen: OrderedDict[int, VideoFrame] | None, index: int, picture: VideoFrame) -> None:
        if seen is None:
            return
        seen[index] = picture
        seen.move_to_end(index)
        if len(seen) > self._keep:
            seen.popitem(last=False)
