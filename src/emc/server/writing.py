"""Requests that write have threads of their own: however long another process holds the database, pages are read.

Whoever writes waits for the writer before, up to half a minute. Were that done in the threads in which all requests are
answered, as many waiting edits as there are threads would keep every page from being shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

WRITERS = 16
"""Threads that write; more requests wait without one. One at a time can write, the others' reads go on meanwhile."""

P = ParamSpec("P")
R = TypeVar("R")
_limiter: RunVar[CapacityLimiter] = RunVar("emc_writers")


def writer(route: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """Let a route that appends to the journal run in the threads of writers."""

    # FastAPI reads the parameters of what is wrapped.
    @wraps(route)
    async def answered(*args: P.args, **given: P.kwargs) -> R:
        call: Callable[[], Any] = partial(route, *args, **given)
        return await to_thread.run_sync(call, limiter=_writers())

    return answered


def _writers() -> CapacityLimiter:
    """Return the limit of this event loop: one that several shared would wake waiters of another's."""
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(made := CapacityLimiter(WRITERS))
        return made
