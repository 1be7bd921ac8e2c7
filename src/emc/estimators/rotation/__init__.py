"""Rotation ensemble: test-time augmentation that predicts a person at several rotations and takes a consensus."""

from emc.estimators.rotation.trainable import rotation_ensemble

turned = rotation_ensemble
"""The entry point of earlier versions: installed metadata names it until the package is installed again."""

__all__ = ["rotation_ensemble", "turned"]
