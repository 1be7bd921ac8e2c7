"""The analysis of a study: cumulative time with intervals, the ratio of times, accuracy and load beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from emc.pose.records import Interval
from emc.study.analysis.mixed_model import CrossoverFit, fit_crossover
from emc.study.analysis.tables import StampRow, StudyTables
from emc.study.plan import Method, StudyDesign, people_needed

PLANNED_RATIO, PLANNED_POWER = 2.0, 0.9


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Over people: `frames` done, seconds of work until then, and share of joints right in the stretch just done."""

    frames: int
    seconds: Interval
    share: Interval


@dataclass(frozen=True, slots=True)
class StudyResult:
    """What `analyse` found. curves : method -> points by frames. summary : method -> figure -> mean over people.

    people_next : how many people would see a 2-fold difference with 90 %, at the spread that was found. participants :
    those with a finished trial, `simulated` of them scripts.
    """

    curves: dict[str, tuple[CurvePoint, ...]]
    summary: dict[str, dict[str, Interval]]
    fit: CrossoverFit | None
    people_next: int | None
    simulated: int
    participants: int


def analyse(tables: StudyTables) -> StudyResult:
    """Return the analysis of a study; parts for which nothing is there yet are empty."""
    fit = fit_crossover(tables.trials)
    within = fit.within if fit else None
    return StudyResult(
        curves={str(method): _curve(tables.stamps, str(method)) for method in Method},
        summary={str(method): _summary(tables, str(method)) for method in Method},
        fit=fit,
        people_next=people_needed(PLANNED_RATIO, within, PLANNED_POWER) if within else None,
        simulated=len({row.person for row in tables.trials if row.simulated}),
        participants=len({row.person for row in tables.trials}),
    )


def simulated_words(result: StudyResult) -> str:
    """Return how many of the participants are scripts, "" where none is; every figure of theirs stands beside it."""
    if not result.simulated:
        return ""
    if result.simulated >= result.participants:
        return "simulated, not people"
    return f"{result.simulated} of {result.participants} simulated"


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean with its 95 % interval (Student's t over people); none below 3 values."""
    from scipy.stats import t

    given = np.array([value for value in values if math.isfinite(value)], dtype=np.float64)
    if not len(given):
        return Interval(float("nan"), None, 0)
    mean = float(given.mean())
    if len(given) < 3:
        return Interval(mean, None, len(given))
    half = float(t.ppf(0.975, len(given) - 1) * given.std(ddof=1) / math.sqrt(len(given)))
    return Interval(mean, (mean - half, mean + half), len(given))


def document(design: StudyDesign, tables: StudyTables, result: StudyResult, withdrawn: int) -> dict[str, Any]:
    """Return the analysis as one JSON document; units: seconds, shares in [0, 1], pixels, raw TLX 0 to 100."""
    return {
        "study": design.name,
        "people": tables.people,
        "finished": tables.finished,
        "withdrawn": withdrawn,
        "simulated": result.simulated,
        "goal": design.goal,
        "clips": [asdict(task) for task in design.clips],
        "ratio": None if result.fit is None else asdict(result.fit),
        "methods": {
            method: {name: figure.as_json() for name, figure in figures.items()}
            for method, figures in result.summary.items()
        },
        "curves": {
            method: [
                {"frames": point.frames, "seconds": point.seconds.as_json(), "share": point.share.as_json()}
                for point in points
            ]
            for method, points in result.curves.items()
        },
        "people_for_twofold": result.people_next,
    }


def _curve(stamps: Sequence[StampRow], method: str) -> tuple[CurvePoint, ...]:
    rows = [row for row in stamps if row.method == method]
    points: list[CurvePoint] = []
    for frames in sorted({row.frames for row in rows}):
        here = [row for row in rows if row.frames == frames]
        points.append(
            CurvePoint(frames, mean_interval([row.seconds for row in here]), mean_interval([row.share for row in here]))
        )
    return tuple(points)


def _summary(tables: StudyTables, method: str) -> dict[str, Interval]:
    rows = [row for row in tables.trials if row.method == method]
    figures: dict[str, list[float | None]] = {
        "seconds": [row.seconds for row in rows],
        "seconds_per_frame": [row.seconds / row.frames for row in rows],
        "idle": [row.idle for row in rows],
        "share": [row.share for row in rows],
        "pixels": [row.pixels for row in rows],
        "oks": [row.oks for row in rows],
        "checks": [float(row.checks) for row in rows],
        "left": [float(row.left) for row in rows],
        "tlx": [row.tlx for row in rows],
    }
    return {name: mean_interval([v for v in values if v is not None]) for name, values in figures.items()}
