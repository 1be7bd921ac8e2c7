"""Calibrating a project's model: data, ladder of checkpoints, choice, confidence, what to correct next."""

from emc.workflow.calibration.base import trainable
from emc.workflow.calibration.calibrate import calibrate_project
from emc.workflow.calibration.confidence import fit_project_confidence, original_pixels, shown_confidence
from emc.workflow.calibration.data import Populations
from emc.workflow.calibration.effort import project_effort
from emc.workflow.calibration.finished import Calibration, newest_calibration
from emc.workflow.calibration.forecast import history_forecast, measure_forecast
from emc.workflow.calibration.jobs import CalibrationJobs
from emc.workflow.calibration.judging import entry_of
from emc.workflow.calibration.ladder import LADDER, run_ladder
from emc.workflow.calibration.readiness import calibration_readiness
from emc.workflow.calibration.rotation import turned_reader
from emc.workflow.calibration.select import next_to_correct

__all__ = [
    "Calibration",
    "CalibrationJobs",
    "LADDER",
    "Populations",
    "calibrate_project",
    "calibration_readiness",
    "entry_of",
    "fit_project_confidence",
    "history_forecast",
    "measure_forecast",
    "newest_calibration",
    "next_to_correct",
    "original_pixels",
    "project_effort",
    "run_ladder",
    "shown_confidence",
    "trainable",
    "turned_reader",
]
