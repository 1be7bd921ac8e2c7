from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import SMALL, TINY, tiny_estimator

from emc.estimators.keypoint_rcnn.detection import Limits, find_persons, find_proposals
from emc.estimators.keypoint_rcnn.network import KeypointRcnnNetwork
from emc.estimators.keypoint_rcnn.published import KeypointRcnnDetector


def silent_network() -> KeypointRcnnNetwork:
    """A network whose finder sees nothing anywhere: offsets 0, persons of probability 0.0025."""
    network = KeypointRcnnNetwork(TINY, SMALL)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.startswith(("rpn.head.cls", "rpn.head.bbox", "roi_heads.box_predictor")):
                value.zero_()
        network.roi_heads["box_predictor"]["cls_score"].bias.copy_(torch.tensor([6.0, 0.0]))
    return network


def test_proposals_are_the_best_anchors_cut_to_the_image() -> None:
    network = silent_network()
    with torch.no_grad():
        # The square anchor of each cell wins, by how bright its cell is.
        network.rpn["head"].conv[0][0].weight.zero_()
        network.rpn["head"].conv[0][0].weight[0, 0, 1, 1] = 1.0
        network.rpn["head"].conv[0][0].bias.zero_()
        network.rpn["head"].cls_logits.weight[1, 0] = 1.0
    pyramid = [torch.zeros(1, 16, 128 // 2**level, 128 // 2**level) for level in range(2, 7)]
    pyramid[0][0, 0, 3, 5] = 9.0
    pyramid[3][0, 0, 1, 1] = 8.0
    with torch.no_grad():
        ((boxes, size),) = find_proposals(network, pyramid, (128, 128), [(120, 128)], Limits(per_level=1))
    assert size == (120, 128)
    # Level 0: cell (3, 5) of stride 4, side 32, reaching over the top; level 3: cell (1, 1) of stride 32, side 256.
    assert boxes[0].tolist() == [4, 0, 36, 28]
    assert boxes[1].tolist() == [0, 0, 128, 120]


def test_a_person_is_a_proposal_with_its_offsets() -> None:
    network = silent_network()
    with torch.no_grad():
        # The square anchor wins, at the brightest cell.
        network.rpn["head"].conv[0][0].weight.zero_()
        network.rpn["head"].conv[0][0].weight[0, 0, 1, 1] = 1.0
        network.rpn["head"].cls_logits.weight[1, 0] = 1.0
        network.roi_heads["box_predictor"]["cls_score"].bias.copy_(torch.tensor([0.0, 2.0]))
        # The person's offsets stand behind those of the background: a tenth of the width to the right.
        network.roi_heads["box_predictor"]["bbox_pred"].bias.copy_(torch.tensor([9.0, 9, 9, 9, 1, 0, 0, 0]))
    pyramid = [torch.zeros(1, 16, 128 // 2**level, 128 // 2**level) for level in range(2, 7)]
    pyramid[0][0, 0, 0, 0] = 9.0
    with torch.no_grad():
        ((boxes, scores),) = find_persons(network, pyramid, (128, 128), [(128, 128)], Limits(proposals=1))
    # Of the first cell: -16..16 cut to 0..16.
    assert boxes[0].tolist() == pytest.approx([1.6, 0, 17.6, 16])
    assert scores.tolist() == pytest.approx([1 / (1 + np.exp(-2))])


def test_nobody_is_found_where_nothing_is_sure() -> None:
    pyramid = [torch.zeros(2, 16, 128 // 2**level, 128 // 2**level) for level in range(2, 7)]
    with torch.no_grad():
        found = find_persons(silent_network(), pyramid, (128, 128), [(128, 128), (100, 90)])
    assert [len(boxes) for boxes, _ in found] == [0, 0]


def test_detect_gives_boxes_of_each_image_in_its_pixels(tmp_path: Path) -> None:
    tiny_estimator().save(tmp_path / "model")
    detector = KeypointRcnnDetector(tmp_path / "model")
    detector.estimator.limits = Limits(per_level=50, proposals=40, persons=7)
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (60, 90, 3), dtype=np.uint8), rng.integers(0, 256, (200, 100, 3), dtype=np.uint8)]
    found = detector.detect(images, [4, 9])
    assert [{box.frame for box in boxes} for boxes in found] == [{4}, {9}]
    for image, boxes in zip(images, found, strict=True):
        corners = np.array([[b.xywh[0], b.xywh[1], b.xywh[0] + b.xywh[2], b.xywh[1] + b.xywh[3]] for b in boxes])
        assert 1 <= len(boxes) <= 7
        assert (corners >= -1e-4).all()
        assert (corners <= np.array([image.shape[1], image.shape[0]] * 2) + 1e-4).all()
        scores = [box.score for box in boxes]
        assert scores == sorted(scores, reverse=True)
        assert {box.track for box in boxes} == {-1}
    again = detector.detect(images[1:], [9])
    assert np.allclose([b.xywh for b in again[0]], [b.xywh for b in found[1]], atol=1e-3)


def test_anchors_are_rounded_where_the_recipe_says_so() -> None:
    pyramid = [torch.zeros(1, 16, 128 // 2**level, 128 // 2**level) for level in range(2, 7)]
    wide: list[list[float]] = []
    for whole in (True, False):
        network = KeypointRcnnNetwork(TINY, replace(SMALL, whole_anchors=whole))
        network.load_state_dict(silent_network().state_dict())
        with torch.no_grad():
            network.rpn["head"].cls_logits.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
            ((boxes, _),) = find_proposals(network, pyramid, (128, 128), [(128, 128)], Limits())
        inner = boxes[((boxes[:, :2] > 0) & (boxes[:, 2:] < 128)).all(dim=1)]
        wide.append(sorted({round(float(v), 3) for v in inner[:, 2] - inner[:, 0]}))
    assert set(wide[0]) - set(wide[1]) == {46.0, 90.0}
    assert set(wide[1]) - set(wide[0]) == {45.255, 90.51}
