"""ONNX files as estimators, and trained estimators as ONNX files."""

from emc.estimators.onnx.card import AboutPart, CardPart, InputPart, card_path, card_skeleton, read_card_as, write_card
from emc.estimators.onnx.decoding_heads import DarkDecodingHead, FlipEnsemble
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.estimators.onnx.export import ExportForm, card_of, export_form_of, write_onnx
from emc.estimators.onnx.published import RtmPose, RtmPoseL, RtmPoseS, RtmPoseT

__all__ = [
    "AboutPart",
    "DarkDecodingHead",
    "ExportForm",
    "InputPart",
    "OnnxEstimator",
    "CardPart",
    "RtmPose",
    "RtmPoseL",
    "RtmPoseS",
    "RtmPoseT",
    "FlipEnsemble",
    "card_of",
    "card_path",
    "card_skeleton",
    "export_form_of",
    "read_card_as",
    "write_card",
    "write_onnx",
]
