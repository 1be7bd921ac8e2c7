"""Weights of detection transformers: transformers' folders, the hub's cache, downloads pinned by their commit."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from emc.detectors.transformer.published import PublishedDetector
from emc.errors import PluginError, WeightsError
from emc.weights.hub import CONFIG_FILE, INSTALL, cached, downloaded, models_folder, named_on_hub
from emc.weights.saved_files import WEIGHTS_FILE, read_json

FAMILIES = {
    "d_fine": "DFineForObjectDetection",
    "rt_detr_v2": "RTDetrV2ForObjectDetection",
    "rt_detr": "RTDetrForObjectDetection",
}
# Weights that training alone uses, and counters: files may lack them, or have them where the network has not.
_OPTIONAL = re.compile(r"num_batches_tracked$|denoising_class_embed|(^|\.)anchors$|valid_mask$")


def local_weights(published: PublishedDetector) -> Path | None:
    """Return where a published detector is on this machine, None where it is not; nothing is downloaded.

    Looked for, in order: ``NAME/`` in the user's folder of models, and the hub's cache at the pinned revision.
    """
    folder = models_folder() / published.name
    if (folder / WEIGHTS_FILE).is_file():
        return folder
    return cached(published.repository, published.revision)


def describe_location(published: PublishedDetector) -> str:
    """Return in words where a published detector is, or how to get it."""
    here = local_weights(published)
    needs = "" if importlib.util.find_spec("transformers") else f"; needs {INSTALL}"
    if here is not None:
        return f"{here}{needs}"
    return f"not here: {published.megabytes} MB from huggingface.co/{published.repository}, fetched on first use{needs}"


def find_weights(published: PublishedDetector) -> Path:
    """Return the folder of a published detector, downloading it once where need be; raises `WeightsError`."""
    return local_weights(published) or downloaded(published.repository, published.revision, published.name)


def named_weights(weights: Path | str) -> Path:
    """Return the folder behind a path or a hub name ``OWNER/NAME[@REVISION]``; raises `WeightsError`."""
    place = Path(weights).expanduser()
    if place.is_dir():
        return place
    found = named_on_hub(weights)
    if found is not None:
        return found
    raise WeightsError(f"{weights} is neither a folder nor a hub name OWNER/NAME[@REVISION]: correct it")


def load_network(folder: Path) -> nn.Module:
    """Return the network of a folder that transformers wrote, in evaluation mode, every weight accounted for.

    transformers reads it, for it keeps some weights under other names in files than in memory; nothing is downloaded.
    Raises `PluginError` where transformers is missing, `WeightsError` that names the file otherwise.
    """
    config, file = read_json(folder / CONFIG_FILE, CONFIG_FILE), folder / WEIGHTS_FILE
    model = _model_class(config, folder / CONFIG_FILE)
    if not file.is_file():
        raise WeightsError(f"{file} is missing: a model's folder needs {WEIGHTS_FILE} and {CONFIG_FILE}")
    try:
        network, report = model.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True, dtype=torch.float32
        )
    except Exception as error:  # noqa: BLE001  # transformers and safetensors have exceptions of their own
        lines = str(error).strip().splitlines() or [""]
        raise WeightsError(
            f"{folder} cannot be read as a detector ({type(error).__name__}: {lines[0]}): copy the model again"
        ) from error
    missing = sorted(name for name in report["missing_keys"] if not _OPTIONAL.search(name))
    unknown = sorted(name for name in report["unexpected_keys"] if not _OPTIONAL.search(name))
    if missing or unknown:
        raise WeightsError(
            f"{file} does not fit its configuration: {len(missing)} tensors missing, {len(unknown)} unknown "
            f"({(missing or unknown)[0]}): take config and weights from the same model"
        )
    if not all(bool(torch.isfinite(value).all()) for value in network.parameters()):
        raise WeightsError(f"{file} has values that are not finite: copy the model again")
    return network.eval()


def _model_class(config: dict[str, Any], origin: Path) -> Any:
    family = FAMILIES.get(str(config.get("model_type")))
    if family is None:
        raise WeightsError(
            f"{origin} is of model type {config.get('model_type')!r}: detectors are of {', '.join(FAMILIES)}"
        )
    try:
        import transformers

        return getattr(transformers, family)
    except (ImportError, RuntimeError, AttributeError) as error:
        raise PluginError(f"{family} needs the package transformers ({error}): {INSTALL}") from error
