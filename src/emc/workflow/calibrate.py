"""poses -> calibration set -> ladder of checkpoints -> scores -> chosen model, for a project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emc import plugins
from emc.config import Settings
from emc.errors import NotTrainable, UsageError
from emc.interfaces import Progress, Store, Trainable
from emc.pose.records import Clip, Role, Sample
from emc.pose.skeleton import COCO17
from emc.stages.calibrate import Processes, sampler_of
from emc.stages.calibration_set import CalibrationSet, SampleRef, build_calibration_set, label_sha256, with_served
from emc.workflow.compute import set_threads
from emc.workflow.files import write_json
from emc.workflow.ladder import Populations, follow_ladder, run_ladder
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.rendered import rendered_common
from emc.workflow.samples import load_samples
from emc.workflow.skeletons import rendered_stand_in, samples_in, scored_in, trainable_in
from emc.workflow.together import joined_processes

TEST_TAG = ("split", "test")
"""Clips with this tag are for measuring alone: no calibration trains on them or chooses by them."""

HOW_ALONE = {"workers", "cache"}
"""Settings that change no number: a calibration that was begun with others is the same one."""


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
    estimator = trainable_in(store, trainable(settings))
    settings = scored_in(settings, estimator.skeleton)
    samples = gather(store, settings, Silent())
    chosen = select(store, samples, settings)
    follow_ladder(estimator, populations(chosen, samples), settings, processes)
    name, card, ladder = processes.told(None)
    return Calibration(name, store.folder / "models" / name, card, ladder, first=False)


def _calibrate(store: Store, settings: Settings, progress: Progress, processes: Processes) -> Calibration:
    estimator = trainable_in(store, trainable(settings))
    settings = scored_in(settings, estimator.skeleton)
    base_key = model_key(estimator)
    samples = gather(store, settings, progress)
    # What was cut out and rendered now lies in files: the others find it there.
    processes.wait()
    chosen = select(store, samples, settings)
    name = calibration_id(chosen, settings, base_key)
    folder = store.folder / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    for warning in chosen.card["warnings"]:
        progress.say(f"note: {warning}")
    ladder = run_ladder(estimator, populations(chosen, samples), settings, folder, progress, processes)
    card = finished_card(chosen, settings, base_key, samples, ladder)
    card["corrected"] = corrected(store, settings, samples, populations(chosen, samples).train_target)
    processes.told((name, card, ladder))
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
    from emc.workflow.confidence import fit_after_calibration, fit_base

    whole = {
        Role.TARGET: [*data.train_target, *data.validation_target],
        # Rendered stand-ins are not the project's clips: no clip's confidence is learned from them.
        Role.COMMON: [] if rendered else [*data.train_common, *data.validation_common],
    }
    held = {Role.TARGET: data.validation_target, Role.COMMON: [] if rendered else data.validation_common}
    base = fit_base(store, whole, settings, progress)
    if folder is not None:
        fit_after_calibration(store, folder, held, base, settings, progress)


def trainable(settings: Settings) -> Trainable:
    """Return the estimator of the settings; raises `NotTrainable` where it can only predict."""
    estimator = plugins.estimator_for(settings.predict.estimator)
    if not isinstance(estimator, Trainable):
        raise NotTrainable(
            f"estimator '{settings.predict.estimator}' can only predict: choose one that `emc models` lists as "
            "calibrating, such as nano"
        )
    return estimator


@dataclass(frozen=True, slots=True)
class Gathered:
    """Labelled samples with the record of where each comes from, by split key."""

    refs: tuple[SampleRef, ...]
    test: tuple[SampleRef, ...]
    samples: dict[tuple[str, str, int, int], Sample]
    rendered: int


def gather(store: Store, settings: Settings, progress: Progress) -> Gathered:
    """Return every labelled person of the project; raises `UsageError` where no target person is labelled."""
    clips = store.clips()
    samples = load_samples(store, clips, progress, settings.calibrate.cache)
    by_clip = {clip.id: clip for clip in clips}
    refs = [sample_ref(sample, by_clip[sample.clip]) for sample in samples]
    test = [ref for ref in refs if ref.tags.get(TEST_TAG[0]) == TEST_TAG[1]]
    rest = [ref for ref in refs if ref.tags.get(TEST_TAG[0]) != TEST_TAG[1]]
    if not any(ref.role is Role.TARGET for ref in rest):
        raise UsageError(
            f"no corrected joints on the target clips of {store.folder}: correct some frames, or bring labels with "
            "`emc import coco FILE --clip CLIP`"
        )
    found = {ref_key(ref): sample for ref, sample in zip(refs, samples, strict=True)}
    rendered = 0
    if not any(ref.role is Role.COMMON for ref in rest) and settings.calibrate.strategy == "calibration":
        skeleton = rendered_stand_in(store)
        progress.say("no labelled common clip in the project: common poses rendered by EMC stand in")
        extra = samples_in(rendered_common(settings.calibrate.seed, progress), COCO17, skeleton)
        rendered = len(extra)
        for sample in extra:
            ref = sample_ref(sample, None)
            rest.append(ref)
            found[ref_key(ref)] = sample
    return Gathered(tuple(rest), tuple(test), found, rendered)


def sample_ref(sample: Sample, clip: Clip | None) -> SampleRef:
    """Return the record of a sample for splitting, leak checks and hashing; `clip` None: rendered by the package."""
    return SampleRef(
        clip=sample.clip,
        group=sample.group,
        frame=sample.frame,
        person=sample.person,
        role=clip.role if clip else Role.COMMON,
        tags=dict(clip.tags) if clip else {"source": "rendered"},
        media=clip.sha256 if clip else "",
        image=hashlib.sha256(sample.image.tobytes()).hexdigest(),
        label=label_sha256(sample.xy, sample.visibility),
    )


def ref_key(ref: SampleRef) -> tuple[str, str, int, int]:
    """Return what tells one sample from all others."""
    return (str(ref.role), ref.clip, ref.frame, ref.person)


def select(store: Store, gathered: Gathered, settings: Settings) -> CalibrationSet:
    """Split the labelled persons and look for leaks; raises `LeakError` naming what is in two splits."""
    options = settings.calibrate
    return build_calibration_set(
        gathered.refs, gathered.test, options.validation, options.mix, options.seed, options.validation_common
    )


def populations(chosen: CalibrationSet, gathered: Gathered) -> Populations:
    """Return the samples of each split and role."""

    def pick(refs: Iterable[SampleRef], role: Role) -> Sequence[Sample]:
        return [gathered.samples[ref_key(ref)] for ref in refs if ref.role is role]

    train, held, test = chosen.split.train, chosen.split.validation, chosen.test
    return Populations(
        pick(train, Role.TARGET),
        pick(train, Role.COMMON),
        pick(held, Role.TARGET),
        pick(held, Role.COMMON),
        pick(test, Role.TARGET),
        pick(test, Role.COMMON),
    )


def calibration_id(chosen: CalibrationSet, settings: Settings, base_key: str) -> str:
    """Return a short id that is equal where set, settings and base are: an interrupted calibration finds itself."""
    what = [
        chosen.sha256,
        base_key,
        settings.calibrate.model_dump(mode="json", exclude=HOW_ALONE),
        settings.evaluate.model_dump(mode="json"),
    ]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]


def corrected(store: Store, settings: Settings, samples: Gathered, train: Sequence[Sample]) -> dict[str, Any]:
    """Return what a calibration learned from and what that cost, for the forecast of the next ones.

    Persons and labelled joints of the target's training split; ``seconds`` of correcting per labelled joint of all
    target persons, None where no effort is known, ``simulated`` where nobody spent it.
    """
    from emc.workflow.effort import project_effort

    effort = project_effort(store, settings)
    whole = [samples.samples[ref_key(ref)] for ref in samples.refs if ref.role is Role.TARGET]
    joints = labelled_joints(whole)
    known = effort is not None and effort["seconds"] > 0 and joints > 0
    return {
        "persons": len(train),
        "joints": labelled_joints(train),
        "seconds_per_joint": round(effort["seconds"] / joints, 4) if effort is not None and known else None,
        "simulated": bool(effort and effort["simulated"]),
    }


def labelled_joints(samples: Iterable[Sample]) -> int:
    """Return how many joints are labelled."""
    return sum(int((sample.visibility > 0).sum()) for sample in samples)


def finished_card(
    chosen: CalibrationSet, settings: Settings, base_key: str, gathered: Gathered, ladder: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the set's card with what training served, the base and the source of common data."""
    data = populations(chosen, gathered)
    sampler = sampler_of(len(data.train_target), len(data.train_common), settings.calibrate)
    steps = int(ladder.get("stopped", {}).get("step", settings.calibrate.steps))
    card = with_served(chosen.card, sampler.served(steps), sampler.served_sha256(steps))
    source = f"rendered by the package ({gathered.rendered} persons)" if gathered.rendered else "the project's clips"
    return card | {"base": base_key, "strategy": settings.calibrate.strategy, "common_source": source}


def newest_calibration(store: Store, name: str | None = None) -> Calibration:
    """Return a finished calibration (the newest, or the named one); raises `UsageError` where there is none."""
    names = store.documents("calibration")
    if not names:
        raise UsageError(f"no finished calibration in {store.folder}: run `emc calibrate` first")
    if name is not None and name not in names:
        raise UsageError(f"no calibration '{name}' in {store.folder}: use one of {', '.join(names)}")
    wanted = name or names[-1]
    document = store.document("calibration", wanted) or {}
    return Calibration(wanted, store.folder / document["folder"], document["card"], document["ladder"])
