"""Sequences of one person in 3D."""

from __future__ import annotations

import numpy as np

from emc.pose.motion import LiftedSequence


def lifted(frames: list[int], cuts: list[int] | None = None) -> LiftedSequence:
    count = len(frames)
    begins = None if cuts is None else np.array(cuts, np.int64)
    return LiftedSequence(
        0, np.array(frames, np.int64), np.zeros((count, 17, 3), np.float32), np.ones(count, np.float32), cuts=begins
    )


def test_pieces_end_at_gaps_and_at_cuts() -> None:
    assert lifted([3, 4, 5, 9, 10]).pieces() == [slice(0, 3), slice(3, 5)]
    assert lifted([3, 4, 5, 6], cuts=[5]).pieces() == [slice(0, 2), slice(2, 4)]
    assert lifted([3, 4, 5, 9, 10], cuts=[1, 7, 10]).pieces() == [slice(0, 3), slice(3, 4), slice(4, 5)]
    assert lifted([], cuts=[5]).pieces() == []
