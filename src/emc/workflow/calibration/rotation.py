"""Whether people are read at several turns of the picture: asked of the validation data before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.interfaces import Trainable
from emc.pose.records import Sample
from emc.stages.evaluate import PopulationScores, before_after, non_inferiority_chance
from emc.workflow.calibration.checkpoint_scoring import CheckpointScorer
from emc.workflow.scoring import score_samples

MIN_ERRORS_REMOVED = 0.1
"""Share of the errors that turning must remove: it costs a reading a person for each turn, two for a closer look."""
SCREENING_PERSONS = 200
"""Target persons that are read first: where turning does nothing for them, the others are spared the readings."""


def with_rotations(estimator: Trainable, turns: int, closer: int) -> Trainable:
    """Return an estimator that shares the network of `estimator` and reads at `turns` turns, closer at some of them."""
    if turns <= 1:
        return estimator
    return plugins.make_plugin("estimators", "turned", inner=estimator, turns=turns, closer=closer)


def with_recorded_rotations(estimator: Trainable, turns: Mapping[str, Any]) -> Trainable:
    """Return the reader that a ladder's ``turns`` tell of; one begun before there were closer looks has none."""
    return with_rotations(estimator, turns["taken"], turns.get("closer", 0))


def describe_rotations(turns: Mapping[str, Any]) -> str:
    """Return in words how a ladder's ``turns`` say that people are read, "" where it is as they are."""
    if turns["taken"] <= 1:
        return ""
    closer = f", closer at the {turns['closer']} surest" if turns.get("closer") else ""
    return f"people are read at {turns['taken']} turns of the picture{closer}"


def try_rotations(estimator: Trainable, judge: CheckpointScorer) -> dict[str, Any]:
    """Return the ladder's ``turns``: how many are taken, and by what figures.

    Compared is the base with itself, read at ``calibrate.turns`` turns and as it is. They are taken where they remove
    target errors beyond doubt (95 % interval) and at least `WORTH` of them, and the common score keeps its budget with
    the certainty that every checkpoint must have.
    """
    options = judge.settings.calibrate
    if options.turns <= 1 or options.strategy != "calibration" or judge.base.target is None:
        return {"taken": 1, "why": "not asked for"}
    reader = with_rotations(estimator, options.turns, options.closer)
    tried: dict[str, Any] = {"tried": options.turns, "closer": options.closer}
    if len(judge.target) > 2 * SCREENING_PERSONS:
        glance = _screening_sample(judge.target, options.seed)
        scores = score_samples(estimator, glance, judge.settings.evaluate)
        removed = _errors_removed(scores, score_samples(reader, glance, judge.settings.evaluate), judge.settings)
        if removed["value"] < MIN_ERRORS_REMOVED / 2:
            return {"taken": 1, **tried, "removed": removed, "why": _too_few_removed(removed, len(glance))}
    after = score_samples(reader, judge.target, judge.settings.evaluate)
    removed = _errors_removed(judge.base.target, after, judge.settings)
    if removed["value"] < MIN_ERRORS_REMOVED or not removed["ci95"] or removed["ci95"][0] <= 0:
        return {"taken": 1, **tried, "removed": removed, "why": _too_few_removed(removed, len(judge.target))}
    kept = _non_inferiority_chance(reader, judge)
    if kept < options.certainty:
        why = f"the common score would keep its budget with a chance of {kept:.0%} only"
        return {"taken": 1, **tried, "removed": removed, "kept": kept, "why": why}
    why = f"they remove {removed['value']:.0%} of the base's target errors with nothing trained"
    return {"taken": options.turns, **tried, "removed": removed, "kept": kept, "why": why}


def _screening_sample(samples: Sequence[Sample], seed: int) -> list[Sample]:
    order = np.random.default_rng([seed, 23]).permutation(len(samples))[:SCREENING_PERSONS]
    return [samples[int(i)] for i in sorted(order)]


def _errors_removed(
    before: PopulationScores | None, after: PopulationScores | None, settings: Settings
) -> Mapping[str, Any]:
    if before is None or after is None:
        return {"value": 0.0, "ci95": None, "n": 0}
    figures = before_after((before, after), None, settings.evaluate.bootstrap, settings.evaluate.seed)
    parts = [figures.get(f"{part}_errors_removed") for part in (*settings.calibrate.parts, "total")]
    known = [figure for figure in parts if isinstance(figure, Mapping) and figure.get("value") is not None]
    return known[0] if known else {"value": 0.0, "ci95": None, "n": 0}


def _non_inferiority_chance(reader: Trainable, judge: CheckpointScorer) -> float:
    if judge.base.common is None:
        return 1.0
    after = score_samples(reader, judge.common, judge.settings.evaluate)
    if after is None:
        return 1.0
    options = judge.settings
    return non_inferiority_chance(
        judge.base.common, after, options.calibrate.budget, options.evaluate.bootstrap, options.evaluate.seed
    )


def _too_few_removed(removed: Mapping[str, Any], people: int) -> str:
    low, high = removed["ci95"] or (float("nan"), float("nan"))
    return f"on {people} target persons they remove {removed['value']:.1%} [{low:.1%}, {high:.1%}] of the errors"
