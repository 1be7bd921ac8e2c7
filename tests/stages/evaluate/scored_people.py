"""Small labelled persons for the tests of scoring."""

import numpy as np

from emc.pose.records import Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17

IMAGE = np.zeros((8, 8, 3), dtype=np.uint8)
NAN = float("nan")


def sample(
    xy: np.ndarray,
    clip: str = "a",
    frame: int = 0,
    head: float = 10.0,
    area: float = NAN,
    visibility: np.ndarray | None = None,
    box: tuple[float, float, float, float] = (0, 0, 100, 200),
) -> Sample:
    seen = np.full(len(xy), 2) if visibility is None else visibility
    return Sample(IMAGE, xy, seen, np.array(box, dtype=float), clip, clip, frame, head=head, area=area)


def prediction(xy: np.ndarray, confidence: float | np.ndarray = 0.9) -> Prediction:
    confidence = np.broadcast_to(np.asarray(confidence, dtype=np.float32), (len(xy),)).copy()
    return Prediction(0, 0, xy.astype(np.float32), confidence, confidence, np.zeros(4, dtype=np.float32))


def crowd(
    seed: int, clips: int = 8, frames: int = 4, noise: float = 6.0, digits: int = 1
) -> tuple[list[Prediction], list[Sample]]:
    """Persons of random poses in `clips` x `frames` images (two persons on even frames), with noisy predictions.

    Scores are rounded to `digits`, so that by default many are tied.
    """
    rng = np.random.default_rng(seed)
    predicted: list[Prediction] = []
    samples: list[Sample] = []
    for clip in range(clips):
        for frame in range(frames):
            for _ in range(1 + (frame % 2 == 0)):
                side = rng.uniform(40, 300)
                xy = rng.uniform(0, side, (len(COCO17), 2)) + rng.uniform(0, 50, 2)
                visibility = rng.integers(0, 3, len(COCO17))
                box = (*xy.min(axis=0), *np.ptp(xy, axis=0))
                samples.append(sample(xy, f"clip{clip}", frame, side / 8, side * side * 0.5, visibility, box))
                moved = xy + rng.normal(0, noise * rng.choice([0.3, 1, 3]), xy.shape)
                predicted.append(prediction(moved, round(float(rng.uniform()), digits)))
    return predicted, samples
