"""Which models are at hand: plug-ins, and the checkpoints that calibration left in a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import emc.plugins as plugins
from emc.config import AUTO
from emc.errors import EmcError
from emc.pose.metrics import too_few
from emc.workflow.files import read_json

# Readers of files, and wrappers of other models: they have no weights of their own to be here or not.
BRINGS_NONE = {
    "onnx": "bring a file (docs/onnx.md)",
    "paf": "bring a file (docs/openpose.md)",
    "temporal": "bring a file (docs/lifting.md)",
    "rotation": "ensemble of another model (docs/rotation.md)",
}


def list_models(project: Path | None, here: Path) -> dict[str, Any]:
    """Return every registered model's description, and a project's calibrated models.

    Each model has its name, kind, licence, parameters, `megabytes` to download (0: none or unknown), `ap` (COCO AP:
    of joints for estimators, of boxes for detectors; None where nobody published one) and `ap_source`, `get` (how to
    get it), `here` (True, False, None: brings no weights), and whether it can be calibrated (`trainable`).
    A plug-in whose optional package is missing is listed with the reason instead of failing the list. Nothing is
    downloaded.
    """
    models: list[dict[str, Any]] = []
    for group in ("estimators", "detectors", "lifters"):
        models += [_describe(group, name) for name in plugins.plugin_names(group) if name != AUTO]
    folders = [project] if project else sorted(here.glob("*.emc"))
    calibrated = [row for folder in folders for row in _calibrated(folder)]
    return {"auto": _auto(), "models": models, "calibrated": calibrated}


def _auto() -> str:
    from emc.estimators.auto import choose

    return choose(downloads=False).line


def _describe(group: str, name: str) -> dict[str, Any]:
    kind = group.removesuffix("s")
    try:
        row = asdict(plugins.make_plugin(group, name).describe()) | {"usable": True}
    except (EmcError, TypeError) as error:
        row = {"skeleton": "", "input_size": [0, 0], "licence": "", "trainable": False, "parameters": 0}
        why = f"{error}" if isinstance(error, EmcError) else "give it a file"
        row |= {"weights": f"not usable: {why}", "notes": "", "extra": {}, "usable": False}
    return row | {"name": name, "kind": kind} | _facts(name, kind, row)


def _facts(name: str, kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the list says beside a plug-in's own description."""
    extra, weights = row["extra"], str(row["weights"])
    which = "box_ap" if kind == "detector" else "coco_ap"
    # What a network finds of persons was published in the same place as what it finds of their joints.
    source = extra.get(f"{which}_source") or extra.get("coco_ap_source") or ""
    if name in BRINGS_NONE or not row["usable"]:
        at_hand = None if name in BRINGS_NONE else False
    else:
        at_hand = not weights.startswith("not here")
    if name in BRINGS_NONE:
        how = BRINGS_NONE[name]
    elif at_hand:
        how = ""
    else:
        how = weights.removeprefix("not here: ").removeprefix("not usable: ")
    return {
        "ap": extra.get(which),
        "ap_source": source if extra.get(which) is not None else "",
        "megabytes": int(extra.get("megabytes", 0)),
        "here": at_hand,
        "get": how,
    }


def _calibrated(project: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for path in sorted((project / "models").glob("*/ladder.json")):
        ladder = read_json(path) or {}
        chosen, folder = ladder.get("chosen") or {}, path.parent / "chosen"
        if not folder.is_dir():
            # Deleted, or moved elsewhere: a folder that is not there is no model to use.
            continue
        for entry in ladder.get("ladder", []):
            if entry["step"] == chosen.get("step"):
                rows.append(
                    {
                        "folder": str(folder),
                        "step": entry["step"],
                        **{role: _total(entry, role) for role in ("target", "common")},
                        "scored_on": ladder.get("scored_on", ""),
                    }
                )
    return rows


def _total(entry: Mapping[str, Any], role: str) -> float | None:
    """Return total PCKh of a ladder's row, None where it was not scored or on too few joints."""
    figure = ((entry.get(role) or {}).get("pckh") or {}).get("total")
    return None if figure is None or too_few(figure) else figure["value"]
