"""Stage: train an estimator on target and common data together, with a ladder of checkpoints."""

from emc.stages.calibrate.events import Event, LadderStep, Progressed, SavePoint
from emc.stages.calibrate.loop import train
from emc.stages.calibrate.processes import Processes
from emc.stages.calibrate.schedule import ladder_steps, learning_rate, resolved_precision, sampler_of
from emc.stages.calibrate.weights import borrowed_weights

__all__ = [
    "Event",
    "LadderStep",
    "Processes",
    "Progressed",
    "SavePoint",
    "borrowed_weights",
    "ladder_steps",
    "learning_rate",
    "resolved_precision",
    "sampler_of",
    "train",
]
