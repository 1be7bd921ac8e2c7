"""ONNX files as estimators, and trained estimators as ONNX files."""

from emc.estimators.onnx.card import AboutPart, InputPart, Part, card_path, card_skeleton, read_card_as, write_card
from emc.estimators.onnx.choice import engines_in_turn
from emc.estimators.onnx.estimator import OnnxEstimator
from emc.estimators.onnx.export import ExportForm, card_of, form_of, write_onnx
from emc.estimators.onnx.graph import OnnxGraph
from emc.estimators.onnx.published import RtmPose, RtmPoseL, RtmPoseS, RtmPoseT
from emc.estimators.onnx.reading import DarkReading, TwoReadings

__all__ = [
    "AboutPart",
    "DarkReading",
    "ExportForm",
    "InputPart",
    "OnnxEstimator",
    "OnnxGraph",
    "Part",
    "RtmPose",
    "RtmPoseL",
    "RtmPoseS",
    "RtmPoseT",
    "TwoReadings",
    "card_of",
    "card_path",
    "card_skeleton",
    "engines_in_turn",
    "form_of",
    "read_card_as",
    "write_card",
    "write_onnx",
]
