"""Runs that another program predicted: kept in the project like its own."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from emc.config import Settings
from emc.interfaces import RunRecord, Store
from emc.pose.records import Clip, Prediction
from emc.pose.skeletons import Skeleton
from emc.workflow.predict import keep_numbers, write_run_alerts

CHUNK = 256
"""Frames per durable write."""
IMPORTED = "imported"
"""The setting by which a run says that it was not predicted here, and the file that it came from."""


def file_digest(path: Path) -> str:
    """Return a short hash of a file, or of the JSON files in a folder."""
    digest = hashlib.sha256()
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def stored_run(
    store: Store, clip: Clip, model: str, skeleton: Skeleton, predictions: Sequence[Prediction], file: Path
) -> RunRecord:
    """Store predictions of a file as a complete run of a clip; the same file a second time is the same run.

    Where edits name people of the run before, who has their boxes has their numbers.
    """
    same = [
        run
        for run in store.runs(clip.id)
        if run.model == model
        and run.complete
        and run.skeleton == skeleton.name
        and bool(run.settings.get("film")) == clip.film
    ]
    if same:
        return same[-1]
    film = {"film": True} if clip.film else {}
    run = store.start_run(clip.id, model, skeleton.name, {IMPORTED: str(file)} | film)
    by_frame: dict[int, list[Prediction]] = defaultdict(list)
    for one in predictions:
        by_frame[one.frame].append(one)
    for first in range(0, clip.frames, CHUNK):
        frames = range(first, min(first + CHUNK, clip.frames))
        store.write_predictions(run.id, [one for f in frames for one in by_frame.get(f, ())], upto=frames[-1] + 1)
    keep_numbers(store, run)
    store.finish_run(run.id)
    return run


def found_alerts(store: Store, run: RunRecord, skeleton: Skeleton, settings: Settings) -> int:
    """Find and store the alerts of the people who count in a run; returns how many."""
    return len(write_run_alerts(store, run, skeleton, settings.alerts)[0])


def newest_predictions(store: Store, clip: Clip) -> Iterable[Prediction]:
    """Return the predictions of a clip's newest complete run, none where there is no run."""
    runs = [run for run in store.runs(clip.id) if run.complete]
    return store.predictions(runs[-1].id) if runs else ()
