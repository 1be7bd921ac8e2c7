"""Crops of `nano`: exact places, mirroring, large pictures."""

from __future__ import annotations

import cv2
import numpy as np

from emc.estimators.nano.crops import Augmentation, augmented_crop, change_look, cut, exact_affine, exact_crop
from emc.pose.geometry import box_to_square, crop_affine, transform
from emc.pose.records import Sample
from emc.pose.skeletons.skeleton import COCO17

STILL = Augmentation(rotation=0.0, scale=(1.0, 1.0), shift=0.0, flip=0.0, colour=0.0, cutout=0.0, grey=0.0, noise=0.0)


def scattered(size: int = 180) -> Sample:
    rng = np.random.default_rng(3)
    image = cv2.GaussianBlur(rng.integers(0, 255, (size, size, 3), dtype=np.uint8), (0, 0), 3)
    return Sample(image, rng.uniform(40, 140, (17, 2)), np.full(17, 2), np.array([35.0, 30, 100, 110]), "c", "g", 0)


def test_augmentation_that_changes_nothing_is_the_exact_crop() -> None:
    sample = scattered()
    crop, xy, weight, _ = augmented_crop(sample, np.random.default_rng(0), STILL)
    plain, plain_xy, plain_weight, _ = exact_crop(sample)
    np.testing.assert_array_equal(crop, plain)
    np.testing.assert_allclose(xy, plain_xy)
    np.testing.assert_array_equal(weight, plain_weight)


def test_a_mirrored_crop_is_the_mirror_image_with_left_and_right_joints_swapped() -> None:
    sample = scattered()
    how = Augmentation(rotation=0.0, scale=(1.0, 1.0), shift=0.0, flip=1.0, colour=0.0, cutout=0.0, grey=0.0, noise=0.0)
    crop, xy, _, _ = augmented_crop(sample, np.random.default_rng(0), how)
    plain, plain_xy, _, _ = exact_crop(sample)
    assert np.abs(crop[:, ::-1].astype(int) - plain).max() <= 2
    left, right = COCO17.index("left_knee"), COCO17.index("right_knee")
    np.testing.assert_allclose(xy[right], [127 - plain_xy[left][0], plain_xy[left][1]])
    np.testing.assert_allclose(xy[0], [127 - plain_xy[0][0], plain_xy[0][1]])


def test_places_follow_the_pixels_under_rotation_and_scale() -> None:
    image = np.zeros((180, 180, 3), np.uint8)
    cv2.circle(image, (110, 70), 6, (255, 255, 255), -1)
    xy = np.tile([[110.0, 70.0]], (17, 1))
    sample = Sample(image, xy, np.full(17, 2), np.array([40.0, 40, 100, 100]), "c", "g", 0)
    how = Augmentation(rotation=40.0, shift=0.05, flip=0.5, colour=0.0, cutout=0.0, grey=0.0, noise=0.0)
    for seed in range(6):
        crop, places, _, _ = augmented_crop(sample, np.random.default_rng(seed), how)
        bright = crop[..., 0].astype(float) * (crop[..., 0] > 150)
        rows, columns = np.indices(bright.shape)
        centre = np.array([(bright * columns).sum(), (bright * rows).sum()]) / bright.sum()
        np.testing.assert_allclose(places[0], centre, atol=0.35)


def test_a_large_picture_gives_the_same_crop_as_its_small_version_without_aliasing() -> None:
    small = scattered(160).image
    large = np.repeat(np.repeat(small, 6, axis=0), 6, axis=1)
    box = np.array([30.0, 30, 100, 100])
    # Pixel centres: small i is the middle of large 6 i .. 6 i + 5.
    grown = np.array([30 * 6 + 2.5, 30 * 6 + 2.5, 600, 600])
    difference = cut(small, exact_affine(box)).astype(int) - cut(large, exact_affine(grown))
    assert np.abs(difference).mean() < 1.0
    assert np.abs(difference).max() < 12


def test_beyond_the_edge_the_crop_is_grey() -> None:
    crop = cut(np.zeros((100, 100, 3), np.uint8), exact_affine(np.array([-100.0, 0, 100, 100])))
    assert (crop[:, :60] == 114).all()
    assert (crop[64, 125] == 0).all()


def test_noise_patches_and_colour_stay_bytes_of_the_same_shape() -> None:
    sample = scattered()
    how = Augmentation(colour=1.0, cutout=1.0, grey=0.5, noise=60.0)
    for seed in range(10):
        crop, _, _, _ = augmented_crop(sample, np.random.default_rng(seed), how)
        assert crop.dtype == np.uint8
        assert crop.shape == (128, 128, 3)


def test_the_places_of_the_crop_go_back_through_the_affine() -> None:
    sample = scattered()
    _, xy, _, _ = exact_crop(sample)
    np.testing.assert_allclose(xy, transform(sample.xy, exact_affine(sample.box)))


def test_small_pictures_are_cut_to_the_same_pixels_as_by_three_channels() -> None:
    sample = scattered()
    for angle, flip in ((0.0, False), (33.0, True), (-71.0, False)):
        affine = crop_affine(box_to_square(sample.box), 128, angle, flip)
        plain = cv2.warpAffine(sample.image, affine, (128, 128), borderValue=(114.0, 114.0, 114.0))
        np.testing.assert_array_equal(cut(sample.image, affine), plain)


def test_numbers_drawn_together_are_to_the_last_bit_what_uniform_draws_one_by_one() -> None:
    sample, how = scattered(), Augmentation(cutout=0.0, noise=0.0, grey=0.0)
    for seed in range(20):
        crop, xy, _, _ = augmented_crop(sample, np.random.default_rng(seed), how)
        rng = np.random.default_rng(seed)
        square = box_to_square(sample.box, 1.25)
        square[:2] += rng.uniform(-how.shift, how.shift, 2) * square[2]
        square[2] *= float(np.exp(rng.uniform(np.log(how.scale[0]), np.log(how.scale[1]))))
        angle, flip = rng.uniform(-how.rotation, how.rotation), rng.random() < how.flip
        affine = crop_affine(square, 128, angle, flip)
        places = transform(sample.xy, affine)
        np.testing.assert_array_equal(xy, places[list(COCO17.flip)] if flip else places)
        np.testing.assert_array_equal(crop, change_look(cut(sample.image, affine), rng, how))


def test_colours_change_by_a_gain_about_the_mean_and_a_shift() -> None:
    how = Augmentation(colour=0.5, cutout=0.0, grey=0.0, noise=0.0)
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    rng = np.random.default_rng(4)
    rng.random()
    gain = np.exp(rng.uniform(-0.5, 0.5) + rng.uniform(-0.5 / 3, 0.5 / 3, 3))
    expected = np.clip((levels - 114.0) * gain + 114 + rng.uniform(-0.5, 0.5) * 64, 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(change_look(levels, np.random.default_rng(4), how), expected)


def test_noise_is_normal_on_a_fifth_of_the_crops_and_never_the_same_twice() -> None:
    how = Augmentation(colour=0.0, cutout=0.0, grey=0.0, noise=20.0)
    plain = np.full((128, 128, 3), 128, np.uint8)
    grains = [change_look(plain, np.random.default_rng(seed), how).astype(float) - 128 for seed in range(100)]
    noisy = [grain for grain in grains if grain.any()]
    assert 10 <= len(noisy) <= 30
    shares = [np.mean(np.abs(grain) < grain.std()) for grain in noisy if grain.std() > 5]
    np.testing.assert_allclose(shares, 0.683, atol=0.06)
    first, second = (grain.ravel() / grain.std() for grain in noisy[:2])
    assert abs(first @ second) / first.size < 0.05
