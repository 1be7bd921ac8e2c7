"""Where ViTPose weights are, and reading and writing them: folders, the hub's cache, single experts, whole files."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emc.errors import WeightsError
from emc.estimators.augmentation import MEAN, SPREAD
from emc.estimators.model_skeleton import skeleton_entries, skeleton_in_card
from emc.estimators.vitpose.crops import PADDING
from emc.estimators.vitpose.network import VitPoseNetwork, empty_network
from emc.estimators.vitpose.original import read_original
from emc.estimators.vitpose.variants import COCO_EXPERT, Variant
from emc.pose.skeletons import Skeleton
from emc.weights.hub import CONFIG_FILE, INSTALL, cached, downloaded, models_folder, named_on_hub
from emc.weights.saved_files import CARD_FILE, WEIGHTS_FILE, check_fits, read_card, read_json, read_weights

_PREFIX = "model."


def local_weights(variant: Variant) -> Path | None:
    """Return where a published model is on this machine, None where it is not; nothing is downloaded.

    Looked for, in order: ``NAME/`` and ``NAME.pth`` in `models_folder`, and the hub's cache at the pinned revision.
    """
    folder = models_folder() / variant.name
    for place in (folder, folder.with_suffix(".pth")):
        if place.is_file() or (place / WEIGHTS_FILE).is_file():
            return place
    return cached(variant.repository, variant.revision) if variant.repository else None


def describe_location(variant: Variant) -> str:
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
        return downloaded(variant.repository, variant.revision, variant.name)
    raise WeightsError(
        f"{variant.name} is on no hub and not in {models_folder() / variant.name}: put the authors' checkpoint there "
        f"as {variant.name}.pth (github.com/ViTAE-Transformer/ViTPose), or use {variant.name.replace('-', '-plus-')}"
    )


def named_weights(weights: Path | str) -> Path:
    """Return the folder or file behind a path or a hub name ``OWNER/NAME[@REVISION]``; raises `WeightsError`.

    Without a revision the hub's newest is fetched once and stays; `describe` tells which commit that was.
    """
    place = Path(weights).expanduser()
    if place.exists():
        return place
    found = named_on_hub(weights)
    if found is not None:
        return found
    raise WeightsError(f"{weights} is neither a folder, a .pth file nor a hub name OWNER/NAME: correct it")


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:
    """Read a folder that `save` or transformers wrote.

    Returns (card, configuration, weights by transformers' names, float32). The card is empty for a folder of
    transformers. A mixture of experts comes back as the plain network of its COCO expert. Raises `WeightsError` that
    names the file.
    """
    card = read_card(folder / CARD_FILE, "vitpose") if (folder / CARD_FILE).is_file() else {}
    config = card.get("config") or read_json(folder / CONFIG_FILE, CONFIG_FILE)
    if config.get("model_type") != "vitpose":
        raise WeightsError(
            f"{folder / CONFIG_FILE} is of model type {config.get('model_type')!r}: ViTPose needs 'vitpose'"
        )
    return card, *fold_experts(config, read_weights(folder / WEIGHTS_FILE, CONFIG_FILE))


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


def inner_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a `VitPoseNetwork`'s weights by transformers' names."""
    return {name.removeprefix(_PREFIX): value for name, value in state.items()}


def outer_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights by transformers' names as those of a `VitPoseNetwork`."""
    return {_PREFIX + name: value for name, value in state.items()}


def load_network(place: Path, old: VitPoseNetwork | None) -> tuple[VitPoseNetwork, dict[str, Any], Skeleton]:
    """Return the network of a folder or an authors' checkpoint, in evaluation mode, with its card and its joints.

    old : the network so far; one of the same configuration is filled in place, so that whoever trains or scores it
    keeps what they hold. Raises `WeightsError` that names the file, and leaves `old` as it was.
    """
    card, config, state = ({}, *read_original(place)) if place.is_file() else read_folder(place)
    same = old is not None and old.written_config() == config
    network = old if old is not None and same else empty_network(config, str(place))
    skeleton = skeleton_in_card(card, str(place))
    if network.joints != len(skeleton):
        raise WeightsError(
            f"{place} has {network.joints} heatmaps, skeleton {skeleton.name} needs {len(skeleton)}: choose a "
            "model of that skeleton"
        )
    remedy = "take config and weights from the same model"
    check_fits(inner_names(network.state_dict()), state, place, "its configuration", remedy)
    network.load_state_dict(outer_names(state), assign=not same)
    if old is not None:
        network.to(next(old.parameters()).device)
    network.live_statistics = card.get("statistics") == "live"
    return network.eval(), card, skeleton


def card_of(network: VitPoseNetwork, skeleton: Skeleton, licence: str) -> dict[str, Any]:
    """Return the part of a card that says how to build and use the network again."""
    return {
        "estimator": "vitpose",
        **skeleton_entries(skeleton),
        "licence": licence,
        "config": network.written_config(),
        "statistics": "live" if network.live_statistics else "frozen",
        "preprocessing": {
            "input": list(network.size),
            "grid": list(network.grid),
            "colour": "RGB",
            "mean": list(MEAN),
            "spread": list(SPREAD),
            "padding": PADDING,
        },
    }
