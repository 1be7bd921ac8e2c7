"""Finished calibrations of a project: where their models and documents are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emc.old_names as old_names
from emc.errors import ProjectError, UsageError
from emc.interfaces import Store
from emc.untrusted import in_one_line, shown


@dataclass(frozen=True, slots=True)
class Calibration:
    """A finished calibration: where its models are, and its documents.

    first : whether this process is the one that speaks of it, where several calibrated together.
    """

    id: str
    folder: Path
    card: dict[str, Any]
    ladder: dict[str, Any]
    first: bool = True


def newest_calibration(store: Store, name: str | None = None) -> Calibration:
    """Return a finished calibration (the newest, or the named one); raises `UsageError` where there is none."""
    names = store.documents("calibration")
    if not names:
        raise UsageError(f"no finished calibration in {store.folder}: run `emc calibrate` first")
    if name is not None and name not in names:
        raise UsageError(f"no calibration '{name}' in {store.folder}: use one of {', '.join(names)}")
    wanted = name or names[-1]
    document = store.document("calibration", wanted) or {}
    what = f"the calibration '{shown(wanted)}' of {store.folder}"
    with in_one_line(what, "run `emc calibrate` again", ProjectError):
        folder = (store.folder / str(document["folder"])).resolve()
        if not folder.is_relative_to(store.folder.resolve()):
            raise ValueError("its folder lies outside of the project")
        card, ladder = dict(document["card"]), old_names.renamed_ladder(document["ladder"])
        return Calibration(wanted, store.folder / str(document["folder"]), card, ladder)
