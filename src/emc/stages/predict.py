"""Predict a clip: frames in, predictions out, batched across frames and persons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.interfaces import Estimator
from emc.pose.records import Box, Prediction

BoxSource = Callable[[int], Sequence[Box]] | Mapping[int, Sequence[Box]]

# Frames without persons cost no network call; without a bound on the frames held, a long empty stretch would
# keep earlier results from being yielded (and stored) until the next person appears.
_FRAMES_HELD_PER_PERSON = 4


def predict_clip(
    frames: Iterable[tuple[int, np.ndarray]], boxes: BoxSource, estimator: Estimator, batch: int = 32
) -> Iterator[tuple[int, list[Prediction]]]:
    """Predict every person of every frame.

    frames : (index, (H, W, 3) uint8 RGB) in any order of indices. boxes : the boxes of a frame, by call or look-up;
    a frame that a mapping lacks has no persons. batch : persons per network call, at least 1.

    Yields (index, predictions) for each frame, in the order given, also where there is no person (an empty list).
    At most `batch` images are held at a time, so memory does not grow with the length of the clip.
    Raises `UsageError` for a batch below 1, `InputError` where a box names another frame than the one it stands with,
    `ShapeMismatch` where the estimator does not return one prediction per box.
    """
    if batch < 1:
        raise UsageError(f"batch is {batch}: give at least 1 person per network call")
    held: list[tuple[int, int]] = []  # (frame, persons)
    images: list[np.ndarray] = []
    groups: list[list[Box]] = []
    waiting = 0
    for index, image in frames:
        found = _boxes_of(boxes, index)
        held.append((index, len(found)))
        if found:
            images.append(image)
            groups.append(found)
            waiting += len(found)
        if waiting >= batch or len(held) >= batch * _FRAMES_HELD_PER_PERSON:
            yield from _predict_held(held, images, groups, estimator, batch)
            held, images, groups, waiting = [], [], [], 0
    yield from _predict_held(held, images, groups, estimator, batch)


def _boxes_of(boxes: BoxSource, index: int) -> list[Box]:
    found = list(boxes(index) if callable(boxes) else boxes.get(index, ()))
    for box in found:
        if box.frame != index:
            raise InputError(f"a box of frame {box.frame} stands with frame {index}: give each frame its own boxes")
    return found


def _predict_held(
    held: Sequence[tuple[int, int]],
    images: Sequence[np.ndarray],
    groups: Sequence[list[Box]],
    estimator: Estimator,
    batch: int,
) -> Iterator[tuple[int, list[Prediction]]]:
    predictions: list[Prediction] = []
    for some_images, some_groups in _calls(images, groups, batch):
        wanted = sum(len(group) for group in some_groups)
        got = estimator.predict(some_images, some_groups)
        if len(got) != wanted:
            raise ShapeMismatch(
                f"estimator {estimator.describe().name} returned {len(got)} predictions for {wanted} boxes: "
                "it must return one per box, in their order"
            )
        predictions.extend(got)
    start = 0
    for index, persons in held:
        yield index, predictions[start : start + persons]
        start += persons


def _calls(
    images: Sequence[np.ndarray], groups: Sequence[list[Box]], batch: int
) -> Iterator[tuple[list[np.ndarray], list[list[Box]]]]:
    """Cut into calls of at most `batch` persons; a crowded frame is spread over several calls."""
    some_images: list[np.ndarray] = []
    some_groups: list[list[Box]] = []
    room = batch
    for image, group in zip(images, groups, strict=True):
        rest = group
        while rest:
            some_images.append(image)
            some_groups.append(rest[:room])
            rest = rest[room:]
            room -= len(some_groups[-1])
            if room == 0:
                yield some_images, some_groups
                some_images, some_groups, room = [], [], batch
    if some_images:
        yield some_images, some_groups
