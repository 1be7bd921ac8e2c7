"""Models to correct after, that learnt: on other people's kicks, or on one clip that was corrected; see ergonomics.py.

Usage: python benchmarks/editor/models.py [--out ergonomics-out] [--kicks 150] [--steps 500]
       [--corrected OUT/runs/CLIP/full]

Without --corrected: `nano` calibrated on rendered kicks of other people than those of the clips that are corrected,
whose labels stand in for corrections. With it: `nano` calibrated on what a scripted user made of one clip, mistakes
included. Prints the model's folder (OUT/models/..): give it to `ergonomics.py --models`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import torch

from emc.config import read_settings
from emc.workflow.calibration import calibrate_project
from emc.workflow.demo import DemoSize, add_all, clip_requests, correct_all
from emc.workflow.progress import Silent
from emc.workflow.project import new_project, open_project
from emc.workflow.samples import render_files

SEED = 7
"""Of the demo's way of drawing people; its first seeds are those of people 710,000 and more."""


def calibrated(out: Path, kicks: int, steps: int) -> Path:
    """Return the folder of the calibrated model, made where it is not there."""
    model = out / "models" / "calibrated"
    if (model / "emc.json").is_file():
        return model
    settings = read_settings(None, {}, predict={"estimator": "nano"}, calibrate={"steps": steps, "ladder": 2})
    files = render_files(clip_requests(out / "models" / "clips", DemoSize(kicks, kicks, 0, 0, 0), SEED), Silent())
    folder = out / "models" / "calibrated.emc"
    with open_project(folder) if folder.exists() else new_project(folder) as store:
        add_all(store, files, settings, Silent())
        correct_all(store, files, Silent())
        done = calibrate_project(store, settings, Silent())
    shutil.copytree(done.folder / "chosen", model)
    return model


def after_one(out: Path, run: Path, steps: int) -> Path:
    """Return the folder of a model calibrated on one worked-through clip, made where it is not there."""
    model = out / "models" / f"after_{run.parent.name}"
    if (model / "emc.json").is_file():
        return model
    project = out / "models" / f"after_{run.parent.name}.emc"
    if not project.exists():
        shutil.copytree(run / "work.emc", project)
    settings = read_settings(None, {}, predict={"estimator": "nano"}, calibrate={"steps": steps, "ladder": 2})
    with open_project(project) as store:
        done = calibrate_project(store, settings, Silent())
    shutil.copytree(done.folder / "chosen", model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("ergonomics-out"))
    parser.add_argument("--kicks", type=int, default=150)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--corrected", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    one = given.corrected
    made = after_one(given.out, one, given.steps) if one else calibrated(given.out, given.kicks, given.steps)
    sys.stdout.write(f"{made}\n")


if __name__ == "__main__":
    main()
