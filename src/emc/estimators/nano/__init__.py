"""`nano`, the embedded estimator: trains in minutes, needs no download."""

from emc.estimators.nano.estimator import NanoEstimator

__all__ = ["NanoEstimator"]
