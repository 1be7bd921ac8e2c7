"""Would correcting more help? Scores at parts of the corrected persons, or of earlier calibrations, continued."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.errors import UsageError
from emc.interfaces import Progress, Store, Trainable
from emc.pose.metrics import resample_weights, safe_ratio, sum_by_unit
from emc.pose.records import Interval, Sample
from emc.stages.evaluate import PopulationScores
from emc.stages.forecast import FEWEST, Forecast, LearningPoint, Step, forecast
from emc.workflow.calibration.base import trainable_estimator
from emc.workflow.calibration.calibrate import calibration_id, corrected
from emc.workflow.calibration.data import Populations, gather, labelled_joints, populations, select_samples
from emc.workflow.calibration.effort import RECORDED, SIMULATED_ALL, SIMULATED_PARTLY
from emc.workflow.calibration.ladder import run_ladder
from emc.workflow.compute import set_threads
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.project import scored_in, trainable_in, with_models
from emc.workflow.scoring import score_samples

MINUTES = 20
"""One step of more work where it is known how long people took per joint."""
JOINTS = 100
"""One step of more work where that is not known."""
SMALLEST = 4
"""Persons below which a part of the corrected ones is not worth a calibration."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """One part of the corrected persons and how the model that learned from it does on validation."""

    persons: int
    joints: int
    scores: PopulationScores


def measure_forecast(
    store: Store, settings: Settings, sizes: int = 4, progress: Progress | None = None
) -> dict[str, Any]:
    """Calibrate on nested parts of the corrected persons (all, a half, a quarter ...) and forecast from their scores.

    Each part is calibrated as `calibrate_project` would, with the same common data, and scored on the same validation
    persons, so that the resamples are paired. Test clips are not looked at. What was calibrated is kept in
    ``models/forecast-ID`` and not done again. The document is stored as ``forecast`` and returned.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    settings = with_models(store, settings, progress)
    estimator = trainable_in(store, trainable_estimator(settings))
    settings = scored_in(settings, estimator.skeleton)
    samples = gather(store, settings, progress)
    chosen = select_samples(store, samples, settings)
    data = populations(chosen, samples)
    name = calibration_id(chosen, settings, model_key(estimator))
    folder = store.folder / "models" / f"forecast-{name}"
    parts = nested_parts(data.train_target, sizes, settings.calibrate.seed)
    measured = [_measure(part, data, settings, estimator, folder / f"persons_{len(part)}", progress) for part in parts]
    effort = corrected(store, settings, samples, data.train_target)
    document = measured_document(measured, settings, effort) | {"calibration": name}
    store.put_document("forecast", name, document)
    return document


def nested_parts(samples: Sequence[Sample], sizes: int, seed: int) -> list[list[Sample]]:
    """Return parts of the samples, the smallest first, each within the next: all of them, a half, a quarter ...

    sizes : how many parts at most; parts of fewer than `SMALLEST` are left out. seed : of the order.
    Raises `UsageError` where fewer than three parts are left.
    """
    order = np.random.default_rng([seed, 31]).permutation(len(samples))
    counts = sorted({len(samples) // 2**k for k in range(sizes) if len(samples) // 2**k >= SMALLEST})
    if len(counts) < FEWEST:
        raise UsageError(
            f"{len(samples)} corrected persons train, which makes {len(counts)} parts of at least {SMALLEST}, and "
            f"{FEWEST} are needed: correct at least {SMALLEST * 2 ** (FEWEST - 1)}, and ask for {FEWEST} sizes or more"
        )
    return [[samples[int(i)] for i in sorted(order[:count])] for count in counts]


def _measure(
    part: Sequence[Sample], data: Populations, settings: Settings, base: Trainable, folder: Path, progress: Progress
) -> _Measured:
    progress.say(f"calibrating on {len(part)} corrected persons")
    estimator = copy.deepcopy(base)
    less = replace(data, train_target=part, test_target=(), test_common=())
    folder.mkdir(parents=True, exist_ok=True)
    run_ladder(estimator, less, settings, folder, progress)
    reader = plugins.estimator_for(str(folder / "chosen"))
    scores = score_samples(reader, data.validation_target, settings.evaluate, engine=settings.predict.engine)
    if scores is None:
        raise UsageError("no target person is held out to choose by: correct frames of at least two groups or clips")
    return _Measured(len(part), labelled_joints(part), scores)


def measured_document(measured: Sequence[_Measured], settings: Settings, effort: Mapping[str, Any]) -> dict[str, Any]:
    """Return the forecast's document from scores of the same validation persons, resampled in pairs."""
    first = measured[0].scores
    joints = sorted({j for part in settings.calibrate.parts for j in first.skeleton.part(part)})
    weights = resample_weights(int(first.unit.max()) + 1, settings.evaluate.bootstrap, settings.evaluate.seed)
    errors: list[float] = []
    columns: list[np.ndarray] = []
    for one in measured:
        hits = one.scores.hits[:, joints]
        counted = sum_by_unit(np.isfinite(hits).sum(axis=1).astype(np.float64), first.unit)
        wrong = counted - sum_by_unit(np.nan_to_num(hits).sum(axis=1), first.unit)
        errors.append(float(safe_ratio(wrong.sum(), counted.sum())))
        columns.append(safe_ratio(weights @ wrong, weights @ counted))
    draws = np.stack(columns, axis=1)
    draws = draws[np.isfinite(draws).all(axis=1)]
    # All sizes are read by the same persons: what differs between them is what makes a point uncertain.
    points = [LearningPoint(one.joints, error) for one, error in zip(measured, errors, strict=True)]
    persons = [one.persons for one in measured]
    found = forecast(points, step_of(effort), draws if len(draws) else None, settings.evaluate.seed)
    notes = [
        "one draw of persons per size: which persons were corrected first is luck that the interval does not hold",
        *_effort_notes(effort),
    ]
    return forecast_document("parts of the corrected persons", points, persons, found, settings, notes)


def history_forecast(store: Store, settings: Settings) -> dict[str, Any]:
    """Forecast from the project's finished calibrations, each with what it had learned from; nothing is trained.

    Their validation persons are not all the same ones, so each point varies by itself and the interval is wide.
    """
    points: list[LearningPoint] = []
    persons: list[int] = []
    effort: Mapping[str, Any] = {}
    for name in store.documents("calibration"):
        document = store.document("calibration", name) or {}
        found = _point_of(document, settings)
        if found is not None:
            effort = document["card"]["corrected"]
            points.append(found)
            persons.append(int(effort["persons"]))
    result = forecast(points, step_of(effort), seed=settings.evaluate.seed)
    notes = ["each calibration was scored on the validation persons of its day", *_effort_notes(effort)]
    return forecast_document("calibrations of this project", points, persons, result, settings, notes)


def _point_of(document: Mapping[str, Any], settings: Settings) -> LearningPoint | None:
    """Return a finished calibration as a point, None where its card does not say what it learned from."""
    known = document.get("card", {}).get("corrected")
    ladder = document.get("ladder", {})
    rows = {row["step"]: row for row in ladder.get("ladder", ())}
    row = rows.get(ladder.get("chosen", {}).get("step"))
    if not known or row is None or known["joints"] < 1:
        return None
    figures = [row["validation"]["target"]["pckh"].get(part) for part in settings.calibrate.parts]
    known_figures = [figure for figure in figures if figure and figure["value"] is not None]
    if not known_figures:
        return None
    counted = np.array([max(figure["n"], 1) for figure in known_figures], dtype=np.float64)
    values = np.array([figure["value"] for figure in known_figures])
    spreads = [(f["ci95"][1] - f["ci95"][0]) / 3.92 if f["ci95"] else math.nan for f in known_figures]
    share = counted / counted.sum()
    # Parts of the same persons rise and fall together: their spreads are averaged, not divided by their number.
    return LearningPoint(int(known["joints"]), float(1 - share @ values), float(share @ np.array(spreads)))


def step_of(effort: Mapping[str, Any]) -> Step:
    """Return one step of more work: minutes where it is known how long a joint takes, else joints."""
    seconds = effort.get("seconds_per_joint")
    if not seconds:
        return Step(JOINTS, f"{JOINTS} corrected joints")
    how = "" if _how(effort) == RECORDED else f" ({_how(effort)})"
    return Step(MINUTES * 60 / seconds, f"{MINUTES} minutes of correcting{how}")


def _how(effort: Mapping[str, Any]) -> str:
    """Return how the seconds came about; cards of older versions only say whether a program spent any of them."""
    return effort.get("how") or (SIMULATED_ALL if effort.get("simulated") else RECORDED)


def _effort_notes(effort: Mapping[str, Any]) -> list[str]:
    if not effort.get("seconds_per_joint"):
        return [f"no time of correcting is recorded: the gain is told per {JOINTS} joints"]
    told = {
        RECORDED: "",
        SIMULATED_ALL: ": a program gave the labels, nobody was timed",
        SIMULATED_PARTLY: ": a program gave some of the labels, for which nobody was timed",
    }
    how = _how(effort)
    return [f"{effort['seconds_per_joint']:.2f} seconds per joint, {how}{told[how]}"]


def forecast_document(
    source: str,
    points: Sequence[LearningPoint],
    persons: Sequence[int],
    found: Forecast,
    settings: Settings,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Return a forecast as a JSON document; an infinite size is None."""
    curve = found.curve
    return {
        "source": source,
        "parts": list(settings.calibrate.parts),
        "points": [
            {"persons": count, "joints": point.joints, "error": point.error}
            for count, point in sorted(zip(persons, points, strict=True), key=lambda pair: pair[1].joints)
        ],
        "curve": None if curve is None else {"floor": curve.floor, "scale": curve.scale, "exponent": curve.exponent},
        "gain_points": _figure(found.gain),
        "flat_from_joints": _figure(found.flat),
        "words": found.words,
        "notes": list(notes),
    }


def _figure(interval: Interval | None) -> dict[str, Any] | None:
    if interval is None:
        return None
    ends = None if interval.ci95 is None else [_finite(end) for end in interval.ci95]
    return {"value": _finite(interval.value), "ci95": ends, "n": interval.n}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
