"""Where ViTPose weights are, and reading and writing them: folders, the hub's cache, single experts, whole files."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from emc.errors import PluginError, WeightsError
from emc.estimators.vitpose_network import INSTALL
from emc.estimators.vitpose_variants import Variant

WEIGHTS_FILE = "model.safetensors"
CARD_FILE = "emc.json"
CONFIG_FILE = "config.json"
COCO_EXPERT = 0
_PREFIX = "model."
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def models_folder() -> Path:
    """Return the user's folder for weights that no hub serves: ``$EMC_MODELS``, else ``emc/models`` in the cache."""
    own = os.environ.get("EMC_MODELS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(cache) / "emc" / "models"


def local_weights(variant: Variant) -> Path | None:
    """Return where a published model is on this machine, None where it is not; nothing is downloaded.

    Looked for, in order: ``NAME/`` and ``NAME.pth`` in `models_folder`, and the hub's cache at the pinned revision.
    """
    folder = models_folder() / variant.name
    for place in (folder, folder.with_suffix(".pth")):
        if place.is_file() or (place / WEIGHTS_FILE).is_file():
            return place
    return _cached(variant.repository, variant.revision) if variant.repository else None


def whereabouts(variant: Variant) -> str:
    """Return in words where a published model is, or how to get it."""
    here = local_weights(variant)
    needs = "" if importlib.util.find_spec("transformers") else f"; needs {INSTALL}"
    if here is not None:
        return f"{here}{needs}"
    if variant.repository:
        size = f"{variant.megabytes:,} MB"
        return f"not here: {size} from huggingface.co/{variant.repository}, fetched on first use{needs}"
    return f"not here: put {variant.name}.pth of the authors into {models_folder()}{needs}"


def find_weights(variant: Variant) -> Path:
    """Return where a published model is, downloading it once where need be; raises `WeightsError` that says how else.

    With ``HF_HUB_OFFLINE=1`` nothing is downloaded.
    """
    found = local_weights(variant)
    if found is not None:
        return found
    if variant.repository:
        return _downloaded(variant.repository, variant.revision, variant.name)
    raise WeightsError(
        f"{variant.name} is on no hub and not in {models_folder() / variant.name}: put the authors' checkpoint there "
        f"as {variant.name}.pth (github.com/ViTAE-Transformer/ViTPose), or use {variant.name.replace('-', '-plus-')}"
    )


def named_weights(weights: Path | str) -> Path:
    """Return the folder or file behind a path or a hub name ``OWNER/NAME[@REVISION]``; raises `WeightsError`.

    Without a revision the hub's newest is taken; `describe` then tells which one that was.
    """
    place = Path(weights).expanduser()
    if place.exists():
        return place
    if isinstance(weights, str) and _HUB_NAME.fullmatch(weights):
        repository, _, revision = weights.partition("@")
        return _cached(repository, revision) or _downloaded(repository, revision or None, weights)
    raise WeightsError(f"{weights} is neither a folder, a .pth file nor a hub name OWNER/NAME: correct it")


def _cached(repository: str, revision: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    if not revision:
        return None
    found = try_to_load_from_cache(repository, WEIGHTS_FILE, revision=revision)
    return Path(found).parent if isinstance(found, str) and Path(found).with_name(CONFIG_FILE).is_file() else None


def _downloaded(repository: str, revision: str | None, name: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise PluginError(f"{name} is fetched with the package huggingface_hub, which is missing: {INSTALL}") from error
    try:
        paths = [hf_hub_download(repository, file, revision=revision) for file in (CONFIG_FILE, WEIGHTS_FILE)]
    except Exception as error:  # noqa: BLE001  # whatever the network stack raises, the remedy is the same
        at = f" --revision {revision}" if revision else ""
        raise WeightsError(
            f"{name} is not on this machine and could not be downloaded ({type(error).__name__}): run "
            f"`hf download {repository}{at}` where there is a network, or copy such a folder to "
            f"{models_folder() / name.rsplit('/', 1)[-1]}"
        ) from error
    return Path(paths[-1]).parent


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Read a folder that `save` or transformers wrote.

    Returns (card, configuration, weights by transformers' names, float32). The card is empty for a folder of
    transformers. A mixture of experts comes back as the plain network of its COCO expert. Raises `WeightsError` that
    names the file.
    """
    card = _read_json(folder / CARD_FILE) if (folder / CARD_FILE).is_file() else {}
    if card.get("estimator", "vitpose") != "vitpose":
        raise WeightsError(
            f"{folder / CARD_FILE} belongs to estimator {card['estimator']!r}, not 'vitpose': load it with its own"
        )
    config = card.get("config") or _read_json(folder / CONFIG_FILE)
    if config.get("model_type") != "vitpose":
        raise WeightsError(
            f"{folder / CONFIG_FILE} is of model type {config.get('model_type')!r}: ViTPose needs 'vitpose'"
        )
    return card, *fold_experts(config, read_weights(folder / WEIGHTS_FILE))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"{path} is missing: a model's folder needs {WEIGHTS_FILE} and {CONFIG_FILE}") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): save or copy it again") from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} holds no JSON object: save or copy it again")
    return document


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file as float32; raises `WeightsError` that names it."""
    if not path.is_file():
        raise WeightsError(f"{path} is missing: a model's folder needs {WEIGHTS_FILE} and {CONFIG_FILE}")
    try:
        state = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a readable safetensors file ({error}): save or copy it again") from error
    # Copied: they would else be a window on the file, and whoever overwrote it would end this process.
    return {
        name: value.to(torch.float32 if value.is_floating_point() else value.dtype, copy=True)
        for name, value in state.items()
    }


def fold_experts(config: Mapping[str, Any], state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return configuration and weights of the plain network that a mixture of experts is for COCO persons.

    ViTPose++ gives the last features of each block's output to one expert per dataset. With the dataset fixed, shared
    and expert rows are one matrix: the same numbers, no choice left to make, and a quarter less to store.
    """
    backbone = dict(config.get("backbone_config") or {})
    if int(backbone.get("num_experts") or 1) <= 1:
        return dict(config), dict(state)
    backbone["num_experts"] = 1
    folded = {name: value for name, value in state.items() if ".mlp.experts." not in name}
    for name in [name for name in folded if ".mlp.fc2." in name]:
        expert = name.replace(".mlp.fc2.", f".mlp.experts.{COCO_EXPERT}.")
        if expert not in state:
            raise WeightsError(f"the weights of a mixture of experts lack {expert}: copy the model again")
        folded[name] = torch.cat([folded[name], state[expert]])
    return {**config, "backbone_config": backbone}, folded


def check_fits(own: Mapping[str, Tensor], state: Mapping[str, Tensor], path: Path) -> None:
    """Raise `WeightsError` where names, shapes or finiteness of `state` do not fit a network's `own` tensors."""
    missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if missing or unknown:
        first = (missing or unknown)[0]
        raise WeightsError(
            f"{path} does not fit its configuration: {len(missing)} tensors missing, {len(unknown)} unknown ({first}): "
            "take config and weights from the same model"
        )
    for name, value in state.items():
        if value.shape != own[name].shape:
            raise WeightsError(
                f"{path} has {name} of shape {tuple(value.shape)}, its configuration wants {tuple(own[name].shape)}: "
                "take config and weights from the same model"
            )
        if not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{path} has values that are not finite in {name}: choose an earlier checkpoint")


def write_folder(folder: Path, state: Mapping[str, Tensor], config: Mapping[str, Any], card: Mapping[str, Any]) -> None:
    """Write weights, ``config.json`` (so that transformers opens the folder too) and, last, the card.

    state : by transformers' names. Each file appears all at once: a reader never sees half of one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Cloned: weights that share memory cannot be written, and views would drag their base along.
    packed = save({name: value.detach().cpu().clone().contiguous() for name, value in state.items()}, {"format": "pt"})
    _write(folder / WEIGHTS_FILE, packed)
    for name, document in ((CONFIG_FILE, config), (CARD_FILE, card)):
        _write(folder / name, (json.dumps(document, indent=2, sort_keys=True) + "\n").encode())


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    temporary.replace(path)


def inner_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a `VitPoseNetwork`'s weights by transformers' names."""
    return {name.removeprefix(_PREFIX): value for name, value in state.items()}


def outer_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by transformers' names as those of a `VitPoseNetwork`."""
    return {_PREFIX + name: value for name, value in state.items()}
