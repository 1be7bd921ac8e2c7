"""`movenet-multipose`: Google's network for several persons, as a detector that shows rough poses too."""

from emc.detectors.movenet.decode import PoseGuess
from emc.detectors.movenet.detector import MoveNetDetector

__all__ = ["MoveNetDetector", "PoseGuess"]
