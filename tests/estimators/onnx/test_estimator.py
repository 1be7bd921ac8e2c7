"""The `onnx` estimator: equality with rtmlib, batches, missing joints, cards, and a real network on real photos."""

from __future__ import annotations

import contextlib
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from tests.estimators.onnx.onnx_models import heatmap_model, picture, simcc_model

import emc.plugins as plugins
from emc.errors import ShapeMismatch, UsageError, WeightsError
from emc.estimators.onnx.estimator import OnnxEstimator, map_score
from emc.interfaces import Estimator, Trainable
from emc.pose.records import Box


@pytest.fixture(scope="module")
def rtmpose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simcc_model(tmp_path_factory.mktemp("rtmpose") / "rtmpose.onnx")


def some_boxes(count: int) -> list[Box]:
    rng = np.random.default_rng(5)
    rows = rng.uniform([-40, -40, 20, 20], [250, 180, 200, 240], (count, 4))
    return [Box(3, tuple(float(v) for v in row), track=number) for number, row in enumerate(rows)]


def corners(boxes: list[Box]) -> list[list[float]]:
    return [[x, y, x + w, y + h] for x, y, w, h in (box.xywh for box in boxes)]


def test_it_is_an_estimator_that_cannot_be_trained(rtmpose: Path) -> None:
    estimator = OnnxEstimator(rtmpose)
    info = estimator.describe()
    assert isinstance(estimator, Estimator)
    assert not isinstance(estimator, Trainable)
    assert info.name.startswith("onnx-rtmpose-")
    assert (info.skeleton, info.input_size, info.trainable, info.weights) == ("coco17", (192, 256), False, str(rtmpose))


def test_a_path_is_enough_to_name_it(rtmpose: Path) -> None:
    assert isinstance(plugins.estimator_for(str(rtmpose)), OnnxEstimator)
    with pytest.raises(WeightsError, match=r"gone\.onnx is missing"):
        plugins.estimator_for("gone.onnx")


def test_without_a_file_it_only_describes_itself() -> None:
    estimator = plugins.make_plugin("estimators", "onnx")
    assert "FILE.onnx" in estimator.describe().weights
    with pytest.raises(UsageError, match=r"needs a model file: give its path, --estimator FILE\.onnx"):
        estimator.predict([], [])


@pytest.mark.parametrize(("kind", "pixels"), [("RTMPose", 1e-3), ("ViTPose", 2e-2)])
def test_places_and_scores_equal_rtmlibs(tmp_path: Path, kind: str, pixels: float) -> None:
    rtmlib = pytest.importorskip("rtmlib", reason="parity with rtmlib: pip install --no-deps rtmlib tqdm")
    path = (simcc_model if kind == "RTMPose" else heatmap_model)(tmp_path / "m.onnx")
    image, boxes = picture(2), some_boxes(20)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = getattr(rtmlib, kind)(str(path))
    places, scores = theirs(image, corners(boxes))
    found = OnnxEstimator(path).predict([image], [boxes])
    assert float(np.ptp(places)) > 100
    # Between the cells of flat random maps rtmlib's single precision shows.
    assert np.abs(np.stack([p.xy for p in found]) - places).max() < pixels
    np.testing.assert_allclose(np.stack([p.score for p in found]), scores, rtol=1e-5)


def test_order_of_images_boxes_and_batches(rtmpose: Path) -> None:
    estimator = OnnxEstimator(rtmpose)
    images = [picture(3), picture(4), picture(5)]
    boxes = [some_boxes(7), [], some_boxes(2)]
    together = estimator.predict(images, boxes)
    alone = [estimator.predict([image], [[box]])[0] for image, own in zip(images, boxes, strict=True) for box in own]
    assert [p.person for p in together] == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_allclose(a.xy, b.xy, atol=1e-3)
        np.testing.assert_allclose(a.box, b.box)


def test_the_same_on_one_and_on_three_threads(rtmpose: Path) -> None:
    import torch

    estimator = OnnxEstimator(rtmpose)
    one = estimator.predict([picture(3)], [some_boxes(10)])
    torch.set_num_threads(3)
    try:
        three = estimator.predict([picture(3)], [some_boxes(10)])
    finally:
        torch.set_num_threads(1)
    np.testing.assert_allclose(np.stack([p.xy for p in one]), np.stack([p.xy for p in three]), atol=1e-3)


def test_a_score_of_nothing_is_a_joint_not_found(tmp_path: Path) -> None:
    path = simcc_model(tmp_path / "m.onnx")
    black = OnnxEstimator(path)
    (tmp_path / "m.toml").write_text('family = "simcc"\n[input]\nsize = [192, 256]\n')
    carded = OnnxEstimator(path)
    # Without mean and spread, a black picture is all zeros, and so is every output of this network.
    found = carded.predict([np.zeros((50, 50, 3), np.uint8)], [[Box(0, (5, 5, 30, 30))]])[0]
    assert np.isnan(found.xy).all()
    assert (found.score == 0).all()
    assert (found.confidence == 0).all()
    assert carded.describe().name != black.describe().name


def test_a_cards_table_gives_the_confidence() -> None:
    from emc.estimators.onnx.card import ConfidencePart

    table = ConfidencePart(score=(0.0, 1.0), right=((0.0, 1.0), (0.5, 0.9)))
    np.testing.assert_allclose(map_score(np.array([[0.25, 0.25], [2.0, 2.0]]), table), [[0.25, 0.6], [1.0, 0.9]])
    np.testing.assert_allclose(map_score(np.array([[-1.0, 3.0]]), None), [[0.0, 1.0]])
    with pytest.raises(ShapeMismatch, match="2 rows for 3 joints"):
        map_score(np.zeros((1, 3)), table)


@pytest.mark.parametrize(
    ("card", "error", "said"),
    [
        ('family="simcc"\n[input]\nsize=[192,256]\nname="x"', WeightsError, r"inputs \['input'\], not 'x'"),
        ('family="simcc"\n[input]\nsize=[256,192]', WeightsError, r"card says \(N, 3, 192, 256\)"),
        ('family="simcc"\n[input]\nsize=[192,256]\n[output]\nx="left"', WeightsError, r"not \['left'\]"),
        ('family="simcc"\nskeleton="lsp14"\n[input]\nsize=[192,256]', ShapeMismatch, "gives 17 joints.*has 14"),
        (
            'family="heatmap"\n[input]\nsize=[192,256]\n[output]\nheatmaps="simcc_x"',
            ShapeMismatch,
            "name the right ones",
        ),
    ],
)
def test_a_card_that_does_not_fit_is_told(tmp_path: Path, card: str, error: type[Exception], said: str) -> None:
    path = simcc_model(tmp_path / "m.onnx")
    (tmp_path / "m.toml").write_text(card)
    with pytest.raises(error, match=said):
        OnnxEstimator(path).predict([picture()], [[Box(0, (0, 0, 50, 50))]])


def test_images_and_box_lists_must_agree(rtmpose: Path) -> None:
    with pytest.raises(ShapeMismatch, match="1 images came with 2 box lists"):
        OnnxEstimator(rtmpose).predict([picture()], [[], []])


def test_what_lies_beyond_its_reach_changes_nothing(rtmpose: Path) -> None:
    estimator = OnnxEstimator(rtmpose)
    image, boxes = picture(2), some_boxes(12)
    reach = estimator.reach(np.array([box.xywh for box in boxes]))
    for box, (x0, y0, x1, y1) in zip(boxes, reach, strict=True):
        other = np.full_like(image, 255)
        left, top = max(int(np.floor(x0)), 0), max(int(np.floor(y0)), 0)
        right, low = max(int(np.ceil(x1)), 0), max(int(np.ceil(y1)), 0)
        other[top:low, left:right] = image[top:low, left:right]
        (here,), (there,) = estimator.predict([image], [[box]]), estimator.predict([other], [[box]])
        np.testing.assert_array_equal(here.xy, there.xy)
        np.testing.assert_array_equal(here.score, there.score)


def test_no_boxes_no_predictions(rtmpose: Path) -> None:
    assert OnnxEstimator(rtmpose).predict([picture()], [[]]) == []


def test_it_survives_pickling(rtmpose: Path) -> None:
    estimator = OnnxEstimator(rtmpose)
    again = pickle.loads(pickle.dumps(estimator))
    box = some_boxes(1)
    np.testing.assert_array_equal(again.predict([picture()], [box])[0].xy, estimator.predict([picture()], [box])[0].xy)


@pytest.mark.shared_data
def test_movenet_finds_the_joints_of_real_people(shared_data: Path) -> None:
    from emc.formats.poses.coco import CocoFormat
    from emc.stages.video.images import read_image

    folder = shared_data / "coco-mini"
    labels = CocoFormat().read(folder / "person_keypoints.json")
    people = [p for p in labels.persons if not p.iscrowd and (p.visibility > 0).sum() >= 14 and p.area > 128**2][:8]
    images = [read_image(folder / "images" / labels.image(p.image).file_name) for p in people]
    boxes = [[Box(0, tuple(p.box or (0, 0, 1, 1)))] for p in people]
    found = OnnxEstimator(shared_data / "weights" / "movenet_mbv3.onnx").predict(images, boxes)
    right = []
    for prediction, person in zip(found, people, strict=True):
        labelled = person.visibility > 0
        far = np.linalg.norm(prediction.xy - person.xy, axis=1)[labelled]
        right.extend(far < 0.1 * max(person.box[2:] if person.box else (1, 1)))
    assert len(people) == 8
    assert np.mean(right) > 0.75
