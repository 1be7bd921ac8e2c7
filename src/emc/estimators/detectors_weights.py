"""Weights of detection transformers: transformers' folders, the hub's cache, downloads pinned by their commit."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from emc.errors import PluginError, WeightsError
from emc.estimators.detectors_published import PublishedDetector
from emc.estimators.vitpose_weights import CONFIG_FILE, WEIGHTS_FILE, models_folder

INSTALL = "pip install 'emc-pose[vitpose]'"
FAMILIES = {
    "d_fine": "DFineForObjectDetection",
    "rt_detr_v2": "RTDetrV2ForObjectDetection",
    "rt_detr": "RTDetrForObjectDetection",
}
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Weights that training alone uses, and counters: files may lack them, or have them where the network has not.
_OPTIONAL = re.compile(r"num_batches_tracked$|denoising_class_embed|(^|\.)anchors$|valid_mask$")


def local_weights(published: PublishedDetector) -> Path | None:
    """Return where a published detector is on this machine, None where it is not; nothing is downloaded.

    Looked for, in order: ``NAME/`` in the user's folder of models, and the hub's cache.
    """
    folder = models_folder() / published.name
    if (folder / WEIGHTS_FILE).is_file():
        return folder
    return cached(published.repository, published.revision)


def cached(repository: str, revision: str) -> Path | None:
    """Return the folder of a model in the hub's cache; without a revision the one that was fetched first stays."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(repository, WEIGHTS_FILE, revision=revision or None)
    return Path(found).parent if isinstance(found, str) and Path(found).with_name(CONFIG_FILE).is_file() else None


def commit_of(place: Path) -> str:
    """Return the hub's commit that a folder of its cache holds, "" for any other folder."""
    return place.name if _COMMIT.fullmatch(place.name) else ""


def whereabouts(published: PublishedDetector) -> str:
    """Return in words where a published detector is, or how to get it."""
    here = local_weights(published)
    needs = "" if importlib.util.find_spec("transformers") else f"; needs {INSTALL}"
    if here is not None:
        return f"{here}{needs}"
    return f"not here: {published.megabytes} MB from huggingface.co/{published.repository}, fetched on first use{needs}"


def find_weights(published: PublishedDetector) -> Path:
    """Return the folder of a published detector, downloading it once where need be; raises `WeightsError`."""
    return local_weights(published) or _downloaded(published.repository, published.revision, published.name)


def named_weights(weights: Path | str) -> Path:
    """Return the folder behind a path or a hub name ``OWNER/NAME[@REVISION]``; raises `WeightsError`."""
    place = Path(weights).expanduser()
    if place.is_dir():
        return place
    if isinstance(weights, str) and _HUB_NAME.fullmatch(weights):
        repository, _, revision = weights.partition("@")
        return cached(repository, revision) or _downloaded(repository, revision, weights)
    raise WeightsError(f"{weights} is neither a folder nor a hub name OWNER/NAME[@REVISION]: correct it")


def _downloaded(repository: str, revision: str, name: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise PluginError(f"{name} is fetched with the package huggingface_hub, which is missing: {INSTALL}") from error
    try:
        config = Path(hf_hub_download(repository, CONFIG_FILE, revision=revision or None))
        # Both files of one commit, also where the hub's newest changes in between.
        pinned = revision or commit_of(config.parent) or None
        return Path(hf_hub_download(repository, WEIGHTS_FILE, revision=pinned)).parent
    except Exception as error:  # noqa: BLE001  # whatever the network stack raises, the remedy is the same
        raise WeightsError(
            f"{name} is not on this machine and could not be downloaded ({type(error).__name__}): run "
            f"`hf download {repository}` where there is a network, or copy such a folder to "
            f"{models_folder() / name.rsplit('/', 1)[-1]}"
        ) from error


def load_network(folder: Path) -> nn.Module:
    """Return the network of a folder that transformers wrote, in evaluation mode, every weight accounted for.

    transformers reads it, for it keeps some weights under other names in files than in memory; nothing is downloaded.
    Raises `PluginError` where transformers is missing, `WeightsError` that names the file otherwise.
    """
    config, file = _read_config(folder / CONFIG_FILE), folder / WEIGHTS_FILE
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


def _read_config(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): a model's folder needs it, copy it again") from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} holds no JSON object: copy the model again")
    return document
