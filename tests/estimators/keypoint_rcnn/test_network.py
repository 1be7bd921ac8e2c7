from __future__ import annotations

from dataclasses import replace

import torch
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import TINY

from emc.estimators.keypoint_rcnn.network import (
    RESNET50,
    FrozenNorm,
    KeypointRcnnNetwork,
    LiveNorm,
    freeze,
    initialise,
)
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2, TORCHVISION


def test_names_are_torchvision_s() -> None:
    with torch.device("meta"):
        state = KeypointRcnnNetwork(RESNET50, TORCHVISION).state_dict()
    assert len(state) == 313
    expected = {
        "backbone.body.conv1.weight": (64, 3, 7, 7),
        "backbone.body.bn1.running_var": (64,),
        "backbone.body.layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "backbone.body.layer4.2.conv2.weight": (512, 512, 3, 3),
        "backbone.fpn.inner_blocks.3.0.weight": (256, 2048, 1, 1),
        "backbone.fpn.layer_blocks.0.0.bias": (256,),
        "rpn.head.conv.0.0.weight": (256, 256, 3, 3),
        "rpn.head.cls_logits.weight": (3, 256, 1, 1),
        "rpn.head.bbox_pred.weight": (12, 256, 1, 1),
        "roi_heads.box_head.fc6.weight": (1024, 12544),
        "roi_heads.box_predictor.cls_score.weight": (2, 1024),
        "roi_heads.box_predictor.bbox_pred.weight": (8, 1024),
        "roi_heads.keypoint_head.14.weight": (512, 512, 3, 3),
        "roi_heads.keypoint_predictor.kps_score_lowres.weight": (512, 17, 4, 4),
    }
    assert {name: tuple(state[name].shape) for name in expected} == expected


def test_frozen_norm_by_hand() -> None:
    norm = FrozenNorm(2, 1.0)
    norm.weight.copy_(torch.tensor([2.0, 1.0]))
    norm.bias.copy_(torch.tensor([5.0, 0.0]))
    norm.running_mean.copy_(torch.tensor([1.0, 0.0]))
    norm.running_var.copy_(torch.tensor([3.0, 0.0]))
    found = norm(torch.tensor([7.0, 4.0])[None, :, None, None]).flatten()
    assert found.tolist() == [11.0, 4.0]
    assert list(norm.parameters()) == []


def test_live_and_frozen_networks_read_each_other_s_weights() -> None:
    live, frozen = (KeypointRcnnNetwork(TINY, TORCHVISION, live) for live in (True, False))
    initialise(live)
    live.backbone["body"].bn1.running_var.fill_(3.0)
    frozen.load_state_dict(live.state_dict())
    back = KeypointRcnnNetwork(TINY, TORCHVISION, live=True)
    back.load_state_dict(frozen.state_dict())
    image = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    region = torch.tensor([[0.0, 5, 6, 50, 60]])
    with torch.no_grad():
        found = [network.eval()(image, region) for network in (live, frozen, back)]
    assert torch.allclose(found[0], found[1], rtol=1e-4, atol=1e-6)
    assert torch.equal(found[0], found[2])


def test_only_live_norms_learn_statistics() -> None:
    network = KeypointRcnnNetwork(TINY, TORCHVISION, live=True).train()
    before = network.backbone["body"].bn1.running_mean.clone()
    network.features(torch.randn(1, 3, 64, 64))
    assert not torch.equal(network.backbone["body"].bn1.running_mean, before)
    assert sum(isinstance(part, LiveNorm) for part in network.modules()) == 1 + 4 * 4


def test_the_stride_is_where_the_recipe_has_it() -> None:
    second = KeypointRcnnNetwork(TINY, TORCHVISION).backbone["body"].layer2[0]
    assert (second.conv1.stride, second.conv2.stride) == ((1, 1), (2, 2))
    first = KeypointRcnnNetwork(TINY, DETECTRON2).backbone["body"].layer2[0]
    assert (first.conv1.stride, first.conv2.stride) == ((2, 2), (1, 1))


def test_pyramid_and_maps() -> None:
    network = KeypointRcnnNetwork(TINY, TORCHVISION)
    with torch.no_grad():
        pyramid = network.features(torch.zeros(2, 3, 64, 96))
        maps = network.heatmaps(pyramid, torch.tensor([[1.0, 0, 0, 30, 60], [0, 5, 5, 90, 60], [1, 3, 3, 9, 9]]))
    assert [tuple(level.shape) for level in pyramid] == [
        (2, 16, 16, 24), (2, 16, 8, 12), (2, 16, 4, 6), (2, 16, 2, 3), (2, 16, 1, 2),
    ]  # fmt: skip
    assert maps.shape == (3, 17, 56, 56)


def test_calibration_moves_the_keypoint_branch_alone() -> None:
    network = KeypointRcnnNetwork(TINY, TORCHVISION)
    freeze(network)
    moved = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert "roi_heads.keypoint_head.0.weight" in moved
    assert "backbone.fpn.inner_blocks.0.0.weight" in moved
    assert "backbone.body.layer2.0.conv1.weight" in moved
    assert not any(
        name.startswith(("rpn.", "roi_heads.box", "backbone.body.layer1", "backbone.body.conv1")) for name in moved
    )
    live = KeypointRcnnNetwork(TINY, TORCHVISION, live=True)
    freeze(live)
    assert live.backbone["body"].conv1.weight.requires_grad


def test_depths() -> None:
    depths = KeypointRcnnNetwork(replace(TINY), TORCHVISION).parameter_depths()
    assert depths["backbone.body.conv1.weight"] == 0
    assert depths["backbone.body.layer3.0.conv2.weight"] == 3
    assert depths["backbone.fpn.inner_blocks.0.0.weight"] == 5
    assert depths["roi_heads.keypoint_head.0.weight"] == 5
    assert depths["rpn.head.conv.0.0.weight"] == 5
