"""Progress: what a long piece of work reports while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    pass


class Progress(Protocol):
    """Where a long piece of work says how far it is; `workflow` passes it on, `cli` draws it."""

    def start(self, task: str, total: int | None) -> None:
        """Begin a task of `total` steps (None: unknown)."""
        ...

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that `steps` more are done; `note` is a short figure to show, such as a loss."""
        ...

    def finish(self) -> None:
        """End the task."""
        ...

    def say(self, line: str) -> None:
        """Say one line to the user."""
        ...
