"""poses -> calibration set -> ladder of checkpoints -> scores -> chosen model, for a project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import emc.old_names as old_names
from emc.config import Settings
from emc.interfaces import Progress, Store
from emc.pose.records import Role, Sample
from emc.pose.skeletons import Skeleton
from emc.stages.calibrate import Processes, sampler_of
from emc.stages.calibration_set import CalibrationSet, with_served
from emc.workflow.calibration.base import trainable_estimator
from emc.workflow.calibration.data import (
    Gathered,
    Populations,
    gather,
    labelled_joints,
    populations,
    ref_key,
    select_samples,
)
from emc.workflow.calibration.finished import Calibration
from emc.workflow.calibration.ladder import follow_ladder, run_ladder
from emc.workflow.calibration.processes import joined_processes
from emc.workflow.compute import set_threads
from emc.workflow.files import write_json
from emc.workflow.labels import count_labels, refuse_unconfirmed
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.project import mirror_note, scored_in, trainable_in, with_models

HOW_ALONE = {"workers", "cache"}
"""Settings that change no number: a calibration that was begun with others is the same one."""


def calibrate_project(store: Store, settings: Settings, progress: Progress | None = None) -> Calibration:
    """Calibrate the project's estimator on its corrected clips mixed with common data.

    Labelled persons of target clips are the target data, of common clips the common data; where the project has no
    labelled common clip, common poses rendered by the package stand in, and the card says so. An interrupted
    calibration of the same data and settings goes on. Started by ``torchrun``, all processes train together; the first
    one alone scores, writes and speaks.
    """
    set_threads(settings.predict)
    with joined_processes() as processes:
        if processes.first:
            return _calibrate(store, settings, progress or Silent(), processes)
        return _follow(store, settings, processes)


def _follow(store: Store, settings: Settings, processes: Processes) -> Calibration:
    """Train along with the first process; what it calibrated is read when it is done."""
    processes.wait()
    settings = with_models(store, settings, Silent())
    estimator = trainable_in(store, trainable_estimator(settings))
    settings = scored_in(settings, estimator.skeleton)
    samples = gather(store, settings, Silent())
    chosen = select_samples(store, samples, settings)
    follow_ladder(estimator, populations(chosen, samples), settings, processes)
    name, card, ladder = processes.broadcast(None)
    return Calibration(name, store.folder / "models" / name, card, ladder, first=False)


def _calibrate(store: Store, settings: Settings, progress: Progress, processes: Processes) -> Calibration:
    settings = with_models(store, settings, progress)
    estimator = trainable_in(store, trainable_estimator(settings))
    settings = scored_in(settings, estimator.skeleton)
    base_key = model_key(estimator)
    counts = count_labels(store, store.clips())
    refuse_unconfirmed(counts, "a calibration")
    if counts.say():
        progress.say(f"note: {counts.say()}")
    samples = gather(store, settings, progress)
    # What was cut out and rendered now lies in files: the others find it there.
    processes.wait()
    chosen = select_samples(store, samples, settings)
    name = calibration_id(chosen, settings, base_key)
    folder = store.folder / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    for warning in [*chosen.card["warnings"], *_mirror_warning(estimator.skeleton)]:
        progress.say(f"note: {warning}")
    ladder = run_ladder(estimator, populations(chosen, samples), settings, folder, progress, processes)
    card = finished_card(chosen, settings, base_key, samples, ladder, estimator.skeleton)
    card["labels"] = counts.as_json()
    card["corrected"] = corrected(store, settings, samples, populations(chosen, samples).train_target)
    processes.broadcast((name, card, ladder))
    write_json(folder / "card.json", card)
    store.put_document(
        "calibration", name, {"folder": str(folder.relative_to(store.folder)), "card": card, "ladder": ladder}
    )
    kept_base = ladder["chosen"]["step"] == 0
    fit_confidences(
        store, populations(chosen, samples), samples.rendered > 0, None if kept_base else folder, settings, progress
    )
    return Calibration(name, folder, card, ladder)


def fit_confidences(
    store: Store, data: Populations, rendered: bool, folder: Path | None, settings: Settings, progress: Progress
) -> None:
    """Fit P(right) of the base on all people who trained or chose, and of the chosen model on those who chose.

    folder : of the calibration, None where the base was kept.
    """
    from emc.workflow.calibration.confidence import fit_after_calibration, fit_base

    whole = {
        Role.TARGET: [*data.train_target, *data.validation_target],
        # Rendered stand-ins are not the project's clips: no clip's confidence is learned from them.
        Role.COMMON: [] if rendered else [*data.train_common, *data.validation_common],
    }
    held = {Role.TARGET: data.validation_target, Role.COMMON: [] if rendered else data.validation_common}
    base = fit_base(store, whole, settings, progress)
    if folder is not None:
        fit_after_calibration(store, folder, held, base, settings, progress)


def calibration_id(chosen: CalibrationSet, settings: Settings, base_key: str) -> str:
    """Return a short id that is equal where set, settings and base are: an interrupted calibration finds itself."""
    what = [
        chosen.sha256,
        old_names.model_names(base_key)[-1],
        old_names.settings_as_hashed("calibrate", settings.calibrate.model_dump(mode="json", exclude=HOW_ALONE)),
        settings.evaluate.model_dump(mode="json"),
    ]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


def corrected(store: Store, settings: Settings, samples: Gathered, train: Sequence[Sample]) -> dict[str, Any]:
    """Return what a calibration learned from and what that cost, for the forecast of the next ones.

    Persons and labelled joints of the target's training split; ``seconds`` of correcting per labelled joint of all
    target persons, None where no effort is known, ``simulated`` where a program spent it (``how`` says whether all).
    """
    from emc.workflow.calibration.effort import project_effort

    effort = project_effort(store, settings)
    whole = [samples.samples[ref_key(ref)] for ref in samples.refs if ref.role is Role.TARGET]
    # Nobody knows how long an imported label took: it may not make the time of a corrected one look short.
    joints = labelled_joints(whole) - (effort["joints_imported"] if effort else 0)
    known = effort is not None and effort["seconds"] > 0 and joints > 0
    return {
        "persons": len(train),
        "joints": labelled_joints(train),
        "seconds_per_joint": round(effort["seconds"] / joints, 4) if effort is not None and known else None,
        "simulated": bool(effort and effort["simulated"]),
        "how": effort["how"] if effort else None,
    }


def finished_card(
    chosen: CalibrationSet,
    settings: Settings,
    base_key: str,
    gathered: Gathered,
    ladder: Mapping[str, Any],
    skeleton: Skeleton,
) -> dict[str, Any]:
    """Return the set's card with what training served, the base and the source of common data."""
    data = populations(chosen, gathered)
    sampler = sampler_of(len(data.train_target), len(data.train_common), settings.calibrate)
    steps = int(ladder.get("stopped", {}).get("step", settings.calibrate.steps))
    card = with_served(chosen.card, sampler.served(steps), sampler.served_sha256(steps))
    source = f"rendered by the package ({gathered.rendered} persons)" if gathered.rendered else "the project's clips"
    warnings = [*card["warnings"], *_mirror_warning(skeleton)]
    own = {"base": base_key, "strategy": settings.calibrate.strategy, "common_source": source}
    return card | own | {"warnings": warnings}


def _mirror_warning(skeleton: Skeleton) -> list[str]:
    note = mirror_note(skeleton)
    return [note] if note else []
