"""MoveNet multipose as a detector: levels, what a clip is looked at with, and persons it must find."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import emc.detectors.movenet.detector as multipose
import emc.plugins as plugins
from emc.detectors.movenet import MoveNetDetector
from emc.detectors.movenet.detector import Level, Observation
from emc.errors import InputError, ShapeMismatch, UsageError, WeightsError
from emc.interfaces import ClipAdaptive, Detector
from emc.pose.geometry import box_overlap
from emc.weights.published import local

HERE = pytest.mark.skipif(
    local("movenet-multipose") is None,
    reason="the weights of movenet-multipose are not here: run `emc models get movenet-multipose`",
)


def level(*boxes: tuple[float, float, float, float, float], scale: float = 1.0) -> Level:
    """Boxes x, y, width, height in frame pixels with their score; scale : input pixels per frame pixel."""
    rows = np.array(boxes, dtype=float).reshape(-1, 5)
    corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    return Level(corners, rows[:, 4], rows[:, 2:4].max(axis=1, initial=0) * scale)


def look(frame: int, coarse: Level, middle: Level, fine: Level) -> Observation:
    return Observation(frame, (1280, 720), {256: coarse, 448: middle, 640: fine})


NONE = level()
ONE = level((100, 100, 200, 400, 0.8))
TWO = level((100, 100, 200, 400, 0.8), (800, 100, 200, 400, 0.7))


def test_it_keeps_the_contracts_and_describes_itself_without_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("EMC_MODELS", str(tmp_path))
    monkeypatch.setenv("EMC_OFFLINE", "1")
    detector = plugins.detector_for("movenet-multipose")
    assert isinstance(detector, Detector)
    assert isinstance(detector, ClipAdaptive)
    info = detector.describe()
    assert (info.name, info.kind, info.parameters) == ("movenet-multipose", "detector", 4_723_346)
    assert info.weights.startswith("not here: `emc models get movenet-multipose`")
    multipose.network.cache_clear()
    with pytest.raises(WeightsError, match="movenet-multipose is not on this machine"):
        detector.detect([np.zeros((64, 64, 3), np.uint8)], [0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0.0}, "threshold 0.0 is out of range"),
        ({"sides": (16,)}, r"sides \[16\] are out of range"),
        ({"weights": Path("x")}, "takes no weights of one's own"),
    ],
)
def test_options_out_of_range_are_refused(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MoveNetDetector(**options)


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ShapeMismatch, match="2 images and 1 frame numbers"):
        MoveNetDetector().detect([np.zeros((9, 9, 3), np.uint8)] * 2, [0])
    with pytest.raises(InputError, match=r"frame 7 is an array of float64 \(9, 9\)"):
        MoveNetDetector().detect([np.zeros((9, 9))], [7])


@pytest.mark.parametrize(
    ("looks", "sides"),
    [
        ([look(i, ONE, ONE, ONE) for i in range(20)], (256,)),
        ([look(i, ONE, TWO, TWO) for i in range(20)], (448,)),
        ([look(i, NONE, ONE, TWO) for i in range(20)], (640,)),
        # One person is large, and seen at 256 alone, the other small, and seen at 640 alone.
        ([look(i, ONE, NONE, level((800, 100, 200, 400, 0.7), scale=0.5)) for i in range(20)], (256, 640)),
        # One in twenty more: not worth six times the work.
        ([look(i, ONE, ONE, TWO if i == 0 else ONE) for i in range(20)], (256,)),
        ([look(i, NONE, NONE, NONE) for i in range(20)], (256,)),
        ([], multipose.SIDES),
    ],
)
def test_a_clip_gets_the_cheapest_sizes_that_find_its_people(looks: list[Observation], sides: tuple[int, ...]) -> None:
    detector = MoveNetDetector()
    adapted = pickle.loads(pickle.dumps(detector)).adapted(looks, len(looks))
    assert adapted.sides == sides
    assert sorted(adapted.observed) == [one.frame for one in looks]
    assert detector.sides == multipose.SIDES
    assert detector.observed == {}


def test_looks_are_enough_when_there_are_sixteen() -> None:
    looks = [look(i, ONE, ONE, ONE) for i in range(16)]
    detector = MoveNetDetector()
    assert [detector.enough(looks[:count], 40) for count in (15, 16)] == [False, True]
    assert detector.enough(looks[:3], 3)


def test_beside_a_coarser_level_a_finer_one_counts_half_and_only_small_boxes() -> None:
    fine = level((800, 100, 100, 200, 0.7), (300, 100, 300, 500, 0.9), (600, 100, 100, 200, 0.15), scale=0.5)
    coarse = level((100, 100, 200, 400, 0.8), (900, 50, 250, 600, 0.6), (500, 50, 250, 600, 0.6), scale=0.2)
    seen = look(3, coarse, NONE, fine)
    adapted = MoveNetDetector().adapted([seen], 1)
    boxes = adapted.observed[3]
    # 0.9 is 250 input pixels high; half of 0.15 is below the threshold.
    assert adapted.sides == (256, 640)
    assert [(box.xywh[0], box.score, box.frame, box.track) for box in boxes] == [
        (100.0, 0.8, 3, -1),
        (900.0, 0.6, 3, -1),
        (500.0, 0.6, 3, -1),
        (800.0, pytest.approx(0.35), 3, -1),
    ]


def test_boxes_are_cut_at_the_frames_border() -> None:
    adapted = MoveNetDetector().adapted([look(0, level((-50, 600, 200, 400, 0.9)), NONE, NONE)], 1)
    assert adapted.observed[0][0].xywh == (-0.5, 600.0, 150.5, 119.5)


@HERE
@pytest.mark.shared_data
def test_it_finds_the_large_people_of_photos(shared_data: Path) -> None:
    """The demo's own photos are COCO's: the box of every person above 150 pixels, at IoU 0.5, of 12 images."""
    import cv2

    from emc.formats.poses.coco import CocoFormat

    folder = shared_data / "coco-mini"
    labels = CocoFormat().read(folder / "person_keypoints.json")
    detector, right, persons = MoveNetDetector(), 0, 0
    for image in labels.images[:12]:
        picture = cv2.cvtColor(cv2.imread(str(folder / "images" / image.file_name)), cv2.COLOR_BGR2RGB)
        boxes = [p.box for p in labels.persons if p.image == image.id and p.box is not None and not p.iscrowd]
        large = np.array([box for box in boxes if min(box[2:]) > 100 and max(box[2:]) > 200]).reshape(-1, 4)
        found = np.array([box.xywh for box in detector.detect([picture], [0])[0] if box.score >= 0.2]).reshape(-1, 4)
        persons += len(large)
        right += int((box_overlap(large, found).max(axis=1, initial=0) >= 0.5).sum())
    assert persons >= 8
    assert right >= 0.8 * persons


@HERE
@pytest.mark.shared_data
def test_both_people_of_the_wide_clip_are_found_once_it_looks_closely(shared_data: Path) -> None:
    from emc.stages.video import open_media

    with open_media(shared_data / "video" / "two_people_1768x994_30fps.mp4") as reader:
        shots = dict(reader.chosen([96, 108, 120]))
    detector = MoveNetDetector()
    adapted = detector.adapted(detector.observe(list(shots.values()), list(shots)), 3)
    assert adapted.sides == (640,)
    # A walker of some 420 pixels, and somebody on the wall behind of some 370.
    assert [sum(box.score >= 0.3 for box in adapted.observed[frame]) for frame in shots] == [2, 2, 2]


@HERE
def test_rough_poses_lie_in_their_boxes() -> None:
    from emc.synth.scene.scene import make_clip

    frame = make_clip("walk", 7, seconds=0.2, fps=10.0, size=(384, 384))[0]
    detector = MoveNetDetector(sides=(256,))
    (box, pose), *_ = detector.detect_poses([frame.image], [5])[0]
    assert detector.detect([frame.image], [5])[0][0] == box
    x, y, width, height = box.xywh
    grown = 0.1 * max(width, height)
    assert (pose.xy >= [x - grown, y - grown]).all()
    assert (pose.xy <= [x + width + grown, y + height + grown]).all()
    assert pose.score.mean() > 0.2
    # Nose above hips above ankles.
    assert pose.xy[0, 1] < pose.xy[[11, 12], 1].mean() < pose.xy[[15, 16], 1].mean()
