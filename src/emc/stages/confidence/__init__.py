"""Stage: turn an estimator's signals into P(this joint is right), learned from corrected people."""

from emc.stages.confidence.fit import FittedConfidence, fit_confidence
from emc.stages.confidence.model import ConfidenceModel, with_confidence
from emc.stages.confidence.signals import SIGNAL_SETS, joint_signals, signal_names

__all__ = [
    "SIGNAL_SETS",
    "ConfidenceModel",
    "FittedConfidence",
    "fit_confidence",
    "joint_signals",
    "signal_names",
    "with_confidence",
]
