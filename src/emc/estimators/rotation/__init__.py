"""Rotation ensemble: test-time augmentation that predicts a person at several rotations and takes a consensus."""

from emc.estimators.rotation.estimator import rotation_ensemble

turned = rotation_ensemble
"""The name under which the entry points of an installation from before register it."""

__all__ = ["rotation_ensemble", "turned"]
