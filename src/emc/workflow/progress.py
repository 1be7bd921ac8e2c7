"""Progress that nobody watches: the default where no command line draws one."""

from __future__ import annotations


class Silent:
    """Takes every progress message and shows none; satisfies `emc.interfaces.Progress`."""

    def start(self, task: str, total: int | None) -> None:
        """Ignore the beginning of a task."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore an advance."""

    def finish(self) -> None:
        """Ignore the end of a task."""

    def say(self, line: str) -> None:
        """Ignore a line."""
