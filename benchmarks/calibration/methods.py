"""What each method of calibration adds to the default: `python methods.py --out FOLDER [--write]`.

`nano` is calibrated once per method, seed and population; everything but the method is that of the default. Two fields:

- photos: from ``target_train`` and ``common_train`` of LSPE. 250 target persons compare, 150 others choose; of the
  common photos those on which `nano` was not trained both choose and compare, for all methods alike. The labels do not
  say which joints are occluded, so that `occluded_sigma` has nothing to change there.
- rendered: kicks and everyday motion of people of seeds that nothing else uses.

Test splits are not read. Shorter than a calibration by default (--steps), with one checkpoint. Resumable: what FOLDER
holds is not done again. Intervals over photos or clips. With --write it rewrites the tables of docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from compare import DEFAULT, Field, Methods, rendered_people, run_methods, table, write_between

import emc.plugins as plugins
from emc.config import Settings, read_settings
from emc.synth.motion import COMMON_MOTIONS
from emc.workflow.calibration import Populations
from emc.workflow.compute import set_threads
from emc.workflow.progress import Silent
from emc.workflow.samples import TARGET_MOTIONS, read_lspe_split

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MARKS = ("<!-- methods: start -->", "<!-- methods: end -->")
METHODS: Methods = {
    DEFAULT: {},
    "hard_joints = 5": {"hard_joints": 5},
    "rotation = 180": {"rotation": 180.0},
    "distil = 0.5": {"distil": 0.5},
    "layer_decay = 0.8": {"layer_decay": 0.8},
    "pull = 1": {"pull": 1.0},
    "mix = 5:5": {"mix": (5, 5)},
    "mix = 2:8": {"mix": (2, 8)},
    "occluded_sigma = 2": {"occluded_sigma": 2.0},
}
FIRST = 6_000_000


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--out", type=Path, required=True, help="keeps results, and lets a stopped run go on")
    parser.add_argument("--fields", nargs="+", default=["photos", "rendered"], choices=["photos", "rendered"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--seeds", type=int, default=1, help="0 trains nothing: it tells what FOLDER holds")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few people, four steps: to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def settings_of(options: argparse.Namespace) -> Settings:
    steps = 4 if options.quick else options.steps
    return read_settings(
        None,
        calibrate={"steps": steps, "ladder": 1},
        predict={"estimator": "nano", "threads": options.threads},
        evaluate={"bootstrap": 100 if options.quick else 1000},
    )


def photos(shared: Path, quick: bool) -> Field:
    target, common = (read_lspe_split(shared / "lspe", f"{role}_train", Silent()) for role in ("target", "common"))
    unseen = frozenset(plugins.estimator_for("nano").describe().extra["held_out_photos"])
    order = np.random.default_rng([11, 23]).permutation(len(target))
    shuffled = [target[i] for i in order]
    compare, choose, train = shuffled[:250], shuffled[250:400], shuffled[400:]
    held = [sample for sample in common if sample.clip in unseen]
    replay = [sample for sample in common if sample.clip not in unseen]
    if quick:
        compare, choose, train, held, replay = (people[:12] for people in (compare, choose, train, held, replay))
    return Field(Populations(train, replay, choose, held), {"target": compare, "common": held})


def rendered(quick: bool) -> Field:
    counts = (4,) * 6 if quick else (80, 80, 24, 40, 60, 80)
    kinds = ((TARGET_MOTIONS, 4), (COMMON_MOTIONS, 2)) * 3
    people = rendered_people(
        *(
            (motions, count, frames, FIRST + 1000 * i)
            for i, ((motions, frames), count) in enumerate(zip(kinds, counts, strict=True))
        )
    )
    return Field(Populations(*people[:4]), {"target": people[4], "common": people[5]})


def measure(options: argparse.Namespace) -> dict[str, Any]:
    settings = settings_of(options)
    set_threads(settings.predict)
    document: dict[str, Any] = {"cores": os.cpu_count(), "threads": options.threads}
    for name in options.fields:
        field = photos(options.shared, options.quick) if name == "photos" else rendered(options.quick)
        asked = {method: METHODS[method] for method in options.methods}
        if name == "photos":
            asked.pop("occluded_sigma = 2", None)
        document[name] = run_methods(
            asked, lambda: plugins.estimator_for("nano"), field, options.seeds, settings, options.out / name
        )
    return document


def tables(document: dict[str, Any]) -> str:
    headings = {"photos": "Real photos (LSPE, parts of the training splits).", "rendered": "Rendered people."}
    lines: list[str] = []
    for name, heading in headings.items():
        if name in document:
            first, *rest = table(document[name])
            lines += [f"{heading} {first}", *rest, ""]
    return "\n".join([*lines, f"Machine: {document['cores']} cores, no GPU, {document['threads']} compute thread(s)."])


def main() -> None:
    options = options_of()
    document = measure(options)
    (options.out / "methods.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    if options.write:
        write_between(PAGE, MARKS, tables(document))
    print(json.dumps(document, indent=2) if options.json else tables(document))


if __name__ == "__main__":
    main()
