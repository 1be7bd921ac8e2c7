"""Rotation ensemble: test-time augmentation that reads a person at several turns and takes a consensus."""

from emc.estimators.rotation.estimator import turned

__all__ = ["turned"]
