"""The attack suite on a small scale, and with many seeds in `make test-all`."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.trust import files, kills, pages, projects


def test_every_sound_file_is_read(tmp_path: Path) -> None:
    sound = files.sound_files(tmp_path)
    found = []
    for number, kind in enumerate(files.KINDS):
        place = tmp_path / str(number)
        place.mkdir()
        found.append(files.outcome_of(kind, sound[kind.name], place))
    assert [one for one in found if one.how != "read"] == []


@pytest.mark.parametrize("count", [120, pytest.param(5000, marks=pytest.mark.slow)])
def test_damaged_files_are_single_lines(count: int) -> None:
    outcomes, memory = files.attack(count, seed=count)
    assert [one for one in outcomes if one.how not in ("read", "refused")] == []
    assert memory < 2000


@pytest.mark.parametrize("tries", [18, pytest.param(360, marks=pytest.mark.slow)])
def test_damaged_databases_lose_nothing_unsaid(tmp_path: Path, tries: int) -> None:
    tried = pages.attack(tmp_path, tries, seed=tries)
    assert [one for one in tried if one.silent or one.half or one.fault] == []


@pytest.mark.parametrize("count", [3, pytest.param(1000, marks=pytest.mark.slow)])
def test_two_clients_that_are_killed(tmp_path: Path, count: int) -> None:
    done = kills.attack(tmp_path, count)
    assert (done["lost"], done["half"], done["faults"]) == (0, 0, 0)
    assert done["acknowledged"] >= count


@pytest.mark.parametrize(
    "command", [("status",), *(pytest.param(c, marks=pytest.mark.slow) for c in projects.COMMANDS[1:])]
)
def test_projects_of_somebody_else(tmp_path: Path, command: tuple[str, ...]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    tried = projects.attack(folder, (command,))
    assert [one for one in tried if one.how in ("traceback", "lines") or one.outside] == []
