"""Calibrating a project's model: data, ladder of checkpoints, choice, confidence, what to correct next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.workflow.calibration.base import trainable_estimator as trainable_estimator
    from emc.workflow.calibration.calibrate import calibrate_project as calibrate_project
    from emc.workflow.calibration.checkpoint_scoring import ladder_entry as ladder_entry
    from emc.workflow.calibration.confidence import fit_project_confidence as fit_project_confidence
    from emc.workflow.calibration.confidence import original_pixels as original_pixels
    from emc.workflow.calibration.confidence import shown_confidence as shown_confidence
    from emc.workflow.calibration.data import Populations as Populations
    from emc.workflow.calibration.effort import project_effort as project_effort
    from emc.workflow.calibration.finished import Calibration as Calibration
    from emc.workflow.calibration.finished import newest_calibration as newest_calibration
    from emc.workflow.calibration.forecast import history_forecast as history_forecast
    from emc.workflow.calibration.forecast import measure_forecast as measure_forecast
    from emc.workflow.calibration.jobs import CalibrationJobs as CalibrationJobs
    from emc.workflow.calibration.ladder import LADDER_FILE as LADDER_FILE
    from emc.workflow.calibration.ladder import run_ladder as run_ladder
    from emc.workflow.calibration.readiness import calibration_readiness as calibration_readiness
    from emc.workflow.calibration.rotation import with_rotations as with_rotations
    from emc.workflow.calibration.select import next_to_correct as next_to_correct
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.workflow.calibration.base": ["trainable_estimator"],
            "emc.workflow.calibration.calibrate": ["calibrate_project"],
            "emc.workflow.calibration.confidence": ["fit_project_confidence", "original_pixels", "shown_confidence"],
            "emc.workflow.calibration.data": ["Populations"],
            "emc.workflow.calibration.effort": ["project_effort"],
            "emc.workflow.calibration.finished": ["Calibration", "newest_calibration"],
            "emc.workflow.calibration.forecast": ["history_forecast", "measure_forecast"],
            "emc.workflow.calibration.jobs": ["CalibrationJobs"],
            "emc.workflow.calibration.checkpoint_scoring": ["ladder_entry"],
            "emc.workflow.calibration.ladder": ["LADDER_FILE", "run_ladder"],
            "emc.workflow.calibration.readiness": ["calibration_readiness"],
            "emc.workflow.calibration.rotation": ["with_rotations"],
            "emc.workflow.calibration.select": ["next_to_correct"],
        },
    )
