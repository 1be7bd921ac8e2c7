"""Weights of ViTPose: transformers' folders, mixtures of experts, the hub's cache, and files that cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("transformers", reason="ViTPose needs transformers: pip install 'emc-pose[vitpose]'")

from safetensors.torch import load_file, save_file
from transformers import VitPoseConfig, VitPoseForPoseEstimation

import emc.plugins as plugins
from emc.errors import WeightsError
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.estimators.vitpose.published import VitPoseL, VitPosePlusS
from emc.estimators.vitpose.variants import VITPOSE_VARIANTS, configuration
from emc.estimators.vitpose.weights import fold_experts, named_weights

SMALL = configuration(48, 2, 3, size=(128, 96))


def theirs(folder: Path, experts: int = 1, **changes: Any) -> VitPoseForPoseEstimation:
    """A small model of transformers with random weights, saved by transformers into `folder`."""
    backbone = SMALL["backbone_config"] | {"num_experts": experts, "part_features": 12}
    torch.manual_seed(1)
    model = VitPoseForPoseEstimation(VitPoseConfig(**(SMALL | {"backbone_config": backbone} | changes))).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    return model


def card_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "emc.json").read_text())


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    VitPoseEstimator.untrained(2).save(tmp_path / "saved", {"ladder_step": 7})
    return tmp_path / "saved"


def test_a_folder_of_transformers_gives_their_heatmaps(tmp_path: Path) -> None:
    model = theirs(tmp_path)
    crops = torch.randn(2, 3, 128, 96)
    estimator = VitPoseEstimator(tmp_path)
    with torch.inference_mode():
        assert torch.equal(estimator.module(crops), model(crops).heatmaps)
    info = estimator.describe()
    assert (info.name, info.input_size, info.weights) == ("vitpose", (96, 128), str(tmp_path))


def test_a_mixture_of_experts_becomes_its_coco_expert(tmp_path: Path) -> None:
    model = theirs(tmp_path, experts=6)
    crops = torch.randn(2, 3, 128, 96)
    estimator = VitPoseEstimator(tmp_path)
    with torch.inference_mode():
        expected = model(crops, dataset_index=torch.zeros(2, dtype=torch.int64)).heatmaps
        other = model(crops, dataset_index=torch.ones(2, dtype=torch.int64)).heatmaps
        found = estimator.module(crops)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (other - expected).abs().max() > 0.01
    assert not any("experts" in name for name in estimator.module.state_dict())


def test_a_mixture_that_lacks_its_expert_is_refused(tmp_path: Path) -> None:
    state = theirs(tmp_path, experts=2).state_dict()
    del state["backbone.encoder.layer.1.mlp.experts.0.bias"]
    with pytest.raises(WeightsError, match=r"lack backbone\.encoder\.layer\.1\.mlp\.experts\.0\.bias"):
        fold_experts(json.loads((tmp_path / "config.json").read_text()), state)


def test_transformers_opens_what_we_save(saved: Path) -> None:
    model, report = VitPoseForPoseEstimation.from_pretrained(saved, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    crops = torch.randn(1, 3, 128, 96)
    with torch.inference_mode():
        assert torch.equal(model.eval()(crops).heatmaps, VitPoseEstimator(saved).module(crops))


def test_the_card_alone_describes_the_network(saved: Path) -> None:
    (saved / "config.json").unlink()
    card = card_of(saved)
    assert (card["estimator"], card["skeleton"], card["ladder_step"]) == ("vitpose", "coco17", 7)
    assert VitPoseEstimator(saved).module.size == (128, 96)


def test_saving_replaces_whole_files(saved: Path) -> None:
    before = sorted(path.name for path in saved.iterdir())
    VitPoseEstimator(saved).save(saved)
    assert sorted(path.name for path in saved.iterdir()) == before == ["config.json", "emc.json", "model.safetensors"]
    assert card_of(saved)["ladder_step"] == 7


def test_loading_the_same_shape_keeps_the_module(saved: Path, tmp_path: Path) -> None:
    estimator = VitPoseEstimator.untrained(5)
    module, first = estimator.module, next(estimator.module.parameters())
    estimator.load(saved)
    assert estimator.module is module
    assert next(estimator.module.parameters()) is first
    theirs(tmp_path / "other")
    estimator.load(tmp_path / "other")
    assert estimator.module is not module


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x08" + bytes(20)), "is not a readable safetensors file"),
        (lambda f: (f / "emc.json").write_text("{"), r"emc\.json cannot be read"),
        (lambda f: (f / "emc.json").write_text("[]"), r"emc\.json holds no JSON object"),
        (lambda f: (f / "emc.json").write_text('{"estimator": "nano"}'), "belongs to estimator 'nano', not 'vitpose'"),
    ],
)
def test_a_damaged_folder_is_named(saved: Path, spoil: Any, says: str) -> None:
    spoil(saved)
    with pytest.raises(WeightsError, match=says):
        VitPoseEstimator(saved)


def test_weights_that_do_not_fit_are_named(saved: Path) -> None:
    file = saved / "model.safetensors"
    state = load_file(file)
    save_file(state | {"head.conv.bias": torch.zeros(5)}, file)
    with pytest.raises(WeightsError, match=r"has head\.conv\.bias of shape \(5,\), its configuration needs \(17,\)"):
        VitPoseEstimator(saved)
    save_file(state | {"head.conv.bias": torch.full((17,), torch.nan)}, file)
    with pytest.raises(WeightsError, match=r"values that are not finite in head\.conv\.bias"):
        VitPoseEstimator(saved)
    save_file({name: value for name, value in state.items() if name != "head.conv.bias"}, file)
    with pytest.raises(WeightsError, match=r"1 tensors missing, 0 unknown \(head\.conv\.bias\)"):
        VitPoseEstimator(saved)


def test_an_error_leaves_the_weights_alone(saved: Path) -> None:
    estimator = VitPoseEstimator(saved)
    before = next(estimator.module.parameters()).clone()
    (saved / "model.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError):
        estimator.load(saved)
    assert torch.equal(next(estimator.module.parameters()), before)


def test_other_models_of_transformers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WeightsError, match="is of model type 'bert': ViTPose needs 'vitpose'"):
        VitPoseEstimator(tmp_path)
    theirs(tmp_path, num_labels=21)
    with pytest.raises(WeightsError, match="has 21 heatmaps, skeleton coco17 needs 17"):
        VitPoseEstimator(tmp_path)


def test_a_name_with_weights_of_ones_own(saved: Path) -> None:
    estimator = plugins.estimator_for(f"vitpose:{saved}")
    assert isinstance(estimator, VitPoseEstimator)
    assert estimator.describe().weights == str(saved)


def test_what_is_neither_path_nor_hub_name() -> None:
    with pytest.raises(WeightsError, match="no such folder is neither a folder"):
        named_weights("no such folder")


def test_the_users_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMC_MODELS", str(tmp_path))
    assert f"put vitpose-l.pth of the authors into {tmp_path}" in VitPoseL().describe().weights
    with pytest.raises(WeightsError, match=rf"vitpose-l is on no hub and not in {tmp_path}/vitpose-l"):
        _ = VitPoseL().module
    theirs(tmp_path / "vitpose-l")
    estimator = VitPoseL()
    assert estimator.describe().weights == str(tmp_path / "vitpose-l")
    assert estimator.module.size == (128, 96)
    assert (estimator.describe().name, estimator.describe().extra["layer_decay"]) == ("vitpose-l", 0.8)
    estimator.save(tmp_path / "saved")
    assert plugins.estimator_for(str(tmp_path / "saved")).describe().name == "vitpose-l"
    assert card_of(tmp_path / "saved")["base"] == str(tmp_path / "vitpose-l")


ASK_THE_CACHE = """
from emc.errors import WeightsError
from emc.estimators.vitpose.variants import VITPOSE_VARIANTS
from emc.estimators.vitpose.weights import find_weights, named_weights, describe_location
here, away = VITPOSE_VARIANTS["vitpose-plus-s"], VITPOSE_VARIANTS["vitpose-b"]
print(find_weights(here), named_weights(here.source), describe_location(away), sep="\\n")
try:
    find_weights(away)
except WeightsError as error:
    print(error)
"""


def test_the_hubs_cache_is_used_at_the_pinned_revision(tmp_path: Path) -> None:
    variant = VITPOSE_VARIANTS["vitpose-plus-s"]
    snapshot = tmp_path / "hub" / "models--usyd-community--vitpose-plus-small" / "snapshots" / variant.revision
    theirs(snapshot, experts=6)
    # The hub's library reads where its cache is when it is imported.
    here = os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "EMC_MODELS": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-c", ASK_THE_CACHE], env=here, capture_output=True, text=True, check=False)
    found, named, absent, refused = done.stdout.splitlines()
    assert found == named == str(snapshot)
    assert absent.startswith("not here: 360 MB from huggingface.co/usyd-community/vitpose-base")
    assert refused.startswith("vitpose-b is not on this machine and could not be downloaded")
    assert "hf download usyd-community/vitpose-base --revision 95be2991424e646950d656bb7fc15ec9be119700" in refused
    assert VitPoseEstimator(snapshot).module.size == (128, 96)


def test_describing_loads_nothing() -> None:
    estimator = VitPosePlusS()
    info = estimator.describe()
    assert (info.name, info.input_size, info.parameters) == ("vitpose-plus-s", (192, 256), 24_290_577)
    assert info.extra["coco_ap"] == 75.8
    assert estimator._network is None
