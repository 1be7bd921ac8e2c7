"""Measure calibration on real photos of uncommon and common poses, beside the source's strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import Settings
from emc.interfaces import Progress
from emc.pose.records import Sample
from emc.workflow.bench.arms import TRAINED
from emc.workflow.bench.compare import ROLES, check_arms, compare_arms
from emc.workflow.calibration import Populations, trainable_estimator
from emc.workflow.compute import set_threads
from emc.workflow.progress import Silent
from emc.workflow.samples import LSPE_SPLITS, read_lspe_split


def bench_lspe(
    data: Path,
    seeds: int,
    out: Path | None,
    settings: Settings,
    progress: Progress | None = None,
    arms: Sequence[str] = tuple(TRAINED),
) -> dict[str, Any]:
    """Correct ``target_train`` by its labels, calibrate with ``common_train``, measure on both test splits.

    Compared are the base, the base as a rotation ensemble, and the trained `arms` (see `TRAINED`). A checkpoint is
    chosen on parts of the training splits that are held out; the test splits are read once by every finished model.
    out : folder that keeps checkpoints and lets an interrupted run go on (default: a temporary one).
    Raises `UsageError` for an unknown arm.
    """
    check_arms(arms)
    progress = progress or Silent()
    set_threads(settings.predict)
    splits = {name: read_lspe_split(data, name, progress) for name in LSPE_SPLITS}
    unseen = frozenset(trainable_estimator(settings).describe().extra.get("held_out_photos", ()))
    tests = {role: splits[f"{role}_test"] for role in ROLES}
    document = compare_arms(
        lambda chosen: populations(splits, chosen, unseen), tests, seeds, out, settings, progress, arms
    )
    return document | {"people": "photos", "data": {name: len(samples) for name, samples in splits.items()}}


def populations(splits: Mapping[str, list[Sample]], settings: Settings, unseen: frozenset[str]) -> Populations:
    """Hold out a part of each training split to choose by; photos are their own groups, so any part will do.

    unseen : common photos that the base was not trained on. Where the base names them, forgetting is measured on these
    alone: on a photo that it has learned by heart, every change looks like forgetting. No test person is in it.
    """
    train_target, held_target = hold_out(splits["target_train"], settings)
    held_common = [sample for sample in splits["common_train"] if sample.clip in unseen]
    train_common = [sample for sample in splits["common_train"] if sample.clip not in unseen]
    if not held_common:
        train_common, held_common = hold_out(splits["common_train"], settings)
    return Populations(train_target, train_common, held_target, held_common)


def hold_out(samples: list[Sample], settings: Settings) -> tuple[list[Sample], list[Sample]]:
    """Return (rest, held out): a seeded share of the photos, at most 400, for choosing a checkpoint."""
    order = np.random.default_rng([settings.calibrate.seed, 17]).permutation(len(samples))
    count = min(400, round(settings.calibrate.validation * len(samples)))
    held = {int(i) for i in order[:count]}
    return [s for i, s in enumerate(samples) if i not in held], [samples[i] for i in sorted(held)]
