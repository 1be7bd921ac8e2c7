"""Plug-ins by entry point: a name becomes a class only when it is asked for.

Built-ins register in ``pyproject.toml`` through the same groups as packages of others:
``emc.estimators``, ``emc.detectors``, ``emc.lifters``, ``emc.formats``.
"""

from __future__ import annotations

import functools
import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import emc.old_names as old_names
from emc.errors import PluginError, WeightsError
from emc.untrusted import card_json, card_text, one_line, shown

ADAPTIVE = "+rotation"
"""After an estimator's name: with a rotation ensemble for persons who are unsure, lying or inverted."""
WITHOUT_WEIGHTS = ("auto", "rotation")
"""Estimators that stand for others: a saved model that names one of them would name itself."""
GROUPS = ("estimators", "detectors", "lifters", "formats")


def plugin_names(group: str) -> list[str]:
    """Return the names registered in a group (one of `GROUPS`), sorted; nothing is imported."""
    return sorted({old_names.plugin_name(group, point.name) for point in _points(group)})


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


@one_line("save or copy the model again", WeightsError)
def estimator_for(name_or_folder: str) -> Any:
    """Return an estimator by plug-in name, from the folder of a saved model, or from an ``.onnx`` file.

    ``NAME+rotation`` reads persons who are unsure, lying or inverted at several rotations of the image.

    A saved model's ``emc.json`` names its estimator. ``NAME:WEIGHTS`` gives a plug-in weights of one's own: a folder, a
    file, or what else it takes (``vitpose:OWNER/MODEL@REVISION``). Raises `PluginError` for an unknown name and
    `WeightsError` (from the estimator) for a folder that is damaged.
    """
    folder = Path(name_or_folder)
    if (folder / "emc.json").is_file():
        made = make_plugin("estimators", saved_estimator_name(folder), weights=folder)
        how = saved_rotations(folder)
        return made if how["rotations"] == 1 else make_plugin("estimators", "rotation", inner=made, **how)
    if name_or_folder.endswith(ADAPTIVE):
        inner = estimator_for(name_or_folder.removesuffix(ADAPTIVE))
        return make_plugin("estimators", "rotation", inner=inner, rotations=4, zooms=0, adaptive=True)
    name, colon, weights = old_names.plugin_name("estimators", name_or_folder).partition(":")
    if colon and name in plugin_names("estimators"):
        return make_plugin("estimators", name, weights=weights)
    if folder.suffix == ".onnx":
        return make_plugin("estimators", onnx_reader(folder), weights=folder)
    return make_plugin("estimators", name_or_folder)


@one_line("save or copy the model again", WeightsError)
def detector_for(name_or_file: str) -> Any:
    """Return a detector by plug-in name, with weights of one's own (``NAME:WEIGHTS``), or of an ``.onnx`` file.

    Raises `PluginError` for an unknown name, `WeightsError` (from the detector) for weights that cannot be used.
    """
    name, colon, weights = name_or_file.partition(":")
    if colon and name in plugin_names("detectors"):
        return make_plugin("detectors", name, weights=weights)
    file = Path(name_or_file)
    if file.suffix == ".onnx" and onnx_reader(file) in plugin_names("detectors"):
        return make_plugin("detectors", onnx_reader(file), weights=file)
    return make_plugin("detectors", name_or_file)


@one_line("save or copy the model again", WeightsError)
def lifter_for(name_or_path: str, input: str = "auto", causal: bool = False, focal: float = 0.0) -> Any:
    """Return a lifter by plug-in name, from the folder of a saved one, or from a checkpoint file.

    A saved lifter's ``emc.json`` names it; any other existing path is a checkpoint for the lifter ``temporal``, of
    which `input` and `causal` say what the file does not. focal : pixels, the camera's focal length, told to every
    lifter whose constructor has a `focal`; 0: unknown. Raises `PluginError` for an unknown name, `WeightsError`
    (from the lifter) for a path that cannot be used.
    """
    place = Path(name_or_path)
    saved = _saved_lifter_name(place / "emc.json")
    if name_or_path in plugin_names("lifters"):
        name, options = name_or_path, {}
    elif saved not in ("", "temporal"):
        name, options = saved, {"weights": place}
    elif place.exists() or place.suffix in (".bin", ".pt", ".pth"):
        name, options = "temporal", {"weights": place, "input": input, "causal": causal}
    else:
        name, options = name_or_path, {}
    made = load_plugin("lifters", name)
    if focal > 0 and "focal" in inspect.signature(made).parameters:
        options = options | {"focal": focal}
    return made(**options)


def onnx_reader(file: Path) -> str:
    """Return the estimator that reads an ONNX file: the one that its card's ``family`` names, else ``onnx``.

    Which card an estimator needs, and what is wrong with it, is the estimator's to say.
    """
    import tomllib

    try:
        family = tomllib.loads(card_text(file.with_suffix(".toml"))).get("family")
    except (OSError, ValueError, RecursionError):
        return "onnx"
    return str(family) if family in plugin_names("estimators") else "onnx"


def saved_estimator_name(folder: Path) -> str:
    """Return the estimator that a saved model belongs to, from its ``emc.json``."""
    try:
        name = str(card_json(folder / "emc.json")["estimator"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PluginError(
            f"{folder / 'emc.json'} does not name an estimator ({error!r}): save the model again with `emc calibrate`"
        ) from error
    if not is_named_estimator(name) or name.partition(":")[0] in WITHOUT_WEIGHTS or ":" in name:
        raise PluginError(
            f"{folder / 'emc.json'} names the estimator '{shown(name)}', of which no model is saved: save the model "
            "again with `emc calibrate`"
        )
    return name


def is_named_estimator(name: str) -> bool:
    """Return whether an estimator is asked for by a plug-in's name, not by a file or the folder of a saved model."""
    plain = old_names.plugin_name("estimators", name.removesuffix(ADAPTIVE)).partition(":")[0]
    return plain in plugin_names("estimators")


def saved_rotations(folder: Path) -> dict[str, Any]:
    """Return ``rotations``, ``zooms`` and ``adaptive`` of a saved model's rotation ensemble; 1, 0, False if none."""
    try:
        card = card_json(folder / "emc.json")
        card = old_names.renamed(card, old_names.CARD)
        numbers = {name: int(card.get(name, least)) for name, least in (("rotations", 1), ("zooms", 0))}
        return {**numbers, "adaptive": bool(card.get("adaptive", False))}
    except (OSError, ValueError, AttributeError, TypeError, OverflowError) as error:
        raise PluginError(
            f"{folder / 'emc.json'} does not say how many rotations to use ({error}): save the model again"
        ) from error


def _saved_lifter_name(card: Path) -> str:
    """Return the lifter that a saved one's ``emc.json`` names, "" where there is none to read."""
    try:
        return str(card_json(card)["lifter"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@functools.cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    # Reading every installed package's metadata takes milliseconds, and a project of a thousand clips asks as often.
    return tuple(entry_points(group=f"emc.{group}"))


def _find(group: str, name: str) -> EntryPoint:
    name = old_names.plugin_name(group, name)
    found = [point for point in _points(group) if old_names.plugin_name(group, point.name) == name]
    if not found:
        known = ", ".join(plugin_names(group)) or "none"
        raise PluginError(f"unknown {group.removesuffix('s')} '{name}': use one of {known}")
    return found[0]
