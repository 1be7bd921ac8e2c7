"""Guessing a card from a graph's outputs, and saying what is there where it cannot be guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.engines.engine import GraphShapes
from emc.errors import WeightsError
from emc.estimators.onnx.card import IMAGENET_MEAN, HeatmapOutput, MovenetOutput, SimccOutput
from emc.estimators.onnx.detect import detect_card

FILE = Path("models/pose.onnx")
IMAGE = {"input": (None, 3, 256, 192)}


def test_rtmpose_by_its_two_curves() -> None:
    card = detect_card(FILE, GraphShapes(IMAGE, {"simcc_x": (None, 17, 384), "simcc_y": (None, 17, 512)}))
    assert (card.family, card.skeleton, card.input.size) == ("simcc", "coco17", (192, 256))
    assert (card.input.mean, card.input.channels, card.box.padding) == (IMAGENET_MEAN, "rgb", 1.25)
    assert card.output == SimccOutput()


def test_curves_of_other_names_in_the_graphs_order() -> None:
    card = detect_card(FILE, GraphShapes(IMAGE, {"a": (None, 17, 384), "b": (None, 17, 512)}))
    assert card.output == SimccOutput(x="a", y="b")


def test_an_open_input_size_follows_from_the_curves() -> None:
    shapes = GraphShapes({"input": (None, 3, None, None)}, {"simcc_x": (None, 17, 288), "simcc_y": (None, 17, 384)})
    assert detect_card(FILE, shapes).input.size == (144, 192)


def test_one_map_per_joint() -> None:
    card = detect_card(FILE, GraphShapes(IMAGE, {"output": (None, 25, 64, 48)}))
    assert (card.family, card.skeleton) == ("heatmap", "body25")
    assert card.output == HeatmapOutput(heatmaps="output", cells="centres", refine="dark")


def test_movenet_by_its_names() -> None:
    outputs = {name: (None, 1, None, None) for name in ("heatmaps", "center", "regression", "offsets")}
    card = detect_card(FILE, GraphShapes({"image": (None, 3, 192, 192)}, outputs))
    assert (card.family, card.input.size, card.box.padding) == ("movenet", (192, 192), 1.1)
    assert card.output == MovenetOutput()


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        (IMAGE, {"dets": (None, 100, 5), "keypoints": (None, 100, 17, 3)}, "fit none of RTMPose"),
        (IMAGE, {"simcc_x": (None, 19, 384), "simcc_y": (None, 19, 512)}, "it has 19 joints"),
        (IMAGE, {"simcc_x": (None, None, 384), "simcc_y": (None, None, 512)}, "an open number of joints"),
        (IMAGE, {"simcc_x": (None, 17, 100), "simcc_y": (None, 17, 512)}, "not twice the input's"),
        ({"input": (None, 3, None, None)}, {"output": (None, 17, 64, 48)}, "its input size is open"),
    ],
)
def test_what_cannot_be_told_needs_a_card(inputs: dict, outputs: dict, said: str) -> None:
    with pytest.raises(WeightsError, match=rf"pose\.onnx .*outputs .*has no card and .*{said}.*pose\.toml beside it"):
        detect_card(FILE, GraphShapes(inputs, outputs))
