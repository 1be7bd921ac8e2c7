"""A participant's way: order, stop rule, clocks, and the same state after a crash."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.small_study import HIDDEN, small_study, truth

from emc.errors import ConflictError, UsageError
from emc.study.plan.crossover import Cell
from emc.study.plan.design import read_design
from emc.study.preparing import read_references
from emc.study.roster import Study
from emc.study.session.log import SessionLog
from emc.study.session.session import Session
from emc.study.session.tlx import SCALES

CLOCKS = {"active": 1.0, "idle": 0.0, "paused": 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "P01.jsonl"


def opened(folder: Path, log: Path, sequence: str = "AB") -> Session:
    return Session("P01-X", Cell(sequence, "12"), read_design(folder), read_references(folder), SessionLog(log))


def place(session: Session, frame: int, joint: int, xy: tuple[float, float] | None, seconds: float = 1.0) -> None:
    how = "hidden" if xy is None else "click"
    event = {"id": f"p-{session.state.step}-{frame}-{joint}-{how}-{seconds}", "kind": "place", "how": how}
    event |= {"step": session.state.step, "frame": frame, "joint": joint, "xy": xy, **CLOCKS, "active": seconds}
    session.note([event])


def place_all(session: Session, seconds: float = 1.0) -> None:
    first, last = session.stretches[session.state.stretch]
    for frame in range(first, last + 1):
        for joint, (x, y) in enumerate(truth(session.task.clip, frame)):  # type: ignore[union-attr]
            place(session, frame, joint, None if joint == HIDDEN else (x, y), seconds)


def check(session: Session, seconds: float = 1.0, go_on: bool = False, key: str = "") -> Any:
    state = session.state
    key = key or f"check-{state.step}-{state.stretch}-{state.failed}-{seconds}"
    clocks = {**CLOCKS, "active": seconds}
    return session.check(key, state.step, state.stretch, clocks, session.placed, go_on)


def to_trial(session: Session) -> None:
    session.consent("abc")
    session.begin(1)
    place_all(session)
    check(session)
    session.begin(2)


def test_the_way_from_consent_to_the_end_of_a_trial(folder: Path, log: Path):
    session = opened(folder, log)
    assert session.step.kind == "consent"
    with pytest.raises(ConflictError):
        session.begin(1)
    session.consent("abc")
    assert (session.step.kind, session.task.clip) == ("training", "practice")  # type: ignore[union-attr]
    session.begin(1)
    place_all(session)
    assert check(session)["passed"]
    assert (session.step.kind, session.task.clip, session.state.begun) == ("trial", "north", False)  # type: ignore[union-attr]
    session.begin(2)
    place_all(session, 40.0)
    check(session, 41.5)
    assert (session.state.stretch, session.state.active) == (1, 41.5)
    place_all(session, 80.0)
    last = check(session, 83.0)
    assert last["whole"]["share"] == 1.0 and last["whole"]["counted"] == 4 * 16
    assert session.step.kind == "tlx"
    session.rate(3, dict.fromkeys(SCALES, 50))
    assert (session.step.kind, str(session.step.method)) == ("training", "editor")


def test_frames_are_not_done_before_the_goal_is_reached(folder: Path, log: Path):
    session = opened(folder, log)
    to_trial(session)
    place_all(session)
    place(session, 1, 9, (0.0, 0.0), 2.0)
    place(session, 1, 10, (0.0, 0.0), 2.0)
    found = check(session)
    # 2 of 32 joints are wrong: 93.75 %, and 95 % are needed.
    assert (found["passed"], found["right"], found["counted"], found["wrong"]) == (False, 30, 32, {"1": 2})
    assert (session.state.stretch, session.state.failed) == (0, 1)
    place(session, 1, 9, tuple(truth("north", 1)[9]), 3.0)  # type: ignore[arg-type]
    assert check(session, 4.0)["passed"]  # 31 of 32


def test_frames_may_be_left_only_after_enough_failed_checks(folder: Path, log: Path):
    session = opened(folder, log)
    to_trial(session)
    for attempt in range(5):
        assert not session.may_go_on
        assert not check(session, float(attempt), go_on=True)["passed"]
    assert session.may_go_on
    found = check(session, 9.0, go_on=True)
    assert (found["ok"], found["passed"]) == (False, True)
    assert session.state.stretch == 1


def test_a_check_that_is_sent_again_is_answered_as_before(folder: Path, log: Path):
    session = opened(folder, log)
    to_trial(session)
    place_all(session)
    first = session.check("key-1", 2, 0, CLOCKS, session.placed, False)
    again = session.check("key-1", 2, 0, CLOCKS, session.placed, False)
    assert again is first
    assert session.state.stretch == 1


def test_after_a_crash_everything_is_as_it_was(folder: Path, log: Path):
    session = opened(folder, log)
    to_trial(session)
    place(session, 0, 3, (100.0, 50.5), 12.0)
    place(session, 1, 4, None, 14.0)
    session.note([{"id": "b-1", "kind": "beat", "step": 2, "active": 20.0, "idle": 5.0, "paused": 7.0}])
    with log.open("ab") as opened_log:
        opened_log.write(b'{"kind":"place","fra')
    again = opened(folder, log)
    assert asdict(again.state) == asdict(session.state)
    assert again.state.placed == {(0, 3): (100.0, 50.5), (1, 4): None}
    assert (again.state.active, again.state.idle, again.state.paused) == (20.0, 5.0, 7.0)
    assert np.isnan(again.placed(again.step, 0, 1)[1, 4]).all()


def test_clocks_never_go_back_and_begin_at_nothing_in_each_step(folder: Path, log: Path):
    session = opened(folder, log)
    to_trial(session)
    session.note([{"id": "b-1", "kind": "beat", "step": 2, **CLOCKS, "active": 20.0}])
    session.note([{"id": "b-2", "kind": "beat", "step": 2, **CLOCKS, "active": 12.0}])
    session.note([{"id": "b-3", "kind": "beat", "step": 1, **CLOCKS, "active": 99.0}])
    assert session.state.active == 20.0


@pytest.mark.parametrize(
    ("frame", "joint", "xy"), [(2, 0, (1.0, 1.0)), (0, 17, (1.0, 1.0)), (0, 0, (9999.0, 1.0)), (0, 0, (math.nan, 1.0))]
)
def test_joints_elsewhere_are_refused(folder: Path, log: Path, frame: int, joint: int, xy: tuple[float, float]):
    session = opened(folder, log)
    to_trial(session)
    with pytest.raises(UsageError):
        place(session, frame, joint, xy)


def test_an_undone_first_placement_leaves_the_joint_open(folder: Path, log: Path):
    session = opened(folder, log)
    to_trial(session)
    place(session, 0, 3, (100.0, 50.0))
    session.note([{"id": "u", "kind": "place", "step": 2, "frame": 0, "joint": 3, "xy": None, "how": "undo", **CLOCKS}])
    assert session.state.placed == {}


def test_groups_are_balanced_and_withdrawing_deletes_everything(folder: Path):
    study = Study(folder)
    first, second = study.join(), study.join()
    assert {first.cell.sequence, second.cell.sequence} == {"AB", "BA"}
    first.consent("abc")
    first.begin(1)
    kept = folder / "sessions" / "P01.jsonl"
    assert kept.is_file()
    study.withdraw(first.code)
    assert not kept.exists()
    assert study.session(first.code) is None
    again = Study(folder)
    assert [session.code for session in again.sessions()] == [second.code]
    assert again.withdrawn() == 1
    third = again.join()
    assert third.cell.sequence == first.cell.sequence
    assert third.code.startswith("P03-")
    assert again.session(third.code.lower()) is third
