"""ViTPose through `transformers`: prediction, training, published weights."""

from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.estimators.vitpose.published import (
    VitPoseB,
    VitPoseBSimple,
    VitPoseH,
    VitPoseL,
    VitPosePlusB,
    VitPosePlusH,
    VitPosePlusL,
    VitPosePlusS,
    VitPoseS,
)
from emc.estimators.vitpose.variants import VITPOSE_VARIANTS
from emc.estimators.vitpose.weights import local_weights

__all__ = [
    "VITPOSE_VARIANTS",
    "VitPoseB",
    "VitPoseBSimple",
    "VitPoseEstimator",
    "VitPoseH",
    "VitPoseL",
    "VitPosePlusB",
    "VitPosePlusH",
    "VitPosePlusL",
    "VitPosePlusS",
    "VitPoseS",
    "local_weights",
]
