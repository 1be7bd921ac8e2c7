"""Predicting a project's clips, resumable at every step, and the alerts of a run."""

from emc.workflow.predict.alerts import list_alerts, newest_run
from emc.workflow.predict.found import Predicted, find_run_alerts
from emc.workflow.predict.frames import sampling_of, wanted_frames
from emc.workflow.predict.key import model_key
from emc.workflow.predict.runs import predict_clips, predict_run
from emc.workflow.predict.trust import FILE, KIND, Trust, read_trust, trust_of

__all__ = [
    "FILE",
    "KIND",
    "Predicted",
    "Trust",
    "find_run_alerts",
    "list_alerts",
    "model_key",
    "newest_run",
    "predict_clips",
    "predict_run",
    "read_trust",
    "sampling_of",
    "trust_of",
    "wanted_frames",
]
