"""Predicting a project's clips, resumable at every step, and the alerts of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.workflow.predict.alerts import list_alerts as list_alerts
    from emc.workflow.predict.alerts import newest_run as newest_run
    from emc.workflow.predict.confidence import CONFIDENCE_FILE as CONFIDENCE_FILE
    from emc.workflow.predict.confidence import CONFIDENCE_KIND as CONFIDENCE_KIND
    from emc.workflow.predict.confidence import ConfidenceByRole as ConfidenceByRole
    from emc.workflow.predict.confidence import confidence_from as confidence_from
    from emc.workflow.predict.confidence import read_confidence as read_confidence
    from emc.workflow.predict.found import Predicted as Predicted
    from emc.workflow.predict.found import find_run_alerts as find_run_alerts
    from emc.workflow.predict.found import refresh_alerts as refresh_alerts
    from emc.workflow.predict.found import write_run_alerts as write_run_alerts
    from emc.workflow.predict.frames import sampling_of as sampling_of
    from emc.workflow.predict.frames import wanted_frames as wanted_frames
    from emc.workflow.predict.key import model_key as model_key
    from emc.workflow.predict.people import keep_numbers as keep_numbers
    from emc.workflow.predict.people import overlap_words as overlap_words
    from emc.workflow.predict.runs import predict_clips as predict_clips
    from emc.workflow.predict.runs import predict_run as predict_run
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.workflow.predict.alerts": ["list_alerts", "newest_run"],
            "emc.workflow.predict.found": ["Predicted", "find_run_alerts", "refresh_alerts", "write_run_alerts"],
            "emc.workflow.predict.frames": ["sampling_of", "wanted_frames"],
            "emc.workflow.predict.key": ["model_key"],
            "emc.workflow.predict.people": ["keep_numbers", "overlap_words"],
            "emc.workflow.predict.runs": ["predict_clips", "predict_run"],
            "emc.workflow.predict.confidence": [
                "CONFIDENCE_FILE",
                "CONFIDENCE_KIND",
                "ConfidenceByRole",
                "confidence_from",
                "read_confidence",
            ],
        },
    )
