from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emc.errors import ShapeMismatch, StorageError, UsageError
from emc.pose.records import Pose, Prediction
from emc.pose.skeletons.skeleton import build_skeleton
from emc.stages.overlay.drawing import INK, PALETTE, draw_overlay, joint_bands, write_video
from emc.stages.video import open_media

BAR = build_skeleton("bar", ("left_end", "right_end", "far"), (("left_end", "right_end"), ("right_end", "far")))


def predicted(xy: list[list[float]], confidence: list[float], person: int = 0) -> Prediction:
    values = np.array(confidence, dtype=np.float32)
    return Prediction(0, person, np.array(xy, dtype=np.float32), values, values, np.zeros(4, dtype=np.float32))


def grey(width: int = 300, height: int = 200) -> np.ndarray:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def test_bands_of_a_prediction():
    person = predicted([[1, 1], [2, 2], [np.nan, np.nan]], [0.5, 0.2, 0.9])
    assert joint_bands(person, 0.5, 0.2).tolist() == [2, 1, 0]
    assert joint_bands(person, 0.51, 0.21).tolist() == [1, 0, 0]


def test_bands_of_a_pose():
    xy = np.array([[1, 1], [2, 2], [3, 3]], dtype=np.float32)
    pose = Pose(0, 0, xy, np.array([2, 1, 0], dtype=np.int8), np.zeros(3, dtype=np.int8))
    assert joint_bands(pose, 0.5, 0.2).tolist() == [2, 1, 0]


@pytest.mark.parametrize("person", range(7))
def test_a_sure_limb_and_its_ends_have_the_colour_of_the_person(person):
    image = draw_overlay(grey(), [predicted([[50, 50], [150, 50], [150, 150]], [0.9] * 3, person)], BAR, 0.5, 0.2)
    for x, y in ((50, 50), (100, 50), (150, 50), (150, 100), (150, 150)):
        # Thin lines are blended with their edge a little.
        distances = np.abs(image[y, x].astype(int) - np.array(PALETTE)).max(axis=1)
        assert distances.argmin() == person
        assert distances.min() <= 24


def test_shape_tells_the_band():
    points = [[50, 100], [150, 100], [250, 100]]
    image = draw_overlay(grey(), [predicted(points, [0.9, 0.3, 0.1])], BAR, 0.5, 0.2)
    near = [image[92:109, x - 9 : x + 10].reshape(-1, 3).astype(int) for x in (50, 150, 250)]
    changed = [(np.abs(part - 128).max(axis=1) > 30).sum() for part in near]
    assert min(changed) > 10
    # A triangle points up: more of it lies below its centre than above. A disc and a cross are even.
    below = [(np.abs(image[y, x - 9 : x + 10].astype(int) - 128).max(axis=1) > 30).sum() for x, y in ((150, 96),)]
    above = [(np.abs(image[y, x - 9 : x + 10].astype(int) - 128).max(axis=1) > 30).sum() for x, y in ((150, 102),)]
    assert above[0] > below[0]
    # No limb leads to the lost joint; its cross leaves the places right above it free.
    assert tuple(image[100, 200]) == (128, 128, 128)
    assert tuple(image[95, 250]) == (128, 128, 128)


def test_joints_without_coordinates_are_not_drawn():
    empty = predicted([[np.nan, np.nan]] * 3, [0, 0, 0])
    assert np.array_equal(draw_overlay(grey(), [empty], BAR, 0.5, 0.2), grey())


def test_the_image_given_stays_as_it_was():
    image = grey()
    draw_overlay(image, [predicted([[50, 50], [90, 50], [9, 9]], [1, 1, 1])], BAR, 0.5, 0.2)
    assert np.array_equal(image, grey())


def test_joints_far_outside_are_harmless():
    person = predicted([[-1e7, 50], [1e7, 50], [50, 1e9]], [1, 1, 1])
    image = draw_overlay(grey(), [person], BAR, 0.5, 0.2)
    assert image.shape == (200, 300, 3)


def test_another_skeleton_is_refused():
    person = predicted([[1, 1]], [1])
    with pytest.raises(ShapeMismatch, match="has 1 joints but skeleton bar has 3"):
        draw_overlay(grey(), [person], BAR, 0.5, 0.2)


def test_marks_have_a_dark_edge_that_shows_on_any_ground():
    image = draw_overlay(
        np.full((200, 300, 3), PALETTE[0], np.uint8), [predicted([[50, 50]] * 3, [1] * 3)], BAR, 0.5, 0
    )
    assert (np.abs(image.astype(int) - INK).max(axis=2) < 30).any()


def colours(count: int, width: int = 64, height: int = 48) -> Iterator[np.ndarray]:
    for index in range(count):
        image = np.zeros((height, width, 3), dtype=np.uint8)
        image[..., 0], image[..., 1], image[..., 2] = 200, 20 * index, 60
        yield image


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_written_video_reads_back(suffix, tmp_path):
    path = tmp_path / f"out{suffix}"
    steps: list[int] = []
    write_video(path, colours(10), fps=25, progress=steps.append)
    assert steps == list(range(1, 11))
    with open_media(path) as reader:
        assert (reader.info.frames, reader.info.width, reader.info.height) == (10, 64, 48)
        assert reader.info.fps == pytest.approx(25, rel=1e-3)
        for index, image in reader.frames():
            assert np.abs(image[24, 32].astype(int) - [200, 20 * index, 60]).max() <= 4
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("fps", "last"), [(29.97, 9 / 29.97), (1, 9.0), (0.5, 18.0), (239.76, 9 / 239.76)])
def test_rates(fps, last, tmp_path):
    write_video(tmp_path / "out.mp4", colours(10), fps=fps)
    with open_media(tmp_path / "out.mp4") as reader:
        assert reader.info.times[-1] == pytest.approx(last, rel=1e-3)


def test_odd_sizes_get_one_more_row_and_column(tmp_path):
    write_video(tmp_path / "odd.mp4", colours(3, 63, 47), fps=25)
    with open_media(tmp_path / "odd.mp4") as reader:
        assert (reader.info.width, reader.info.height) == (64, 48)
        assert np.abs(reader.read(2)[47, 63].astype(int) - [200, 40, 60]).max() <= 4


def test_times_of_a_variable_rate_are_kept(tmp_path):
    times = np.array([5.0, 5.02, 5.5, 6.75, 6.8])
    write_video(tmp_path / "uneven.mp4", colours(5), fps=30, times=times)
    with open_media(tmp_path / "uneven.mp4") as reader:
        assert reader.info.times == pytest.approx(times - 5.0, abs=1e-4)


def test_interrupted_writing_leaves_the_old_file_and_no_half_one(tmp_path):
    path = tmp_path / "out.mp4"
    write_video(path, colours(3), fps=25)
    before = path.read_bytes()

    def interrupted() -> Iterator[np.ndarray]:
        yield from colours(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, interrupted(), fps=25)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_full_disk(tmp_path):
    rng = np.random.default_rng(0)
    noise = (rng.integers(0, 255, (240, 320, 3), dtype=np.uint8) for _ in range(60))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageError, match=r"out\.mp4 cannot be written .*: free some space"):
            write_video(tmp_path / "out.mp4", noise, fps=25)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_folder_that_does_not_exist(tmp_path):
    with pytest.raises(StorageError, match=r"out\.mp4 cannot be written"):
        write_video(tmp_path / "no" / "out.mp4", colours(2), fps=25)


@pytest.mark.parametrize(
    ("name", "images", "settings", "message"),
    [
        ("out.txt", 2, {"fps": 25}, "suffix '.txt'"),
        ("out.mp4", 0, {"fps": 25}, "no images"),
        ("out.mp4", 2, {"fps": 0}, "0 frames per second"),
        ("out.mp4", 2, {"fps": 25, "times": np.array([0.0, 0.0])}, "times that do not grow"),
        ("out.mp4", 2, {"fps": 25, "times": np.array([0.0, 1.0, 2.0])}, "3 times but 2 images"),
        ("out.mp4", 4, {"fps": 25, "times": np.array([0.0, 1.0, 2.0])}, "3 times but more images"),
    ],
)
def test_wrong_requests(name, images, settings, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        write_video(tmp_path / name, colours(images), **settings)
    assert list(tmp_path.iterdir()) == []


def test_image_of_another_size(tmp_path):
    images = [grey(64, 48), grey(32, 48)]
    with pytest.raises(ShapeMismatch, match=r"image 1 for .* has shape \(48, 32, 3\)"):
        write_video(Path(tmp_path / "out.mp4"), images, fps=25)
