"""Measure calibration on real photos of uncommon and common poses."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import Settings
from emc.interfaces import Progress
from emc.pose.records import Sample
from emc.workflow.calibrate import trainable
from emc.workflow.compute import set_threads
from emc.workflow.ladder import Populations, run_ladder
from emc.workflow.lspe import SPLITS, read_split
from emc.workflow.progress import Silent


def bench_lspe(
    data: Path, seeds: int, out: Path | None, settings: Settings, progress: Progress | None = None
) -> dict[str, Any]:
    """Correct ``target_train`` by its labels, calibrate with ``common_train``, measure on both test splits.

    The checkpoint is chosen on parts of the training splits that are held out; the test splits are used once, for the
    figures. out : folder that keeps checkpoints and lets an interrupted run go on (default: a temporary one).
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    splits = {name: read_split(data, name, progress) for name in SPLITS}
    runs: list[dict[str, Any]] = []
    with nullcontext(str(out)) if out else tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            chosen = settings.model_copy(update={"calibrate": settings.calibrate.model_copy(update={"seed": seed})})
            place = Path(folder) / f"seed_{seed}"
            place.mkdir(parents=True, exist_ok=True)
            base = trainable(chosen)
            unseen = frozenset(base.describe().extra.get("held_out_photos", ()))
            ladder = run_ladder(base, populations(splits, chosen, unseen), chosen, place, progress)
            runs.append(run_document(seed, ladder))
    return {"data": {name: len(samples) for name, samples in splits.items()}, "runs": runs, "summary": summary(runs)}


def populations(splits: Mapping[str, list[Sample]], settings: Settings, unseen: frozenset[str]) -> Populations:
    """Hold out a part of each training split to choose by; photos are their own groups, so any part will do.

    unseen : common photos that the base was not trained on. Where the base names them, forgetting is judged on these
    alone: on a photo that it has learned by heart, every change looks like forgetting.
    """
    train_target, held_target = hold_out(splits["target_train"], settings)
    held_common = [sample for sample in splits["common_train"] if sample.clip in unseen]
    train_common = [sample for sample in splits["common_train"] if sample.clip not in unseen]
    if not held_common:
        train_common, held_common = hold_out(splits["common_train"], settings)
    return Populations(
        train_target, train_common, held_target, held_common, splits["target_test"], splits["common_test"]
    )


def hold_out(samples: list[Sample], settings: Settings) -> tuple[list[Sample], list[Sample]]:
    """Return (rest, held out): a seeded share of the photos, at most 400, for choosing a checkpoint."""
    order = np.random.default_rng([settings.calibrate.seed, 17]).permutation(len(samples))
    count = min(400, round(settings.calibrate.validation * len(samples)))
    held = {int(i) for i in order[:count]}
    return [s for i, s in enumerate(samples) if i not in held], [samples[i] for i in sorted(held)]


def run_document(seed: int, ladder: Mapping[str, Any]) -> dict[str, Any]:
    """Return one seed's result: base and chosen on both test splits, the choice and the changes."""
    rows = {row["step"]: row for row in ladder["ladder"]}
    base, chosen = rows[0], rows[ladder["chosen"]["step"]]
    return {
        "seed": seed,
        "base": {role: base[role] for role in ("target", "common")},
        "chosen": {role: chosen[role] for role in ("target", "common")},
        "choice": ladder["chosen"],
        "before_after": ladder["before_after"],
        "ladder": ladder["ladder"],
        "served": ladder["served"],
        "settings": ladder["settings"],
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Return the means over seeds: fractions of errors removed, and the common change in points."""
    names = ("leg_errors_removed", "total_errors_removed", "common_total_change")
    return {name: float(np.mean([run["before_after"][name]["value"] for run in runs])) for name in names}
