"""Bottom-up networks with part-affinity fields in OpenPose's manner, from ONNX files."""

from emc.estimators.openpose.estimator import PafEstimator

__all__ = ["PafEstimator"]
