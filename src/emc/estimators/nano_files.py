"""The files of a saved `nano`: weights as safetensors and a card, checked before they are believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from emc.errors import WeightsError
from emc.estimators.nano_network import NanoNetwork

WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "emc.json"


def read_card(path: Path) -> dict[str, Any]:
    """Read ``emc.json``; raises `WeightsError` that names the file."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"{path} is missing: a saved model needs {WEIGHTS_FILE} and {CARD_FILE}") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): save the model again") from error
    named = card.get("estimator") if isinstance(card, dict) else None
    if named != "nano":
        raise WeightsError(f"{path} belongs to estimator {named!r}, not 'nano': load it with its own estimator")
    return card


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file; raises `WeightsError` that names it."""
    if not path.is_file():
        raise WeightsError(f"{path} is missing: a saved model needs {WEIGHTS_FILE} and {CARD_FILE}")
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a readable safetensors file ({error}): save or copy it again") from error


def check_fits(network: NanoNetwork, state: Mapping[str, Tensor], path: Path) -> None:
    """Raise `WeightsError` where names, shapes or finiteness of `state` do not fit the network."""
    own = network.state_dict()
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or unknown:
        first = (missing or unknown)[0]
        raise WeightsError(
            f"{path} is not nano's: {len(missing)} tensors missing, {len(unknown)} unknown ({first}): "
            "load weights that this version of nano saved"
        )
    for name, value in state.items():
        if value.shape != own[name].shape:
            raise WeightsError(
                f"{path} has {name} of shape {tuple(value.shape)}, nano needs {tuple(own[name].shape)}: "
                "load weights that this version of nano saved"
            )
        if not bool(torch.isfinite(value.float()).all()):
            raise WeightsError(f"{path} has values that are not finite in {name}: choose an earlier checkpoint")


def write_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors, all at once: a reader never sees half a file."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(save({name: value.detach().contiguous().clone() for name, value in state.items()}))
    temporary.replace(path)
