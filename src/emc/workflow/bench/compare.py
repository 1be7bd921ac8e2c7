"""Compare what calibration gives with the source's strategies, on any two populations, over several seeds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import EvaluateSettings, Settings
from emc.errors import UsageError
from emc.interfaces import Progress
from emc.pose.metrics import as_figure, independent_units, pooled_share, resample_weights, sum_by_unit
from emc.pose.records import Sample
from emc.pose.skeletons import Skeleton
from emc.stages.evaluate import compare_populations, joint_hits
from emc.workflow.bench.arms import OURS, TRAINED, UNTRAINED, Arm, as_predictions, trained_arm, untrained_arm
from emc.workflow.calibration import Populations, trainable_estimator
from emc.workflow.scoring import head_name

PARTS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist"), "total": ("total",)}
ROLES = ("target", "common")
PLAIN = "plain 8:2"


def compare_arms(
    people: Callable[[Settings], Populations],
    tests: Mapping[str, Sequence[Sample]],
    seeds: int,
    out: Path | None,
    settings: Settings,
    progress: Progress,
    arms: Sequence[str] = tuple(TRAINED),
) -> dict[str, Any]:
    """Train every arm for every seed and return `document_of` all of them.

    people : settings (with the seed) -> training and validation persons, without test persons. tests : role -> samples,
    read once by every finished model. out : folder that keeps checkpoints and lets an interrupted run go on (default: a
    temporary one). Raises `UsageError` for an unknown arm.
    """
    check_arms(arms)
    base = trainable_estimator(settings)
    found: dict[str, list[Arm]] = {name: [untrained_arm(name, base, tests, settings)] * seeds for name in UNTRAINED}
    found |= {name: [] for name in arms}
    with nullcontext(str(out)) if out else tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            chosen = settings.model_copy(update={"calibrate": settings.calibrate.model_copy(update={"seed": seed})})
            data = people(chosen)
            for name in arms:
                progress.say(f"seed {seed}, {name}")
                place = Path(folder) / f"seed_{seed}" / name.replace(" ", "_").replace(":", "")
                # Every arm starts from fresh base weights: training changes the estimator it is given.
                found[name].append(
                    trained_arm(name, trainable_estimator(settings), data, tests, chosen, place, progress)
                )
    return document_of(found, tests, base.skeleton, settings.evaluate) | {
        "seeds": seeds,
        "settings": settings.model_dump(mode="json"),
    }


def check_arms(arms: Sequence[str]) -> None:
    """Raise `UsageError` where an arm is unknown, before anything long is begun."""
    unknown = [name for name in arms if name not in TRAINED]
    if unknown:
        raise UsageError(f"unknown model '{unknown[0]}' to compare: use some of {', '.join(TRAINED)}")


def document_of(
    found: Mapping[str, Sequence[Arm]],
    tests: Mapping[str, Sequence[Sample]],
    skeleton: Skeleton,
    options: EvaluateSettings,
) -> dict[str, Any]:
    """Return scores of every model, changes from the base to each and from the plain mix to ours, and the summary.

    All seeds of a model are pooled; intervals draw photos, each with all its seeds. A model without a run is left out.
    """
    hits = {
        (name, role): _pooled_hits(runs, tests[role], role, skeleton, options)
        for name, runs in found.items()
        for role in ROLES
        if runs
    }
    names = [name for name, runs in found.items() if runs]
    units = {
        role: independent_units([s.clip for s in tests[role]], [s.frame for s in tests[role]])[0] for role in ROLES
    }
    models = {
        name: {
            "steps": found[name][0].steps,
            "minutes": float(np.mean([arm.minutes for arm in found[name]])),
            "choices": [arm.choice for arm in found[name] if arm.choice],
            **{role: _scores(hits[name, role], units[role], skeleton, options) for role in ROLES},
        }
        for name in names
    }
    pairs = [("base", name) for name in names if name != "base"]
    pairs += [(PLAIN, OURS)] if {PLAIN, OURS} <= set(names) else []
    changes = {
        f"{before} -> {after}": {
            role: _change(hits[before, role]["pckh"], hits[after, role]["pckh"], units[role], skeleton, options)
            for role in ROLES
        }
        for before, after in pairs
    }
    return {"models": models, "changes": changes, "summary": summary(changes)}


def summary(changes: Mapping[str, Any]) -> dict[str, float]:
    """Return our figures as plain numbers: fractions of errors removed, and the common change in points."""
    ours = changes.get(f"base -> {OURS}")
    if ours is None:
        return {}
    figures = {f"{part}_errors_removed": ours["target"][part]["removed"]["value"] for part in ("leg", "total")}
    figures["common_total_change"] = ours["common"]["total"]["change"]["value"]
    plain = changes.get(f"{PLAIN} -> {OURS}")
    if plain is not None:
        figures["common_total_over_plain"] = plain["common"]["total"]["change"]["value"]
        figures["target_total_over_plain"] = plain["target"]["total"]["change"]["value"]
    return figures


def _pooled_hits(
    runs: Sequence[Arm], samples: Sequence[Sample], role: str, skeleton: Skeleton, options: EvaluateSettings
) -> dict[str, np.ndarray]:
    """Return metric -> (seeds x N, J) hits, seed by seed."""
    asked = {"pckh": (head_name(samples, options), options.alpha), "pck": ("torso", 0.2)}
    found = [as_predictions(arm.target if role == "target" else arm.common, samples) for arm in runs]
    return {
        metric: np.concatenate([joint_hits(one, samples, skeleton, head, alpha) for one in found])
        for metric, (head, alpha) in asked.items()
    }


def _units(samples: Sequence[Sample]) -> np.ndarray:
    return independent_units([s.clip for s in samples], [s.frame for s in samples])[0]


def _joints(skeleton: Skeleton, part: str) -> list[int]:
    return [joint for word in PARTS[part] for joint in skeleton.part(word)]


def _scores(
    hits: Mapping[str, np.ndarray], unit: np.ndarray, skeleton: Skeleton, options: EvaluateSettings
) -> dict[str, Any]:
    weights = resample_weights(int(unit.max()) + 1, options.bootstrap, options.seed)
    document: dict[str, Any] = {}
    for metric, values in hits.items():
        every = np.tile(unit, len(values) // len(unit))
        right, counted = sum_by_unit(values, every), sum_by_unit(np.isfinite(values).astype(np.float64), every)
        document[metric] = {}
        for part in PARTS:
            joints = _joints(skeleton, part)
            share = pooled_share(right[:, joints].sum(axis=1), counted[:, joints].sum(axis=1), weights)
            document[metric][part] = as_figure(share)
    return document


def _change(
    before: np.ndarray, after: np.ndarray, unit: np.ndarray, skeleton: Skeleton, options: EvaluateSettings
) -> dict[str, Any]:
    # A model that was not trained, or trained for fewer seeds, stands against each seed of the other.
    before, after = (np.tile(hits, (max(len(before), len(after)) // len(hits), 1)) for hits in (before, after))
    every = np.tile(unit, len(after) // len(unit))
    document: dict[str, Any] = {}
    for part in PARTS:
        joints = _joints(skeleton, part)
        counted = np.isin(np.arange(before.shape[1]), joints)
        first, last = (np.where(counted, hits, np.nan) for hits in (before, after))
        found = compare_populations(first, last, every, skeleton, "total", options.bootstrap, options.seed)
        document[part] = {"removed": as_figure(found.errors_removed), "change": as_figure(found.change)}
    return document
