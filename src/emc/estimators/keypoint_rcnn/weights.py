"""Where Keypoint R-CNN weights are, and reading and writing them: folders, torchvision's and Detectron2's files."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emc.errors import WeightsError
from emc.estimators.keypoint_rcnn.detectron2 import (
    convert_detectron2,
    detectron2_name,
    is_detectron2,
    listed,
    read_detectron2_pickle,
    tensors_of,
)
from emc.estimators.keypoint_rcnn.network import KeypointRcnnNetwork, Shape, freeze, shape_from
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2, TORCHVISION, Recipe, recipe_document, recipe_from
from emc.estimators.keypoint_rcnn.variants import RCNN_VARIANTS, Variant
from emc.estimators.model_skeleton import grown_rows
from emc.weights.hub import models_folder
from emc.weights.saved_files import CARD_FILE, WEIGHTS_FILE, read_card, read_weights

NAME = "keypointrcnn"
ENDINGS = (".pth", ".pkl")
LAST_LAYER = "roi_heads.keypoint_predictor.kps_score_lowres"


@dataclass(frozen=True, slots=True)
class Stored:
    """A network's weights under torchvision's names, with its sizes, its recipe and the card beside it, if any."""

    shape: Shape
    recipe: Recipe
    state: Mapping[str, Tensor]
    card: Mapping[str, Any]


def local_weights(variant: Variant) -> Path | None:
    """Return where a published model is on this machine, None where it is not; nothing is downloaded.

    Looked for, in order: ``NAME/``, ``NAME.pth`` or ``.pkl`` and the published file's name in `models_folder`, then the
    cache of torchvision, or that of Detectron2.
    """
    folder = models_folder()
    inner = variant.address.split("//", 1)[-1].split("/", 1)[-1]
    cache = Path(os.environ.get("FVCORE_CACHE") or Path.home() / ".torch" / "iopath_cache")
    places = [folder / variant.name, *(folder / (variant.name + ending) for ending in ENDINGS), folder / variant.file]
    places += [Path(torch.hub.get_dir()) / "checkpoints" / variant.file, cache / inner]
    for place in places:
        if place.is_file() or (place / WEIGHTS_FILE).is_file():
            return place
    return None


def describe_location(variant: Variant) -> str:
    """Return in words where a published model is, or how to get it."""
    here = local_weights(variant)
    if here is not None:
        return str(here)
    return f"not here: {variant.megabytes} MB from {variant.address}, fetched on first use"


def find_weights(variant: Variant) -> Path:
    """Return where a published model is, downloading it once where need be.

    Raises `WeightsError` where it can be neither found nor fetched, or has another checksum than its authors publish.
    """
    here = local_weights(variant)
    if here is None:
        return _downloaded(variant)
    if here.name == variant.file:
        check_digest(here, variant)
    return here


def check_digest(path: Path, variant: Variant) -> None:
    """Raise `WeightsError` where a published file does not have the checksum that stands in its name."""
    kind, start = variant.digest
    found = _digest(path, kind)
    if not found.startswith(start):
        raise WeightsError(
            f"{path} has {kind.upper()} {found[:12]}..., its authors publish {start}...: it is damaged or another "
            "file, delete it and get it again"
        )


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()


def _downloaded(variant: Variant) -> Path:
    place = models_folder() / variant.file
    part = place.with_name(place.name + ".part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(variant.address, str(part), progress=False)
        check_digest(part, variant)
        part.replace(place)
    except WeightsError:
        part.unlink(missing_ok=True)
        raise
    except Exception as error:  # noqa: BLE001  # whatever the network stack raises, the remedy is the same
        part.unlink(missing_ok=True)
        raise WeightsError(
            f"{variant.name} is not on this machine and could not be downloaded ({type(error).__name__}): get "
            f"{variant.address} where there is a network and put it into {place.parent}"
        ) from error
    return place


def read_stored(place: Path) -> Stored:
    """Read a folder that `save` wrote, or a file of torchvision or Detectron2; raises `WeightsError` that names it."""
    if place.is_dir():
        return _read_folder(place)
    if not place.is_file():
        raise WeightsError(f"{place} does not exist: give a saved model's folder, a .pth or a .pkl file")
    if place.suffix == ".pkl":
        return _detectron2(read_detectron2_pickle(place), place)
    held = _read_pth(place)
    if is_detectron2(held):
        return _detectron2(held, place)
    state = _modern_names(held)
    exact = RCNN_VARIANTS[NAME]
    published = _digest(place, "sha256").startswith(exact.digest[1])
    recipe = exact.recipe if published else TORCHVISION
    return Stored(infer_shape(state, place), recipe, state, {"licence": exact.licence} if published else {})


def _detectron2(held: Mapping[str, Tensor], place: Path) -> Stored:
    state = convert_detectron2(held, place)
    card = {"licence": RCNN_VARIANTS["detectron2-r50"].licence} if place.suffix == ".pkl" else {}
    return Stored(infer_shape(state, place), DETECTRON2, state, card)


def _read_pth(path: Path) -> dict[str, Tensor]:
    # torchvision's own training script stores its arguments beside the weights: a class without code of its own.
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            document = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001  # damaged bytes raise whatever the unpickler stumbles over
        raise WeightsError(
            f"{path} is not a PyTorch checkpoint of plain tensors ({type(error).__name__}): download it again, or save "
            "its state_dict alone where you trust it"
        ) from error
    held = document.get("model", document) if isinstance(document, Mapping) else None
    if not isinstance(held, Mapping):
        raise WeightsError(f"{path} holds no weights by name: save the network's state_dict")
    return tensors_of(held, path)


def _modern_names(held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return torchvision's weights with the names of its present version; the published file has those of 2020."""
    state: dict[str, Tensor] = {}
    for name, value in held.items():
        stem, _, kind = name.rpartition(".")
        if stem == "rpn.head.conv":
            stem = "rpn.head.conv.0.0"
        elif stem.startswith(("backbone.fpn.inner_blocks.", "backbone.fpn.layer_blocks.")) and stem.count(".") == 3:
            stem += ".0"
        if kind != "num_batches_tracked":
            state[f"{stem}.{kind}"] = value
    return state


def infer_shape(state: Mapping[str, Tensor], path: Path) -> Shape:
    """Return the sizes of a network from its weights under torchvision's names.

    Raises `WeightsError` where what tells them is not there.
    """
    try:
        stages: dict[str, set[str]] = {f"layer{number}": set() for number in range(1, 5)}
        for name in state:
            parts = name.split(".")
            if name.startswith("backbone.body.layer"):
                stages[parts[2]].add(parts[3])
        first, second, third, fourth = (len(blocks) for blocks in stages.values())
        head = [name for name in state if name.startswith("roi_heads.keypoint_head.") and name.endswith(".weight")]
        return Shape(
            blocks=(first, second, third, fourth),
            width=len(state["backbone.body.conv1.weight"]),
            pyramid=len(state["backbone.fpn.inner_blocks.0.0.weight"]),
            hidden=len(state["roi_heads.box_head.fc6.weight"]),
            head=len(state["roi_heads.keypoint_head.0.weight"]),
            convolutions=len(head),
            joints=len(state["roi_heads.keypoint_predictor.kps_score_lowres.bias"]),
        )
    except KeyError as error:
        raise WeightsError(
            f"{path} is no Keypoint R-CNN with a feature pyramid, of torchvision or Detectron2 (it lacks {error}, "
            f"Detectron2's {_their_name(str(error.args[0]))}): choose another file"
        ) from error


def _their_name(ours: str) -> str:
    try:
        return detectron2_name(ours)
    except WeightsError:
        return "equivalent"


def check_fits(own: Mapping[str, Tensor], stored: Stored, place: Path) -> None:
    """Raise `WeightsError` where names, shapes or finiteness of weights do not fit a network's `own` tensors.

    All missing and unknown tensors are told, under the names that the file has.
    """
    told = detectron2_name if stored.recipe.name == DETECTRON2.name and place.is_file() else str
    missing = [told(name) for name in own.keys() - stored.state.keys()]
    unknown = [told(name) for name in stored.state.keys() - own.keys()]
    if missing or unknown:
        parts = [f"{len(missing)} missing: {listed(missing)}"] if missing else []
        parts += [f"{len(unknown)} unexpected: {listed(unknown)}"] if unknown else []
        raise WeightsError(
            f"{place} does not hold the tensors of a Keypoint R-CNN ({'; '.join(parts)}): choose a whole file"
        )
    for name, value in stored.state.items():
        if value.shape != own[name].shape:
            raise WeightsError(
                f"{place} has {told(name)} of shape {tuple(value.shape)}, its network wants {tuple(own[name].shape)}: "
                "choose a keypoint model on a plain ResNet with a feature pyramid"
            )
        if not bool(torch.isfinite(value).all()):
            raise WeightsError(f"{place} has values that are not finite in {told(name)}: choose an earlier checkpoint")
    dead = [
        n for n, v in stored.state.items() if n.endswith("running_var") and bool((v + stored.recipe.epsilon <= 0).any())
    ]
    if dead:
        raise WeightsError(f"{place} has variances of 0 in {told(dead[0])}: choose another checkpoint")


def build_network(stored: Stored, place: Path) -> KeypointRcnnNetwork:
    """Return the network of stored weights, in evaluation mode; raises `WeightsError` where they do not fit."""
    with torch.device("meta"):
        network = KeypointRcnnNetwork(stored.shape, stored.recipe, bool(stored.card.get("statistics") == "live"))
    check_fits(network.state_dict(), stored, place)
    network.load_state_dict(stored.state, assign=True)
    return network.eval()


def with_joints(network: KeypointRcnnNetwork, start: np.ndarray) -> KeypointRcnnNetwork:
    """Return a copy of a network with other heatmaps, in the same mode and on the same device.

    start : (T, S) shares of `emc.pose.skeletons.channel_start`; a heatmap with a single share of 1 is copied bit by
    bit. All else, the finder of boxes included, is as it was.
    """
    state = dict(network.state_dict())
    # A transposed convolution has its output channels second.
    weight = state[f"{LAST_LAYER}.weight"].transpose(0, 1)
    state[f"{LAST_LAYER}.weight"] = grown_rows(weight, start).transpose(0, 1).contiguous()
    state[f"{LAST_LAYER}.bias"] = grown_rows(state[f"{LAST_LAYER}.bias"], start)
    grown = KeypointRcnnNetwork(replace(network.shape, joints=len(start)), network.recipe, network.live)
    grown.load_state_dict(state)
    freeze(grown)
    return grown.train(network.training).to(next(network.parameters()).device)


def _read_folder(folder: Path) -> Stored:
    path = folder / CARD_FILE
    card = read_card(path, NAME)
    shape = shape_from(card.get("shape", {}), str(path))
    recipe = recipe_from(card.get("recipe", {}), str(path))
    return Stored(shape, recipe, read_weights(folder / WEIGHTS_FILE), card)


def card_of(network: KeypointRcnnNetwork) -> dict[str, Any]:
    """Return the part of a card that says how to build and use the network again."""
    return {
        "estimator": NAME,
        "shape": network.shape.document(),
        "recipe": recipe_document(network.recipe),
        "statistics": "live" if network.live else "frozen",
    }
