"""Detectron2's Keypoint R-CNN weights under torchvision's names, with every tensor accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emc.errors import WeightsError
from emc.estimators.keypoint_rcnn.boxes import ANCHOR_SIDES, cell_anchors
from emc.estimators.keypoint_rcnn.detectron2.pickle import read_pickle
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2

NAMED = 8
"""At most this many tensors are named in an error."""
_BODY, _FPN = "backbone.body.", "backbone.fpn."
_UP = "backbone.bottom_up."
_HEADS = "roi_heads."
_PLAIN = {
    "rpn.head.conv.0.0": "proposal_generator.rpn_head.conv",
    "rpn.head.cls_logits": "proposal_generator.rpn_head.objectness_logits",
    "rpn.head.bbox_pred": "proposal_generator.rpn_head.anchor_deltas",
    "roi_heads.box_head.fc6": "roi_heads.box_head.fc1",
    "roi_heads.box_head.fc7": "roi_heads.box_head.fc2",
    "roi_heads.box_predictor.cls_score": "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred": "roi_heads.box_predictor.bbox_pred",
    "roi_heads.keypoint_predictor.kps_score_lowres": "roi_heads.keypoint_head.score_lowres",
}
_BACK = {theirs: ours for ours, theirs in _PLAIN.items()}
_STATISTICS = (".norm.running_mean", ".norm.running_var")
_EXTRA = re.compile(
    r"pixel_mean|pixel_std|proposal_generator\.anchor_generator\.cell_anchors\.[0-4]|.+\.norm\.num_batches_tracked"
)


def is_detectron2(names: Iterable[str]) -> bool:
    """Return whether names of tensors are Detectron2's."""
    return any(name.startswith((_UP, "backbone.fpn_", "proposal_generator.")) for name in names)


def own_name(theirs: str) -> str | None:
    """Return torchvision's name of a tensor of Detectron2's Keypoint R-CNN, None where it has none there."""
    stem, _, kind = theirs.rpartition(".")
    if stem in _BACK:
        return f"{_BACK[stem]}.{kind}"
    if match := re.fullmatch(r"backbone\.fpn_(lateral|output)([2-5])", stem):
        blocks = "inner_blocks" if match[1] == "lateral" else "layer_blocks"
        return f"{_FPN}{blocks}.{int(match[2]) - 2}.0.{kind}"
    if match := re.fullmatch(r"roi_heads\.keypoint_head\.conv_fcn([1-9]\d*)", stem):
        return f"{_HEADS}keypoint_head.{2 * (int(match[1]) - 1)}.{kind}"
    if match := re.fullmatch(r"backbone\.bottom_up\.stem\.conv1(\.norm)?", stem):
        return f"{_BODY}{'bn1' if match[1] else 'conv1'}.{kind}"
    if match := re.fullmatch(r"backbone\.bottom_up\.res([2-5])\.(\d+)\.(conv[123]|shortcut)(\.norm)?", stem):
        block = f"{_BODY}layer{int(match[1]) - 1}.{match[2]}."
        if match[3] == "shortcut":
            return f"{block}downsample.{1 if match[4] else 0}.{kind}"
        return f"{block}{'bn' if match[4] else 'conv'}{match[3][-1]}.{kind}"
    return None


def detectron2_name(ours: str) -> str:
    """Return Detectron2's name of a tensor: the way back from `own_name`."""
    stem, _, kind = ours.rpartition(".")
    if stem in _PLAIN:
        return f"{_PLAIN[stem]}.{kind}"
    if match := re.fullmatch(r"backbone\.fpn\.(inner|layer)_blocks\.([0-3])\.0", stem):
        return f"backbone.fpn_{'lateral' if match[1] == 'inner' else 'output'}{int(match[2]) + 2}.{kind}"
    if match := re.fullmatch(r"roi_heads\.keypoint_head\.(\d+)", stem):
        return f"{_HEADS}keypoint_head.conv_fcn{int(match[1]) // 2 + 1}.{kind}"
    if match := re.fullmatch(r"backbone\.body\.(conv|bn)1", stem):
        return f"{_UP}stem.conv1{'.norm' if match[1] == 'bn' else ''}.{kind}"
    match = re.fullmatch(r"backbone\.body\.layer([1-4])\.(\d+)\.(?:(conv|bn)([123])|downsample\.([01]))", stem)
    if match is None:
        raise WeightsError(f"{ours} is no tensor of a Keypoint R-CNN: check the name")
    block = f"{_UP}res{int(match[1]) + 1}.{match[2]}."
    if match[5] is not None:
        return f"{block}shortcut{'.norm' if match[5] == '1' else ''}.{kind}"
    return f"{block}conv{match[4]}{'.norm' if match[3] == 'bn' else ''}.{kind}"


def read_detectron2_pickle(path: Path) -> dict[str, Tensor]:
    """Return the tensors, by Detectron2's names, of a ``.pkl`` of its Model Zoo; raises `WeightsError`."""
    document = read_pickle(path)
    held = document.get("model")
    if "blobs" in document or not isinstance(held, dict):
        raise WeightsError(
            f"{path} has no entry 'model': files of Caffe2 and Detectron 1 are not read, take one of Detectron2's "
            "COCO-Keypoints models"
        )
    return tensors_of(held, path)


def tensors_of(held: Mapping[str, Any], path: Path) -> dict[str, Tensor]:
    """Return a mapping's arrays as float32 tensors; raises `WeightsError` for a value that is not one."""
    found: dict[str, Tensor] = {}
    for name, value in held.items():
        tensor = torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise WeightsError(f"{path} has an entry {name!r} that is no array: save its state_dict alone")
        found[name] = tensor.float() if tensor.is_floating_point() else tensor
    return found


def convert_detectron2(held: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return Detectron2's weights under torchvision's names, in torchvision's layout.

    The verdict's rows are person, background there and background, person here; box offsets of the background, which
    it does not have, are 0. Old files without statistics of norms get means of 0 and variances of 1, as Detectron2
    reads them. Raises `WeightsError` that names tensors of unknown meaning, and where the file's own pixel statistics
    or anchors are not those of the Model Zoo's Keypoint R-CNNs.
    """
    unknown = [name for name in held if own_name(name) is None and not _EXTRA.fullmatch(name)]
    if unknown:
        raise WeightsError(
            f"{path} has {len(unknown)} tensors that a Keypoint R-CNN of Detectron2 does not have ({listed(unknown)}): "
            "only R50-FPN and R101-FPN keypoint models are read"
        )
    _check_extras(held, path)
    state = {name: value for theirs, value in held.items() if (name := own_name(theirs)) is not None}
    state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    _fill_statistics(held, state)
    return _with_background(state, path)


def listed(names: Iterable[str]) -> str:
    """Return names for an error, the first ones and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    return ", ".join(ordered[:NAMED]) + more


def _with_background(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    for kind in ("weight", "bias"):
        score, offsets = (f"roi_heads.box_predictor.{part}.{kind}" for part in ("cls_score", "bbox_pred"))
        for name, rows in ((score, 2), (offsets, 4)):
            if name in state and len(state[name]) != rows:
                raise WeightsError(
                    f"{path} has {detectron2_name(name)} with {len(state[name])} rows instead of {rows}: it finds "
                    "other things than persons; only models of one class are read"
                )
        if score in state:
            state[score] = state[score].flip(0)
        if offsets in state:
            state[offsets] = torch.cat([torch.zeros_like(state[offsets]), state[offsets]])
    return state


def _fill_statistics(held: Mapping[str, Tensor], state: dict[str, Tensor]) -> None:
    if any(name.endswith(_STATISTICS) for name in held):
        return
    for theirs, value in held.items():
        stem, _, kind = theirs.rpartition(".")
        ours = own_name(theirs)
        if stem.endswith(".norm") and kind == "weight" and ours is not None:
            state[ours.removesuffix("weight") + "running_mean"] = torch.zeros_like(value)
            state[ours.removesuffix("weight") + "running_var"] = torch.ones_like(value)


def _check_extras(held: Mapping[str, Tensor], path: Path) -> None:
    expected = {
        "pixel_mean": torch.tensor(DETECTRON2.mean),
        "pixel_std": torch.tensor(DETECTRON2.spread),
        **{
            f"proposal_generator.anchor_generator.cell_anchors.{level}": cell_anchors(side, whole=False)
            for level, side in enumerate(ANCHOR_SIDES)
        },
    }
    for name, wanted in expected.items():
        value = held.get(name)
        if value is None:
            continue
        if value.numel() != wanted.numel() or not torch.allclose(
            value.float().reshape(wanted.shape), wanted, atol=1e-2
        ):
            raise WeightsError(
                f"{path} was trained with another {name} ({[round(v, 3) for v in value.flatten()[:4].tolist()]}...): "
                "only the configuration of the Model Zoo's R50-FPN and R101-FPN keypoint models is read"
            )
