"""One calibration per method, resumable, and each compared with the default: for the commands beside this file.

Nothing here reads a test split: people who train, people by whom a checkpoint is chosen, and people on whom the methods
are compared are brought by the caller.
"""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.executors.local import LocalExecutor
from emc.interfaces import Estimator, Trainable
from emc.pose.metrics import as_figure, independent_units
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17
from emc.stages.evaluate import compare_populations, joint_hits
from emc.workflow.calibration import Populations, run_ladder
from emc.workflow.files import read_json, write_bytes, write_json
from emc.workflow.progress import Silent
from emc.workflow.samples import ClipRequest, sparse_samples
from emc.workflow.scoring import head_name, predict_samples

ROLES = ("target", "common")
PARTS = ("leg", "total")
DEFAULT = "default"
Methods = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Field:
    """One pair of populations: who trains and chooses, and on whom methods are compared."""

    data: Populations
    scored: Mapping[str, Sequence[Sample]]


def rendered_people(*groups: tuple[Sequence[str], int, int, int]) -> list[list[Sample]]:
    """Return the labelled frames of each group of rendered people.

    groups : motions, number of people, frames of each, first seed.
    """
    executor = LocalExecutor()
    orders = [
        [ClipRequest(motions[i % len(motions)], first + i, frames) for i in range(count)]
        for motions, count, frames, first in groups
    ]
    try:
        found = executor.map(sparse_samples, (order for group in orders for order in group))
        return [[sample for _ in group for sample in next(found)] for group in orders]
    finally:
        executor.close()


def run_methods(
    methods: Methods, base: Callable[[], Trainable], field: Field, seeds: int, settings: Settings, out: Path
) -> dict[str, Any]:
    """Calibrate by every method for every seed and return what `compared` says; what `out` holds is not done again.

    seeds : 0 trains nothing and compares what there is.
    """
    keep_hits(out / "base", base, field, settings)
    for seed in range(seeds):
        for name, changes in methods.items():
            folder = out / f"{file_name(name)}_{seed}"
            if (folder / "done.json").is_file():
                continue
            asked = settings.calibrate.model_copy(update={**changes, "seed": seed})
            run_one(base(), field, settings.model_copy(update={"calibrate": asked}), folder)
            print(f"done: {folder}", file=sys.stderr, flush=True)
    there = {name: len(list(out.glob(f"{file_name(name)}_*/done.json"))) for name in methods}
    # Methods are compared on as many seeds as all of them have: a luckier seed would look like a better method.
    least = min((count for count in there.values() if count), default=0)
    if not there.get(DEFAULT):
        raise SystemExit(f"{out} holds no calibration by the default to compare with: run with --seeds 1 first")
    return compared([name for name, count in there.items() if count], field, least, settings, out)


def run_one(estimator: Trainable, field: Field, settings: Settings, folder: Path) -> None:
    """Calibrate, keep what the chosen model gets right, and drop the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.process_time()
    ladder = run_ladder(estimator, field.data, settings, folder, Silent())
    minutes = (time.process_time() - start) / 60
    keep_hits(folder, lambda: plugins.estimator_for(str(folder / "chosen")), field, settings)
    chosen = ladder["chosen"]["step"]
    row = next(row for row in ladder["ladder"] if row["step"] == chosen)
    told = {
        "step": chosen,
        "share": row.get("share", 0.0),
        "rotations": ladder["rotations"]["taken"],
        "minutes": minutes,
    }
    for place in [*folder.glob("step_*"), folder / "chosen"]:
        shutil.rmtree(place)
    write_json(folder / "done.json", told)


def keep_hits(folder: Path, reader: Callable[[], Estimator], field: Field, settings: Settings) -> None:
    """Write which joints a model gets right (PCKh) into ``hits.npz``, unless it is there."""
    if (folder / "hits.npz").is_file():
        return
    estimator, found = reader(), dict[str, np.ndarray]()
    for role, people in field.scored.items():
        head = head_name(people, settings.evaluate)
        found[role] = joint_hits(
            predict_samples(estimator, people), people, COCO17, head, settings.evaluate.alpha
        ).astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found)  # pyright: ignore[reportArgumentType]
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "hits.npz", buffer.getvalue())


def compared(names: Sequence[str], field: Field, seeds: int, settings: Settings, out: Path) -> dict[str, Any]:
    """Return for every method errors removed and common change against the base, and both against the default."""
    base = hits_of([out / "base"] * seeds)
    default = hits_of([out / f"{file_name(DEFAULT)}_{seed}" for seed in range(seeds)])
    rows: list[dict[str, Any]] = []
    for name in names:
        folders = [out / f"{file_name(name)}_{seed}" for seed in range(seeds)]
        told = [read_json(folder / "done.json") or {} for folder in folders]
        mine = hits_of(folders)
        row: dict[str, Any] = {"method": name, "seeds": seeds, "minutes": float(np.mean([t["minutes"] for t in told]))}
        row |= {what: [one[what] for one in told] for what in ("step", "share", "rotations")}
        for other, hits in (("base", base), (DEFAULT, default)):
            row[f"over the {other}"] = {
                role: {part: changed(hits[role], mine[role], field.scored[role], part, settings) for part in PARTS}
                for role in ROLES
            }
        rows.append(row)
    right = {role: {part: share_right(base[role], part) for part in PARTS} for role in ROLES}
    return {"base": right, "rows": rows, "persons": persons_of(field), "steps": settings.calibrate.steps}


def hits_of(folders: Sequence[Path]) -> dict[str, np.ndarray]:
    """Return role -> (seeds x N, J) hits, seed by seed."""
    loaded = [np.load(folder / "hits.npz") for folder in folders]
    return {role: np.concatenate([one[role] for one in loaded]).astype(np.float64) for role in ROLES}


def changed(
    before: np.ndarray, after: np.ndarray, people: Sequence[Sample], part: str, settings: Settings
) -> dict[str, Any]:
    """Return errors removed and change in points; resampled are clips, each with all its seeds."""
    unit = independent_units([s.clip for s in people], [s.frame for s in people])[0]
    every = np.tile(unit, len(after) // len(unit))
    options = settings.evaluate
    found = compare_populations(before, after, every, COCO17, part, options.bootstrap, options.seed)
    return {"removed": as_figure(found.errors_removed), "change": as_figure(found.change)}


def share_right(hits: np.ndarray, part: str) -> float:
    return float(np.nanmean(hits[:, list(COCO17.part(part))]))


def persons_of(field: Field) -> dict[str, int]:
    data = field.data
    counts = {
        "target trains": data.train_target,
        "common trains": data.train_common,
        "target chooses": data.validation_target,
        "common chooses": data.validation_common,
        **{f"{role} compares": people for role, people in field.scored.items()},
    }
    return {name: len(people) for name, people in counts.items()}


def file_name(method: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in method)


def table(document: Mapping[str, Any]) -> list[str]:
    """Return the Markdown lines of one field."""
    base = document["base"]
    persons = ", ".join(f"{name} {count}" for name, count in document["persons"].items())
    lines = [
        f"{document['steps']} steps, {document['rows'][0]['seeds']} seed(s); persons: {persons}. Base: target legs "
        f"{100 * base['target']['leg']:.1f}, common total {100 * base['common']['total']:.1f} (PCKh, %).",
        "",
        "| method | target leg errors removed, % | common total, points | legs against the default, points | common "
        "against the default | tuned share | rotations |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in document["rows"]:
        base_row, other = row["over the base"], row[f"over the {DEFAULT}"]
        against = ["", ""]
        if row["method"] != DEFAULT:
            against = [figure_text(other["target"]["leg"]["change"]), figure_text(other["common"]["total"]["change"])]
        cells = [
            row["method"],
            figure_text(base_row["target"]["leg"]["removed"], 100),
            figure_text(base_row["common"]["total"]["change"]),
            *against,
            ", ".join(f"{share:g}" for share in row["share"]),
            ", ".join(str(rotations) for rotations in row["rotations"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def figure_text(figure: Mapping[str, Any], factor: float = 1) -> str:
    low, high = figure["ci95"] or (float("nan"), float("nan"))
    return f"{factor * figure['value']:+.1f} [{factor * low:.1f}, {factor * high:.1f}]"


def write_between(page: Path, marks: tuple[str, str], text: str) -> None:
    """Put `text` between two marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(marks[0])
    after = rest.partition(marks[1])[2]
    page.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}", encoding="utf-8")
