"""Crops for ONNX models: what they show, their channels and levels, and equality with rtmlib's to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from tests.estimators.onnx.onnx_models import picture

from emc.estimators.onnx.card import IMAGENET_MEAN, IMAGENET_STD, BoxPart, InputPart
from emc.estimators.onnx.crops import CropBatch, crop_affine, crop_frames, to_image
from emc.pose.geometry import box_to_square, transform
from emc.pose.geometry import crop_affine as square_affine


def test_boxes_are_widened_to_the_aspect_ratio() -> None:
    boxes = np.array([[10, 20, 40, 40], [0, 0, 100, 10], [5, 5, 0, 0]])
    centre, extent = crop_frames(boxes, (96, 128), 1.5)
    np.testing.assert_allclose(centre, [[30, 40], [50, 5], [5, 5]])
    np.testing.assert_allclose(extent[0], [60, 80])
    np.testing.assert_allclose(extent[1], [150, 200])
    assert (extent[2] >= 1).all()


def test_shares_of_the_crop_become_image_pixels() -> None:
    centre, extent = np.array([[50.0, 40.0]]), np.array([[60.0, 80.0]])
    shares = np.array([[[0.0, 0.0], [0.5, 0.5], [1.0, 1.0], [np.nan, np.nan]]])
    np.testing.assert_allclose(to_image(shares, centre, extent)[0], [[20, 0], [50, 40], [80, 80], [np.nan, np.nan]])


def test_edges_put_the_boxs_corners_on_the_crops_outer_edges() -> None:
    affine = crop_affine(np.array([50.0, 40.0]), np.array([60.0, 80.0]), (96, 128), "edges")
    np.testing.assert_allclose(transform(np.array([[20.0, 0.0], [80.0, 80.0]]), affine), [[0, 0], [96, 128]], atol=1e-4)


def test_centres_put_the_boxs_corners_on_the_outer_pixels() -> None:
    affine = crop_affine(np.array([50.0, 40.0]), np.array([60.0, 80.0]), (96, 128), "centres")
    np.testing.assert_allclose(transform(np.array([[20.0, 0.0], [80.0, 80.0]]), affine), [[0, 0], [95, 127]], atol=1e-9)


def test_centres_on_a_square_are_our_own_crops() -> None:
    box = np.array([12.0, 7.0, 40.0, 90.0])
    centre, extent = crop_frames(box, (128, 128), 1.25)
    expected = square_affine(box_to_square(box, 1.25), 128)
    np.testing.assert_allclose(crop_affine(centre[0], extent[0], (128, 128), "centres"), expected)


def test_levels_are_normalised_in_the_models_channel_order() -> None:
    image = np.empty((40, 40, 3), np.uint8)
    image[:] = (10, 20, 30)
    centre, extent = np.array([[20.0, 20.0]]), np.array([[10.0, 10.0]])
    for channels, expected in (("rgb", [9, 9, 9]), ("bgr", [29, 9, 7 / 3])):
        given = InputPart(size=(4, 4), channels=channels, mean=(1, 2, 3), std=(1, 2, 3))
        batch = CropBatch(given, BoxPart()).cut([image], centre, extent)
        assert batch.shape == (1, 3, 4, 4)
        assert batch.dtype == np.float32
        np.testing.assert_allclose(batch[0, :, 2, 2], expected, rtol=1e-6)


def test_beyond_the_image_lies_the_border() -> None:
    given = InputPart(size=(8, 8))
    batch = CropBatch(given, BoxPart(border=114)).cut(
        [np.zeros((10, 10, 3), np.uint8)], np.array([[0.0, 5.0]]), np.array([[8.0, 8.0]])
    )
    assert (batch[0, :, :, 0] == 114).all()
    assert (batch[0, :, :, 7] == 0).all()


@pytest.mark.parametrize("size", [(192, 256), (288, 384), (256, 256), (96, 64)])
def test_crops_equal_rtmlibs_to_the_last_bit(size: tuple[int, int]) -> None:
    pytest.importorskip("rtmlib", reason="parity with rtmlib: pip install --no-deps rtmlib tqdm")
    from rtmlib.tools.pose_estimation.pre_processings import bbox_xyxy2cs, top_down_affine

    image = picture(1)
    boxes = np.random.default_rng(3).uniform([-40, -40, 3, 3], [300, 200, 250, 250], (25, 4))
    given = InputPart(size=size, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    centres, extents = crop_frames(boxes, size, 1.25)
    batch = CropBatch(given, BoxPart()).cut([image] * len(boxes), centres, extents)
    for ours, (x, y, w, h) in zip(batch, boxes, strict=True):
        centre, scale = bbox_xyxy2cs(np.array([x, y, x + w, y + h]), padding=1.25)
        crop, _ = top_down_affine(size, scale, centre, image)
        theirs = ((crop - np.array(IMAGENET_MEAN)) / np.array(IMAGENET_STD)).transpose(2, 0, 1).astype(np.float32)
        np.testing.assert_array_equal(ours, theirs)
