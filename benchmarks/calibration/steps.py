"""Steps of one size for all weights against steps relative to each tensor's RMS, on MoveNet: `python steps.py`.

MoveNet Lightning is trained on ``target_train`` and ``common_train`` of LSPE once per rate. Some photos of both splits
are held out of the training and scored at several shares of the tuned weights; test splits are not read. One seed and
fewer steps than a calibration has. Intervals over photos, of the change to the base.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from compare import ROLES, changed, share_right

from emc.config import Settings, read_settings
from emc.estimators.movenet import MoveNetLightning
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17
from emc.stages.calibrate import Progressed, train
from emc.stages.evaluate import joint_hits
from emc.workflow.compute import set_threads
from emc.workflow.progress import Silent
from emc.workflow.samples import read_lspe_split
from emc.workflow.scoring import predict_samples

PARTS = ("leg", "total")
RELATIVE = "relative"
People = Mapping[str, Sequence[Sample]]
Weights = Mapping[str, torch.Tensor]


class OneRate(MoveNetLightning):
    """MoveNet Lightning whose weights all learn at the same rate."""

    relative_step = 0.0


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--rates", nargs="+", default=["0.0003", RELATIVE], help=f"rates for all, or '{RELATIVE}'")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.5, 1.0], help="of the tuned weights")
    parser.add_argument("--held", type=int, default=150, help="photos of each split that are scored")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def people_of(shared: Path, held: int) -> tuple[People, People]:
    """Return who trains and who is scored, by role."""
    trains, scored = dict[str, Sequence[Sample]](), dict[str, Sequence[Sample]]()
    for number, role in enumerate(ROLES):
        people = read_lspe_split(shared / "lspe", f"{role}_train", Silent())
        shuffled = [people[i] for i in np.random.default_rng([17, number]).permutation(len(people))]
        scored[role], trains[role] = shuffled[:held], shuffled[held:]
    return trains, scored


def state_of(estimator: MoveNetLightning) -> Weights:
    return {name: value.detach().clone() for name, value in estimator.module.state_dict().items()}


def hits_of(estimator: MoveNetLightning, people: People, settings: Settings) -> dict[str, np.ndarray]:
    return {
        role: joint_hits(predict_samples(estimator, one, "torch"), one, COCO17, "head_segment", settings.evaluate.alpha)
        for role, one in people.items()
    }


def trained(rate: str, people: People, settings: Settings) -> tuple[Weights, float]:
    """Return the weights that a training ends with, and its CPU minutes."""
    estimator = MoveNetLightning() if rate == RELATIVE else OneRate()
    changes = {} if rate == RELATIVE else {"lr": float(rate)}
    start = time.process_time()
    for event in train(estimator, *people.values(), settings.calibrate.model_copy(update=changes)):
        if isinstance(event, Progressed) and event.step % 20 == 0:
            print(f"{rate}: step {event.step}, loss {event.loss:.3f}", file=sys.stderr, flush=True)
    return state_of(estimator), (time.process_time() - start) / 60


def measure(options: argparse.Namespace) -> dict[str, Any]:
    training = {"steps": options.steps, "batch": options.batch, "ladder": 1}
    settings = read_settings(None, calibrate=training, predict={"threads": options.threads})
    set_threads(settings.predict)
    trains, scored = people_of(options.shared, options.held)
    estimator = MoveNetLightning()
    base, before = state_of(estimator), hits_of(estimator, scored, settings)
    rows: list[dict[str, Any]] = []
    for rate in options.rates:
        tuned, minutes = trained(rate, trains, settings)
        for share in options.shares:
            estimator.module.load_state_dict({name: torch.lerp(base[name], tuned[name], share) for name in base})
            after = hits_of(estimator, scored, settings)
            row: dict[str, Any] = {"rate": rate, "share": share, "minutes": minutes}
            for role in ROLES:
                row[role] = {
                    part: {"right": share_right(after[role], part)}
                    | changed(before[role], after[role], scored[role], part, settings)
                    for part in PARTS
                }
            rows.append(row)
    right = {role: {part: share_right(before[role], part) for part in PARTS} for role in ROLES}
    return {"steps": options.steps, "batch": options.batch, "held": options.held, "base": right, "rows": rows}


def table(document: Mapping[str, Any]) -> str:
    """Return PCKh in % at the base and after each training, with the change in points."""
    columns = [(role, part) for role in ROLES for part in PARTS]
    lines = [
        f"{document['steps']} steps of {document['batch']}, {document['held']} photos of each split scored.",
        "",
        "| rate | share | " + " | ".join(f"{role} {part}" for role, part in columns) + " |",
        "|---|---|---|---|---|---|",
        "| base | 0 | " + " | ".join(f"{100 * document['base'][role][part]:.1f}" for role, part in columns) + " |",
    ]
    for row in document["rows"]:
        cells = (cell(row[role][part]) for role, part in columns)
        lines.append(f"| {row['rate']} | {row['share']:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(figure: Mapping[str, Any]) -> str:
    change = figure["change"]
    low, high = change["ci95"]
    return f"{100 * figure['right']:.1f} ({change['value']:+.1f} [{low:+.1f}, {high:+.1f}])"


def main() -> None:
    document = measure(options_of())
    print(json.dumps(document, indent=2) if "--json" in sys.argv else table(document))


if __name__ == "__main__":
    main()
