"""What is asked of the project's queue, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emc.stages.queue import QueueOrder

State = Literal["open", "confirmed", "all"]


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What of the queue is asked for; an empty tuple lets everything through. joints : names."""

    state: State = "open"
    order: QueueOrder = QueueOrder.VALUE
    down: bool = True
    clips: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    persons: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One run: see `QueueColumns`; `key` names it as long as the clip is not predicted again."""

    key: str
    clip: str
    person: int
    joint: int
    name: str
    first: int
    last: int
    reason: str
    severity: float
    frames: int
    done: int
    value: float
    seconds: float

    @property
    def state(self) -> str:
        """``confirmed`` where a person decided the joint on every frame."""
        return "confirmed" if self.done >= self.frames else "open"


@dataclass(frozen=True, slots=True)
class Facets:
    """How many runs there are by reason, joint, clip and person, how many are open, and their predicted seconds."""

    open: int
    confirmed: int
    seconds: float
    reasons: dict[str, int]
    joints: dict[str, int]
    clips: dict[str, int]
    persons: dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class RemainingWork:
    """What the next `seconds` of work are expected to bring: runs, and wrong joints (on frames) put right by them.

    An expectation by P(wrong) and by the keystroke-level model; `worked` are the seconds that these runs take.
    """

    seconds: float
    runs: int
    joints: float
    worked: float


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A joint on a frame, from where the next run is asked for."""

    clip: str
    frame: int
    person: int
    joint: int
