"""The authors' own ViTPose checkpoints (``.pth`` of mmpose 0.x) read as transformers' weights.

S, L and H without experts are published in this form alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emc.errors import WeightsError
from emc.estimators.vitpose.variants import COCO_EXPERT, configuration

# Hidden size -> attention heads of the four published sizes.
HEADS = {384: 12, 768: 12, 1024: 16, 1280: 16}
_BLOCK_NAMES = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn.proj": "attention.output.dense",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_OTHER_NAMES = {
    "backbone.pos_embed": "backbone.embeddings.position_embeddings",
    "backbone.patch_embed.proj": "backbone.embeddings.patch_embeddings.projection",
    "backbone.last_norm": "backbone.layernorm",
    "keypoint_head.deconv_layers.0": "head.deconv1",
    "keypoint_head.deconv_layers.1": "head.batchnorm1",
    "keypoint_head.deconv_layers.3": "head.deconv2",
    "keypoint_head.deconv_layers.4": "head.batchnorm2",
    "keypoint_head.final_layer": "head.conv",
}
# Heads for other datasets, and what only pre-training used.
_LEFT_OUT = ("associate_keypoint_heads.", "backbone.cls_token", "backbone.mask_token")
_BLOCK = re.compile(r"backbone\.blocks\.(\d+)\.(.+)")


def read_original(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return configuration and weights by transformers' names of a ``.pth`` file, of its COCO expert where it has some.

    The file is a pickle: it is read with PyTorch's restricted unpickler, which runs no code. Raises `WeightsError` that
    names the file.
    """
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  # damaged bytes raise whatever the unpickler stumbles over
        raise WeightsError(
            f"{path} is not a PyTorch checkpoint of plain tensors ({type(error).__name__}): download it again, or save "
            "its state_dict alone where you trust it"
        ) from error
    held = document.get("state_dict", document) if isinstance(document, dict) else {}
    return convert_original({name: value for name, value in held.items() if isinstance(value, Tensor)}, path)


def convert_original(held: Mapping[str, Tensor], path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return configuration and transformers' weights of the authors' state dict; raises `WeightsError`."""
    embedding, patches = held.get("backbone.pos_embed"), held.get("backbone.patch_embed.proj.weight")
    blocks = {int(match[1]) for name in held if (match := _BLOCK.fullmatch(name))}
    if embedding is None or patches is None or not blocks or "keypoint_head.final_layer.weight" not in held:
        raise WeightsError(
            f"{path} is no ViTPose checkpoint of its authors (it lacks backbone.pos_embed, blocks or keypoint_head): "
            "take one from github.com/ViTAE-Transformer/ViTPose"
        )
    hidden = int(embedding.shape[-1])
    if hidden not in HEADS or int(embedding.shape[1]) != 193 or tuple(patches.shape[2:]) != (16, 16):
        raise WeightsError(
            f"{path} has width {hidden} and {int(embedding.shape[1])} places: only S, B, L and H at 256 x 192 are known"
        )
    state: dict[str, Tensor] = {}
    for name, value in held.items():
        if not name.startswith(_LEFT_OUT):
            state |= _renamed(name, value.float() if value.is_floating_point() else value, held, path)
    simple = "keypoint_head.deconv_layers.0.weight" not in held
    return configuration(hidden, max(blocks) + 1, HEADS[hidden], simple), state


def _renamed(name: str, value: Tensor, held: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    stem, _, kind = name.rpartition(".")
    if match := _BLOCK.fullmatch(name):
        return _block(f"backbone.encoder.layer.{match[1]}.", match[2].rpartition(".")[0], kind, name, value, held, path)
    if name in _OTHER_NAMES:
        return {_OTHER_NAMES[name]: value}
    if stem in _OTHER_NAMES:
        return {f"{_OTHER_NAMES[stem]}.{kind}": value}
    raise WeightsError(f"{path} has a tensor of unknown meaning, {name}: only plain ViTPose checkpoints are read")


def _block(
    layer: str, part: str, kind: str, name: str, value: Tensor, held: Mapping[str, Tensor], path: Path
) -> dict[str, Tensor]:
    if part == "attn.qkv":
        names = ("query", "key", "value")
        return {f"{layer}attention.attention.{n}.{kind}": v for n, v in zip(names, value.chunk(3), strict=True)}
    if part.startswith("mlp.experts."):
        return {}
    if part not in _BLOCK_NAMES:
        raise WeightsError(f"{path} has a tensor of unknown meaning, {name}: only plain ViTPose checkpoints are read")
    expert = held.get(name.replace("mlp.fc2", f"mlp.experts.{COCO_EXPERT}")) if part == "mlp.fc2" else None
    return {f"{layer}{_BLOCK_NAMES[part]}.{kind}": value if expert is None else torch.cat([value, expert.float()])}
