"""The published detection transformers that find persons: where their weights are and how good they are on COCO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emc.errors import UsageError

LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class PublishedDetector:
    """One published model. box_ap : AP of all 80 classes on COCO val 2017. source : where the figure stands.

    repository, revision : place on the Hugging Face hub and the commit that is loaded. megabytes : size of the
    download, rounded.
    """

    name: str
    repository: str
    revision: str
    box_ap: float
    parameters: int
    megabytes: int
    source: str


_DFINE = "github.com/Peterande/D-FINE (arXiv 2410.13842)"
_RTDETR = "github.com/lyuwenyu/RT-DETR (arXiv 2407.17140)"

# Revisions are commits of the hub, so that the same name gives the same weights for ever.
DETECTORS: Mapping[str, PublishedDetector] = MappingProxyType(
    {
        one.name: one
        for one in (
            PublishedDetector(
                "dfine-s", "ustc-community/dfine-small-coco",
                "f79e65b5fbb33ceb9d3ebba042955d7410c608f8",
                48.5, 10_000_000, 42, _DFINE,
            ),
            PublishedDetector(
                "dfine-m", "ustc-community/dfine-medium-coco",
                "4ab9f5e466432f4fcf9a9a023da6aa5ecc9c9829",
                52.3, 19_000_000, 79, _DFINE,
            ),
            PublishedDetector(
                "rtdetrv2-s", "PekingU/rtdetr_v2_r18vd",
                "5650961749fa93567c0d46fc7f43ea4f9e914107",
                48.1, 20_000_000, 81, _RTDETR,
            ),
            PublishedDetector(
                "rtdetrv2-m", "PekingU/rtdetr_v2_r34vd",
                "5d60d8fb5eb2a3ee5575bf200ecbce4e2cfa420c",
                49.9, 31_000_000, 126, _RTDETR,
            ),
        )
    }
)  # fmt: skip


def detector_named(name: str) -> PublishedDetector:
    """Return a published detector; raises `UsageError` that names those that exist."""
    try:
        return DETECTORS[name]
    except KeyError:
        raise UsageError(f"unknown detector '{name}': use one of {', '.join(DETECTORS)}") from None
