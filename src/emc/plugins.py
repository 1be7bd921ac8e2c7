"""Plug-ins by entry point: a name becomes a class only when it is asked for.

Built-ins register in ``pyproject.toml`` through the same groups as packages of others:
``emc.estimators``, ``emc.detectors``, ``emc.lifters``, ``emc.formats``.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from emc.errors import PluginError

GROUPS = ("estimators", "detectors", "lifters", "formats")


def plugin_names(group: str) -> list[str]:
    """Return the names registered in a group (one of `GROUPS`), sorted; nothing is imported."""
    return sorted({point.name for point in entry_points(group=f"emc.{group}")})


def load_plugin(group: str, name: str) -> type[Any]:
    """Return the class behind a name.

    Raises `PluginError` that names what exists, or which optional package is missing.
    """
    point = _find(group, name)
    try:
        return point.load()
    except ImportError as error:
        missing = getattr(error, "name", None) or str(error)
        raise PluginError(
            f"{group.removesuffix('s')} '{name}' needs the package '{missing}', which is not installed: "
            f"install it, or the extra of emc-pose that brings it"
        ) from error


def make_plugin(group: str, name: str, **options: Any) -> Any:
    """Return an instance of the class behind a name, built with `options`."""
    return load_plugin(group, name)(**options)


def estimator_for(name_or_folder: str) -> Any:
    """Return an estimator by plug-in name, or from the folder of a saved model.

    A saved model's ``emc.json`` names its estimator. Raises `PluginError` for an unknown name and `WeightsError`
    (from the estimator) for a folder that is damaged.
    """
    folder = Path(name_or_folder)
    if (folder / "emc.json").is_file():
        return make_plugin("estimators", saved_estimator_name(folder), weights=folder)
    return make_plugin("estimators", name_or_folder)


def saved_estimator_name(folder: Path) -> str:
    """Return the estimator that a saved model belongs to, from its ``emc.json``."""
    import json

    try:
        name = json.loads((folder / "emc.json").read_text(encoding="utf-8"))["estimator"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PluginError(
            f"{folder / 'emc.json'} does not name an estimator ({error!r}): save the model again with `emc calibrate`"
        ) from error
    return str(name)


def _find(group: str, name: str) -> EntryPoint:
    found = [point for point in entry_points(group=f"emc.{group}") if point.name == name]
    if not found:
        known = ", ".join(plugin_names(group)) or "none"
        raise PluginError(f"unknown {group.removesuffix('s')} '{name}': use one of {known}")
    return found[0]
