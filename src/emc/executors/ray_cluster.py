"""Runs functions on the workers of a Ray cluster: several GPUs or machines, or several processes of this one.

The only module that imports Ray. A worker is a Ray actor that holds the function, so that a network inside it is sent
once per worker and not with every item.
"""

# Ray has no complete types.
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from emc.errors import EmcError, PluginError

T = TypeVar("T")
R = TypeVar("R")

PER_WORKER = 2
"""Items that a worker has: one at work, one waiting, so that it never idles."""
LIVES = 4
"""How often a worker that died is started again, and an item it had is tried again, before the work is given up."""


class RayExecutor:
    """Maps a picklable function over items on `workers` Ray actors, in order and lazily.

    workers : 0 = one per GPU of the cluster, or one per machine where there is none. The cluster is the one that this
    process is connected to, or that ``RAY_ADDRESS`` names, or a new one on this machine. Every machine needs EMC with
    the same extras, and the media under the same paths. An item whose worker died is done again on a new one.

    Raises `PluginError` where Ray is not installed, `EmcError` where it cannot be reached.
    """

    def __init__(self, workers: int = 0) -> None:
        self._ray = _imported()
        self._started = not self._ray.is_initialized()
        if self._started:
            _connect(self._ray)
        self._workers, self._gpus = _workers(self._ray, workers)

    @property
    def workers(self) -> int:
        """How many workers a map has."""
        return self._workers

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in the order of the items; an item's error is raised in its turn."""
        # In a list: Ray warns of arguments that a new worker might not find, and this process keeps the function.
        held = [self._ray.put(function)]
        options: dict[str, Any] = {"max_restarts": LIVES, "max_task_retries": LIVES, "scheduling_strategy": "SPREAD"}
        # Without GPUs a worker takes no share of Ray's count of cores: its own threads use the cores there are.
        options |= {"num_gpus": 1} if self._gpus else {"num_cpus": 0}
        actor = self._ray.remote(_Worker).options(**options)
        actors = [actor.remote(held) for _ in range(self._workers)]
        try:
            yield from self._results(actors, items)
        finally:
            # Without this actors keep their GPU until Ray collects them, and the next clip of the same run finds none
            # free.
            for one in actors:
                self._ray.kill(one)

    def close(self) -> None:
        """Leave the cluster, and end it where this executor began it; safe to call twice."""
        if self._started:
            self._started = False
            self._ray.shutdown()

    def _results(self, actors: list[Any], items: Iterable[Any]) -> Iterator[Any]:
        """Give items to whoever has fewest; a result that is not yet in its turn waits on the cluster."""
        upcoming = iter(items)
        order: deque[Any] = deque()
        busy: dict[Any, int] = {}
        most = PER_WORKER * len(actors)
        ended = False
        while not ended or order:
            # The second bound is for results that wait for an earlier one: one slow item must not fill the cluster's
            # memory with the results behind it.
            while not ended and len(busy) < most and len(order) < 2 * most:
                # Fewest first and not in turn: a worker on a slower GPU would collect a queue while the others idle.
                loads = [list(busy.values()).count(number) for number in range(len(actors))]
                number = loads.index(min(loads))
                try:
                    item = next(upcoming)
                except StopIteration:
                    ended = True
                    break
                result = actors[number].run.remote(item)
                order.append(result)
                busy[result] = number
            if not order:
                return
            if order[0] not in busy:
                yield self._got(order.popleft())
                continue
            for result in self._ray.wait(list(busy), num_returns=1)[0]:
                del busy[result]

    def _got(self, result: Any) -> Any:
        errors = self._ray.exceptions
        try:
            return self._ray.get(result)
        except errors.RayTaskError as error:
            # Ray wraps what the function raised in an error with the traceback as its text.
            if isinstance(error.cause, EmcError):
                raise error.cause from error
            raise
        except errors.RayError as error:
            first = str(error).strip().splitlines()[0]
            raise EmcError(
                f"workers of the Ray cluster died {LIVES + 1} times ({first:.120}): see their logs, then run the "
                "command again"
            ) from error


class _Worker:
    """Lives in a process of the cluster and applies the function that it was made with."""

    def __init__(self, held: list[Any]) -> None:
        self._function: Callable[[Any], Any] = _imported().get(held[0])

    def run(self, item: Any) -> Any:
        """Return what the function makes of the item."""
        return self._function(item)


def _imported() -> Any:
    try:
        import ray
    except ImportError as error:
        raise PluginError(
            f"--executor ray needs Ray, which is not installed ({error}): pip install 'emc-pose[ray]'"
        ) from error
    return ray


def _connect(ray: Any) -> None:
    try:
        ray.init(log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # noqa: BLE001 - Ray raises whatever its start-up meets
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise EmcError(f"no Ray cluster can be reached or started ({first:.160}): check RAY_ADDRESS") from error


def _workers(ray: Any, asked: int) -> tuple[int, bool]:
    """Return how many workers there will be, and whether each has a GPU."""
    gpus = int(ray.cluster_resources().get("GPU", 0))
    machines = sum(1 for node in ray.nodes() if node.get("Alive"))
    return asked or gpus or max(machines, 1), gpus >= max(asked, 1)
