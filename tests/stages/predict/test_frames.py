import weakref

import numpy as np
import pytest

from emc.errors import InputError, ShapeMismatch, UsageError
from emc.interfaces import ModelInfo
from emc.pose.records import Box, Prediction
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.predict.frames import predict_clip


class MeanEstimator:
    """Puts every joint at the box's corner and scores it by the image's mean, so that each answer is known."""

    skeleton = COCO17

    def __init__(self, drop=0):
        self.calls = []
        self.drop = drop

    def predict(self, images, boxes):
        self.calls.append([len(group) for group in boxes])
        found = []
        for image, group in zip(images, boxes, strict=True):
            for box in group:
                xy = np.tile(np.array(box.xywh[:2], np.float32), (17, 1))
                score = np.full(17, image.mean(), np.float32)
                found.append(Prediction(box.frame, box.track, xy, score, score, np.array(box.xywh, np.float32)))
        return found[self.drop :]

    def describe(self):
        return ModelInfo("mean", "test", "coco17", (1, 1), "none", False)


def frames_of(counts):
    for frame in range(len(counts)):
        yield frame, np.full((4, 6, 3), frame, np.uint8)


def boxes_of(counts):
    return {f: [Box(f, (10 * f, p, 4, 4), track=p) for p in range(n)] for f, n in enumerate(counts) if n}


COUNTS = [0, 2, 1, 0, 0, 7, 1, 0, 3, 0]


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 100])
def test_each_frame_comes_in_order_with_its_own_persons(batch):
    estimator = MeanEstimator()
    found = list(predict_clip(frames_of(COUNTS), boxes_of(COUNTS), estimator, batch))
    assert [index for index, _ in found] == list(range(10))
    for index, predictions in found:
        assert [(p.frame, p.person) for p in predictions] == [(index, person) for person in range(COUNTS[index])]
        assert all(p.score[0] == index and p.xy[0, 0] == 10 * index for p in predictions)
    assert max(sum(call) for call in estimator.calls) <= batch


def test_persons_of_several_frames_share_a_call_and_a_crowd_is_spread():
    estimator = MeanEstimator()
    list(predict_clip(frames_of(COUNTS), boxes_of(COUNTS), estimator, 4))
    assert estimator.calls == [[2, 1, 1], [4], [2], [1, 3]]


def test_boxes_may_be_asked_for_by_call():
    found = dict(predict_clip(frames_of([1, 1]), lambda f: [Box(f, (f, 0, 1, 1))], MeanEstimator(), 8))
    assert [len(found[0]), len(found[1])] == [1, 1]


def test_memory_stays_flat():
    images = []
    most = []

    def frames():
        for index in range(200):
            image = np.zeros((4, 4, 3), np.uint8)
            images.append(weakref.ref(image))
            most.append(sum(reference() is not None for reference in images))
            yield index, image
            del image

    for _ in predict_clip(frames(), lambda f: [Box(f, (0, 0, 1, 1))], MeanEstimator(), 8):
        pass
    assert len(most) == 200
    assert max(most) <= 8 + 1


def test_an_empty_stretch_does_not_hold_results_back():
    counts = [1] + [0] * 50
    stream = frames_of(counts)
    first = next(predict_clip(stream, boxes_of(counts), MeanEstimator(), 4))
    assert first[0] == 0
    assert next(stream)[0] == 16


def test_a_clip_without_frames():
    assert list(predict_clip([], {}, MeanEstimator(), 4)) == []


def test_wrong_boxes_wrong_batch_and_a_wrong_estimator_are_named():
    with pytest.raises(InputError, match="box of frame 3 stands with frame 0"):
        list(predict_clip(frames_of([1]), {0: [Box(3, (0, 0, 1, 1))]}, MeanEstimator(), 4))
    with pytest.raises(UsageError, match="batch is 0"):
        list(predict_clip(frames_of([1]), {}, MeanEstimator(), 0))
    with pytest.raises(ShapeMismatch, match="estimator mean returned 2 predictions for 3 boxes"):
        list(predict_clip(frames_of([3]), boxes_of([3]), MeanEstimator(drop=1), 4))
