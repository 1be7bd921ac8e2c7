"""`movenet-lightning` and `movenet-thunder`: Google's single-person networks, in PyTorch, made to be calibrated."""

from emc.estimators.movenet.estimator import MoveNetEstimator, MoveNetLightning, MoveNetThunder

__all__ = ["MoveNetEstimator", "MoveNetLightning", "MoveNetThunder"]
