"""Work beside the editor for load.py: a prediction and a calibration, each again and again until it is ended.

Usage: python other_work.py prepare|predict|calibrate FOLDER. `prepare` makes what the others work on: the demo at its
smallest.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from emc.config import read_settings
from emc.workflow.calibration import calibrate_project
from emc.workflow.demo import demo_settings, run_demo
from emc.workflow.predict import predict_clips
from emc.workflow.project import open_project

NICE = 5
"""As the calibration that the editor starts: whoever clicks comes first."""


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    settings = read_settings(None, predict={"estimator": "nano", "detector": "embedded"})
    if kind == "prepare":
        run_demo(folder / "demo", settings, quick=True)
        for name in ("predict", "calibrate"):
            shutil.copytree(folder / "demo", folder / name)
        return
    os.nice(NICE)
    settings = demo_settings(settings, quick=True)
    with open_project(folder / kind / "demo.emc") as store:
        while True:
            if kind == "predict":
                predict_clips(store, store.clips(), settings, again=True)
            else:
                calibrate_project(store, settings)


if __name__ == "__main__":
    main()
