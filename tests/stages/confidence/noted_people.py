"""People with predictions whose signals tell, up to noise, which joints are wrong."""

import numpy as np

from emc.pose.records import Prediction
from emc.pose.skeletons.skeleton import COCO17

STANDING = np.array([
    [50, 8], [53, 6], [47, 6], [56, 8], [44, 8], [62, 22], [38, 22], [68, 38], [32, 38], [70, 52], [30, 52],
    [57, 52], [43, 52], [58, 75], [42, 75], [58, 98], [42, 98],
], dtype=float)  # fmt: skip


def people(
    count: int, seed: int, knowing: float = 1.0, labelled: float = 0.9
) -> tuple[list[Prediction], np.ndarray, list[str]]:
    """Return predictions, hits (N, J) and groups; a joint is right with the chance that its score claims, if knowing.

    The score is three times too sure of itself: it is the cube root of the true chance.
    """
    rng = np.random.default_rng(seed)
    predictions: list[Prediction] = []
    hits = np.full((count, len(COCO17)), np.nan)
    for i in range(count):
        chance = rng.uniform(0.05, 0.95, len(COCO17))
        claimed = knowing * chance + (1 - knowing) * rng.uniform(0.05, 0.95, len(COCO17))
        score = np.cbrt(claimed).astype(np.float32)
        xy = STANDING * 2 + rng.normal(0, 2, STANDING.shape)
        features = np.stack([score, rng.normal(0, 1, len(COCO17)).astype(np.float32)], axis=1)
        predictions.append(
            Prediction(i, 0, xy.astype(np.float32), score, score, np.array([50, 0, 100, 200], np.float32), features)
        )
        seen = rng.random(len(COCO17)) < labelled
        hits[i, seen] = rng.random(int(seen.sum())) < chance[seen]
    return predictions, hits, [f"athlete_{i % 10}" for i in range(count)]
