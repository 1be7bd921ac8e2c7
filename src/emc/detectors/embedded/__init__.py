"""The detector that ships with the package: a small network and a motion cue, no download."""

from emc.detectors.embedded.detector import EmbeddedDetector

__all__ = ["EmbeddedDetector"]
