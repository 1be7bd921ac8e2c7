from __future__ import annotations

import math
from pathlib import Path

import pytest

from emc.errors import UsageError
from emc.pose.records import Clip, Edit, JointChange, Provenance, Role, Visibility
from emc.store import SqlStore
from emc.workflow.project import new_project
from emc.workflow.team import agreement

SHOULDER, SIGMA = 5, 0.079
"""COCO's left shoulder, and its deviation of annotators as a share of the person's size."""


def place(store: SqlStore, author: str, frame: int, x: float, visibility: Visibility = Visibility.VISIBLE) -> Edit:
    change = JointChange(frame, 0, SHOULDER, x, 200.0, visibility, Provenance.HUMAN)
    return store.append_edit(Edit("kick", "place", (change,), author))


def test_distances_similarity_and_visibility(store: SqlStore) -> None:
    for frame, apart in ((1, 0.0), (2, 3.0), (3, 10.0)):
        place(store, "ana", frame, 100.0)
        place(store, "bo", frame, 100.0 + apart, Visibility.OCCLUDED if frame == 3 else Visibility.VISIBLE)
    place(store, "ana", 9, 100.0)
    found = agreement(store, "kick", "ana", "bo")
    (joint,) = found.joints
    assert (joint.joint, joint.count, joint.median) == ("left_shoulder", 3, 3.0)
    assert joint.p95 == pytest.approx(9.3)
    # The box is 100 by 100 px: OKS of one joint is exp(-d² / (2 * 100² * (2 * sigma)²)).
    scores = [math.exp(-(d**2) / (2 * 100.0**2 * (2 * SIGMA) ** 2)) for d in (0, 3, 10)]
    assert found.oks == pytest.approx(sum(scores) / 3)
    assert (found.poses, found.visibility) == (3, pytest.approx(2 / 3))


def test_the_last_word_of_each_counts_and_what_was_taken_back_does_not(store: SqlStore) -> None:
    place(store, "ana", 1, 100.0)
    place(store, "ana", 1, 104.0)
    gone = place(store, "bo", 1, 300.0)
    store.append_edit(Edit("kick", "undo", (), "bo", undoes=gone.id))
    place(store, "bo", 1, 100.0)
    assert agreement(store, "kick", "ana", "bo").joints[0].median == 4.0


def test_two_who_saw_nothing_of_each_other_work_in_two_projects(store: SqlStore, tmp_path: Path) -> None:
    with new_project(tmp_path / "second") as second:
        second.add_clip(Clip("kick", "/media/kick.mp4", Role.TARGET, "ana", 10, 640, 480))
        place(store, "ana", 1, 100.0)
        place(second, "bo", 1, 101.5)
        assert agreement(store, "kick", "ana", "bo", second).joints[0].median == 1.5


def test_who_decided_nothing_is_named(store: SqlStore) -> None:
    place(store, "ana", 1, 100.0)
    with pytest.raises(UsageError, match="bo decided no joint of clip kick"):
        agreement(store, "kick", "ana", "bo")
