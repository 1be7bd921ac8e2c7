"""The published Keypoint R-CNNs: their shapes, where their weights are, and how good they are on COCO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from emc.errors import UsageError
from emc.estimators.keypoint_rcnn.network import RESNET50, RESNET101, Shape
from emc.estimators.keypoint_rcnn.recipe import DETECTRON2, TORCHVISION, Recipe

DEFAULT = "keypointrcnn"
TORCHVISION_LICENCE = "BSD-3-Clause (torchvision)"
DETECTRON2_LICENCE = "CC BY-SA 3.0 (Detectron2 Model Zoo)"
_TORCHVISION_AP = "docs.pytorch.org/vision, keypointrcnn_resnet50_fpn COCO_V1, COCO val 2017, own boxes"
_DETECTRON2_AP = "github.com/facebookresearch/detectron2 MODEL_ZOO.md, COCO val 2017, own boxes"
_ZOO = "https://dl.fbaipublicfiles.com/detectron2/COCO-Keypoints/"


@dataclass(frozen=True, slots=True)
class Variant:
    """One published model with COCO-17 joints.

    address : of its weights. digest : ``sha256`` or ``md5``, and the first characters of it that its authors publish
    (in the file's name). coco_ap, box_ap : on COCO val 2017 as published (`ap_source`). parameters : of the network,
    frozen norms not counted. megabytes : size of the download.
    """

    name: str
    shape: Shape
    recipe: Recipe
    coco_ap: float
    box_ap: float
    ap_source: str
    licence: str
    address: str
    digest: tuple[str, str]
    parameters: int
    megabytes: int

    @property
    def file(self) -> str:
        """Name of the published file."""
        return self.address.rsplit("/", 1)[-1]

    def facts(self) -> dict[str, Any]:
        """Return what is published of it, as `ModelInfo.extra` holds it."""
        return {
            "coco_ap": self.coco_ap,
            "coco_ap_source": self.ap_source,
            "box_ap": self.box_ap,
            "address": self.address,
            "checksum": ":".join(self.digest),
            "megabytes": self.megabytes,
        }


def variant_named(name: str) -> Variant:
    """Return a published model; raises `UsageError` that names those that exist."""
    try:
        return RCNN_VARIANTS[name]
    except KeyError:
        raise UsageError(f"unknown Keypoint R-CNN '{name}': use one of {', '.join(RCNN_VARIANTS)}") from None


def _of_zoo(name: str, shape: Shape, ap: tuple[float, float], place: str, parameters: int, megabytes: int) -> Variant:
    # The zoo names each file after the start of its MD5.
    digest = ("md5", place.rsplit("_", 1)[-1].removesuffix(".pkl"))
    return Variant(
        name, shape, DETECTRON2, *ap, _DETECTRON2_AP, DETECTRON2_LICENCE, _ZOO + place, digest, parameters, megabytes
    )


# The variances of this one file were trained with nothing added: torchvision sets it so for it alone.
_COCO_V1 = Variant(
    "keypointrcnn", RESNET50, replace(TORCHVISION, epsilon=0.0), 65.0, 54.6, _TORCHVISION_AP, TORCHVISION_LICENCE,
    "https://download.pytorch.org/models/keypointrcnn_resnet50_fpn_coco-fc266e95.pth", ("sha256", "fc266e95"),
    59_137_258, 237,
)  # fmt: skip

RCNN_VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        variant.name: variant
        for variant in (
            _COCO_V1,
            _of_zoo(
                "detectron2-r50", RESNET50, (65.5, 55.4),
                "keypoint_rcnn_R_50_FPN_3x/137849621/model_final_a6e10b.pkl", 59_137_258, 237,
            ),
            _of_zoo(
                "detectron2-r50-1x", RESNET50, (64.0, 53.6),
                "keypoint_rcnn_R_50_FPN_1x/137261548/model_final_04e291.pkl", 59_137_258, 237,
            ),
            _of_zoo(
                "detectron2-r101", RESNET101, (66.1, 56.4),
                "keypoint_rcnn_R_101_FPN_3x/138363331/model_final_997cc7.pkl", 78_077_162, 313,
            ),
        )
    }
)  # fmt: skip
