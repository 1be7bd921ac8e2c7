"""Crops of ViTPose: equal to transformers' processor, exact at edges, changed with their labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.estimators.vitpose.vitpose_reference import SIZE, blob_sample, processor, random_boxes

from emc.errors import ShapeMismatch
from emc.estimators.augmentation import (
    MEAN,
    SPREAD,
    Augmentation,
    augmented_affine,
    change_look,
    label_weight,
    sample_places,
    window_affine,
)
from emc.estimators.vitpose.crops import changed_crops, exact_crops, normalised, windows
from emc.pose.geometry import transform
from emc.pose.records import Sample


def levels(crops: torch.Tensor) -> np.ndarray:
    """Grey levels (N, H, W, 3) of normalised crops."""
    return (crops * torch.tensor(SPREAD)[:, None, None] + torch.tensor(MEAN)[:, None, None]).permute(0, 2, 3, 1).numpy()


def test_a_window_has_the_crops_shape_and_a_quarter_more() -> None:
    tall, wide = windows(np.array([[10, 20, 30, 160], [10, 20, 120, 40]]), SIZE)
    # 160 high: 120 wide (3 : 4), both x 1.25, about (25, 100). 120 wide: 160 high, about (70, 40).
    np.testing.assert_allclose(tall, [25, 100, 150, 200])
    np.testing.assert_allclose(wide, [70, 40, 150, 200])


def test_a_box_without_extent_gets_a_pixel() -> None:
    np.testing.assert_allclose(windows(np.array([[5.0, 6, 0, 0]]), SIZE), [[5, 6, 1, 1]])


def test_the_windows_edges_fall_on_the_outermost_pixels() -> None:
    affine = window_affine(np.array([100.0, 50, 60, 80]), SIZE)
    corners = transform(np.array([[70.0, 10], [130, 90], [100, 50]]), affine)
    np.testing.assert_allclose(corners, [[0, 0], [191, 255], [95.5, 127.5]])


def test_mirroring_an_affine_mirrors_the_crop() -> None:
    window = np.array([100.0, 50, 60, 80])
    plain, turned = window_affine(window, SIZE, 0.3), window_affine(window, SIZE, 0.3, flip=True)
    points = np.array([[90.0, 33], [120, 60]])
    expected = transform(points, plain)
    expected[:, 0] = 191 - expected[:, 0]
    np.testing.assert_allclose(transform(points, turned), expected)


def test_an_angle_turns_clockwise_on_screen() -> None:
    # A quarter turn takes what is right of the centre below it.
    found = transform(np.array([[110.0, 50]]), window_affine(np.array([100.0, 50, 192, 256]), SIZE, np.pi / 2))
    np.testing.assert_allclose(found, [[95.5, 127.5 + 10 * 255 / 256]])


def test_crops_are_those_of_transformers() -> None:
    pytest.importorskip("transformers", reason="the reference is transformers' processor")
    rng = np.random.default_rng(0)
    smooth = rng.integers(0, 256, (24, 43, 3)).repeat(30, axis=0).repeat(30, axis=1).astype(np.uint8)
    for image in (smooth, rng.integers(0, 256, (720, 1280, 3), dtype=np.uint8)):
        boxes = random_boxes(rng, 16)
        theirs = processor()(images=[image], boxes=[boxes.tolist()], return_tensors="pt")["pixel_values"]
        ours = exact_crops([image] * 16, windows(boxes, SIZE), SIZE)
        apart = np.abs(levels(ours) - levels(theirs))
        # Both round to whole grey levels: where float32 and float64 fall on two sides of a half, they are one apart.
        assert apart.max() <= 1.001
        assert (apart > 0.01).mean() < 0.003


def test_each_image_is_cut_for_its_own_box() -> None:
    images = [np.full((40, 50, 3), 10, np.uint8), np.full((400, 300, 3), 200, np.uint8)]
    crops = exact_crops(images, windows(np.array([[20, 15, 3, 4], [100, 100, 90, 120]]), SIZE), SIZE)
    np.testing.assert_allclose(levels(crops)[0], 10, atol=1e-4)
    np.testing.assert_allclose(levels(crops)[1], 200, atol=1e-4)


def test_beyond_the_image_is_black() -> None:
    image = np.full((100, 100, 3), 250, np.uint8)
    crop = levels(exact_crops([image], np.array([[0.0, 50, 150, 200]]), SIZE))[0]
    # Columns 0..95 lie at x < 0; rows of y < 0 and y > 99 are black too.
    assert np.abs(crop[:, :96]).max() < 1e-4
    np.testing.assert_allclose(crop[127, 97:], 250, atol=1e-4)
    assert np.abs(crop[:60]).max() < 1e-4
    outside = exact_crops([image], np.array([[500.0, 500, 60, 80]]), SIZE)
    assert np.abs(levels(outside)).max() < 1e-4


def test_a_huge_person_is_read_between_two_pixels() -> None:
    ramp = np.tile((np.arange(4000) // 16).astype(np.uint8)[None, :, None], (3000, 1, 3))
    window = np.array([[2000.0, 1500, 2100, 2800]])
    crop = levels(exact_crops([ramp], window, SIZE))[0]
    x = 2000 - 1050 + np.arange(192) * 2100 / 191
    low = np.floor(x).astype(int)
    expected = ramp[0, low, 0] * (1 - (x - low)) + ramp[0, low + 1, 0] * (x - low)
    np.testing.assert_allclose(crop[100, :, 0], expected, atol=0.51)


def test_a_picture_that_may_not_be_written_and_one_of_a_single_pixel() -> None:
    locked = np.full((30, 30, 3), 7, np.uint8)
    locked.setflags(write=False)
    assert levels(exact_crops([locked], np.array([[15.0, 15, 6, 8]]), SIZE)).max() == pytest.approx(7, abs=1e-4)
    dot = np.full((1, 1, 3), 99, np.uint8)
    crop = levels(exact_crops([dot], np.array([[0.0, 0, 191, 255]]), SIZE))[0]
    assert crop.shape == (256, 192, 3)


def test_no_persons_no_crops() -> None:
    assert exact_crops([], windows(np.zeros((0, 4)), SIZE), SIZE).shape == (0, 3, 256, 192)


def test_an_affine_that_changes_nothing_gives_the_exact_crop() -> None:
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (200, 150, 3), dtype=np.uint8)
    window = np.array([75.0, 100, 90, 120])
    still = Augmentation(rotation=0, scale=(1, 1), shift=0, flip=0, colour=0, cutout=0)
    affine, flip = augmented_affine(window, SIZE, rng, still)
    found = changed_crops([image], affine[None], SIZE, rng, still)
    assert not flip
    exact = levels(exact_crops([image], window[None], SIZE))
    np.testing.assert_allclose(levels(normalised(found)), exact, atol=0.6)


def test_augmentation_moves_labels_with_the_pixels() -> None:
    rng = np.random.default_rng(3)
    image = np.zeros((200, 150, 3), np.uint8)
    image[118:123, 58:63] = 255
    how = Augmentation(colour=0, cutout=0)
    for _ in range(5):
        affine, _ = augmented_affine(np.array([75.0, 100, 120, 160]), SIZE, rng, how)
        crop = changed_crops([image], affine[None], SIZE, rng, how)[0, 0].numpy()
        rows, columns = np.mgrid[:256, :192]
        centre = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum()
        np.testing.assert_allclose(centre, transform(np.array([60.0, 120]), affine), atol=0.1)


def test_augmentation_stays_within_its_bounds() -> None:
    how = Augmentation(rotation=20, scale=(0.8, 1.2), shift=0.1)
    window = np.array([75.0, 100, 120, 160])
    rng = np.random.default_rng(4)
    drawn = [augmented_affine(window, SIZE, rng, how) for _ in range(200)]
    scales = np.array([np.sqrt(abs(np.linalg.det(affine[:, :2]))) for affine, _ in drawn])
    plain = np.sqrt(np.linalg.det(window_affine(window, SIZE)[:, :2]))
    assert scales.min() >= plain / 1.2 - 1e-9
    assert scales.max() <= plain / 0.8 + 1e-9
    angles = [np.rad2deg(np.arctan2(affine[1, 0], affine[1, 1])) for affine, _ in drawn]
    assert 15 < np.abs(angles).max() <= 20.2
    assert 60 < sum(flip for _, flip in drawn) < 140


def test_looks_follow_the_seed_and_stay_colours() -> None:
    crop = torch.full((3, 256, 192), 100.0)
    first, again = crop.clone(), crop.clone()
    how = Augmentation(cutout=1.0)
    change_look(first, np.random.default_rng(5), how)
    change_look(again, np.random.default_rng(5), how)
    assert torch.equal(first, again)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 255
    changed = int((first[0] != first[0, 0, 0]).sum())
    assert 0.01 * 256 * 192 <= changed <= 0.13 * 256 * 192


def test_labels_count_where_there_are_some() -> None:
    sample = blob_sample(np.random.default_rng(0))
    xy = sample.xy.copy()
    xy[3] = np.nan
    visibility = sample.visibility.copy()
    visibility[5] = 0
    weight = np.full(17, 0.5)
    weighted = Sample(sample.image, xy, visibility, sample.box, "c", "g", 0, weight=weight)
    found = label_weight(weighted)
    assert found[3] == found[5] == 0
    assert found[0] == 0.5
    assert label_weight(sample).tolist() == [1.0] * 17


def test_other_joints_are_refused() -> None:
    sample = blob_sample(np.random.default_rng(0))
    short = Sample(sample.image, sample.xy[:14], sample.visibility[:14], sample.box, "kick", "g", 7)
    with pytest.raises(ShapeMismatch, match=r"sample kick:7 has joints \(14, 2\): this network takes \(17, 2\)"):
        sample_places(short, 17)
