"""ViTPose as a graph that decodes itself, for ONNX: crops in, places and scores out, as the estimator reads them."""

from __future__ import annotations

from collections.abc import Sequence

from emc.estimators.augmentation import MEAN, SPREAD
from emc.estimators.onnx import DarkDecodingHead, ExportForm, FlipEnsemble
from emc.estimators.vitpose.crops import PADDING
from emc.estimators.vitpose.heatmaps import BLUR_RADIUS, BLUR_SIGMA
from emc.estimators.vitpose.network import VitPoseNetwork
from emc.interfaces import ModelInfo


def vitpose_form(network: VitPoseNetwork, mirror: bool, flip: Sequence[int], info: ModelInfo) -> ExportForm:
    """Return the form of a network, which it keeps on the CPU in float32.

    mirror : read the mirrored crop too and average. flip : for each joint its mirror joint.
    """
    network = network.float().cpu().eval()
    height, width = network.size
    maps = FlipEnsemble(network, flip) if mirror else network
    return ExportForm(
        head=DarkDecodingHead(maps, (width, height), BLUR_SIGMA, BLUR_RADIUS),
        size=(width, height),
        mean=MEAN,
        std=SPREAD,
        skeleton=info.skeleton,
        padding=PADDING,
        licence=info.licence,
        source=info.weights,
    )
