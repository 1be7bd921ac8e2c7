"""The embedded detector: letterbox, decoding of hand-made maps, suppression, weights, and persons it must find."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from emc.detectors.embedded.detector import (
    EmbeddedDetector,
    decode,
    load_detector,
    save_detector,
    suppress,
)
from emc.detectors.embedded.network import DetectorNetwork, cell_centres
from emc.detectors.letterbox import letterbox_of, letterboxed
from emc.errors import InputError, ShapeMismatch, UsageError, WeightsError
from emc.interfaces import Detector
from emc.pose.geometry import box_overlap
from emc.synth.motion.motions import COMMON_MOTIONS, UNCOMMON_MOTIONS
from emc.synth.scene.scene import sample_frame


@pytest.fixture(scope="module")
def detector() -> EmbeddedDetector:
    return EmbeddedDetector()


@pytest.mark.parametrize(
    ("width", "height", "inner", "outer"),
    [
        (1768, 994, (192, 108), (192, 128)),
        (994, 1768, (108, 192), (128, 192)),
        (256, 256, (192, 192), (192, 192)),
        (100, 1, (192, 2), (192, 32)),
    ],
)
def test_letterbox_sizes(width: int, height: int, inner: tuple[int, int], outer: tuple[int, int]) -> None:
    box = letterbox_of(width, height, 192)
    assert (box.inner, box.outer) == (inner, outer)


@pytest.mark.parametrize("size", [(1768, 994), (77, 203), (640, 480)])
def test_letterbox_is_inverted_exactly(size: tuple[int, int]) -> None:
    box = letterbox_of(*size, 256)
    corners = np.array([[0.0, 0.0, 10.0, 20.0], [-0.5, -0.5, size[0] - 0.5, size[1] - 0.5], [33.3, 1.7, 70.1, 200.9]])
    np.testing.assert_allclose(box.to_frame(box.to_input(corners)), corners, atol=1e-9)
    assert box.to_input(corners)[1] == pytest.approx([-0.5, -0.5, box.inner[0] - 0.5, box.inner[1] - 0.5])


def test_letterboxed_image_lies_top_left_on_grey() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100] = (255, 0, 0)
    out = letterboxed(image, letterbox_of(200, 100, 64))
    assert out.shape == (32, 64, 3)
    assert out[10, 10].tolist() == [255, 0, 0]
    assert out[10, 50].tolist() == [0, 0, 0]
    tall = letterboxed(image.transpose(1, 0, 2), letterbox_of(100, 200, 96))
    assert tall.shape == (96, 64, 3)
    assert tall[50, 60].tolist() == [114, 114, 114]


def test_a_box_in_the_frame_lands_where_its_pixels_land() -> None:
    image = np.zeros((300, 500, 3), np.uint8)
    image[100:200, 250:400] = 255
    box = letterbox_of(500, 300, 250)
    bright = letterboxed(image, box)[..., 0] > 127
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    edges = [columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5]
    assert box.to_frame(np.array(edges)) == pytest.approx([249.5, 99.5, 399.5, 199.5])


def test_cell_centres_are_the_middles_of_eight_pixels() -> None:
    centres = cell_centres(2, 3)
    assert centres[0].tolist() == [[3.5, 11.5, 19.5]] * 2
    assert centres[1].tolist() == [[3.5] * 3, [11.5] * 3]


def test_decoding_hand_made_maps() -> None:
    logits = torch.full((2, 1, 4, 6), -9.0)
    logits[0, 0, 1, 2] = 2.0
    logits[0, 0, 1, 3] = 1.0  # not the highest of its neighbourhood
    logits[0, 0, 3, 5] = 3.0
    logits[1, 0, 0, 0] = -1.0  # below the threshold
    sides = torch.zeros(2, 4, 4, 6)
    sides[0, :, 1, 2] = torch.tensor([4.0, 5.0, 6.0, 7.0])
    sides[0, :, 3, 5] = 10.0
    found = decode(logits, sides, 0.5)
    corners, scores = found[0]
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-2))], atol=1e-6)
    np.testing.assert_allclose(corners, [[33.5, 17.5, 53.5, 37.5], [15.5, 6.5, 25.5, 18.5]])
    assert found[1][0].shape == (0, 4)


def test_suppression_keeps_the_better_of_two_and_both_of_a_pair() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [0, 6, 10, 10], [50, 50, 4, 4]], float)
    assert suppress(boxes, np.array([0.6, 0.9, 0.8, 0.7])).tolist() == [1, 2, 3]
    assert suppress(boxes, np.array([0.6, 0.9, 0.8, 0.7]), overlap=0.2).tolist() == [1, 3]
    assert suppress(np.zeros((0, 4)), np.zeros(0)).tolist() == []


def test_it_is_a_detector_and_describes_itself(detector: EmbeddedDetector) -> None:
    assert isinstance(detector, Detector)
    info = detector.describe()
    assert (info.name, info.kind, info.licence, info.weights) == ("embedded", "detector", "Apache-2.0", "embedded")
    assert info.parameters <= 500_000
    assert not info.trainable


def test_persons_in_rendered_frames_are_found(detector: EmbeddedDetector) -> None:
    rng = np.random.default_rng(4242)
    frames = [
        sample_frame(rng, motions=(*COMMON_MOTIONS, *UNCOMMON_MOTIONS), size=(256, 256), people=1 + number % 2, cut=0.0)
        for number in range(24)
    ]
    found = detector.detect([frame.image for frame in frames], list(range(24)))
    best = [
        box_overlap(person.box[None], np.array([box.xywh for box in boxes]).reshape(-1, 4)).max(initial=0.0)
        for frame, boxes in zip(frames, found, strict=True)
        for person in frame.people
    ]
    assert np.mean(np.array(best) > 0.5) >= 0.8
    assert [boxes[0].frame for boxes in found if boxes] == [n for n in range(24) if found[n]]
    assert sum(len(boxes) for boxes in found) <= 1.5 * len(best)


def test_images_of_other_sizes_in_one_call_give_what_each_gives_alone(detector: EmbeddedDetector) -> None:
    frame = sample_frame(np.random.default_rng(5), size=(256, 256), cut=0.0).image
    wide = np.full((200, 420, 3), 120, np.uint8)
    wide[:, 50:250] = frame[28:228, 28:228]
    images = [frame, wide, frame[:, ::-1].copy()]
    together = detector.detect(images, [4, 5, 6])
    for number, image in enumerate(images):
        alone = detector.detect([image], [4 + number])[0]
        assert len(alone) == len(together[number]) > 0
        for one, other in zip(alone, together[number], strict=True):
            assert one.xywh == pytest.approx(other.xywh, abs=0.05)
            assert other.frame == 4 + number
    boxes = np.array([box.xywh for row in together for box in row])
    assert (boxes[:, :2] >= -0.5).all()
    assert (boxes[:, 0] + boxes[:, 2] <= 419.5).all()


def test_nothing_in_nothing_out(detector: EmbeddedDetector) -> None:
    assert detector.detect([], []) == []
    assert detector.detect([np.full((120, 160, 3), 90, np.uint8)], [0]) == [[]]


def test_wrong_input_is_named(detector: EmbeddedDetector) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(ShapeMismatch, match="1 images and 2 frame numbers"):
        detector.detect([image], [0, 1])
    with pytest.raises(InputError, match=r"frame 7 is an array of float64 \(32, 32, 3\)"):
        detector.detect([image.astype(float)], [7])
    with pytest.raises(InputError, match=r"frame 0 is an array of uint8 \(32, 32\)"):
        detector.detect([image[..., 0]], [0])
    with pytest.raises(UsageError, match="threshold 1.5"):
        EmbeddedDetector(threshold=1.5)
    with pytest.raises(UsageError, match="sides"):
        EmbeddedDetector(sides=())


def test_weights_survive_saving_and_loading(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = DetectorNetwork().eval()
    save_detector(network, tmp_path, {"steps": 3})
    again, document = load_detector(tmp_path)
    assert document["steps"] == 3
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        for one, other in zip(network(image), again(image), strict=True):
            torch.testing.assert_close(one, other, atol=5e-2, rtol=1e-2)


def test_weights_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="cannot read the detector's weights"):
        EmbeddedDetector(tmp_path)
    save_detector(DetectorNetwork(), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="are damaged"):
        EmbeddedDetector(tmp_path)
    save_file({"other": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="belong to another model"):
        EmbeddedDetector(tmp_path)
    state = {k: torch.zeros(1) for k in DetectorNetwork().state_dict() if not k.endswith("num_batches_tracked")}
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="other shapes"):
        EmbeddedDetector(tmp_path)
    (tmp_path / "emc.json").write_text(json.dumps({"detector": "another"}))
    with pytest.raises(WeightsError, match="belong to another model"):
        EmbeddedDetector(tmp_path)
