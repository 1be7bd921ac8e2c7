"""images + boxes -> predictions, and where boxes come from."""

from emc.stages.predict.boxes import detection_frames, filled_between, tracked_by_shots, tracked_by_stretches
from emc.stages.predict.frames import Call, CallMap, predict_clip

__all__ = [
    "Call",
    "CallMap",
    "detection_frames",
    "filled_between",
    "predict_clip",
    "tracked_by_shots",
    "tracked_by_stretches",
]
