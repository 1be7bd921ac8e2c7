from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.estimators.keypoint_rcnn.keypoint_rcnn_files import TINY, tiny_estimator

import emc.estimators.keypoint_rcnn.weights as keypoint_rcnn_weights
from emc.errors import UsageError, WeightsError
from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.network import RESNET50, KeypointRcnnNetwork, shape_from
from emc.estimators.keypoint_rcnn.published import Detectron2R101
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2, TORCHVISION
from emc.estimators.keypoint_rcnn.variants import RCNN_VARIANTS, Variant, variant_named


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model of this machine is found."""
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path / "detectron2"))


def served(tmp_path: Path, variant: Variant) -> tuple[Variant, Path]:
    """A tiny file behind an address, with its checksum in the variant."""
    source = tmp_path / "server" / variant.file
    source.parent.mkdir()
    torch.save(dict(tiny_estimator().module.state_dict()), source)
    kind = variant.digest[0]
    start = hashlib.new(kind, source.read_bytes()).hexdigest()[:6]
    return replace(variant, address=source.as_uri(), digest=(kind, start)), source


def test_a_saved_folder_is_the_same_model(tmp_path: Path) -> None:
    estimator = tiny_estimator()
    estimator.save(tmp_path / "a", {"ladder_step": 3})
    again = KeypointRcnnEstimator(tmp_path / "a")
    own, other = estimator.module.state_dict(), again.module.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[name], other[name]) for name in own)
    assert again.module.recipe == estimator.module.recipe
    assert again.module.shape == TINY
    assert again.module.live
    again.save(tmp_path / "b")
    card = json.loads((tmp_path / "b" / "emc.json").read_text())
    assert (card["estimator"], card["ladder_step"], card["skeleton"]) == ("keypointrcnn", 3, "coco17")
    assert list(load_file(tmp_path / "b" / "model.safetensors")) == list(
        load_file(tmp_path / "a" / "model.safetensors")
    )


def test_loading_fills_the_network_that_others_hold(tmp_path: Path) -> None:
    first, second = tiny_estimator(0), tiny_estimator(1)
    second.save(tmp_path / "second")
    held = first.module
    first.load(tmp_path / "second")
    assert first.module is held
    assert torch.equal(held.state_dict()["backbone.body.conv1.weight"], second.module.backbone["body"].conv1.weight)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda folder: (folder / "emc.json").unlink(), r"emc\.json is missing"),
        (lambda folder: (folder / "emc.json").write_text("{"), r"emc\.json cannot be read"),
        (lambda folder: (folder / "emc.json").write_text('{"estimator": "nano"}'), "belongs to estimator 'nano'"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"1234567890"), "not a readable safetensors"),
        (lambda folder: _card(folder, shape={}), "does not give the network's sizes"),
        (lambda folder: _card(folder, shape={**TINY.document(), "head": 0}), "a size below 1"),
        (
            lambda folder: _card(folder, shape={**TINY.document(), "blocks": [1, 2, 1, 1]}),
            r"missing: backbone\.body\.layer2\.1",
        ),
        (lambda folder: _card(folder, shape={**TINY.document(), "hidden": 24}), "its network wants"),
        (lambda folder: _card(folder, recipe={}), "recipe with other entries"),
    ],
)
def test_a_damaged_folder_is_told_and_the_estimator_keeps_its_weights(
    tmp_path: Path, change: Callable[[Path], object], told: str
) -> None:
    estimator = tiny_estimator()
    before = estimator.module
    estimator.save(tmp_path / "a")
    change(tmp_path / "a")
    with pytest.raises(WeightsError, match=told):
        estimator.load(tmp_path / "a")
    assert estimator.module is before


def _card(folder: Path, **changed: object) -> None:
    card = json.loads((folder / "emc.json").read_text())
    (folder / "emc.json").write_text(json.dumps(card | changed))


def test_torchvision_s_files_of_both_times(tmp_path: Path) -> None:
    state = dict(tiny_estimator().module.state_dict())
    torch.save({"model": state, "args": argparse.Namespace(epochs=3)}, tmp_path / "new.pth")
    old = {
        name.replace("rpn.head.conv.0.0.", "rpn.head.conv.").replace(".0.weight", ".weight").replace(".0.bias", ".bias")
        if name.startswith(("rpn.head.conv.", "backbone.fpn."))
        else name: value
        for name, value in state.items()
    } | {"backbone.body.bn1.num_batches_tracked": torch.tensor(5)}
    assert "backbone.fpn.inner_blocks.2.weight" in old
    assert "rpn.head.conv.weight" in old
    torch.save(old, tmp_path / "old.pth")
    for name in ("new.pth", "old.pth"):
        network = KeypointRcnnEstimator(tmp_path / name).module
        assert network.recipe == TORCHVISION
        assert network.shape == TINY
        assert not network.live
        assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_only_the_published_file_has_variances_with_nothing_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(dict(tiny_estimator().module.state_dict()), tmp_path / "a.pth")
    digest = hashlib.sha256((tmp_path / "a.pth").read_bytes()).hexdigest()[:8]
    published = {"keypointrcnn": replace(RCNN_VARIANTS["keypointrcnn"], digest=("sha256", digest))}
    assert KeypointRcnnEstimator(tmp_path / "a.pth").module.recipe.epsilon == 1e-5
    monkeypatch.setattr(keypoint_rcnn_weights, "RCNN_VARIANTS", {**RCNN_VARIANTS, **published})
    estimator = KeypointRcnnEstimator(tmp_path / "a.pth")
    assert estimator.module.recipe.epsilon == 0
    assert estimator.describe().licence.startswith("BSD")


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"a\.pth is not a PyTorch checkpoint"):
        KeypointRcnnEstimator(tmp_path / "a.pth")
    torch.save({"evil": Path("x")}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"b\.pth is not a PyTorch checkpoint of plain tensors"):
        KeypointRcnnEstimator(tmp_path / "b.pth")
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "c.pth")
    with pytest.raises(WeightsError, match="no Keypoint R-CNN with a feature pyramid"):
        KeypointRcnnEstimator(tmp_path / "c.pth")
    torch.save([1, 2], tmp_path / "d.pth")
    with pytest.raises(WeightsError, match="holds no weights by name"):
        KeypointRcnnEstimator(tmp_path / "d.pth")
    with pytest.raises(WeightsError, match="does not exist"):
        KeypointRcnnEstimator(tmp_path / "none.pth")


def test_variances_of_nothing_are_refused_where_nothing_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = dict(tiny_estimator().module.state_dict())
    state["backbone.body.bn1.running_var"] = torch.zeros(8)
    torch.save(state, tmp_path / "a.pth")
    KeypointRcnnEstimator(tmp_path / "a.pth")
    digest = hashlib.sha256((tmp_path / "a.pth").read_bytes()).hexdigest()[:8]
    published = {"keypointrcnn": replace(RCNN_VARIANTS["keypointrcnn"], digest=("sha256", digest))}
    monkeypatch.setattr(keypoint_rcnn_weights, "RCNN_VARIANTS", {**RCNN_VARIANTS, **published})
    with pytest.raises(WeightsError, match="variances of 0"):
        KeypointRcnnEstimator(tmp_path / "a.pth")


def test_other_numbers_of_joints_are_refused(tmp_path: Path) -> None:
    network = KeypointRcnnNetwork(replace(TINY, joints=5), TORCHVISION)
    torch.save(dict(network.state_dict()), tmp_path / "five.pth")
    with pytest.raises(WeightsError, match="5 joints, skeleton coco17 needs 17"):
        KeypointRcnnEstimator(tmp_path / "five.pth")


@pytest.mark.parametrize("name", list(RCNN_VARIANTS))
def test_published_models_are_described_without_loading_them(name: str) -> None:
    variant = variant_named(name)
    with torch.device("meta"):
        network = KeypointRcnnNetwork(variant.shape, variant.recipe)
    assert sum(p.numel() for p in network.parameters()) == variant.parameters
    assert variant.digest[1] in variant.file
    size = sum(value.numel() * 4 for value in network.state_dict().values()) / 1e6
    assert abs(size - variant.megabytes) < 3


def test_describe_says_how_to_get_it() -> None:
    info = Detectron2R101().describe()
    assert (info.name, info.parameters, info.trainable) == ("detectron2-r101", 78_077_162, True)
    assert info.weights.startswith("not here: 313 MB from https://dl.fbaipublicfiles.com/detectron2/COCO-Keypoints/")
    assert "COCO AP 66.1" in info.notes
    assert info.extra["coco_ap_source"].startswith("github.com/facebookresearch/detectron2")
    assert KeypointRcnnEstimator().describe().extra["checksum"] == "sha256:fc266e95"


def test_unknown_variant() -> None:
    with pytest.raises(UsageError, match="use one of keypointrcnn, detectron2-r50"):
        variant_named("r18")


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_download_is_checked_and_kept(tmp_path: Path, kind: str) -> None:
    name = {"sha256": "keypointrcnn", "md5": "detectron2-r50"}[kind]
    variant, source = served(tmp_path, RCNN_VARIANTS[name])
    found = keypoint_rcnn_weights.find_weights(variant)
    assert found == tmp_path / "models" / variant.file
    assert found.read_bytes() == source.read_bytes()
    source.unlink()
    assert keypoint_rcnn_weights.find_weights(variant) == found
    found.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=f"has {kind.upper()} .*its authors publish {variant.digest[1]}"):
        keypoint_rcnn_weights.find_weights(variant)


def test_another_file_behind_the_address_is_not_kept(tmp_path: Path) -> None:
    variant, _ = served(tmp_path, RCNN_VARIANTS["keypointrcnn"])
    with pytest.raises(WeightsError, match="damaged or another"):
        keypoint_rcnn_weights.find_weights(replace(variant, digest=("sha256", "ffffff")))
    assert list((tmp_path / "models").iterdir()) == []


def test_without_a_network_the_error_says_where_to_put_the_file(tmp_path: Path) -> None:
    variant = replace(RCNN_VARIANTS["keypointrcnn"], address=(tmp_path / "gone.pth").as_uri())
    with pytest.raises(WeightsError, match=r"could not be downloaded .*put it into .*models"):
        keypoint_rcnn_weights.find_weights(variant)


def test_places_are_looked_at_in_order(tmp_path: Path) -> None:
    variant = RCNN_VARIANTS["detectron2-r50"]
    cache = tmp_path / "detectron2/detectron2/COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x/137849621/model_final_a6e10b.pkl"
    hub = tmp_path / "torch/hub/checkpoints" / RCNN_VARIANTS["keypointrcnn"].file
    for place in (cache, hub):
        place.parent.mkdir(parents=True)
        place.write_bytes(b"x")
    assert keypoint_rcnn_weights.local_weights(variant) == cache
    assert keypoint_rcnn_weights.local_weights(RCNN_VARIANTS["keypointrcnn"]) == hub
    own = tmp_path / "models" / "detectron2-r50.pth"
    own.parent.mkdir()
    own.write_bytes(b"x")
    assert keypoint_rcnn_weights.local_weights(variant) == own
    assert keypoint_rcnn_weights.describe_location(variant) == str(own)


def test_the_default_takes_what_the_user_put_there(tmp_path: Path) -> None:
    tiny_estimator().save(tmp_path / "models" / "keypointrcnn")
    estimator = KeypointRcnnEstimator()
    assert estimator.module.shape == TINY
    assert estimator.describe().name == "keypointrcnn"
    assert estimator.describe().weights == str(tmp_path / "models" / "keypointrcnn")


def test_shapes_survive_their_card() -> None:
    assert shape_from(json.loads(json.dumps(RESNET50.document())), "card") == RESNET50


def test_recipes_of_the_variants() -> None:
    assert RCNN_VARIANTS["keypointrcnn"].recipe == replace(TORCHVISION, epsilon=0.0)
    assert {RCNN_VARIANTS[name].recipe for name in RCNN_VARIANTS if name.startswith("detectron2")} == {DETECTRON2}
