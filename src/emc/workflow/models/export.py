"""A calibrated model as one ONNX file, with the card that lets `emc` read it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import emc.plugins as plugins
from emc.errors import UsageError
from emc.pose.skeletons import SKELETONS, Skeleton, skeleton_text
from emc.workflow.files import write_bytes

POSE_CLASS = {"simcc": "RTMPose", "heatmap": "ViTPose"}
"""The class of rtmlib that reads each kind."""
POSE_MODEL = {"coco17": "Body", "halpe26": "Body_with_feet", "body25": "BODY_25", "coco18": "COCO"}
"""What Pose2Sim and Sports2D call a skeleton; any other must be described in their Config.toml, as CUSTOM."""
FINDER = {
    "det_class": "YOLOX",
    "det_model": "https://huggingface.co/datasets/DavidPagnon/rtmlib_models/resolve/main/mmpose/rtmposev1/onnx_sdk/"
    "yolox_m_8xb8-300e_humanart-c2c7a14a.onnx",
    "det_input_size": [640, 640],
}
"""What Pose2Sim and Sports2D find persons with by default; without a detector the whole picture is one person."""


def export_model(model: str, file: Path, kind: str = "simcc", finer: int = 2) -> dict[str, Any]:
    """Write a model's ONNX file and its card; return what was written and how other programs are told of it.

    model : an estimator's name, or the folder of a saved model. file : ends in ``.onnx``; the card gets the same name,
    ``.toml``; joints that no built-in skeleton has come as ``NAME.skeleton.toml``. kind : ``simcc`` (read as RTMPose)
    or ``heatmap`` (read as ViTPose). finer : input sides per side of the network. Raises `UsageError` for a wrong name
    or a model that cannot be exported, `PluginError` where the extra
    ``onnx`` is missing.
    """
    if file.suffix != ".onnx":
        raise UsageError(f"{file} does not end in .onnx: programs know the format by that ending")
    estimator = plugins.estimator_for(model)
    from emc.estimators.onnx import card_of, card_path, export_form_of, write_card, write_onnx

    form = export_form_of(estimator)
    skeleton: Skeleton = estimator.skeleton
    own = None if SKELETONS.get(skeleton.name) is skeleton else file.with_name(f"{file.stem}.skeleton.toml")
    form = form if own is None else replace(form, skeleton=own.name)
    done = write_onnx(form, file, kind, finer)
    if own is not None:
        write_bytes(own, skeleton_text(skeleton).encode())
    write_card(card_path(file), card_of(form, kind, finer))
    width, height = done.input_size
    pose = {"pose_class": POSE_CLASS[kind], "pose_model": file.resolve().as_posix(), "pose_input_size": [width, height]}
    return {
        "file": str(file),
        "card": str(card_path(file)),
        "model": model,
        "kind": kind,
        "input_size": [width, height],
        "bytes": done.bytes,
        "largest_difference": done.difference,
        "pose_model": POSE_MODEL.get(skeleton.name, "CUSTOM"),
        "mode": str(FINDER | pose),
    }
