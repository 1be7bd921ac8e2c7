"""EMC: calibrate a human-pose model to your own footage.

The public API: the verbs of the command line as functions. Names are loaded when they are first used, so that
``import emc`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from emc.version import __version__

_PLACES = {
    "new_project": "emc.workflow.project",
    "open_project": "emc.workflow.project",
    "status": "emc.workflow.project",
    "add_clips": "emc.workflow.project",
    "predict_clips": "emc.workflow.predict",
    "list_alerts": "emc.workflow.predict",
    "next_to_correct": "emc.workflow.calibration",
    "fit_project_confidence": "emc.workflow.calibration",
    "import_labels": "emc.workflow.labels",
    "export_labels": "emc.workflow.labels",
    "calibrate_project": "emc.workflow.calibration",
    "evaluate_project": "emc.workflow.evaluate",
    "lift_project": "emc.workflow.lifting",
    "report_project": "emc.workflow.report",
    "read_settings": "emc.config",
    "EmcError": "emc.errors",
}
__all__ = ["__version__", *_PLACES]  # pyright: ignore[reportUnsupportedDunderAll]

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


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'emc' has no attribute '{name}'")
