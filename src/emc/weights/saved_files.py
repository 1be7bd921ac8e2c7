"""The files of a saved model: weights as safetensors and JSON beside them, checked before they are believed.

Every file appears all at once: a reader never sees half of one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from emc.errors import WeightsError
from emc.lazy import LazyLibrary
from emc.untrusted import card_json, one_line

if TYPE_CHECKING:
    import safetensors.torch as tensor_files
    import torch
    from torch import Tensor
else:
    torch, tensor_files = LazyLibrary("torch"), LazyLibrary("safetensors.torch")

WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "emc.json"


def read_card(path: Path, estimator: str) -> dict[str, Any]:
    """Read an ``emc.json`` of an estimator's; raises `WeightsError` that names the file."""
    card = read_json(path)
    if card.get("estimator") != estimator:
        raise WeightsError(
            f"{path} belongs to estimator {card.get('estimator')!r}, not {estimator!r}: load it with its own estimator"
        )
    return card


def read_json(path: Path, needed: str = CARD_FILE) -> dict[str, Any]:
    """Read a JSON object of a model's folder, which needs the file `needed` beside its weights.

    Raises `WeightsError` that names the file.
    """
    try:
        document = card_json(path)
    except FileNotFoundError as error:
        raise WeightsError(f"{path} is missing: a model's folder needs {WEIGHTS_FILE} and {needed}") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): save or copy the model again") from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} holds no JSON object: save or copy the model again")
    return document


@one_line("save or copy the model again", WeightsError)
def read_weights(path: Path, needed: str = CARD_FILE) -> dict[str, Tensor]:
    """Read a safetensors file, numbers as float32; raises `WeightsError` that names it. needed : see `read_json`."""
    if not path.is_file():
        raise WeightsError(f"{path} is missing: a model's folder needs {WEIGHTS_FILE} and {needed}")
    try:
        state = tensor_files.load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a readable safetensors file ({error}): save or copy it again") from error
    # Copied: they would else be a window on the file, and whoever overwrote it would end this process.
    return {
        name: value.to(torch.float32 if value.is_floating_point() else value.dtype, copy=True)
        for name, value in state.items()
    }


def check_fits(own: Mapping[str, Tensor], state: Mapping[str, Tensor], path: Path, whose: str, remedy: str) -> None:
    """Raise `WeightsError` where names, shapes or finiteness of `state` do not fit a network's `own` tensors.

    whose : what the tensors should be of, and remedy : what to do, in words.
    """
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or unknown:
        first = (missing or unknown)[0]
        raise WeightsError(
            f"{path} does not fit {whose}: {len(missing)} tensors missing, {len(unknown)} unknown ({first}): {remedy}"
        )
    for name, value in state.items():
        if value.shape != own[name].shape:
            raise WeightsError(
                f"{path} has {name} of shape {tuple(value.shape)}, {whose} needs {tuple(own[name].shape)}: {remedy}"
            )
        if not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{path} has values that are not finite in {name}: choose an earlier checkpoint")


def write_model(folder: Path, state: Mapping[str, Tensor], documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a model's folder: its weights, then `documents` as JSON, by the names of their files and in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(state, folder / WEIGHTS_FILE)
    for name, document in documents.items():
        _write(folder / name, (json.dumps(document, indent=2, sort_keys=True) + "\n").encode())


def write_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as safetensors, in the precision that they have."""
    # Cloned: weights that share memory cannot be written, and views would drag their base along.
    packed = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
    _write(path, tensor_files.save(packed, {"format": "pt"}))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    temporary.replace(path)
