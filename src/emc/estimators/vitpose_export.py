"""ViTPose as a graph that decodes itself, for ONNX: crops in, places and scores out, as the estimator reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.estimators.onnx_export import ExportForm
from emc.estimators.onnx_reading import DarkReading, TwoReadings
from emc.estimators.vitpose_crops import MEAN, PADDING, SPREAD
from emc.estimators.vitpose_heatmaps import BLUR_RADIUS, BLUR_SIGMA

if TYPE_CHECKING:
    from emc.estimators.vitpose import VitPoseEstimator


def vitpose_form(estimator: VitPoseEstimator) -> ExportForm:
    """Return the form of an estimator, with a copy of its network."""
    info = estimator.describe()
    network = estimator.clone().module.float().cpu().eval()
    height, width = network.size
    maps = TwoReadings(network, estimator.skeleton.flip) if estimator.mirror else network
    return ExportForm(
        reading=DarkReading(maps, (width, height), BLUR_SIGMA, BLUR_RADIUS),
        size=(width, height),
        mean=MEAN,
        std=SPREAD,
        skeleton=info.skeleton,
        padding=PADDING,
        licence=info.licence,
        source=info.weights,
    )
