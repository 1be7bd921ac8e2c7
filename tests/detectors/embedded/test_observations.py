from __future__ import annotations

import numpy as np

from emc.detectors.embedded.observations import above


def test_levels_are_joined_above_a_bound_of_single_precision() -> None:
    corners = np.arange(12.0).reshape(3, 4)
    scores = np.array([0.9, np.float32(0.3), 0.2])
    places, kept = above([(corners, scores), (corners[:1] + 100, np.array([0.5]))], 0.3)
    assert kept.tolist() == [0.9, float(np.float32(0.3)), 0.5]
    assert places.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [100, 101, 102, 103]]
    empty, none = above([(corners, scores)], 0.95)
    assert empty.shape == (0, 4)
    assert none.shape == (0,)
