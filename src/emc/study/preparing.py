"""Making a study from a project: the reference that its poses are, and a project per clip to begin from."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np

from emc.errors import StorageError, UsageError
from emc.interfaces import RunRecord, Store
from emc.pose.records import RENDERED_TAG, Alert, Clip, Pose, Provenance, Visibility
from emc.pose.skeletons import skeleton_named
from emc.study.plan import CONSENT, StudyDesign, Task, check_rules, study_folder, write_design
from emc.study.session import measure_accuracy, person_scale
from emc.untrusted import card_json, in_one_line

REFERENCE = "reference.json"
START = "start"


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """What study to make: its clips (by id), and its rules as in `StudyDesign`.

    frames : number of the first frames of the two clips. training_frames : of the training clip.
    """

    name: str
    clips: tuple[str, str]
    training: str
    frames: int = 90
    training_frames: int = 5
    step: int = 10
    goal: float = 0.95
    tolerance: float = 2.0
    checks: int = 5
    idle: float = 15.0
    seed: int = 0
    consent: str = CONSENT


def make_study(folder: str | Path, source: Store, order: StudyOptions) -> tuple[Path, StudyDesign]:
    """Make a study's folder from clips of a project, and return it with the design.

    source : a project in which the clips are predicted, and their poses corrected or imported: those are the
    reference; joints that nobody decided or that are not visible do not count. Participants begin from the
    predictions, without the corrections. Raises `UsageError` where something is missing, naming clip and remedy.
    """
    check_rules(order.step, order.goal, order.checks, order.idle)
    names = (*order.clips, order.training)
    if len(set(names)) != len(names):
        raise UsageError(f"clips {', '.join(names)} must be three different ones: a known clip is faster")
    place = study_folder(folder).absolute()
    if place.exists():
        raise UsageError(f"{place} exists already: choose another name")
    partial = place.with_name(f".{place.name}.{uuid4().hex[:8]}.partial")
    try:
        (partial / START).mkdir(parents=True)
        design = _write_study(partial, source, order)
        partial.rename(place)
    except OSError as error:
        raise StorageError(f"cannot make the study {place} ({error.strerror}): choose another place") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place, design


def read_references(folder: Path) -> dict[str, np.ndarray]:
    """Return clip -> (T, J, 2) reference joints in pixels, NaN where a joint does not count."""
    file = folder / REFERENCE
    with in_one_line(file, "restore it from a copy"):
        raw = card_json(file)
        return {clip: np.array([[xy or (np.nan, np.nan) for xy in joints] for joints in rows], dtype=np.float64)
                for clip, rows in raw.items()}  # fmt: skip


def reference_of(poses: Sequence[Pose], frames: int, joints: int, person: int) -> np.ndarray:
    """Return (T, J, 2) places that a person decided and that are visible, NaN elsewhere."""
    found = np.full((frames, joints, 2), np.nan)
    for pose in poses:
        if pose.person == person and pose.frame < frames:
            counts = (pose.provenance >= Provenance.HUMAN) & (pose.visibility == Visibility.VISIBLE)
            found[pose.frame, counts] = pose.xy[counts]
    return found


def _write_study(folder: Path, source: Store, order: StudyOptions) -> StudyDesign:
    references: dict[str, np.ndarray] = {}
    tasks: list[Task] = []
    for name, frames in zip(
        (*order.clips, order.training), (order.frames, order.frames, order.training_frames), strict=True
    ):
        task, reference = _task(source, name, frames, order.tolerance)
        _start_project(folder / START / f"{name}.emc", source, task)
        references[name] = reference
        tasks.append(task)
    rows = {clip: _listed(reference) for clip, reference in references.items()}
    (folder / REFERENCE).write_text(json.dumps(rows) + "\n", encoding="utf-8")
    design = StudyDesign(
        name=order.name, created=datetime.now(UTC).isoformat(timespec="seconds"), clips=(tasks[0], tasks[1]),
        training=tasks[2], step=order.step, goal=order.goal, tolerance=order.tolerance, checks=order.checks,
        idle=order.idle, seed=order.seed, consent=order.consent,
    )  # fmt: skip
    write_design(folder, design)
    return design


def _task(source: Store, name: str, frames: int, tolerance: float) -> tuple[Task, np.ndarray]:
    clip = source.clip(name)
    frames = min(frames, clip.frames)
    run = _newest_run(source, name)
    skeleton = skeleton_named(run.skeleton)
    poses = source.poses(name, run.id, 0, frames - 1)
    person = _person(poses, clip)
    reference = reference_of(poses, frames, len(skeleton), person)
    scale = person_scale(reference)
    begin = np.full_like(reference, np.nan)
    for prediction in source.predictions(run.id, 0, frames - 1):
        if prediction.person == person:
            begin[prediction.frame] = prediction.xy
    wrong = 1.0 - measure_accuracy(reference, begin, skeleton, scale, tolerance).share
    rendered = clip.tags.get(RENDERED_TAG[0]) == RENDERED_TAG[1]
    size = (clip.width, clip.height)
    task = Task(name, frames, *size, run.skeleton, person, round(scale, 3), round(wrong, 4), rendered)
    return task, reference


def _person(poses: Sequence[Pose], clip: Clip) -> int:
    """Return the person with the most decided joints."""
    decided = Counter[int]()
    for pose in poses:
        decided[pose.person] += int((pose.provenance >= Provenance.HUMAN).sum())
    if not decided or not max(decided.values()):
        raise UsageError(
            f"clip {clip.id} has no reference: correct it with `emc edit`, or import labels with `emc import`, first"
        )
    return decided.most_common(1)[0][0]


def _newest_run(source: Store, clip: str) -> RunRecord:
    runs = [run for run in source.runs(clip) if run.complete]
    if not runs:
        raise UsageError(f"clip {clip} has no predictions: run `emc predict --clip {clip}` first")
    return runs[-1]


def _start_project(folder: Path, source: Store, task: Task) -> None:
    """Write a project that holds one clip with its predictions and alerts, and no corrections."""
    from emc.store import SqlStore

    run = _newest_run(source, task.clip)
    last = task.frames - 1
    with SqlStore.create(folder) as store:
        settings = source.folder / "emc.toml"
        if settings.is_file():
            shutil.copyfile(settings, folder / settings.name)
        store.add_clip(source.clip(task.clip))
        copy = store.start_run(task.clip, run.model, run.skeleton, run.settings)
        store.write_predictions(copy.id, list(source.predictions(run.id, 0, last)), task.frames)
        alerts: list[Alert] = [
            replace(alert, last=min(alert.last, last)) for alert in source.alerts(run.id) if alert.first <= last
        ]
        frames = [row for row in source.frame_alerts(run.id, worst_first=False) if row.frame <= last]
        store.write_alerts(copy.id, alerts, frames)
        store.finish_run(copy.id)


def _listed(reference: np.ndarray) -> list[list[list[float] | None]]:
    return [[None if np.isnan(xy).any() else [round(float(v), 2) for v in xy] for xy in joints] for joints in reference]
