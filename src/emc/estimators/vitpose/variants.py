"""The published ViTPose models: their shapes, where their weights are, and how good they are on COCO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from emc.errors import UsageError

LICENCE = "Apache-2.0 (ViTPose, University of Sydney)"
AP_SOURCE = "github.com/ViTAE-Transformer/ViTPose, COCO val 2017, boxes of a detector with 56 AP, flip test"
COCO_EXPERT = 0
"""Which expert of ViTPose++ learned COCO's persons (`dataset_index` of transformers)."""
DEFAULT = "vitpose-plus-s"
"""What the plain name ``vitpose`` stands for: as good as B, at a quarter of its work and the smallest download."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One published model with an input of 256 x 192 and COCO-17 joints.

    hidden, layers, heads : of the vision transformer. simple_head : upsampling and one convolution instead of two
    deconvolutions. repository, revision : place on the Hugging Face hub and the commit that is loaded, "" where its
    authors publish no weights in that layout. coco_ap : OKS-AP on COCO val 2017 with the usual detector's boxes.
    layer_decay : factor on the learning rate from one layer to the next nearer the input, of the official recipe.
    megabytes : size of the download. `parameters` are those of the network that runs (one expert alone).
    """

    name: str
    hidden: int
    layers: int
    heads: int
    coco_ap: float
    layer_decay: float
    parameters: int
    simple_head: bool = False
    repository: str = ""
    revision: str = ""
    megabytes: int = 0

    @property
    def source(self) -> str:
        """Repository and commit, "" where there is none."""
        return f"{self.repository}@{self.revision}" if self.repository else ""

    def facts(self) -> dict[str, Any]:
        """Return what is published of it, as `ModelInfo.extra` holds it."""
        facts = {"coco_ap": self.coco_ap, "coco_ap_source": AP_SOURCE, "layer_decay": self.layer_decay}
        hub = {"repository": self.repository, "revision": self.revision, "megabytes": self.megabytes}
        return facts | (hub if self.repository else {})

    def configuration(self) -> dict[str, Any]:
        """Return the configuration of its network, see `configuration`."""
        return configuration(self.hidden, self.layers, self.heads, self.simple_head)


def configuration(
    hidden: int, layers: int, heads: int, simple_head: bool = False, size: tuple[int, int] = (256, 192)
) -> dict[str, Any]:
    """Return a network's configuration as transformers writes it to ``config.json``.

    size : (height, width) of the input in pixels, multiples of the patches' 16.
    """
    return {
        "model_type": "vitpose",
        "use_simple_decoder": simple_head,
        "scale_factor": 4,
        "num_labels": 17,
        "backbone_config": {
            "model_type": "vitpose_backbone",
            "image_size": list(size),
            "patch_size": [16, 16],
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "out_indices": [layers],
        },
    }


def variant_named(name: str) -> Variant:
    """Return a published model; raises `UsageError` that names those that exist."""
    try:
        return VITPOSE_VARIANTS[name]
    except KeyError:
        raise UsageError(f"unknown ViTPose '{name}': use one of {', '.join(VITPOSE_VARIANTS)}") from None


# Revisions are commits of the hub, so that the same name gives the same weights for ever. S, L and H without experts
# are published as mmpose checkpoints alone, which `original` reads.
VITPOSE_VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        variant.name: variant
        for variant in (
            Variant("vitpose-s", 384, 12, 12, 73.8, 0.8, 24_290_577),
            Variant(
                "vitpose-b", 768, 12, 12, 75.8, 0.75, 89_994_513,
                repository="usyd-community/vitpose-base",
                revision="95be2991424e646950d656bb7fc15ec9be119700",
                megabytes=360,
            ),
            Variant(
                "vitpose-b-simple", 768, 12, 12, 75.5, 0.75, 85_912_337, simple_head=True,
                repository="usyd-community/vitpose-base-simple",
                revision="a93ac0c67e0b7e2c55287d21d4c460c8f3c54d45",
                megabytes=344,
            ),
            Variant("vitpose-l", 1024, 24, 16, 78.3, 0.8, 308_544_785),
            Variant("vitpose-h", 1280, 32, 16, 79.1, 0.85, 637_208_849),
            Variant(
                "vitpose-plus-s", 384, 12, 12, 75.8, 0.8, 24_290_577,
                repository="usyd-community/vitpose-plus-small",
                revision="0c30b6534bb621af0162b481176742577264e36e",
                megabytes=133,
            ),
            Variant(
                "vitpose-plus-b", 768, 12, 12, 77.0, 0.75, 89_994_513,
                repository="usyd-community/vitpose-plus-base",
                revision="92be54d7a29e42fad47b6e2ca01dd9e685a61e0d",
                megabytes=502,
            ),
            Variant(
                "vitpose-plus-l", 1024, 24, 16, 78.6, 0.8, 308_544_785,
                repository="usyd-community/vitpose-plus-large",
                revision="e211df377e49c89dba508ab3e83ddef13c0832b4",
                megabytes=1740,
            ),
            Variant(
                "vitpose-plus-h", 1280, 32, 16, 79.4, 0.85, 637_208_849,
                repository="usyd-community/vitpose-plus-huge",
                revision="9f36d7aec1800d23e97f10c2e74393aee92aa53f",
                megabytes=3600,
            ),
        )
    }
)  # fmt: skip
