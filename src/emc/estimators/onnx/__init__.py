"""ONNX files as estimators, and trained estimators as ONNX files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.estimators.onnx.card import AboutPart as AboutPart
    from emc.estimators.onnx.card import CardPart as CardPart
    from emc.estimators.onnx.card import InputPart as InputPart
    from emc.estimators.onnx.card import card_path as card_path
    from emc.estimators.onnx.card import card_skeleton as card_skeleton
    from emc.estimators.onnx.card import read_card_as as read_card_as
    from emc.estimators.onnx.card import write_card as write_card
    from emc.estimators.onnx.decoding_heads import DarkDecodingHead as DarkDecodingHead
    from emc.estimators.onnx.decoding_heads import FlipEnsemble as FlipEnsemble
    from emc.estimators.onnx.estimator import OnnxEstimator as OnnxEstimator
    from emc.estimators.onnx.export import ExportForm as ExportForm
    from emc.estimators.onnx.export import card_of as card_of
    from emc.estimators.onnx.export import export_form_of as export_form_of
    from emc.estimators.onnx.export import write_onnx as write_onnx
    from emc.estimators.onnx.published import PUBLISHED_ONNX as PUBLISHED_ONNX
    from emc.estimators.onnx.published import RtmPose as RtmPose
    from emc.estimators.onnx.published import RtmPoseL as RtmPoseL
    from emc.estimators.onnx.published import RtmPoseS as RtmPoseS
    from emc.estimators.onnx.published import RtmPoseT as RtmPoseT
    from emc.estimators.onnx.published import fetched_onnx as fetched_onnx
else:
    # Exporting wants PyTorch, and running a file does not.
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.estimators.onnx.card": [
                "AboutPart",
                "CardPart",
                "InputPart",
                "card_path",
                "card_skeleton",
                "read_card_as",
                "write_card",
            ],
            "emc.estimators.onnx.decoding_heads": ["DarkDecodingHead", "FlipEnsemble"],
            "emc.estimators.onnx.estimator": ["OnnxEstimator"],
            "emc.estimators.onnx.export": ["ExportForm", "card_of", "export_form_of", "write_onnx"],
            "emc.estimators.onnx.published": [
                "PUBLISHED_ONNX",
                "RtmPose",
                "RtmPoseL",
                "RtmPoseS",
                "RtmPoseT",
                "fetched_onnx",
            ],
        },
    )
