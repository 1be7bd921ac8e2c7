"""What the scripted user did, one record per action, with what the cost model needs to time it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from emc.errors import InputError
from emc.untrusted import one_line


@dataclass(frozen=True, slots=True)
class Move:
    """An aimed movement of the pointer: pixels of the screen moved, and the target's width; `held` while dragging."""

    distance: float
    width: float
    held: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """One action.

    kind : the word of the rules in ``klm.toml``. frame, joint : where, -1 where it is about none. keys, presses (a
    press and its release are two), homings, glances : how many. stores : whether the page stored an edit for it.
    corrects : whether a joint was given a place. waited : seconds until the page had answered, 0 where nothing was
    waited for.
    """

    kind: str
    frame: int = -1
    joint: int = -1
    keys: int = 0
    presses: int = 0
    homings: int = 0
    glances: int = 0
    moves: tuple[Move, ...] = ()
    stores: bool = False
    corrects: bool = False
    waited: float = 0.0


def write_log(path: Path, actions: Iterable[Action]) -> None:
    """Write a log, one JSON object per line; the file appears when it is whole."""
    partial = path.with_suffix(path.suffix + ".part")
    partial.write_text("".join(json.dumps(asdict(action)) + "\n" for action in actions), encoding="utf-8")
    partial.replace(path)


@one_line("record it again")
def read_log(path: Path) -> list[Action]:
    """Read a log; raises `InputError` naming file and line where one is not an action."""
    actions: list[Action] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            actions.append(Action(**{**row, "moves": tuple(Move(**move) for move in row["moves"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number} is no action ({error}): delete the file, it is made again"
            ) from error
    return actions


def corrections(actions: Sequence[Action]) -> int:
    """Return how many joints a person gave a place, one by one."""
    return sum(action.corrects for action in actions)
