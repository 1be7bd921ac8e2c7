from __future__ import annotations

from collections.abc import Iterator

import pytest

from emc.interfaces import RunRecord
from emc.pose.records import (
    Alert,
    AlertReason,
    Clip,
    Edit,
    FrameAlerts,
    JointChange,
    Provenance,
    Role,
    Visibility,
)
from emc.store.sql import SqlStore
from emc.workflow.editing.decided import Decided
from emc.workflow.editing.flags import Flags, joints_done, looked_every, next_open_frame, open_on_frame, read_flags


def decided(*joints: tuple[int, int, int]) -> Decided:
    """Joints (frame, person, joint) that a person decided, in one edit."""
    changes = [JointChange(f, p, j, 1.0, 2.0, Visibility.VISIBLE, Provenance.HUMAN) for f, p, j in joints]
    return Decided([Edit("kick", "place", tuple(changes), id=1)])


ALERTS = (
    Alert("kick", 0, 5, 2, 4, AlertReason.LOST, 0.9),
    Alert("kick", 0, 7, 4, 4, AlertReason.JUMP, 0.6),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Joint 5 is flagged on frames 2 to 4, joint 7 on frame 4; frame 4 is worst, then 2, 3, 1."""
    with SqlStore.create(tmp_path_factory.mktemp("flags") / "kick.emc") as made:
        made.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 10, 640, 480))
        run = made.start_run("kick", "nano", "coco17", {})
        made.write_alerts(run.id, ALERTS, [FrameAlerts(f, lost, 0) for f, lost in ((4, 2), (3, 1), (2, 1), (1, 0))])
        made.finish_run(run.id)
        yield made


@pytest.fixture
def run(store: SqlStore) -> RunRecord:
    return store.runs("kick")[0]


@pytest.fixture
def flags(store: SqlStore, run: RunRecord) -> Flags:
    return read_flags(store, run)


def test_alerts_of_a_frame_without_what_is_decided(flags: Flags) -> None:
    assert [alert.joint for alert in open_on_frame(flags, 4, decided())] == [5, 7]
    assert [alert.joint for alert in open_on_frame(flags, 4, decided((4, 0, 5), (3, 0, 7)))] == [7]
    assert open_on_frame(flags, 1, decided()) == []


def test_how_far_an_alert_is_done(flags: Flags) -> None:
    held = decided((2, 0, 5), (4, 0, 5), (9, 0, 5), (4, 1, 7))
    assert joints_done(flags, [0, 1], held) == [(2, 3), (0, 1)]


@pytest.mark.parametrize(
    ("frame", "step", "worst_first", "expected"),
    [
        (4, 1, True, 2),
        (3, 1, True, 4),
        (4, -1, True, 3),
        (1, 1, False, 2),
        (4, 1, False, 2),
        (2, -1, False, 4),
        (9, 1, False, 2),
        (9, -1, False, 4),
        (0, 1, False, 2),
        (9, 1, True, 4),
    ],
)
def test_the_next_open_frame(
    store: SqlStore, run: RunRecord, flags: Flags, frame: int, step: int, worst_first: bool, expected: int
) -> None:
    assert next_open_frame(store, run.id, flags, frame, step, worst_first, decided()) == expected


def test_decided_frames_are_passed_over_until_none_is_left(store: SqlStore, run: RunRecord, flags: Flags) -> None:
    joints = [(frame, 0, 5) for frame in (2, 3, 4)]
    assert next_open_frame(store, run.id, flags, 2, 1, False, decided(*joints)) == 4
    assert next_open_frame(store, run.id, flags, 2, 1, False, decided(*joints, (4, 0, 7))) is None


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_do_not_change_what_comes_next(
    store: SqlStore, run: RunRecord, flags: Flags, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [
        next_open_frame(store, run.id, flags, f, s, w, decided())
        for f in range(6)
        for s in (1, -1)
        for w in (True, False)
    ]
    monkeypatch.setattr("emc.workflow.editing.flags.PAGE", page)
    assert expected == [
        next_open_frame(store, run.id, flags, f, s, w, decided())
        for f in range(6)
        for s in (1, -1)
        for w in (True, False)
    ]


@pytest.mark.parametrize(
    ("word", "every"), [("every:1:0", 1), ("every:3:0", 3), ("every:3:200", 0), ("uniform:20:0", 0), ("", 1)]
)
def test_a_run_says_on_which_frames_persons_were_looked_for(store: SqlStore, word: str, every: int) -> None:
    run = store.start_run(store.clips()[0].id, "nano", "coco17", {"frames": word} if word else {})
    assert looked_every(run) == every
