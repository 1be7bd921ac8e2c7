"""Which models are at hand: plug-ins, and the checkpoints that calibration left in a project."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from emc import plugins
from emc.errors import EmcError
from emc.workflow.files import read_json


def list_models(project: Path | None, here: Path) -> dict[str, Any]:
    """Return every registered model's description, and a project's calibrated models.

    A plug-in whose optional package is missing is listed with the reason instead of failing the list.
    """
    models: list[dict[str, Any]] = []
    for group in ("estimators", "detectors", "lifters"):
        for name in plugins.plugin_names(group):
            models.append(_describe(group, name))
    folders = [project] if project else sorted(here.glob("*.emc"))
    calibrated = [row for folder in folders for row in _calibrated(folder)]
    return {"models": models, "calibrated": calibrated}


def _describe(group: str, name: str) -> dict[str, Any]:
    try:
        row = asdict(plugins.make_plugin(group, name).describe())
    except EmcError as error:
        row = {"skeleton": "", "input_size": [0, 0], "licence": "", "trainable": False, "parameters": 0}
        row |= {"weights": f"not usable: {error}", "notes": "", "extra": {}}
    return row | {"name": name, "kind": group.removesuffix("s")}


def _calibrated(project: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((project / "models").glob("*/ladder.json")):
        ladder = read_json(path) or {}
        chosen = ladder.get("chosen") or {}
        for entry in ladder.get("ladder", []):
            if entry["step"] == chosen.get("step"):
                rows.append({"folder": str(path.parent / "chosen"), "step": entry["step"], **entry["summary"]})
    return rows
