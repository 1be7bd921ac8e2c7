"""Weights on the Hugging Face hub and on this machine: names, pinned commits, the hub's cache, the user's folder."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from pathlib import Path

from emc.errors import PluginError, WeightsError
from emc.weights.saved_files import WEIGHTS_FILE

CONFIG_FILE = "config.json"
INSTALL = "pip install 'emc-pose[vitpose]'"
PATIENCE = 4.0
"""Seconds that the hub may be silent for."""
_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def models_folder() -> Path:
    """Return the user's folder for weights that no hub serves: ``$EMC_MODELS``, else ``emc/models`` in the cache."""
    own = os.environ.get("EMC_MODELS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(cache) / "emc" / "models"


def fetching(repository: str, revision: str = "") -> str:
    """Return the command that fetches a model where there is a network."""
    return f"hf download {repository}" + (f" --revision {revision}" if revision else "")


def cached(repository: str, revision: str = "") -> Path | None:
    """Return the folder of a model in the hub's cache, None where it is not; nothing is downloaded.

    revision : a commit, tag or branch; without one the commit that was fetched first stays, until the cache is emptied.
    """
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(repository, WEIGHTS_FILE, revision=revision or None)
    return Path(found).parent if isinstance(found, str) and Path(found).with_name(CONFIG_FILE).is_file() else None


def commit_of(place: Path) -> str:
    """Return the hub's commit that a folder of its cache holds, "" for any other folder."""
    return place.name if _COMMIT.fullmatch(place.name) else ""


def downloaded(repository: str, revision: str, name: str) -> Path:
    """Return the folder of a model after fetching it into the hub's cache, configuration and weights of one commit.

    name : what the user asked for. Raises `WeightsError` that says how else to get it, `PluginError` where the hub's
    package is missing. With ``HF_HUB_OFFLINE=1`` nothing is fetched.
    """
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise PluginError(f"{name} is fetched with the package huggingface_hub, which is missing: {INSTALL}") from error
    try:
        _asked()
        config = Path(hf_hub_download(repository, CONFIG_FILE, revision=revision or None))
        # Both files of one commit, also where the hub's newest changes in between.
        pinned = revision or commit_of(config.parent) or None
        return Path(hf_hub_download(repository, WEIGHTS_FILE, revision=pinned)).parent
    except Exception as error:  # noqa: BLE001  # whatever the network stack raises, the remedy is the same
        place = "this machine and give its path" if "/" in name else models_folder() / name
        raise WeightsError(
            f"{name} is not on this machine and could not be downloaded ({type(error).__name__}): run "
            f"`{fetching(repository, revision)}` where there is a network, or copy such a folder to {place}"
        ) from error


def _asked() -> None:
    """Raise `OSError` where the hub does not answer: its own client would try on for half a minute, and say so."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return
    try:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        # Whatever it says to that, it is there.
        return


def named_on_hub(weights: Path | str) -> Path | None:
    """Return the folder behind a hub name ``OWNER/NAME[@REVISION]``, fetched where need be; None where it is no name.

    Raises as `downloaded` does.
    """
    if not isinstance(weights, str) or not _NAME.fullmatch(weights):
        return None
    repository, _, revision = weights.partition("@")
    return cached(repository, revision) or downloaded(repository, revision, weights)
