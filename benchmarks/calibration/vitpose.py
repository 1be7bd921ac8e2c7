"""Do the defaults of calibration win on a ViTPose too? `python vitpose.py --out FOLDER [--write]`.

A small ViTPose (transformers' network: 4 blocks of 96, crops of 128 x 96, 0.54 M parameters) is first trained from
nothing on rendered everyday people, as far as so small a network comes in some minutes: that is the base. Then
it is calibrated on kicks by the plain mix of the source, by the defaults, and by the defaults with one change each.
All people are rendered from seeds of their own; who chooses a checkpoint does not compare methods, and nobody of any
test split is read. Resumable: what FOLDER holds is not done again. Intervals over clips. With --write the table of
docs/vitpose.md is written again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from compare import DEFAULT, Field, Methods, rendered_people, run_methods, table, write_between

import emc.plugins as plugins
from emc.config import Settings, read_settings
from emc.estimators.vitpose import VitPoseEstimator
from emc.pose.records import Sample
from emc.stages.calibrate import SavePoint, train
from emc.synth.motion import COMMON_MOTIONS
from emc.workflow.calibration import Populations
from emc.workflow.compute import set_threads
from emc.workflow.files import read_json, write_bytes, write_json
from emc.workflow.samples import TARGET_MOTIONS

PAGE = Path(__file__).parents[2] / "docs" / "vitpose.md"
MARKS = ("<!-- calibrate_vitpose: start -->", "<!-- calibrate_vitpose: end -->")
METHODS: Methods = {
    "plain 8:2": {"shares": (1.0,), "ensemble_rotations": 1},
    DEFAULT: {},
    "distil = 0.5": {"distil": 0.5},
    "layer_decay = 0.8": {"layer_decay": 0.8},
    "mix = 5:5": {"mix": (5, 5)},
    "lr = 0.0005": {"lr": 5e-4},
}
FIRST = 7_000_000


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="keeps results, and lets a stopped run go on")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, default=1, help="0 trains nothing: it tells what FOLDER holds")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--base-steps", type=int, default=1600)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few people, few steps: to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the table into docs/vitpose.md")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def settings_of(options: argparse.Namespace) -> Settings:
    return read_settings(
        None,
        calibrate={"steps": options.steps, "ladder": 1},
        predict={"threads": options.threads},
        evaluate={"bootstrap": 100 if options.quick else 1000},
    )


def everyday(quick: bool) -> list[Sample]:
    """Return the people the base is trained on; a part of them is what a calibration replays."""
    return rendered_people((COMMON_MOTIONS, 6 if quick else 300, 4, FIRST))[0]


def field_of(replay: list[Sample], quick: bool) -> Field:
    counts = (4,) * 5 if quick else (80, 24, 40, 40, 80)
    motions, frames = (TARGET_MOTIONS, TARGET_MOTIONS, COMMON_MOTIONS, TARGET_MOTIONS, COMMON_MOTIONS), (4, 4, 2, 4, 2)
    first = range(FIRST + 10_000, FIRST + 60_000, 10_000)
    kicks, chooses, keeps, target, common = rendered_people(*zip(motions, counts, frames, first, strict=True))
    return Field(Populations(kicks, replay, chooses, keeps), {"target": target, "common": common})


def trained_base(folder: Path, people: list[Sample], steps: int) -> Path:
    """Train the base from random weights, unless it is there, and return its folder."""
    if (folder / "done.json").is_file():
        return folder / "model"
    folder.mkdir(parents=True, exist_ok=True)
    estimator = VitPoseEstimator.untrained(0)
    training = {"strategy": "initial", "steps": steps, "lr": 1.5e-3, "weight_decay": 0.05, "save_every": 100}
    asked = read_settings(None, calibrate=training).calibrate
    state = folder / "state.pt"
    start = time.process_time()
    for event in train(estimator, people, [], asked, state.read_bytes() if state.is_file() else None):
        if isinstance(event, SavePoint):
            write_bytes(state, event.state)
            print(f"base: step {event.step} of {steps}", file=sys.stderr, flush=True)
    estimator.save(folder / "model")
    write_json(folder / "done.json", {"steps": steps, "minutes": (time.process_time() - start) / 60})
    state.unlink()
    return folder / "model"


def measure(options: argparse.Namespace) -> dict[str, Any]:
    if options.quick:
        options.steps, options.base_steps = 4, 6
    settings = settings_of(options)
    set_threads(settings.predict)
    people = everyday(options.quick)
    base = trained_base(options.out / "base_model", people, options.base_steps)
    field = field_of(people[: len(people) // 4], options.quick)
    document = run_methods(
        {name: METHODS[name] for name in options.methods},
        lambda: plugins.estimator_for(str(base)),
        field,
        options.seeds,
        settings,
        options.out,
    )
    return document | {
        "base_training": {"people": len(people), **(read_json(base.parent / "done.json") or {})},
        "cores": os.cpu_count(),
        "threads": options.threads,
    }


def page_of(document: dict[str, Any]) -> str:
    base = document["base_training"]
    lines = [
        f"Base: {base['steps']} steps on {base['people']} pictures of rendered everyday people. Calibrations: "
        + table(document)[0],
        *table(document)[1:],
        "",
        f"Machine: {document['cores']} cores, no GPU, {document['threads']} compute thread(s).",
    ]
    return "\n".join(lines)


def main() -> None:
    options = options_of()
    document = measure(options)
    (options.out / "calibrate_vitpose.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    if options.write:
        write_between(PAGE, MARKS, page_of(document))
    print(json.dumps(document, indent=2) if options.json else page_of(document))


if __name__ == "__main__":
    main()
