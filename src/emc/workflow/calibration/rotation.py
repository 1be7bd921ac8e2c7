"""Whether a rotation ensemble is used: decided on the validation data before anything is trained."""

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
"""Share of the errors that a rotation ensemble must remove: it costs a pass per rotation, two per zoom."""
SCREENING_PERSONS = 200
"""Target persons that are predicted first: where rotations do nothing for them, the others are spared the passes."""


def with_rotations(estimator: Trainable, rotations: int, zooms: int) -> Trainable:
    """Return a rotation ensemble that shares the network of `estimator`, or the estimator itself for one rotation."""
    if rotations <= 1:
        return estimator
    return plugins.make_plugin("estimators", "rotation", inner=estimator, rotations=rotations, zooms=zooms)


def with_recorded_rotations(estimator: Trainable, rotations: Mapping[str, Any]) -> Trainable:
    """Return the estimator that a ladder's ``rotations`` describe; a ladder from before zoomed passes has none."""
    return with_rotations(estimator, rotations["taken"], rotations.get("zooms", 0))


def describe_rotations(rotations: Mapping[str, Any]) -> str:
    """Return a ladder's ``rotations`` in words, "" where no rotation ensemble is used."""
    if rotations["taken"] <= 1:
        return ""
    zooms = f", zoomed passes at the {rotations['zooms']} most confident" if rotations.get("zooms") else ""
    return f"prediction uses a rotation ensemble of {rotations['taken']} rotations{zooms}"


def try_rotations(estimator: Trainable, scorer: CheckpointScorer) -> dict[str, Any]:
    """Return the ladder's ``rotations``: how many are used, and by what figures.

    The base is compared with its own rotation ensemble of ``calibrate.ensemble_rotations`` rotations. It is used where
    it removes target errors beyond doubt (95 % interval) and at least `MIN_ERRORS_REMOVED` of them, and the common
    score stays within the non-inferiority margin with the certainty that every checkpoint must have.
    """
    options = scorer.settings.calibrate
    if options.ensemble_rotations <= 1 or options.strategy != "calibration" or scorer.base.target is None:
        return {"taken": 1, "why": "not asked for"}
    reader = with_rotations(estimator, options.ensemble_rotations, options.ensemble_zooms)
    tried: dict[str, Any] = {"tried": options.ensemble_rotations, "zooms": options.ensemble_zooms}
    if len(scorer.target) > 2 * SCREENING_PERSONS:
        screened = _screening_sample(scorer.target, options.seed)
        scores = _scored(estimator, screened, scorer)
        removed = _errors_removed(scores, _scored(reader, screened, scorer), scorer.settings)
        # Half of what is asked for: 200 persons tell the share only roughly, and a case on the border must go on to all
        # of them.
        if removed["value"] < MIN_ERRORS_REMOVED / 2:
            return {"taken": 1, **tried, "removed": removed, "why": _too_few_removed(removed, len(screened))}
    after = _scored(reader, scorer.target, scorer)
    removed = _errors_removed(scorer.base.target, after, scorer.settings)
    if removed["value"] < MIN_ERRORS_REMOVED or not removed["ci95"] or removed["ci95"][0] <= 0:
        return {"taken": 1, **tried, "removed": removed, "why": _too_few_removed(removed, len(scorer.target))}
    # Last, since it is the dearest: every common validation person is predicted 14 times.
    kept = _non_inferiority_chance(reader, scorer)
    if kept < options.certainty:
        why = f"the common score stays within the margin with a probability of {kept:.0%} only"
        return {"taken": 1, **tried, "removed": removed, "kept": kept, "why": why}
    why = f"they remove {removed['value']:.0%} of the base's target errors with nothing trained"
    return {"taken": options.ensemble_rotations, **tried, "removed": removed, "kept": kept, "why": why}


def _screening_sample(samples: Sequence[Sample], seed: int) -> list[Sample]:
    # Of the seed: the same command gives the same decision. Not the first 200, which may all be of one athlete.
    order = np.random.default_rng([seed, 23]).permutation(len(samples))[:SCREENING_PERSONS]
    return [samples[int(i)] for i in sorted(order)]


def _scored(estimator: Trainable, samples: Sequence[Sample], scorer: CheckpointScorer) -> PopulationScores | None:
    settings = scorer.settings
    return score_samples(estimator, samples, settings.evaluate, scorer.ignored, settings.predict.engine)


def _errors_removed(
    before: PopulationScores | None, after: PopulationScores | None, settings: Settings
) -> Mapping[str, Any]:
    if before is None or after is None:
        return {"value": 0.0, "ci95": None, "n": 0}
    figures = before_after((before, after), None, settings.evaluate.bootstrap, settings.evaluate.seed)
    parts = [figures.get(f"{part}_errors_removed") for part in (*settings.calibrate.parts, "total")]
    known = [figure for figure in parts if isinstance(figure, Mapping) and figure.get("value") is not None]
    return known[0] if known else {"value": 0.0, "ci95": None, "n": 0}


def _non_inferiority_chance(reader: Trainable, scorer: CheckpointScorer) -> float:
    if scorer.base.common is None:
        return 1.0
    after = _scored(reader, scorer.common, scorer)
    if after is None:
        return 1.0
    options = scorer.settings
    return non_inferiority_chance(
        scorer.base.common, after, options.calibrate.budget, options.evaluate.bootstrap, options.evaluate.seed
    )


def _too_few_removed(removed: Mapping[str, Any], people: int) -> str:
    low, high = removed["ci95"] or (float("nan"), float("nan"))
    return f"on {people} target persons they remove {removed['value']:.1%} [{low:.1%}, {high:.1%}] of the errors"
