"""The crossover: who does which method on which clip, in which order, and what a participant goes through.

Everybody does both methods, each on another clip. Group AB begins with the classic method, group BA with the editor;
within each group the clips change places too, so that neither order nor clip is mixed up with the method.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Method(StrEnum):
    """How joints are corrected."""

    CLASSIC = "classic"
    EDITOR = "editor"


SEQUENCES = {"AB": (Method.CLASSIC, Method.EDITOR), "BA": (Method.EDITOR, Method.CLASSIC)}
CLIP_ORDERS = {"12": (0, 1), "21": (1, 0)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A participant's group (a key of `SEQUENCES`) and order of clips (a key of `CLIP_ORDERS`)."""

    sequence: str
    clips: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a participant does.

    kind : consent, training, trial, tlx, comment or done. period : 1 or 2, 0 outside of the periods.
    clip : 0 or 1, -1 the training clip, None where there is none.
    """

    kind: str
    period: int = 0
    method: Method | None = None
    clip: int | None = None

    @property
    def works(self) -> bool:
        """Whether joints are corrected in it."""
        return self.kind in ("training", "trial")


def next_cell(taken: Sequence[Cell], seed: int) -> Cell:
    """Return the cell of the next participant.

    taken : cells of those who take part (who withdrew does not count). The group with fewer people comes first, then
    the order of clips with fewer people in it, then the one with fewer people overall; what is still equal is drawn.
    """
    draw = random.Random(f"{seed}/{len(taken)}")
    groups = Counter(cell.sequence for cell in taken)
    cells = Counter(taken)
    orders = Counter(cell.clips for cell in taken)
    every = [Cell(sequence, clips) for sequence in SEQUENCES for clips in CLIP_ORDERS]
    return min(every, key=lambda cell: (groups[cell.sequence], cells[cell], orders[cell.clips], draw.random()))


def steps_of(cell: Cell) -> tuple[Step, ...]:
    """Return what a participant of a cell does, in order: each method is trained, then timed, then rated."""
    steps = [Step("consent")]
    pairs = zip(SEQUENCES[cell.sequence], CLIP_ORDERS[cell.clips], strict=True)
    for period, (method, clip) in enumerate(pairs, start=1):
        steps += [
            Step("training", period, method, -1),
            Step("trial", period, method, clip),
            Step("tlx", period, method),
        ]
    return (*steps, Step("comment"), Step("done"))
