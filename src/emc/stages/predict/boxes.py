"""Boxes on their way to the estimator: tracked stretch by stretch, and filled in where the detector did not look."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from emc.errors import UsageError
from emc.pose.records import Box

Rows = list[tuple[int, list[Box]]]
"""Frames in rising order, each with its boxes."""
Tracker = Callable[[Iterable[tuple[int, list[Box]]]], Iterable[tuple[int, list[Box]]]]
"""Numbers the persons of a stretch: frames with boxes in, the same frames with tracked boxes out."""

STRETCH = 1024
"""Looks of the detector that are tracked together; a clip of this many (and `SHARED` more) is tracked as a whole."""
SHARED = 64
"""Looks at each end that neighbouring stretches both see: longer than any gap that tracking bridges."""


def detection_frames(frames: Sequence[int], every: int) -> list[int]:
    """Return the frames on which the detector looks: every `every`-th of the ascending `frames`, and the last one.

    Raises `UsageError` where `every` is below 1.
    """
    if every < 1:
        raise UsageError(f"cannot look for persons on every {every}th frame: give 1 or more")
    chosen = list(frames[::every])
    return chosen if not frames or chosen[-1] == frames[-1] else [*chosen, frames[-1]]


def tracked_by_stretches(
    rows: Iterable[tuple[int, list[Box]]], tracker: Tracker, stretch: int = STRETCH, shared: int = SHARED
) -> Iterator[tuple[int, list[Box]]]:
    """Track a clip of any length with bounded memory and delay.

    rows : frames in rising order with the detector's boxes. tracker : is given `stretch` frames at a time and, for
    its decisions, up to `shared` more on either side. Yields every frame once with its tracked boxes.

    A person keeps their number from one stretch to the next where both gave the same boxes to them; one whom the
    tracker left out of a stretch comes back under a new number. A clip that is no longer than one stretch (and
    `shared` more) gets exactly what the tracker says of the whole. Raises `UsageError` where `stretch` or `shared` is
    below 1.
    """
    if stretch < 1 or shared < 1:
        raise UsageError(f"tracking by stretches of {stretch} frames that share {shared}: give 1 or more of both")
    known: dict[tuple[int, tuple[float, ...]], int] = {}
    people = 0
    for before, core, after in _stretches(rows, stretch, shared):
        found = [(frame, list(boxes)) for frame, boxes in tracker([*before, *core, *after])]
        names = _names(found, known, people)
        people = max([people, *(number + 1 for number in names.values())])
        named = [(frame, [replace(box, track=names[box.track]) for box in boxes]) for frame, boxes in found]
        known = {(box.frame, box.xywh): box.track for _, boxes in named[len(before) :] for box in boxes}
        yield from named[len(before) : len(before) + len(core)]


def tracked_by_shots(
    rows: Iterable[tuple[int, list[Box]]], begins: Container[int], tracker: Tracker
) -> Iterator[tuple[int, list[Box]]]:
    """Track a stretch shot by shot: nobody keeps a number over a cut.

    rows : frames in rising order with boxes. begins : frames that begin another shot, asked for as rows are read; a
    cut between two rows stands with the later one. Yields every frame once; numbers rise from shot to shot.
    """
    people = 0
    for shot in _shots(rows, begins):
        most = people
        for frame, boxes in tracker(shot):
            named = [replace(box, track=box.track + people) for box in boxes]
            most = max([most, *(box.track + 1 for box in named)])
            yield frame, named
        people = most


def _shots(rows: Iterable[tuple[int, list[Box]]], begins: Container[int]) -> Iterator[Rows]:
    shot: Rows = []
    for row in rows:
        if shot and row[0] in begins:
            yield shot
            shot = []
        shot.append(row)
    if shot:
        yield shot


def filled_between(rows: Iterable[tuple[int, list[Box]]], frames: Iterable[int]) -> Iterator[tuple[int, list[Box]]]:
    """Put boxes on the frames between the detector's looks.

    rows : the looks in rising order with tracked boxes. frames : all frames to give boxes to, rising, the looks among
    them, none before the first look or after the last. A person on both neighbouring looks is placed in between on a
    straight line; one who is on one of them only keeps that box up to the middle. What is filled in has score 0.0.
    Yields every one of `frames` once, boxes by `track`.
    """
    upcoming = iter(rows)
    before = after = next(upcoming, None)
    for frame in frames:
        while after is not None and after[0] < frame:
            before, after = after, next(upcoming, None)
        if before is None or after is None:
            yield frame, []
        elif after[0] == frame:
            yield frame, after[1]
        else:
            yield frame, _between(before, after, frame)


def _stretches(rows: Iterable[tuple[int, list[Box]]], stretch: int, shared: int) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Yield (before, core, after): the cores follow each other, the others are what they see of their neighbours."""
    before: Rows = []
    held: Rows = []
    for row in rows:
        held.append(row)
        # One more than is shown: a last core is never shorter than what is shared, or tracking would lack its sight.
        if len(held) > stretch + shared:
            core = held[:stretch]
            yield before, core, held[stretch : stretch + shared]
            before, held = core[-shared:], held[stretch:]
    if held:
        yield before, held, []


def _names(found: Rows, known: Mapping[tuple[int, tuple[float, ...]], int], people: int) -> dict[int, int]:
    """Return track of this stretch -> number in the clip; who shares most boxes with a known person is that person."""
    votes: dict[tuple[int, int], int] = {}
    tracks: dict[int, None] = {}
    for frame, boxes in found:
        for box in boxes:
            tracks[box.track] = None
            name = known.get((frame, box.xywh))
            if name is not None:
                votes[box.track, name] = votes.get((box.track, name), 0) + 1
    names: dict[int, int] = {}
    for track, name in sorted(votes, key=lambda pair: (-votes[pair], pair)):
        if track not in names and name not in names.values():
            names[track] = name
    for track in sorted(tracks):
        if track not in names:
            names[track] = people
            people += 1
    return names


def _between(before: tuple[int, list[Box]], after: tuple[int, list[Box]], frame: int) -> list[Box]:
    share = (frame - before[0]) / (after[0] - before[0])
    old, new = ({box.track: np.array(box.xywh) for box in row[1]} for row in (before, after))
    boxes: list[Box] = []
    for track in sorted(old.keys() | new.keys()):
        if track in old and track in new:
            place = old[track] + share * (new[track] - old[track])
        elif (track in old) == (share < 0.5):
            place = old.get(track, new.get(track))
        else:
            continue
        x, y, width, height = np.asarray(place, dtype=np.float64).tolist()
        boxes.append(Box(frame, (x, y, width, height), 0.0, track))
    return boxes
