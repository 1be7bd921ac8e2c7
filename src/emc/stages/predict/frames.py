"""Predict a clip: frames in, predictions out, batched across frames and persons."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.interfaces import Estimator
from emc.pose.records import Box, Prediction

BoxSource = Callable[[int], Sequence[Box]] | Mapping[int, Sequence[Box]]
Call = tuple[list[np.ndarray], list[list[Box]]]
"""What one call of an estimator is given: images, and the boxes of each."""
CallMap = Callable[[Callable[[Call], list[Prediction]], Iterable[Call]], Iterator[list[Prediction]]]
"""Runs calls and returns their results in order: `map`, or the `map` of an executor that runs some side by side."""

HELD_BYTES = 64 * 1024 * 1024
"""Pictures that are held for one call: large frames make smaller calls rather than more memory."""
# Frames without persons cost no network call; without a bound on the frames held, a long empty stretch would
# keep earlier results from being yielded (and stored) until the next person appears.
_FRAMES_HELD_PER_PERSON = 4


def _never(_: int) -> bool:
    return False


def predict_clip(
    frames: Iterable[tuple[int, np.ndarray]],
    boxes: BoxSource,
    estimator: Estimator,
    batch: int = 32,
    call_map: CallMap = map,
    held_bytes: int = HELD_BYTES,
    ends: Callable[[int], bool] = _never,
) -> Iterator[tuple[int, list[Prediction]]]:
    """Predict every person of every frame.

    frames : (index, (H, W, 3) uint8 RGB) in any order of indices. boxes : the boxes of a frame, by call or look-up;
    a frame that a mapping lacks has no persons. batch : persons per network call, at least 1. call_map : runs the
    calls of the estimator; how many it has under way at once is its own affair. held_bytes : a call is made with
    fewer persons where its pictures would be larger than this. ends : says of a frame, right after its boxes were
    asked for, that no later frame shares a call with it. Which persons share a call follows from these alone.

    Yields (index, predictions) for each frame, in the order given, also where there is no person (an empty list).
    At most `batch` images are held at a time per call, so memory does not grow with the length of the clip.
    Raises `UsageError` for a batch below 1, `InputError` where a box names another frame than the one it stands with,
    `ShapeMismatch` where the estimator does not return one prediction per box.
    """
    if batch < 1:
        raise UsageError(f"batch is {batch}: give at least 1 person per network call")
    order: deque[tuple[int, int]] = deque()  # (frame, persons) of what was taken and not yet yielded
    ready: list[Prediction] = []

    def predicted(call: Call) -> list[Prediction]:
        return _checked(estimator, *call)

    for found in call_map(predicted, _gathered(frames, boxes, batch, held_bytes, ends, order)):
        ready.extend(found)
        while order and order[0][1] <= len(ready):
            index, persons = order.popleft()
            yield index, ready[:persons]
            del ready[:persons]


def _gathered(
    frames: Iterable[tuple[int, np.ndarray]],
    boxes: BoxSource,
    batch: int,
    held_bytes: int,
    ends: Callable[[int], bool],
    order: deque[tuple[int, int]],
) -> Iterator[Call]:
    """Yield the calls; frames enter `order` before the calls that hold their persons, so that results find them."""
    images: list[np.ndarray] = []
    groups: list[list[Box]] = []
    waiting = held = size = 0
    for index, image in frames:
        found = _boxes_of(boxes, index)
        order.append((index, len(found)))
        held += 1
        if found:
            images.append(image)
            groups.append(found)
            waiting += len(found)
            size += image.nbytes
        full = waiting >= batch or size >= held_bytes or held >= batch * _FRAMES_HELD_PER_PERSON
        if full or ends(index):
            yield from _calls(images, groups, batch)
            images, groups = [], []
            waiting = held = size = 0
    if held:
        yield from _calls(images, groups, batch)


def _boxes_of(boxes: BoxSource, index: int) -> list[Box]:
    found = list(boxes(index) if callable(boxes) else boxes.get(index, ()))
    for box in found:
        if box.frame != index:
            raise InputError(f"a box of frame {box.frame} stands with frame {index}: give each frame its own boxes")
    return found


def _checked(estimator: Estimator, images: list[np.ndarray], groups: list[list[Box]]) -> list[Prediction]:
    if not images:
        return []
    wanted = sum(len(group) for group in groups)
    got = estimator.predict(images, groups)
    if len(got) != wanted:
        raise ShapeMismatch(
            f"estimator {estimator.describe().name} returned {len(got)} predictions for {wanted} boxes: "
            "it must return one per box, in their order"
        )
    return got


def _calls(images: Sequence[np.ndarray], groups: Sequence[list[Box]], batch: int) -> Iterator[Call]:
    """Cut into calls of at most `batch` persons; a crowded frame is spread over several calls.

    Frames without persons end in a call without images: their turn to be yielded comes all the same.
    """
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
    if some_images or not images:
        yield some_images, some_groups
