"""Who a token belongs to, as the server asks at every request; what another process said is known a second later."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress

from anyio import to_thread

from emc.errors import EmcError
from emc.store import SqlStore
from emc.workflow.team import Member, assigned_clips, members_of, token_digest

FRESH_SECONDS = 1.0


class Members:
    """The project's members by token. For the event loop: reading them is left to a thread."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._read = -math.inf
        self._reading = asyncio.Lock()
        self._by_digest: dict[str, Member] = {}
        self._names: frozenset[str] = frozenset()
        self._clips: dict[str, tuple[str, ...]] = {}

    @property
    def names(self) -> frozenset[str]:
        """The names of all members, those who were revoked too: nobody else may sign with them."""
        return self._names

    def clips(self, name: str) -> tuple[str, ...]:
        """Return the clips that are assigned to a member."""
        return self._clips.get(name, ())

    async def any(self) -> bool:
        """Return whether the project has members, so that a name is proved by a token and no password opens."""
        await self._refresh()
        return bool(self._names)

    async def find(self, token: str) -> Member | None:
        """Return whose token it is, None where it is nobody's or revoked."""
        if not token:
            return None
        await self._refresh()
        # Looked up by digest: the time that it takes says nothing of a token.
        return self._by_digest.get(token_digest(token))

    async def _refresh(self) -> None:
        # Whoever comes while they are read waits for it: of two first requests the second would find nobody.
        async with self._reading:
            if time.monotonic() - self._read < FRESH_SECONDS:
                return
            # A database that cannot be reached for a while changes nobody's rights.
            with suppress(EmcError):
                found, self._clips = await to_thread.run_sync(_read, self._store)
                self._by_digest = {one.digest: one for one in found if not one.revoked}
                self._names = frozenset(one.name for one in found)
            self._read = time.monotonic()


def _read(store: SqlStore) -> tuple[list[Member], dict[str, tuple[str, ...]]]:
    found = members_of(store)
    return found, {one.name: assigned_clips(store, one.name) for one in found}
