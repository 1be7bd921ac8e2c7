"""Estimators as those that run in an engine, where it computes what their network does."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar, cast

from emc.engines.check import Difference, known_difference
from emc.engines.choice import RUNTIME, asked_engine, engine_at_hand
from emc.engines.graphs import graph_key, graphs_at_hand, new_graph
from emc.engines.network import NetworkInEngine, opened
from emc.engines.user import EngineUser
from emc.errors import EmcError, UsageError

E = TypeVar("E")
Asked = Literal["auto", "torch", "onnx"]
PYTORCH = "PyTorch"


@dataclass(frozen=True, slots=True)
class Accelerated(Generic[E]):
    """An estimator, what computes it, and why that is PyTorch where an engine could have been ("" else)."""

    estimator: E
    engine: str
    reason: str = ""


def accelerated(
    estimator: E,
    asked: Asked = "auto",
    export: bool = True,
    told: Callable[[str], None] | None = None,
    remember: bool = True,
) -> Accelerated[E]:
    """Return an estimator as one whose present weights run in an engine; the one that was given stays as it is.

    asked : ``torch`` for PyTorch, ``onnx`` for an engine and nothing else, ``auto`` for an engine where one is
    installed and exact (`check.Difference`). export : whether a graph may be made that is not at hand, which takes 10
    to 20 seconds, once for all weights of a network; `told` hears of it. remember : whether the weights will be asked
    for again, so that their check is kept. An estimator around another one, its `inner`, is given that one accelerated.
    Raises `UsageError` where ``onnx`` was asked for and cannot be had.
    """
    inner = getattr(estimator, "inner", None)
    if inner is not None:
        done = accelerated(inner, asked, export, told, remember)
        if done.estimator is inner:
            return replace(done, estimator=estimator)
        outer = copy(estimator)
        outer.inner = done.estimator  # type: ignore[attr-defined]
        return replace(done, estimator=outer)
    if asked == "torch" or not isinstance(estimator, EngineUser) or estimator.forward is not None:
        return Accelerated(estimator, _own_engine(estimator))
    forward, reason = _forward(estimator, export, told or (lambda _: None), remember)
    if forward is None:
        if asked == "onnx":
            name: str = cast(Any, estimator).describe().name
            why = reason or f"{name} is no faster in what is installed, or its graph is missing"
            raise UsageError(f"predict.engine = onnx, but {why}: set predict.engine = auto")
        return Accelerated(estimator, PYTORCH, reason)
    fast = copy(estimator)
    fast.forward = forward
    return Accelerated(fast, forward.engine.name)


def _own_engine(estimator: object) -> str:
    forward = getattr(estimator, "forward", None)
    return forward.engine.name if isinstance(forward, NetworkInEngine) else PYTORCH


def _forward(
    estimator: Any, export: bool, told: Callable[[str], None], remember: bool
) -> tuple[NetworkInEngine | None, str]:
    """Return an estimator's network in an engine, or None and why there is none."""
    name, first = estimator.describe().name, estimator.suited_engine
    if not engine_at_hand(first):
        missing = asked_engine() == "" and first == RUNTIME
        return None, f"{name} computes in PyTorch, for want of ONNX Runtime: pip install onnxruntime" if missing else ""
    if _on_gpu(estimator):
        return None, ""
    network, size = estimator.module, estimator.describe().input_size
    last: Difference | None = None
    for graph in graphs_at_hand(graph_key(network, size, estimator.free)):
        found, last = _checked(estimator, size, graph, remember)
        if found is not None:
            return found, ""
    if not export:
        return None, ""
    told(f"{name}: made ready for ONNX Runtime, once for all its weights (10 to 20 seconds)")
    try:
        found, last = _checked(estimator, size, new_graph(network, size, estimator.free), remember)
    except EmcError as error:
        return None, f"{name} computes in PyTorch ({error})"
    except Exception as error:  # noqa: BLE001 - the exporter raises classes of its own, a chain of them
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return None, f"{name} computes in PyTorch, its network cannot be exported ({first:.120})"
    if found is not None:
        return found, ""
    return None, (
        f"{name} computes in PyTorch, since the exported network differs: maps by {last.maps:.1e} of their range, "
        f"places by {last.places:.2g} px"
    )


def _checked(
    estimator: Any, size: tuple[int, int], graph: bytes, remember: bool
) -> tuple[NetworkInEngine | None, Difference]:
    """Return a graph opened with the estimator's weights, None where it is not exact, and how far it is off."""
    try:
        forward = opened(estimator.module, size, estimator.free, graph, estimator.suited_engine)
    except EmcError:
        return None, Difference(float("inf"), float("inf"))
    try:
        found = known_difference(estimator, forward, graph, remember)
    except (EmcError, RuntimeError, ValueError):
        # A graph of a network whose layers have the same names and another order.
        return None, Difference(float("inf"), float("inf"))
    return (forward if found.exact else None), found


def _on_gpu(estimator: Any) -> bool:
    import torch

    return bool(getattr(estimator, "follows_network", False)) and torch.cuda.is_available()
