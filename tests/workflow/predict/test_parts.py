"""What an estimator reads of a picture is all that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED

from emc.config import read_settings
from emc.pose.records import Box, Clip, Prediction, Role
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.video import Area, MediaInfo, open_media, probe
from emc.workflow.predict.parts import area_read, inside, put_back, reach_of
from emc.workflow.predict.spans import SpanPredictor, spans_of
from emc.workflow.project.clips import read_clip
from emc.workflow.samples.rendered import ClipRequest, render_file

BOXES = [(30.0, 20.0, 60.0, 90.0), (-20.0, 100.0, 50.0, 80.0)]


class Brightness:
    """Answers with the mean colour of what lies in its boxes, which is all that it reads."""

    skeleton = COCO17

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def reach(self, boxes: np.ndarray) -> np.ndarray:
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)

    def predict(self, images: Any, boxes: Any) -> list[Prediction]:
        found = []
        for image, own in zip(images, boxes, strict=True):
            self.sizes.append(image.shape)
            for box in own:
                x, y, w, h = box.xywh
                seen = image[max(round(y), 0) : max(round(y + h), 0), max(round(x), 0) : max(round(x + w), 0)]
                score = np.full(17, seen.mean(), np.float32)
                xy = np.full((17, 2), (x, y), np.float32)
                found.append(Prediction(box.frame, box.track, xy, score, score / 255, np.float32(box.xywh)))
        return found


class Whole(Brightness):
    """The same, but does not say what it reads."""

    reach = None  # pyright: ignore[reportAssignmentType]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = str(tmp_path_factory.mktemp("clip"))
    video = render_file(ClipRequest("walk", 5, 12, seconds=0.4, size=(320, 240), folder=folder)).video
    return read_clip(video, Role.TARGET, "", {}, [], read_settings(None, EMBEDDED).video)


def predicted(clip: Clip, estimator: Any, boxes: Any = BOXES) -> list[Prediction]:
    rows = [(frame, [Box(frame, xywh, 1.0, n) for n, xywh in enumerate(boxes[: 1 + frame % 2])]) for frame in range(12)]
    settings = read_settings(None, EMBEDDED, predict={"threads": 1, "batch": 3}).predict
    predictor = SpanPredictor(clip, probe(Path(clip.path)), estimator, settings)
    return [one for done in predictor.stream(spans_of(rows, 0, size=5)) for one in done.predictions]


def test_parts_of_pictures_give_what_whole_pictures_give(clip: Clip) -> None:
    parts, whole = Brightness(), Whole()
    some, all_of = predicted(clip, parts), predicted(clip, whole)
    assert {size[:2] for size in whole.sizes} == {(240, 320)}
    assert {size[:2] for size in parts.sizes} == {(92, 128), (160, 128)}
    assert len(some) == len(all_of) == 18
    for a, b in zip(some, all_of, strict=True):
        assert (a.frame, a.person) == (b.frame, b.person)
        np.testing.assert_array_equal(a.score, b.score)
        np.testing.assert_array_equal(a.xy, b.xy)
        np.testing.assert_array_equal(a.box, b.box)


def test_an_onnx_file_gives_the_same_from_parts(clip: Clip, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    from emc.estimators.nano.estimator import NanoEstimator
    from emc.estimators.onnx.card import card_path, write_card
    from emc.estimators.onnx.estimator import OnnxEstimator
    from emc.estimators.onnx.export import card_of, export_form_of, write_onnx

    form, path = export_form_of(NanoEstimator()), tmp_path / "nano.onnx"
    write_onnx(form, path, "simcc", 2)
    write_card(card_path(path), card_of(form, "simcc", 2))
    estimator = OnnxEstimator(path)
    found = predicted(clip, estimator)
    with open_media(Path(clip.path)) as reader:
        for one in found:
            image, box = reader.read(one.frame), Box(one.frame, BOXES[one.person], 1.0, one.person)
            (whole,) = estimator.predict([image], [[box]])
            np.testing.assert_allclose(one.xy, whole.xy, atol=0.05)
            np.testing.assert_allclose(one.score, whole.score, atol=1e-3)


# Of a large person a part is read, of a small one nano reads all; some reach beyond the picture.
LARGE = (203.377, 61.461, 90.125, 215.3)
TRICKY = [LARGE, (-40.2, 60.7, 120.9, 216.6)], [LARGE, (130.5, 120.1, 60.0, 90.0)]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    folder = str(tmp_path_factory.mktemp("wide"))
    video = render_file(ClipRequest("walk", 5, 12, seconds=0.4, size=(480, 320), folder=folder)).video
    return read_clip(video, Role.TARGET, "", {}, [], read_settings(None, EMBEDDED).video)


@pytest.mark.parametrize("boxes", TRICKY, ids=["large", "mixed"])
@pytest.mark.parametrize("name", ["nano", "vitpose"])
def test_estimators_read_parts_as_they_read_the_whole_to_the_bit(wide: Clip, name: str, boxes: Any) -> None:
    if name == "vitpose":
        pytest.importorskip("transformers", reason="ViTPose needs transformers")
        from emc.estimators.vitpose.estimator import VitPoseEstimator

        estimator: Any = VitPoseEstimator.untrained(2)
    else:
        from emc.estimators.nano.estimator import NanoEstimator

        estimator = NanoEstimator()
    sizes: list[tuple[int, ...]] = []

    class Seen(type(estimator)):
        """Remembers the sizes of the pictures that it was given."""

        def predict_parts(self, parts: Any, boxes: Any) -> list[Prediction]:
            sizes.extend(part.image.shape[:2] for part in parts)
            return super().predict_parts(parts, boxes)

    estimator.__class__ = Seen
    from_parts = predicted(wide, estimator, boxes)
    assert any(size != (320, 480) for size in sizes)
    from_whole = predicted(wide, Handed(estimator), boxes)
    assert len(from_parts) == len(from_whole) == 18
    for one, other in zip(from_parts, from_whole, strict=True):
        assert (one.frame, one.person) == (other.frame, other.person)
        for field in ("xy", "score", "confidence", "box", "features"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


class Handed:
    """An estimator that hands whole pictures to another one."""

    skeleton = COCO17
    concurrent_calls = True

    def __init__(self, other: Any) -> None:
        self._other = other

    def predict(self, images: Any, boxes: Any) -> list[Prediction]:
        assert {image.shape[:2] for image in images} == {(320, 480)}
        return self._other.predict(images, boxes)


def test_a_mapped_estimator_reads_parts_too(wide: Clip) -> None:
    from emc.estimators.nano.estimator import NanoEstimator
    from emc.pose.skeletons.skeleton import LSP14
    from emc.workflow.project.skeletons import mapped

    found = predicted(wide, mapped(NanoEstimator(), LSP14), TRICKY[0])
    whole = predicted(wide, mapped(Handed(NanoEstimator()), LSP14), TRICKY[0])  # pyright: ignore[reportArgumentType]
    assert len(found) == 18
    for one, other in zip(found, whole, strict=True):
        np.testing.assert_array_equal(one.xy, other.xy)


def test_boxes_go_into_an_area_and_predictions_back() -> None:
    area = Area(64, 8, 192, 108)
    boxes = [Box(3, (70.5, 9.0, 20.0, 30.0), 0.5, 2)]
    assert inside(boxes, area) == [Box(3, (6.5, 1.0, 20.0, 30.0), 0.5, 2)]
    xy = np.array([[1.0, 2.0], [np.nan, np.nan]], np.float32)
    one = np.ones(2, np.float32)
    (back,) = put_back([Prediction(3, 2, xy, one, one, np.float32([6.5, 1, 20, 30]))], boxes, area)
    np.testing.assert_array_equal(back.xy, np.float32([[65, 10], [np.nan, np.nan]]))
    np.testing.assert_array_equal(back.box, np.float32([70.5, 9, 20, 30]))


def test_who_does_not_say_what_it_reads_gets_the_whole_picture(tmp_path: Path) -> None:
    info = MediaInfo(tmp_path, "video", 1, 320, 240, 30.0, np.zeros(1))
    assert reach_of(Whole()) is None  # pyright: ignore[reportArgumentType]
    assert area_read([Box(0, (10, 10, 5, 5))], None, info) == Area(0, 0, 320, 240)

    class Turned:
        """Reads with another one, but more of the picture than that."""

        inner = Brightness()

    assert reach_of(Turned()) is None  # pyright: ignore[reportArgumentType]
