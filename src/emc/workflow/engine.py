"""The engine that estimators and detectors compute in, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from emc.config import EngineName
from emc.engines import EngineUser

E = TypeVar("E")


def in_engine(
    estimator: E,
    engine: EngineName,
    export: bool = True,
    told: Callable[[str], None] | None = None,
    remember: bool = True,
) -> E:
    """Return an estimator or a detector as one whose present weights run in an engine, else itself; see `accelerated`.

    told : hears in one line why PyTorch computes where an engine could have, and of an export.
    """
    innermost: Any = estimator
    while hasattr(innermost, "inner"):
        innermost = innermost.inner
    if not isinstance(innermost, EngineUser):
        # What runs an ONNX file needs no PyTorch: it is not loaded for the question.
        return estimator
    from emc.engines import accelerated

    done = accelerated(estimator, engine, export, told, remember)
    if done.reason and told is not None:
        told(f"note: {done.reason}")
    return done.estimator
