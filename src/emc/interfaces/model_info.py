"""What a model says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What `emc models` shows of a model, and what a saved model's ``emc.json`` records.

    `input_size` is (width, height) in pixels; `weights` says where its weights are (a path, "embedded", a hub name).
    """

    name: str
    kind: str
    skeleton: str
    input_size: tuple[int, int]
    licence: str
    trainable: bool
    parameters: int = 0
    weights: str = ""
    notes: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
