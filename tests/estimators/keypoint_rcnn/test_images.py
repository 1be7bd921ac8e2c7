from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from emc.errors import WeightsError
from emc.estimators.keypoint_rcnn.images import normalised, prepare, resized_to, stacked
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2, TORCHVISION, recipe_document, recipe_from


@pytest.mark.parametrize(
    ("size", "torchvision", "detectron2"),
    [
        ((480, 640), (800, 1066), (800, 1067)),
        ((640, 480), (1066, 800), (1067, 800)),
        ((1080, 1920), (749, 1333), (750, 1333)),
        ((320, 320), (800, 800), (800, 800)),
        ((100, 1000), (133, 1333), (133, 1333)),
    ],
)
def test_sizes(size: tuple[int, int], torchvision: tuple[int, int], detectron2: tuple[int, int]) -> None:
    assert resized_to(size, TORCHVISION) == torchvision
    assert resized_to(size, DETECTRON2) == detectron2


def test_normalisation_and_channel_order() -> None:
    levels = torch.tensor([255.0, 128, 0])[:, None, None]
    seen = normalised(levels, TORCHVISION).flatten().tolist()
    assert seen == pytest.approx([(1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, -0.406 / 0.225], abs=1e-5)
    turned = normalised(levels, DETECTRON2).flatten().tolist()
    assert turned == pytest.approx([0 - 103.53, 128 - 116.28, 255 - 123.675], abs=1e-4)


def test_shrinking_reads_four_neighbours_or_the_whole_area() -> None:
    # A bright line, one pixel in eight: torch's bilinear misses it between its taps, Pillow's spreads it.
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, ::8] = 240
    small = {"short_side": 32, "long_side": 32, "mean": (0.0, 0.0, 0.0), "spread": (1.0, 1.0, 1.0)}
    taps = prepare(image, replace(TORCHVISION, **small)).pixels[0, 16]
    area = prepare(image, replace(DETECTRON2, **small)).pixels[0, 16]
    assert taps[:5].tolist() == pytest.approx([120, 0, 0, 0, 120])
    # A triangle four pixels wide: the line lies 0.5 and 1.5 pixels from the middles of pixels 4 and 3.
    assert area[1:6].tolist() == [0, 0, 30, 90, 0]


def test_factor_leads_from_image_to_input() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    assert prepare(image, TORCHVISION).factor == (1066 / 640, 800 / 480)


def test_images_are_padded_below_and_to_the_right_after_normalising() -> None:
    recipe = replace(TORCHVISION, short_side=40, long_side=60)
    tall, wide = prepare(np.zeros((60, 40, 3), np.uint8), recipe), prepare(np.zeros((40, 50, 3), np.uint8), recipe)
    assert (tall.padded, wide.padded) == ((64, 64), (64, 64))
    batch = stacked([tall, wide])
    assert batch.shape == (2, 3, 64, 64)
    assert torch.all(batch[0, :, 60:] == 0)
    assert torch.all(batch[0, :, :, 40:] == 0)
    assert torch.all(batch[1, 0, :40, :50] == batch[0, 0, 0, 0])


def test_a_recipe_survives_its_card() -> None:
    for recipe in (TORCHVISION, DETECTRON2, replace(DETECTRON2, short_side=400, long_side=700)):
        assert recipe_from(recipe_document(recipe), "card") == recipe


def test_a_damaged_recipe_is_refused() -> None:
    document = recipe_document(TORCHVISION)
    with pytest.raises(WeightsError, match="card has a recipe with other entries"):
        recipe_from({**document, "more": 1}, "card")
    with pytest.raises(WeightsError, match="cannot be read"):
        recipe_from({**document, "mean": "grey"}, "card")
    with pytest.raises(WeightsError, match="impossible"):
        recipe_from({**document, "short_side": 0}, "card")
