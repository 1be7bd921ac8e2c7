"""An exported `nano`, loaded by rtmlib and by our own `onnx` estimator, against the estimator itself."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from emc.errors import UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.onnx.card import card_path, write_card
from emc.estimators.onnx.decoding_heads import RtmposeInput
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.estimators.onnx.export import card_of, export_form_of, write_onnx
from emc.pose.records import Box
from emc.synth.scene.scene import RenderedFrame, sample_frame

FINER = 2
SIDE = 128 * FINER


@pytest.fixture(scope="module")
def estimator() -> NanoEstimator:
    return NanoEstimator()


@pytest.fixture(scope="module")
def exported(estimator: NanoEstimator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "nano.onnx"
    form = export_form_of(estimator)
    done = write_onnx(form, path, "simcc", FINER)
    write_card(card_path(path), card_of(form, "simcc", FINER))
    assert done.input_size == (SIDE, SIDE)
    assert done.bytes == path.stat().st_size
    assert done.difference < 1e-3
    return path


@pytest.fixture(scope="module")
def people() -> list[RenderedFrame]:
    frames = [sample_frame(np.random.default_rng([11, i]), size=(320, 320), people=1) for i in range(10)]
    return [frame for frame in frames if frame.people]


def box_of(frame: RenderedFrame) -> Box:
    x, y, w, h = (float(v) for v in frame.box)
    return Box(0, (x, y, w, h))


def side_of_box(box: Box) -> float:
    """Image pixels that the crop of a box shows across."""
    return 1.25 * max(box.xywh[2:])


def side_of(frame: RenderedFrame) -> float:
    return side_of_box(box_of(frame))


def test_it_is_one_file_of_any_batch_size_with_rtmposes_names(exported: Path) -> None:
    assert sorted(path.name for path in exported.parent.iterdir()) == ["nano.onnx", "nano.toml"]
    graph = onnx.load(str(exported)).graph
    assert [node.name for node in graph.output] == ["simcc_x", "simcc_y"]
    shape = graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param
    assert [one.dim_value for one in shape[1:]] == [3, SIDE, SIDE]


def test_rtmlib_reads_the_estimators_joints_off_the_same_crop(
    exported: Path, estimator: NanoEstimator, people: list[RenderedFrame]
) -> None:
    rtmlib = pytest.importorskip("rtmlib", reason="parity with rtmlib: pip install --no-deps rtmlib tqdm")
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = rtmlib.RTMPose(str(exported), model_input_size=(SIDE, SIDE))
    form = export_form_of(estimator)
    given = RtmposeInput(form.size, form.mean, form.std, form.border, form.pixels, FINER)
    for frame in people:
        image = np.ascontiguousarray(frame.image[..., ::-1])
        x, y, w, h = box_of(frame).xywh
        corners = [x, y, x + w, y + h]
        places, scores = theirs(image, [corners])
        crop, centre, scale = theirs.preprocess(image, corners)
        crops = given(torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32)))
        ours = estimator.decode_crops(crops)
        places = (places[0] - centre + scale / 2) / scale * SIDE
        expected = given.to_input(torch.from_numpy(ours.xy[0])).numpy().clip(0, SIDE - 0.5)
        assert np.abs(places - expected).max() / FINER <= 0.5
        table = form.confidence
        assert table is not None
        right = [np.interp(ours.peak[0, j], table["score"], row) for j, row in enumerate(table["right"])]
        np.testing.assert_allclose(scores[0], right, atol=1e-4)


def test_it_loads_the_way_pose2sim_and_sports2d_load_a_model(exported: Path, people: list[RenderedFrame]) -> None:
    rtmlib = pytest.importorskip("rtmlib", reason="parity with rtmlib: pip install --no-deps rtmlib tqdm")
    mode = {"pose_class": "RTMPose", "pose_model": exported.as_posix(), "pose_input_size": [SIDE, SIDE]}
    with contextlib.redirect_stdout(io.StringIO()):
        custom = rtmlib.Custom(
            pose_class=mode["pose_class"], pose=mode["pose_model"], pose_input_size=mode["pose_input_size"]
        )
    image = np.ascontiguousarray(people[0].image[..., ::-1])
    places, scores = custom(image)
    whole = Box(0, (0.0, 0.0, float(image.shape[1]), float(image.shape[0])))
    own = OnnxEstimator(exported).predict([people[0].image], [[whole]])[0]
    assert places.shape == (1, 17, 2)
    # Our reading is between the bins, theirs on them.
    assert np.abs(places[0] - own.xy).max() <= 0.5 * side_of_box(whole) / SIDE
    np.testing.assert_allclose(scores[0], own.score, atol=1e-5)


def test_from_image_to_joints_it_stays_close_to_the_estimator(
    exported: Path, estimator: NanoEstimator, people: list[RenderedFrame]
) -> None:
    again = OnnxEstimator(exported)
    images, boxes = [frame.image for frame in people], [[box_of(frame)] for frame in people]
    apart, sure = [], []
    for frame, a, b in zip(people, estimator.predict(images, boxes), again.predict(images, boxes), strict=True):
        apart.extend(np.linalg.norm(a.xy - b.xy, axis=1) * 128 / side_of(frame))
        sure.extend(np.abs(a.confidence - b.confidence))
    # Crops are resampled once more, so that a joint which the network doubts may go elsewhere.
    assert np.median(apart) < 0.5
    assert np.mean(np.array(apart) < 2) > 0.9
    assert np.median(sure) < 0.02


def test_our_own_estimator_reads_it_with_its_card(exported: Path) -> None:
    info = OnnxEstimator(exported).describe()
    assert (info.skeleton, info.input_size) == ("coco17", (SIDE, SIDE))
    assert info.licence.startswith("Apache-2.0")
    # The file's scores are P(right) already: what other programs read and what EMC believes are one number.
    image = np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    found = OnnxEstimator(exported).predict([image], [[Box(0, (5, 5, 70, 80))]])[0]
    np.testing.assert_allclose(found.confidence, found.score, atol=1e-6)
    assert OnnxEstimator(exported).card.confidence is not None


def test_what_cannot_be_exported_is_told(estimator: NanoEstimator, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="object cannot be exported to ONNX"):
        export_form_of(object())
    with pytest.raises(UsageError, match="--as tflite is unknown: use one of simcc, heatmap"):
        write_onnx(export_form_of(estimator), tmp_path / "m.onnx", "tflite")
    with pytest.raises(UsageError, match="--finer 9 is not usable"):
        write_onnx(export_form_of(estimator), tmp_path / "m.onnx", "simcc", 9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_rtmlibs_vitpose_reads_the_heatmap_file(
    estimator: NanoEstimator, people: list[RenderedFrame], tmp_path: Path
) -> None:
    rtmlib = pytest.importorskip("rtmlib", reason="parity with rtmlib: pip install --no-deps rtmlib tqdm")
    path, form = tmp_path / "nano.onnx", export_form_of(estimator)
    write_onnx(form, path, "heatmap", 1)
    write_card(card_path(path), card_of(form, "heatmap", 1))
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = rtmlib.ViTPose(str(path), model_input_size=(128, 128))
    again = OnnxEstimator(path)
    given = RtmposeInput(form.size, form.mean, form.std, form.border, form.pixels, 1)
    for frame in people:
        image = np.ascontiguousarray(frame.image[..., ::-1])
        x, y, w, h = box_of(frame).xywh
        corners = [x, y, x + w, y + h]
        places, scores = theirs(image, [corners])
        own = again.predict([frame.image], [[box_of(frame)]])[0]
        np.testing.assert_allclose(own.xy, places[0], atol=0.02 * side_of(frame) / 128)
        np.testing.assert_allclose(own.score, scores[0], atol=1e-5)
        crop, centre, scale = theirs.preprocess(image, corners)
        ours = estimator.decode_crops(given(torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32))))
        expected = given.to_input(torch.from_numpy(ours.xy[0])).numpy()
        found = (places[0] - centre + scale / 2) / scale * 128
        away = ((expected > 4) & (expected < 124)).all(axis=-1)
        assert np.abs(found - expected)[away].max() <= 0.5
