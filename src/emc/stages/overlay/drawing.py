"""Poses drawn onto frames, and frames written as a video."""

# The stubs of PyAV leave its streams' packets open.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream

from emc.errors import ShapeMismatch, StorageError, UsageError
from emc.pose.records import Pose, Prediction, Visibility
from emc.pose.skeletons import Skeleton
from emc.stages.overlay.sound import Sound

# Colours that people with any kind of colour blindness tell apart: M. Okabe and K. Ito, 2008, without its black.
PALETTE = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
INK, PAPER = (20, 20, 20), (255, 255, 255)
OK, LOW, LOST = 2, 1, 0
# Sub-pixel bits of the drawing functions: joints do not jump from pixel to pixel.
SHIFT = 4
# Steps per second for stamps of a variable rate: the usual clock of video, exact to 11 microseconds.
CLOCK = 90_000
SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v")


def draw_overlay(
    image: np.ndarray, persons: Sequence[Prediction | Pose], skeleton: Skeleton, low: float, lost: float
) -> np.ndarray:
    """Return a copy of `image` with every person's skeleton on it.

    One colour per person; the shape of a joint's mark says how sure it is: a disc where it is sure (confidence at
    least `low`; a pose's visible joint), a triangle where it is doubtful (at least `lost`; occluded but placed), a
    cross where it is lost but has coordinates (absent). Joints without coordinates (NaN) and limbs to a lost joint are
    not drawn; a limb to a doubtful joint is thin.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB. persons : of this frame, joints of `skeleton`.
    low, lost : confidences in [0, 1] that bound the bands.

    Raises
    ------
    ShapeMismatch : a person has another number of joints than `skeleton`.
    """
    canvas = np.ascontiguousarray(image).copy()
    for person in persons:
        if len(person.xy) != len(skeleton):
            raise ShapeMismatch(
                f"person {person.person} on frame {person.frame} has {len(person.xy)} joints but skeleton "
                f"{skeleton.name} has {len(skeleton)}: draw it with its own skeleton"
            )
        colour = PALETTE[person.person % len(PALETTE)]
        xy = person.xy.astype(np.float64)
        bands = joint_bands(person, low, lost)
        thick = _thickness(canvas, xy)
        _draw_limbs(canvas, xy, bands, skeleton, colour, thick)
        for point, band in zip(xy, bands.tolist(), strict=True):
            if np.isfinite(point).all():
                _draw_joint(canvas, point, band, colour, thick)
    return canvas


def joint_bands(person: Prediction | Pose, low: float, lost: float) -> np.ndarray:
    """Return (J,) int: 2 = sure, 1 = doubtful, 0 = lost, as `draw_overlay` marks them; NaN joints are lost."""
    placed = np.isfinite(person.xy).all(axis=1)
    if isinstance(person, Pose):
        visible, occluded = person.visibility == Visibility.VISIBLE, person.visibility == Visibility.OCCLUDED
    else:
        visible, occluded = person.confidence >= low, person.confidence >= lost
    return np.where(placed & visible, OK, np.where(placed & occluded, LOW, LOST))


def write_video(
    path: Path,
    images: Iterable[np.ndarray],
    fps: float,
    times: np.ndarray | None = None,
    progress: Callable[[int], None] | None = None,
    sound: Sound | None = None,
) -> None:
    """Write images as an H.264 video (yuv420p, BT.709) that every player opens.

    The video is written under a temporary name beside `path` and renamed when complete: an interrupted call leaves no
    half file and keeps an older one. Odd sizes get one more column or row, a copy of the last.

    Parameters
    ----------
    path : .mp4, .mov, .m4v or .mkv. images : (H, W, 3) uint8 RGB, all of one size.
    fps : frames per second. times : (frames,) increasing seconds of a variable rate (`fps` is then only nominal).
    progress : called with the number of images written so far. sound : what sounds beside them; it ends with them.

    Raises
    ------
    UsageError : another suffix, no images, or times that do not fit.
    ShapeMismatch : an image of another size. StorageError : the disk is full or cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"video {path} has the suffix '{path.suffix}': use one of {', '.join(SUFFIXES)}")
    if not fps > 0 or (times is not None and bool(np.any(np.diff(times) <= 0))):
        raise UsageError(f"video {path} cannot have {fps} frames per second or times that do not grow: correct them")
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        with av.open(str(partial), "w") as container:
            _encode_all(path, container, images, fps, times, progress, sound)
        partial.replace(path)
    except (FFmpegError, OSError) as error:
        raise StorageError(
            f"video {path} cannot be written ({getattr(error, 'strerror', None) or error}): free some space or check "
            "the folder's permissions"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _encode_all(
    path: Path,
    container: OutputContainer,
    images: Iterable[np.ndarray],
    fps: float,
    times: np.ndarray | None,
    progress: Callable[[int], None] | None,
    sound: Sound | None,
) -> None:
    stream: VideoStream | None = None
    reformatter = VideoReformatter()
    count = 0
    shape: tuple[int, ...] = ()
    for count, (image, stamp) in enumerate(_stamped(path, images, fps, times), start=1):
        if stream is None:
            shape = image.shape
            stream = _stream(container, shape, fps, times is not None)
            if sound is not None:
                sound.join(container, path.name)
        if image.shape != shape:
            raise ShapeMismatch(
                f"image {count - 1} for {path} has shape {image.shape}, the first {shape}: use one size"
            )
        frame = VideoFrame.from_ndarray(_even(image), format="rgb24")
        frame = reformatter.reformat(frame, format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts, frame.time_base = stamp, stream.codec_context.time_base
        if sound is not None:
            # In step with the pictures: the writer holds back what runs ahead.
            container.mux(list(sound.upto(float(stamp * stream.codec_context.time_base) + 1 / fps)))
        container.mux(stream.encode(frame))
        if progress is not None:
            progress(count)
    if stream is None:
        raise UsageError(f"no images for video {path}: give at least one")
    container.mux(stream.encode(None))


def _stamped(
    path: Path, images: Iterable[np.ndarray], fps: float, times: np.ndarray | None
) -> Iterator[tuple[np.ndarray, int]]:
    if times is None:
        yield from ((image, count) for count, image in enumerate(images))
        return
    stamps = np.rint((times - times[:1]) * CLOCK).astype(np.int64).tolist()
    count = 0
    for count, image in enumerate(images, start=1):
        if count > len(stamps):
            break
        yield image, stamps[count - 1]
    if count != len(stamps):
        raise UsageError(f"video {path} has {len(stamps)} times but {'more' if count > len(stamps) else count} images")


def _stream(container: OutputContainer, shape: tuple[int, ...], fps: float, variable: bool) -> VideoStream:
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast"})
    context = stream.codec_context
    context.width, context.height = shape[1] + shape[1] % 2, shape[0] + shape[0] % 2
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, CLOCK) if variable else 1 / rate
    # 1 = BT.709 in the code points of ISO/IEC 23091-2; the range is the usual limited one.
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
    return stream


def _even(image: np.ndarray) -> np.ndarray:
    down, right = image.shape[0] % 2, image.shape[1] % 2
    if not down and not right:
        return image
    return cv2.copyMakeBorder(image, 0, down, 0, right, cv2.BORDER_REPLICATE)


def _thickness(canvas: np.ndarray, xy: np.ndarray) -> float:
    """Return the width of a limb in pixels: by the image's size, but never clumsy on a small person."""
    finite = xy[np.isfinite(xy).all(axis=1)]
    extent = float(np.ptp(finite, axis=0).max()) if len(finite) > 1 else float(max(canvas.shape))
    return max(1.0, min(max(canvas.shape[:2]) / 300, extent / 50))


def _draw_limbs(
    canvas: np.ndarray,
    xy: np.ndarray,
    bands: np.ndarray,
    skeleton: Skeleton,
    colour: tuple[int, int, int],
    thick: float,
) -> None:
    drawn = [(a, b) for a, b in skeleton.limbs if bands[a] != LOST and bands[b] != LOST]
    # All dark edges first: a limb that crosses another keeps its own colour whole.
    for ink, extra in ((INK, max(1.0, thick * 0.6)), (colour, 0.0)):
        for a, b in drawn:
            width = thick if min(bands[a], bands[b]) == OK else thick * 0.5
            cv2.line(canvas, _fixed(xy[a]), _fixed(xy[b]), ink, max(1, round(width + extra)), cv2.LINE_AA, SHIFT)


def _draw_joint(canvas: np.ndarray, point: np.ndarray, band: int, colour: tuple[int, int, int], thick: float) -> None:
    radius, edge = thick * 1.5, max(1, round(thick * 0.4))
    if band == OK:
        cv2.circle(canvas, _fixed(point), _whole(radius + edge), INK, cv2.FILLED, cv2.LINE_AA, SHIFT)
        cv2.circle(canvas, _fixed(point), _whole(radius), colour, cv2.FILLED, cv2.LINE_AA, SHIFT)
    elif band == LOW:
        for size, ink in ((radius * 1.8 + 2 * edge, INK), (radius * 1.8, PAPER), (radius * 1.8 - 2 * edge, colour)):
            corners = point + max(size, 1.0) * np.array([[0.0, -1.0], [0.866, 0.5], [-0.866, 0.5]])
            cv2.fillPoly(canvas, [_grid(corners)], ink, cv2.LINE_AA, SHIFT)
    else:
        arm = radius * 1.4
        for ink, width in ((INK, 3 * edge + 1), (PAPER, 2 * edge), (colour, edge)):
            for across in ((arm, arm), (arm, -arm)):
                ends = _fixed(point - across), _fixed(point + across)
                cv2.line(canvas, *ends, ink, width, cv2.LINE_AA, SHIFT)


def _grid(points: np.ndarray) -> np.ndarray:
    # Beyond these bounds the drawing functions overflow; no visible line depends on it.
    return np.rint(np.clip(points, -30_000, 30_000) * (1 << SHIFT)).astype(np.int32)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = _grid(point).tolist()
    return x, y


def _whole(length: float) -> int:
    return round(length * (1 << SHIFT))
