"""Logs survive writing and reading; a broken one says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import InputError
from emc.study.scripted.actions import Action, Move, corrections, read_log, write_log

LOG = [
    Action("arrive", 3, 7, keys=1, waited=0.02),
    Action("place", 3, 7, presses=2, moves=(Move(120.0, 9.5), Move(4.0, 2.0, held=True)), stores=True, corrects=True),
]


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", LOG)
    assert read_log(tmp_path / "log.jsonl") == LOG
    assert not list(tmp_path.glob("*.part"))


def test_corrections_are_joints_that_were_given_a_place() -> None:
    assert corrections(LOG) == 1


def test_a_line_that_is_no_action_is_named(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl", LOG)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"kind": "pl')
    with pytest.raises(InputError, match="log.jsonl, line 3 is no action"):
        read_log(tmp_path / "log.jsonl")
