"""Names that earlier versions wrote into files, and the names that took their place.

The only module that knows them. Saved models, settings files, environment variables, projects and calibrations of
earlier versions are read through these functions; nothing writes an old name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SETTINGS = {"calibrate": {"turns": "ensemble_rotations", "closer": "ensemble_zooms"}}
"""By section of ``emc.toml`` and of stored settings: old name -> name."""
ESTIMATORS = {"turned": "rotation"}
"""Plug-ins of the group ``emc.estimators``: old name -> name."""
CARD = {"turns": "rotations", "closer": "zooms"}
"""Keys of a saved model's ``emc.json``: old name -> name."""
LADDER = {"turns": "rotations"}
"""Keys of ``ladder.json``: old name -> name. In the object under ``rotations`` those of `CARD` apply."""
_OLD_MODEL = re.compile(r"turned(\d+)(?:c(\d+))?-")
_MODEL = re.compile(r"rotation(\d+)(?:z(\d+))?-")


def renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a mapping with old keys replaced; where both are given the present name's value stays."""
    return {names.get(key, key): value for key, value in values.items() if names.get(key) not in values}


def renamed_settings(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section's settings under their present names."""
    return renamed(values, SETTINGS.get(section, {}))


def settings_as_hashed(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section's settings under the names that a calibration's id was made from: an old one finds itself."""
    return renamed(values, {new: old for old, new in SETTINGS.get(section, {}).items()})


def plugin_name(group: str, name: str) -> str:
    """Return a plug-in's present name; ``NAME:WEIGHTS`` keeps its weights."""
    first, colon, weights = name.partition(":")
    return ESTIMATORS.get(first, first) + colon + weights if group == "estimators" else name


def renamed_ladder(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a ladder's document under the present names."""
    ladder = renamed(document, LADDER)
    if isinstance(ladder.get("rotations"), Mapping):
        ladder["rotations"] = renamed(ladder["rotations"], CARD)
    return ladder


def model_name(name: str) -> str:
    """Return the present name of a model that a run or a document was stored under."""
    return _OLD_MODEL.sub(lambda old: f"rotation{old[1]}{f'z{old[2]}' if old[2] else ''}-", name, count=1)


def model_names(name: str) -> tuple[str, ...]:
    """Return the names that predictions of a model may be stored under: the present one, then the old one if any."""
    old = _MODEL.sub(lambda new: f"turned{new[1]}{f'c{new[2]}' if new[2] else ''}-", name, count=1)
    return (name,) if old == name else (name, old)
