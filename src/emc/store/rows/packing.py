"""A prediction as one block of bytes: bit-exact, little-endian float32.

Layout of the block for J joints: xy (2 J), score (J), confidence (J), box (4), then features (F J) where there are
any. The number of features per joint follows from the length; J is stored beside the block.
"""

from __future__ import annotations

import numpy as np

from emc.errors import ProjectError, ShapeMismatch
from emc.pose.records import Prediction

FLOAT = np.dtype("<f4")


def pack_prediction(prediction: Prediction) -> bytes:
    """Return the block of a prediction; raises `ShapeMismatch` where box or features do not fit."""
    joints, features = len(prediction.xy), prediction.features
    if (
        not joints
        or prediction.box.shape != (4,)
        or (features is not None and (features.ndim != 2 or len(features) != joints))
    ):
        raise ShapeMismatch(
            f"prediction of person {prediction.person} on frame {prediction.frame} has box {prediction.box.shape} and "
            f"features {None if features is None else features.shape}: they must be (4,) and ({joints}, F) or None, "
            "and it must have joints"
        )
    parts = [prediction.xy, prediction.score, prediction.confidence, prediction.box]
    if features is not None:
        parts.append(features)
    return b"".join(part.astype(FLOAT, copy=False).tobytes() for part in parts)


def unpack_prediction(frame: int, person: int, joints: int, block: bytes) -> Prediction:
    """Return the prediction of a block, its arrays writable and its own; raises `ProjectError` where damaged."""
    values = np.frombuffer(block, dtype=FLOAT).astype(np.float32) if len(block) % 4 == 0 else np.empty(0, np.float32)
    extra = len(values) - 4 * joints - 4
    if joints < 1 or extra < 0 or extra % joints:
        raise ProjectError(
            f"the stored prediction of person {person} on frame {frame} is damaged ({len(block)} bytes for {joints} "
            "joints): predict the clip again"
        )
    return Prediction(
        frame=frame,
        person=person,
        xy=values[: 2 * joints].reshape(joints, 2),
        score=values[2 * joints : 3 * joints],
        confidence=values[3 * joints : 4 * joints],
        box=values[4 * joints : 4 * joints + 4],
        features=values[4 * joints + 4 :].reshape(joints, extra // joints) if extra else None,
    )
