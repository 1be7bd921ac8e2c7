from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from tests.estimators.onnx.onnx_models import save
from tests.estimators.openpose.paf_fields import ideal_fields, ideal_maps

from emc.errors import InputError, ShapeMismatch, UsageError, WeightsError
from emc.estimators.onnx.card import InputPart
from emc.estimators.openpose.estimator import PafEstimator, letterboxed
from emc.interfaces import Detector, Estimator
from emc.plugins import detector_for, estimator_for
from emc.pose.records import Box

ROBOT = 'name = "robot"\njoints = ["base", "grip"]\nlimbs = [["base", "grip"]]'
CARD = """
family = "paf"
skeleton = "robot.toml"
[input]
size = [160, 128]
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
[output]
heatmaps = "maps"
pafs = "fields"
limbs = [["base", "grip"]]
[grouping]
joints = 2
[about]
licence = "mine"
"""
ARMS = [np.array([[60.0, 50.0], [120.0, 80.0]]), np.array([[250.0, 200.0], [180.0, 140.0]])]


def network(folder: Path, single: bool = False, card: str = CARD) -> Path:
    """Write a network that reads `picture`: red holds both heatmaps, green and blue the field; stride 8.

    single : one output of four field-and-map channels behind each other, with a background between them.
    """
    mix = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)[:, :, None, None]
    nodes = [
        helper.make_node("AveragePool", ["input"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["small", "mix"], ["four"]),
        helper.make_node("Split", ["four", "two"], ["raw", "fields"], axis=1),
        helper.make_node("Relu", ["raw"], ["maps"]),
    ]
    weights = {"mix": mix, "two": np.array([2, 2], np.int64)}
    outputs: dict[str, list] = {"maps": ["n", 2, 16, 20], "fields": ["n", 2, 16, 20]}
    if single:
        nodes += [
            helper.make_node("ReduceMax", ["maps"], ["background"], axes=[1], keepdims=1),
            helper.make_node("Concat", ["maps", "background", "fields"], ["all"], axis=1),
        ]
        outputs = {"all": ["n", 5, 16, 20]}
    path = save(folder / "robot.onnx", nodes, weights, ["n", 3, 128, 160], outputs)
    (folder / "arm.toml").write_text(ROBOT)
    (folder / "robot.toml").write_text(card.replace("robot.toml", "arm.toml"))
    return path


def picture(people: list[np.ndarray], size: tuple[int, int] = (256, 320)) -> np.ndarray:
    """Return an RGB image that shows maps and fields themselves, as the network above reads them."""
    maps = ideal_maps(people, 2, size, spread=16.0)
    field = ideal_fields(people, ((0, 1),), size, width=16.0)[0]
    levels = np.stack([maps[0] - maps[1], field[0], field[1]], axis=-1)
    return np.clip(127.5 + 127.5 * levels, 0, 255).round().astype(np.uint8)


def around(xy: np.ndarray, frame: int = 0, track: int = -1) -> Box:
    low, size = xy.min(axis=0) - 5, np.ptp(xy, axis=0) + 10
    return Box(frame, (float(low[0]), float(low[1]), float(size[0]), float(size[1])), track=track)


@pytest.mark.parametrize("single", [False, True])
def test_a_picture_with_two_robots(tmp_path: Path, single: bool) -> None:
    card = CARD
    if single:
        card = card.replace('"maps"', '"all"').replace('pafs = "fields"', 'pafs = "all"\npafs_first = 3')
    estimator = estimator_for(str(network(tmp_path, single, card)))
    assert isinstance(estimator, PafEstimator)
    assert isinstance(estimator, Estimator)
    assert isinstance(estimator, Detector)
    assert estimator.skeleton.name == "robot"
    image = picture(ARMS)
    boxes = [around(ARMS[1], 7, 4), Box(7, (280, 5, 30, 30), track=5), around(ARMS[0], 7, 6)]
    found = estimator.predict([image, picture([])], [boxes, [around(ARMS[0])]])
    assert [(p.frame, p.person) for p in found] == [(7, 4), (7, 5), (7, 6), (0, -1)]
    assert np.abs(found[0].xy - ARMS[1]).max() < 1.0
    assert np.abs(found[2].xy - ARMS[0]).max() < 1.0
    assert np.all(found[0].confidence > 0.5)
    assert np.isnan(found[1].xy).all()
    assert found[1].confidence.tolist() == [0, 0]
    assert np.isnan(found[3].xy).all()


def test_it_finds_the_persons_itself(tmp_path: Path) -> None:
    path = network(tmp_path)
    detector = detector_for(str(path))
    assert isinstance(detector_for(f"paf:{path}"), PafEstimator)
    (boxes,) = detector.detect([picture(ARMS)], [3])
    assert len(boxes) == 2
    left = min(boxes, key=lambda box: box.xywh[0])
    # Joints (60, 50) to (120, 80), and a tenth of 60 on each side.
    assert left.xywh == pytest.approx((54, 44, 72, 42), abs=2)
    assert left.frame == 3
    assert left.score > 0.5


def test_places_follow_the_pictures_shape(tmp_path: Path) -> None:
    estimator = PafEstimator(network(tmp_path))
    wide = picture(ARMS[:1], (180, 400))
    (found,) = estimator.predict([wide], [[around(ARMS[0])]])
    assert np.abs(found.xy - ARMS[0]).max() < 1.5


def test_letterbox() -> None:
    image = np.zeros((50, 100, 3), np.uint8)
    image[..., 0] = 255
    batch, (factor, shift) = letterboxed(image, InputPart(size=(40, 40), channels="bgr", mean=(5.0, 5.0, 5.0)))
    assert batch.shape == (1, 3, 40, 40)
    assert batch[0, 2, 0, 0] == 250
    assert batch[0, 0, 0, 0] == -5
    assert np.all(batch[0, :, 20:] == 0)
    # The centre of input pixel 0 is that of pixel 0.75: 0.4 input pixels per pixel, edges on edges.
    assert (0 / factor + shift).tolist() == pytest.approx([0.75, 0.75])


def test_description_and_pickling(tmp_path: Path) -> None:
    assert PafEstimator().describe().name == "paf"
    with pytest.raises(UsageError, match="needs a model file"):
        _ = PafEstimator().skeleton
    estimator = PafEstimator(network(tmp_path))
    info = estimator.describe()
    assert info.name.startswith("paf-robot-")
    assert (info.skeleton, info.input_size, info.licence, info.trainable) == ("robot", (160, 128), "mine", False)
    again = pickle.loads(pickle.dumps(estimator))
    assert again.describe() == info


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ('family = "paf"', 'family = "paf"\ncolour = 3', WeightsError, "unusable colour = 3.*openpose"),
        ("size = [160, 128]", "size = [4, 4]", WeightsError, "at least 8 x 8"),
        ("size = [160, 128]", "size = [128, 160]", WeightsError, r"its card says \(N, 3, 160, 128\)"),
        ('pafs = "fields"', 'pafs = "field"', WeightsError, r"not \['field'\]"),
        ('limbs = [["base", "grip"]]', 'limbs = [["base", "hook"]]', InputError, r"limbs with \['hook'\]"),
        ('skeleton = "robot.toml"', 'skeleton = "cat"', InputError, "names the skeleton 'cat': use one of coco17"),
        ('skeleton = "robot.toml"', 'skeleton = "cat.toml"', InputError, "cat.toml does not exist"),
        ("joints = 2", "joints = 1", WeightsError, "grouping.joints = 1"),
        ("[grouping]", "[grouping", WeightsError, "cannot be read"),
    ],
)
def test_faults_of_a_card(tmp_path: Path, old: str, new: str, kind: type[Exception], words: str) -> None:
    path = network(tmp_path, card=CARD.replace(old, new))
    with pytest.raises(kind, match=words):
        PafEstimator(path)


def test_a_card_that_does_not_fit_the_outputs(tmp_path: Path) -> None:
    estimator = PafEstimator(network(tmp_path, card=CARD.replace('skeleton = "robot.toml"', 'skeleton = "body25"')
                                     .replace('["base", "grip"]', '["nose", "neck"]')))  # fmt: skip
    with pytest.raises(ShapeMismatch, match="2 heatmaps for 25 joints"):
        estimator.detect([picture(ARMS)], [0])
    with pytest.raises(ShapeMismatch, match="1 images came with 2 box lists"):
        estimator.predict([picture(ARMS)], [[], []])


def test_without_a_card(tmp_path: Path) -> None:
    path = network(tmp_path)
    path.with_suffix(".toml").unlink()
    with pytest.raises(WeightsError, match=r"robot\.toml is missing.*openpose"):
        PafEstimator(path)


def test_openvino_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'emc-pose[openvino]'")
    path, image, boxes = network(tmp_path), picture(ARMS), [around(xy) for xy in ARMS]
    found = []
    for engine, name in (("onnxruntime", "ONNX Runtime"), ("openvino", "OpenVINO")):
        monkeypatch.setenv("EMC_ONNX_ENGINE", engine)
        estimator = PafEstimator(path)
        assert estimator.describe().extra["engine"].startswith(name)
        found.append(np.stack([one.xy for one in estimator.predict([image], [boxes])]))
    assert np.isfinite(found[0]).all()
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)
