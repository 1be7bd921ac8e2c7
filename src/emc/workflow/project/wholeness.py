"""Whether a project holds all that was acknowledged, and bringing back what it can where it does not."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emc.errors import ProjectError, ProjectWarning


def verify_project(folder: Path) -> dict[str, Any]:
    """Read a project's journal and database whole and return what was found.

    Keys: ``ok``; ``edits``, how many are as they were acknowledged; ``faults``, one line each; ``given_up``, losses
    that an earlier recovery took note of; ``snapshots``, by name, the newest first.
    """
    from emc.store import SqlStore

    if not folder.is_dir():
        raise ProjectError(f"no project at {folder}: make one with `emc new {folder.stem}`, or correct --project")
    with warnings.catch_warnings():
        # What opening would warn of is part of the answer.
        warnings.simplefilter("ignore", ProjectWarning)
        edits, faults, given_up = _read_whole(folder)
    return {
        "project": str(folder.absolute()),
        "ok": not faults,
        "edits": edits,
        "faults": faults,
        "given_up": given_up,
        "snapshots": [
            {"name": one.name, "made": one.made, "newest_edit": one.edit} for one in SqlStore.snapshots(folder)
        ],
    }


def recover_project(folder: Path, snapshot: str | None = None) -> dict[str, Any]:
    """Rebuild a project's database from what can be read of it and of its snapshots, and return what came back.

    snapshot : name of one to put back as it is. Raises `ProjectError` where another process has the project open.
    """
    from emc.store import SqlStore

    if not folder.is_dir():
        raise ProjectError(f"no project at {folder}: correct --project")
    done = SqlStore.recover(folder, snapshot)
    return {
        "project": str(folder.absolute()),
        "edits": done.edits,
        "from_snapshots": done.from_snapshots,
        "lost": [asdict(loss) | {"words": loss.words} for loss in done.lost],
        "rows": done.rows,
        "incomplete": list(done.incomplete),
        "kept": str(done.kept),
    }


def _read_whole(folder: Path) -> tuple[int, list[str], list[str]]:
    from emc.store import SqlStore

    try:
        store = SqlStore.open(folder)
    except ProjectError as error:
        return 0, [str(error)], []
    with store:
        try:
            state = store.verify_journal()
        except ProjectError as error:
            return 0, list(dict.fromkeys([*store.faults, str(error)])), []
        # A fault that only the opening can see: the file was copied without its log.
        faults = [*state.faults] or list(store.faults)
        return state.edits, [*faults, *store.check()], list(state.accepted)
