"""The published detection transformers that find persons: where their weights are and how good they are on COCO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emc.errors import UsageError

LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class PublishedDetector:
    """One published model. box_ap : AP of all 80 classes on COCO val 2017. revision : "" = pinned on first use.

    megabytes : size of the download, rounded. source : where the figure stands.
    """

    name: str
    repository: str
    box_ap: float
    parameters: int
    megabytes: int
    source: str
    revision: str = ""


_DFINE = "github.com/Peterande/D-FINE (arXiv 2410.13842)"
_RTDETR = "github.com/lyuwenyu/RT-DETR (arXiv 2407.17140)"

DETECTORS: Mapping[str, PublishedDetector] = MappingProxyType(
    {
        one.name: one
        for one in (
            PublishedDetector("dfine-s", "ustc-community/dfine-small-coco", 48.5, 10_000_000, 42, _DFINE),
            PublishedDetector("dfine-m", "ustc-community/dfine-medium-coco", 52.3, 19_000_000, 79, _DFINE),
            PublishedDetector("rtdetrv2-s", "PekingU/rtdetr_v2_r18vd", 48.1, 20_000_000, 81, _RTDETR),
            PublishedDetector("rtdetrv2-m", "PekingU/rtdetr_v2_r34vd", 49.9, 31_000_000, 126, _RTDETR),
        )
    }
)


def detector_named(name: str) -> PublishedDetector:
    """Return a published detector; raises `UsageError` that names those that exist."""
    try:
        return DETECTORS[name]
    except KeyError:
        raise UsageError(f"unknown detector '{name}': use one of {', '.join(DETECTORS)}") from None
