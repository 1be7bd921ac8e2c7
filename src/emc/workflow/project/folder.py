"""Projects: where they are, making and opening one, and what is in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from emc.errors import ProjectError, UsageError
from emc.workflow.media import media_report

if TYPE_CHECKING:
    from emc.store import SqlStore

SUFFIX = ".emc"


def project_folder(name: str | Path) -> Path:
    """Return the folder of a project: its name with the suffix ``.emc``."""
    path = Path(name)
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def find_project(given: str | Path | None, here: Path) -> Path:
    """Return the project folder that a command means: the one given, else the only one in the folder `here`.

    Raises `UsageError` where none or several could be meant.
    """
    if given is not None:
        folder = Path(given)
        return folder if folder.is_dir() else project_folder(given)
    found = sorted(path for path in here.glob(f"*{SUFFIX}") if path.is_dir())
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no project in {here}: make one with `emc new NAME`, or name one with --project")
    names = ", ".join(path.name for path in found)
    raise UsageError(f"several projects in {here} ({names}): choose one with --project")


def new_project(name: str | Path, skeleton: str = "", database: str = "", join: bool = False) -> SqlStore:
    """Make an empty project folder and return its store; raises `ProjectError` where it exists already.

    skeleton : the joints of all its poses, a built-in skeleton's name or a TOML file; "": those of its models.
    database : address of a PostgreSQL database in place of a file in the folder; join : one that holds a project.
    """
    from emc.store import SqlStore
    from emc.workflow.project.skeletons import declare, given_skeleton

    own = given_skeleton(skeleton) if skeleton else None
    folder = project_folder(name)
    store = SqlStore.create_at(database, folder, join) if database else SqlStore.create(folder)
    if own is not None:
        declare(store, own)
    return store


def open_project(folder: Path) -> SqlStore:
    """Open a project's store; raises `ProjectError` that names the folder where it is none."""
    from emc.store import SqlStore

    if not folder.exists():
        raise ProjectError(f"no project at {folder}: make one with `emc new {folder.stem}`, or correct --project")
    return SqlStore.open(folder)


def status(store: SqlStore) -> dict[str, Any]:
    """Return what a project holds: clips with their runs, alerts and corrections; calibrations; documents."""
    from emc.workflow.project.skeletons import skeleton_status

    clips = [_clip_status(store, clip) for clip in store.clips()]
    return {
        "project": str(store.folder),
        "skeleton": skeleton_status(store),
        "clips": clips,
        "frames": sum(clip["frames"] for clip in clips),
        "edits": sum(clip["edits"] for clip in clips),
        "calibrations": store.documents("calibration"),
        "lifted": store.documents("lifted"),
    }


def _clip_status(store: SqlStore, clip: Any) -> dict[str, Any]:
    runs = store.runs(clip.id)
    media = media_report(store, clip)
    done = [run for run in runs if run.complete]
    return {
        "id": clip.id,
        "path": clip.path,
        "role": str(clip.role),
        "group": clip.group,
        "tags": dict(clip.tags),
        "frames": clip.frames,
        "size": [clip.width, clip.height],
        "fps": clip.fps or None,
        "file_fps": clip.file_fps or None,
        "media": media.status,
        "media_fault": media.detail,
        "runs": [{"model": run.model, "complete": run.complete} for run in runs],
        "alerts": len(store.alerts(done[-1].id)) if done else 0,
        "edits": len(store.edits(clip.id)),
        "origin": store.document("origin", clip.id),
    }
