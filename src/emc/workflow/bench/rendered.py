"""Measure calibration on rendered people, all COCO-17 joints, beside the strategies of the source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emc.config import Settings
from emc.executors.local import LocalExecutor
from emc.interfaces import Progress
from emc.pose.records import Sample
from emc.workflow.bench.arms import TRAINED
from emc.workflow.bench.compare import check_arms, compare_arms
from emc.workflow.calibration import Populations
from emc.workflow.compute import set_threads
from emc.workflow.progress import Silent
from emc.workflow.samples import TARGET_MOTIONS, ClipRequest, sparse_samples

PEOPLE = {"target": 360, "common": 400, "target_held": 90, "common_held": 240, "target_test": 120, "common_test": 120}
"""Rendered people of each purpose, each of another seed; `FRAMES` labelled frames of each."""
FRAMES = {"target": 4, "common": 2}
FIRST = 2_000_000


def bench_rendered(
    seeds: int,
    out: Path | None,
    settings: Settings,
    progress: Progress | None = None,
    arms: Sequence[str] = tuple(TRAINED),
    size: float = 1.0,
) -> dict[str, Any]:
    """Render people, calibrate on kicks with everyday motion, measure on people nobody has seen; see `compare_arms`.

    size : factor on the number of people.
    """
    check_arms(arms)
    progress = progress or Silent()
    set_threads(settings.predict)
    people = {name: rendered_people(name, max(2, round(size * count)), progress) for name, count in PEOPLE.items()}
    data = Populations(people["target"], people["common"], people["target_held"], people["common_held"])
    tests = {"target": people["target_test"], "common": people["common_test"]}
    document = compare_arms(lambda _: data, tests, seeds, out, settings, progress, arms)
    return document | {"people": "rendered people", "data": {name: len(samples) for name, samples in people.items()}}


def rendered_people(purpose: str, count: int, progress: Progress) -> list[Sample]:
    """Return labelled frames of `count` rendered people, none of whom another purpose has."""
    from emc.synth.motion import COMMON_MOTIONS

    role = purpose.partition("_")[0]
    motions = TARGET_MOTIONS if role == "target" else COMMON_MOTIONS
    first = FIRST + 100_000 * list(PEOPLE).index(purpose)
    orders = [ClipRequest(motions[i % len(motions)], first + i, FRAMES[role]) for i in range(count)]
    samples: list[Sample] = []
    executor = LocalExecutor()
    progress.start(f"render {purpose}", len(orders))
    try:
        for found in executor.map(sparse_samples, orders):
            samples.extend(found)
            progress.advance()
    finally:
        executor.close()
    progress.finish()
    return samples
