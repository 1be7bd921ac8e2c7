"""Persons found on a clip: each frame is looked at once, and what is found does not depend on where or how often."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.detectors.embedded.detector import EmbeddedDetector
from emc.pose.records import Box, Clip, Role
from emc.stages.video import open_media, probe
from emc.workflow.predict.concurrency import Cancelled, ConcurrencyControl
from emc.workflow.predict.finding import FIRST_LOOKS, FIRST_PART, PersonFinder
from emc.workflow.project.clips import read_clip
from emc.workflow.samples.rendered import ClipRequest, render_file

FRAMES = 90


class Watched(EmbeddedDetector):
    """Remembers how many pictures its network was given; copies share the list."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[int] = []

    def _forward(self, batch: np.ndarray, least: float) -> Any:
        # Both levels see every picture; one of them is counted.
        if max(batch.shape[1:3]) == self.sides[0]:
            self.given.append(len(batch))
        return super()._forward(batch, least)


class Plain:
    """A detector that learns nothing; it says how bright a picture is."""

    def detect(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[list[Box]]:
        return [[Box(f, (0, 0, 9, 9), float(i.mean()) / 255)] for i, f in zip(images, frames, strict=True)]

    def describe(self) -> Any:
        raise NotImplementedError


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = str(tmp_path_factory.mktemp("clip"))
    video = render_file(ClipRequest("walk", 5, FRAMES, seconds=3.1, size=(200, 200), folder=folder)).video
    return read_clip(video, Role.TARGET, "", {}, [], read_settings(None, EMBEDDED).video)


def finder(clip: Clip, detector: Any, threads: int = 1, control: ConcurrencyControl | None = None) -> PersonFinder:
    settings = read_settings(None, EMBEDDED, predict={"threads": threads}).predict
    return PersonFinder(clip, probe(Path(clip.path)), detector, settings, control)


def found(clip: Clip, frames: Sequence[int], detector: Any, threads: int = 1) -> list[tuple[int, list[Box]]]:
    with closing(finder(clip, detector, threads)) as one:
        one.learn(frames)
        return one.find(frames)


def test_every_frame_is_looked_at_once_and_found_as_by_itself(clip: Clip) -> None:
    torch.set_num_threads(1)
    detector, frames = Watched(), range(0, FRAMES, 3)
    rows = found(clip, frames, detector)
    assert sum(detector.given) == len(frames)
    with open_media(Path(clip.path)) as media:
        images = [image for _, image in media.chosen(frames)]
    alone = EmbeddedDetector().detect(images, frames)
    assert [frame for frame, _ in rows] == list(frames)
    assert any(alone)
    for (_, boxes), wanted in zip(rows, alone, strict=True):
        assert [box.xywh for box in boxes] == [pytest.approx(box.xywh, abs=1e-3) for box in wanted]


def test_a_first_look_ends_when_the_network_is_sure(clip: Clip) -> None:
    detector, frames = Watched(), range(FRAMES)
    with closing(finder(clip, detector)) as one:
        one.learn(frames)
    assert FIRST_LOOKS // 2 <= sum(detector.given) < FIRST_LOOKS


class Learner(Plain):
    """Has seen enough after one look at some frames, which it remembers."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def observe(self, images: Sequence[np.ndarray], frames: Sequence[int]) -> list[int]:
        self.seen += frames
        return list(frames)

    def enough(self, looks: Sequence[int], shown: int) -> bool:
        return bool(looks)

    def adapted(self, looks: Sequence[int], shown: int) -> Learner:
        assert (list(looks), shown) == (self.seen, FIRST_LOOKS)
        return self


def test_the_first_part_of_the_looks_is_spread_over_the_whole_clip(clip: Clip) -> None:
    detector = Learner()
    with closing(finder(clip, detector)) as one:
        one.learn(range(FRAMES))
    assert len(detector.seen) <= FIRST_PART
    assert detector.seen[0] == 0
    assert detector.seen[-1] >= 0.9 * FRAMES


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_to_the_bit_in_one_thread_several_or_elsewhere(clip: Clip, threads: int) -> None:
    torch.set_num_threads(1)
    frames = range(FRAMES)
    here = found(clip, frames, EmbeddedDetector())
    assert found(clip, frames, EmbeddedDetector(), threads) == here
    with closing(finder(clip, EmbeddedDetector(), threads)) as one:
        one.learn(frames)
        with closing(pickle.loads(pickle.dumps(one))) as other:
            blocks = one(frames[:40]).rows + one(frames[40:]).rows
            assert other(frames[:40]).rows + other(frames[40:]).rows == blocks
            # As a resumed search looks: from some block on.
            assert other(frames[40:]).rows == blocks[40:]


def test_a_detector_that_cannot_learn_looks_at_all_frames(clip: Clip) -> None:
    rows = found(clip, [3, 4, 80], Plain())
    assert [(frame, box.frame) for frame, (box,) in rows] == [(3, 3), (4, 4), (80, 80)]


def test_unsure_boxes_are_left_out_and_a_halt_ends_the_search(clip: Clip) -> None:
    settings = read_settings(None, EMBEDDED, predict={"min_box_score": 0.99}).predict
    with closing(PersonFinder(clip, probe(Path(clip.path)), Plain(), settings)) as one:  # pyright: ignore[reportArgumentType]
        assert one.find([0, 1]) == [(0, []), (1, [])]
    control = ConcurrencyControl()
    control.cancel()
    with closing(finder(clip, EmbeddedDetector(), 2, control)) as one, pytest.raises(Cancelled):
        one.find(range(8))
