"""Names that edits are signed with: no two browsers sign with the same one, so that nobody undoes another's work.

Undo goes by the author in the journal. Two people who give no name, or the same one, would be one author there.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

KEPT = 1000
"""Names that are remembered; beyond them the one that was used longest ago is free again."""


class Names:
    """Gives each browser a name of its own while the server runs; safe to use from several threads."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def signed(self, browser: str, wanted: str) -> str:
        """Return the name that a browser signs with: `wanted`, or with a number where another browser has that.

        browser : its own lasting id; "" (a script, not a page) signs as it wants.
        """
        if not browser:
            return wanted
        with self._lock:
            number = 1
            name = wanted
            while self._owners.get(name, browser) != browser:
                number += 1
                name = f"{wanted or 'somebody'} {number}"
            self._owners[name] = browser
            self._owners.move_to_end(name)
            while len(self._owners) > KEPT:
                self._owners.popitem(last=False)
            return name
