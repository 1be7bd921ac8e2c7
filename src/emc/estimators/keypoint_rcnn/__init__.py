"""Keypoint R-CNN: people and joints in one network, with Detectron2's and torchvision's weights."""

from emc.estimators.keypoint_rcnn.estimator import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.operators import examine_operators
from emc.estimators.keypoint_rcnn.published import (
    Detectron2R50,
    Detectron2R50Detector,
    Detectron2R50Short,
    Detectron2R101,
    Detectron2R101Detector,
    KeypointRcnnDetector,
)
from emc.estimators.keypoint_rcnn.variants import RCNN_VARIANTS
from emc.estimators.keypoint_rcnn.weights import local_weights

__all__ = [
    "Detectron2R101",
    "Detectron2R101Detector",
    "Detectron2R50",
    "Detectron2R50Detector",
    "Detectron2R50Short",
    "KeypointRcnnDetector",
    "KeypointRcnnEstimator",
    "RCNN_VARIANTS",
    "examine_operators",
    "local_weights",
]
