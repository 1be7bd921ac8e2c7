"""Predicting a project's clips, resumable at every step, and the alerts of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.workflow.predict.alerts import list_alerts as list_alerts
    from emc.workflow.predict.alerts import newest_run as newest_run
    from emc.workflow.predict.found import Predicted as Predicted
    from emc.workflow.predict.found import find_run_alerts as find_run_alerts
    from emc.workflow.predict.frames import sampling_of as sampling_of
    from emc.workflow.predict.frames import wanted_frames as wanted_frames
    from emc.workflow.predict.key import model_key as model_key
    from emc.workflow.predict.runs import predict_clips as predict_clips
    from emc.workflow.predict.runs import predict_run as predict_run
    from emc.workflow.predict.trust import FILE as FILE
    from emc.workflow.predict.trust import KIND as KIND
    from emc.workflow.predict.trust import Trust as Trust
    from emc.workflow.predict.trust import read_trust as read_trust
    from emc.workflow.predict.trust import trust_of as trust_of
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.workflow.predict.alerts": ["list_alerts", "newest_run"],
            "emc.workflow.predict.found": ["Predicted", "find_run_alerts"],
            "emc.workflow.predict.frames": ["sampling_of", "wanted_frames"],
            "emc.workflow.predict.key": ["model_key"],
            "emc.workflow.predict.runs": ["predict_clips", "predict_run"],
            "emc.workflow.predict.trust": ["FILE", "KIND", "Trust", "read_trust", "trust_of"],
        },
    )
