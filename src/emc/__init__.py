"""EMC: calibrate a human-pose model to your own footage.

The public API: the verbs of the command line as functions. Names are loaded when they are first used, so that
``import emc`` costs nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from emc.lazy import lazy_door
from emc.version import __version__ as __version__

if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"} & set(os.environ):
    # Read once, when PyTorch loads OpenMP. Threads that wait for each other otherwise keep their cores busy while they
    # wait: beside other programs a training step then took 3 to 5 times as long (`benchmarks/calibration/busy.py`).
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

if TYPE_CHECKING:
    from emc.config import read_settings as read_settings
    from emc.errors import EmcError as EmcError
    from emc.workflow.calibration import calibrate_project as calibrate_project
    from emc.workflow.calibration import fit_project_confidence as fit_project_confidence
    from emc.workflow.calibration import next_to_correct as next_to_correct
    from emc.workflow.evaluate import evaluate_project as evaluate_project
    from emc.workflow.labels import export_labels as export_labels
    from emc.workflow.labels import import_labels as import_labels
    from emc.workflow.lifting import lift_project as lift_project
    from emc.workflow.predict import list_alerts as list_alerts
    from emc.workflow.predict import predict_clips as predict_clips
    from emc.workflow.project import add_clips as add_clips
    from emc.workflow.project import new_project as new_project
    from emc.workflow.project import open_project as open_project
    from emc.workflow.project import status as status
    from emc.workflow.report import report_project as report_project
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.config": ["read_settings"],
            "emc.errors": ["EmcError"],
            "emc.workflow.calibration": ["calibrate_project", "fit_project_confidence", "next_to_correct"],
            "emc.workflow.evaluate": ["evaluate_project"],
            "emc.workflow.labels": ["export_labels", "import_labels"],
            "emc.workflow.lifting": ["lift_project"],
            "emc.workflow.predict": ["list_alerts", "predict_clips"],
            "emc.workflow.project": ["add_clips", "new_project", "open_project", "status"],
            "emc.workflow.report": ["report_project"],
        },
    )
    __all__ = ["__version__", *__all__]
