"""The published single-person networks: input size, width, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from emc.errors import UsageError
from emc.networks.movenet import MoveNetForm, pose_heads


@dataclass(frozen=True, slots=True)
class Variant:
    """One network. side : pixels of its input, along each axis. width : factor on MobileNetV2's channels."""

    name: str
    side: int
    width: float
    parameters: int

    def form(self, joints: int) -> MoveNetForm:
        """Return what builds its network for a number of joints."""
        return MoveNetForm(self.width, pose_heads(joints))


LIGHTNING = Variant("movenet-lightning", 192, 1.0, 2_317_974)
THUNDER = Variant("movenet-thunder", 256, 1.75, 6_226_046)
MOVENET_VARIANTS: Mapping[str, Variant] = MappingProxyType({one.name: one for one in (LIGHTNING, THUNDER)})


def variant_named(name: str) -> Variant:
    """Return a network by name; raises `UsageError` that names those that exist."""
    try:
        return MOVENET_VARIANTS[name]
    except KeyError:
        raise UsageError(f"unknown MoveNet '{name}': use one of {', '.join(MOVENET_VARIANTS)}") from None
