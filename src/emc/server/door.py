"""The door: wrong passwords cost whoever guesses, and nobody else, more and more time.

Who waits at the door waits in the event loop, which costs no thread: edits of others are answered meanwhile.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FIRST_DELAY = 1.0
"""Seconds that the first wrong password takes; each further one from the same address takes twice as long."""
LONGEST_DELAY = 30.0
TRIES = 10
"""Wrong passwords after which an address is locked out."""
LOCKED_SECONDS = 900.0
KEPT = 10_000
"""Addresses that are remembered; beyond them the one that tried longest ago is forgotten."""


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    last: float = 0.0


class Door:
    """Counts the wrong passwords of each address. Not for several threads: it is asked from the event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def locked(self, address: str) -> float:
        """Return for how many seconds an address may not try, 0 where it may."""
        tries = self._of(address)
        return 0.0 if tries is None or tries.wrong < TRIES else LOCKED_SECONDS - (self._clock() - tries.last)

    def wrong(self, address: str) -> float:
        """Count a wrong password; returns the seconds after which it may be answered.

        Counted before the wait: a hundred tries at once are a hundred tries.
        """
        tries = self._of(address) or _Tries()
        tries.wrong, tries.last = tries.wrong + 1, self._clock()
        self._tries[_key(address)] = tries
        self._tries.move_to_end(_key(address))
        while len(self._tries) > KEPT:
            self._tries.popitem(last=False)
        return min(FIRST_DELAY * 2.0 ** (tries.wrong - 1), LONGEST_DELAY)

    def right(self, address: str) -> None:
        """Forget an address's wrong passwords."""
        self._tries.pop(_key(address), None)

    def _of(self, address: str) -> _Tries | None:
        tries = self._tries.get(_key(address))
        if tries is not None and self._clock() - tries.last >= LOCKED_SECONDS:
            self.right(address)
            return None
        return tries


def _key(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, since a host has as many addresses in it as it likes."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
