"""Predictions as bytes."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import ProjectError, ShapeMismatch
from emc.pose.records import Prediction
from emc.store.rows.packing import pack_prediction, unpack_prediction


def made(features: np.ndarray | None = None, joints: int = 2) -> Prediction:
    values = np.arange(2 * joints, dtype=np.float32)
    return Prediction(
        7, 3, values.reshape(joints, 2), values[:joints] + 10, values[:joints] / 10, np.float32([1, 2, 3, 4]), features
    )


def test_layout_is_little_endian_float32_in_the_written_order() -> None:
    block = pack_prediction(made(np.float32([[50], [51]])))
    assert np.frombuffer(block, "<f4").tolist() == [0, 1, 2, 3, 10, 11, 0, np.float32(0.1), 1, 2, 3, 4, 50, 51]


@pytest.mark.parametrize("features", [None, np.float32([[1, 2, 3], [4, 5, 6]])])
def test_round_trip_is_bit_exact(features: np.ndarray | None) -> None:
    strange = np.array([0x7FC00001, 0xFFC12345, 0x80000000, 0x00000001], np.uint32).view(np.float32).reshape(2, 2)
    there = Prediction(
        7, 3, strange, np.float32([np.inf, -np.inf]), np.float32([0, 1]), np.float32([1, 2, 3, 4]), features
    )
    back = unpack_prediction(7, 3, 2, pack_prediction(there))
    for name in ("xy", "score", "confidence", "box"):
        assert getattr(back, name).tobytes() == getattr(there, name).tobytes()
        assert getattr(back, name).shape == getattr(there, name).shape
    if features is None:
        assert back.features is None
    else:
        np.testing.assert_array_equal(back.features, features)


def test_other_number_types_become_float32() -> None:
    big = Prediction(0, 0, np.float64([[0.1, 2]]), np.float64([1]), np.float64([1]), np.arange(4))
    back = unpack_prediction(0, 0, 1, pack_prediction(big))
    assert back.xy.dtype == np.float32
    assert back.xy[0, 0] == np.float32(0.1)


@pytest.mark.parametrize("features", [np.zeros((3, 2), np.float32), np.zeros(2, np.float32)])
def test_features_that_do_not_fit_are_refused(features: np.ndarray) -> None:
    with pytest.raises(ShapeMismatch, match="person 3 on frame 7"):
        pack_prediction(made(features))


def test_no_joints_are_refused() -> None:
    with pytest.raises(ShapeMismatch, match="must have joints"):
        pack_prediction(made(joints=0))


@pytest.mark.parametrize("block", [b"", b"abc", b"\0" * 40])
def test_a_damaged_block_names_the_frame(block: bytes) -> None:
    with pytest.raises(ProjectError, match="person 3 on frame 7 is damaged"):
        unpack_prediction(7, 3, 2, block)
