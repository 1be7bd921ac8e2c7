"""The authors' checkpoints: every tensor finds its place, whatever does not is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

pytest.importorskip("transformers", reason="ViTPose needs transformers: pip install 'emc-pose[vitpose]'")

from emc.errors import WeightsError
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.estimators.vitpose.network import build_network
from emc.estimators.vitpose.original import read_original
from emc.estimators.vitpose.variants import configuration
from emc.estimators.vitpose.weights import inner_names


def official(simple: bool = False, experts: int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """A checkpoint by the authors' names, and the same weights by transformers'."""
    torch.manual_seed(0)
    network = build_network(configuration(384, 2, 12, simple), "test")
    state = {name: torch.rand_like(value.float()) for name, value in inner_names(network.state_dict()).items()}
    held = {
        "backbone.pos_embed": state["backbone.embeddings.position_embeddings"],
        "backbone.patch_embed.proj.weight": state["backbone.embeddings.patch_embeddings.projection.weight"],
        "backbone.patch_embed.proj.bias": state["backbone.embeddings.patch_embeddings.projection.bias"],
        "backbone.last_norm.weight": state["backbone.layernorm.weight"],
        "backbone.last_norm.bias": state["backbone.layernorm.bias"],
        "keypoint_head.final_layer.weight": state["head.conv.weight"],
        "keypoint_head.final_layer.bias": state["head.conv.bias"],
        "associate_keypoint_heads.0.final_layer.weight": torch.zeros(1),
    }
    for block in range(2):
        ours, own = f"backbone.encoder.layer.{block}.", f"backbone.blocks.{block}."
        for kind in ("weight", "bias"):
            parts = [state[f"{ours}attention.attention.{name}.{kind}"] for name in ("query", "key", "value")]
            held[f"{own}attn.qkv.{kind}"] = torch.cat(parts)
            held[f"{own}attn.proj.{kind}"] = state[f"{ours}attention.output.dense.{kind}"]
            held[f"{own}norm1.{kind}"] = state[f"{ours}layernorm_before.{kind}"]
            held[f"{own}norm2.{kind}"] = state[f"{ours}layernorm_after.{kind}"]
            held[f"{own}mlp.fc1.{kind}"] = state[f"{ours}mlp.fc1.{kind}"]
            whole = state[f"{ours}mlp.fc2.{kind}"]
            held[f"{own}mlp.fc2.{kind}"] = whole[:288] if experts else whole
            for expert in range(experts):
                held[f"{own}mlp.experts.{expert}.{kind}"] = whole[288:] + expert
    if not simple:
        for theirs, name in (("0", "deconv1"), ("1", "batchnorm1"), ("3", "deconv2"), ("4", "batchnorm2")):
            for full in [full for full in state if full.startswith(f"head.{name}.")]:
                held[f"keypoint_head.deconv_layers.{theirs}.{full.rpartition('.')[2]}"] = state[full]
    return held, state


@pytest.mark.parametrize(("simple", "experts"), [(False, 0), (True, 0), (False, 6)])
def test_every_tensor_finds_its_place(tmp_path: Path, simple: bool, experts: int) -> None:
    held, expected = official(simple, experts)
    torch.save({"meta": {"epoch": 210}, "state_dict": held}, tmp_path / "vitpose-s.pth")
    config, state = read_original(tmp_path / "vitpose-s.pth")
    assert config == configuration(384, 2, 12, simple)
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], value) for name, value in expected.items())


def test_a_checkpoint_becomes_an_estimator(tmp_path: Path) -> None:
    held, expected = official()
    torch.save(held, tmp_path / "own.pth")
    estimator = VitPoseEstimator(str(tmp_path / "own.pth"))
    assert torch.equal(estimator.module.model.head.conv.bias, expected["head.conv.bias"])
    assert estimator.describe().weights.endswith("own.pth")


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"no pickle")
    with pytest.raises(WeightsError, match=r"a\.pth is not a PyTorch checkpoint of plain tensors"):
        read_original(tmp_path / "a.pth")
    torch.save({"state_dict": {"layer1.weight": torch.zeros(2)}}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"b\.pth is no ViTPose checkpoint of its authors"):
        read_original(tmp_path / "b.pth")


def test_tensors_and_sizes_of_unknown_meaning_are_named(tmp_path: Path) -> None:
    held, _ = official(simple=True)
    torch.save(held | {"backbone.blocks.0.attn.scale": torch.zeros(1)}, tmp_path / "c.pth")
    with pytest.raises(WeightsError, match=r"unknown meaning, backbone\.blocks\.0\.attn\.scale"):
        read_original(tmp_path / "c.pth")
    torch.save(held | {"backbone.pos_embed": torch.zeros(1, 433, 384)}, tmp_path / "d.pth")
    with pytest.raises(WeightsError, match="has width 384 and 433 places: only S, B, L and H at 256 x 192"):
        read_original(tmp_path / "d.pth")


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"state_dict": {"x": Evil()}}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="not a PyTorch checkpoint of plain tensors"):
        read_original(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()
