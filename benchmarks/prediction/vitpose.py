"""Measure ViTPose's crop and decode against transformers: `python benchmarks/prediction/vitpose.py [--quick] [--json]`.

One thread, CPU time, both sides in the same run on the same pictures, boxes and heatmaps, which are random: speed and
equality do not depend on weights, so none are needed. Each round times transformers' `VitPoseImageProcessor` and ours
one after the other; a ratio is the median of the rounds' ratios. `largest_px` is the largest difference of a decoded
place in pixels of the picture, `largest_grey` of a crop's pixel in grey levels (both sides round to whole ones).

`--network` also runs ViTPose-S with random weights: transformers' processor and model against `predict` without the
mirrored reading, frames in, places out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from transformers.models.vitpose.image_processing_pil_vitpose import VitPoseImageProcessorPil

from emc.estimators.augmentation import SPREAD
from emc.estimators.vitpose import VitPoseS
from emc.estimators.vitpose.crops import exact_crops, windows
from emc.estimators.vitpose.heatmaps import decode, to_image
from emc.pose.records import Box

SIZE, GRID = (256, 192), (64, 48)
PICTURE = (720, 1280)
SEED = 7


def scene(frames: int, persons: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Pictures (720, 1280, 3) and (frames, persons, 4) boxes, 100 to 500 pixels high, half as wide."""
    rng = np.random.default_rng(SEED)
    coarse = rng.integers(0, 256, (frames, PICTURE[0] // 20, PICTURE[1] // 20, 3), dtype=np.uint8)
    pictures = [np.ascontiguousarray(p.repeat(20, axis=0).repeat(20, axis=1)) for p in coarse]
    heights = rng.uniform(100, 500, (frames, persons))
    left = rng.uniform(-50, PICTURE[1] - 200, (frames, persons))
    top = rng.uniform(-50, PICTURE[0] - 300, (frames, persons))
    return pictures, np.stack([left, top, heights / 2, heights], axis=-1)


def timed(run: Callable[[], Any]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def compared(theirs: Callable[[], Any], ours: Callable[[], Any], rounds: int, persons: int) -> dict[str, float]:
    """Time two ways of the same work round by round, after one round to warm up."""
    theirs(), ours()
    pairs = [(timed(theirs), timed(ours)) for _ in range(rounds)]
    return {
        "transformers_ms_per_person": 1000 * statistics.median(a for a, _ in pairs) / persons,
        "emc_ms_per_person": 1000 * statistics.median(b for _, b in pairs) / persons,
        "ratio": statistics.median(a / b for a, b in pairs),
    }


def measure(frames: int, persons: int, rounds: int) -> dict[str, Any]:
    pictures, boxes = scene(frames, persons)
    listed, flat = boxes.tolist(), boxes.reshape(-1, 4)
    images = [picture for picture in pictures for _ in range(persons)]
    heatmaps = torch.from_numpy(np.random.default_rng(SEED).random((len(flat), 17, *GRID), dtype=np.float32))
    outputs = SimpleNamespace(heatmaps=heatmaps)
    processor: Any = VitPoseImageProcessorPil()

    def their_crops() -> torch.Tensor:
        return processor(images=pictures, boxes=listed, return_tensors="pt")["pixel_values"]

    def our_crops() -> torch.Tensor:
        return exact_crops(images, windows(flat, SIZE), SIZE)

    def their_places() -> np.ndarray:
        found = processor.post_process_pose_estimation(outputs, boxes=listed)
        return np.stack([person["keypoints"].numpy() for image in found for person in image])

    def our_places() -> np.ndarray:
        return to_image(decode(heatmaps).cells, windows(flat, SIZE), GRID)

    grey = (their_crops() - our_crops()).abs() * torch.tensor(SPREAD)[:, None, None]
    count = len(flat)
    return {
        "crop": compared(their_crops, our_crops, rounds, count),
        "decode": compared(their_places, our_places, rounds, count),
        "both": compared(lambda: (their_crops(), their_places()), lambda: (our_crops(), our_places()), rounds, count),
        "largest_px": float(np.abs(their_places() - our_places()).max()),
        "largest_grey": float(grey.max()),
        "share_of_pixels_apart": float((grey > 0.01).float().mean()),
    }


def measure_network(frames: int, persons: int, rounds: int) -> dict[str, float]:
    pictures, boxes = scene(frames, persons)
    listed = boxes.tolist()
    estimator = VitPoseS.untrained(0)
    estimator.mirror = False
    asked = [[Box(frame, tuple(box)) for box in row] for frame, row in enumerate(listed)]
    processor: Any = VitPoseImageProcessorPil()

    def theirs() -> Any:
        inputs = processor(images=pictures, boxes=listed, return_tensors="pt")
        with torch.inference_mode():
            return processor.post_process_pose_estimation(estimator.module.model(inputs["pixel_values"]), boxes=listed)

    return compared(theirs, lambda: estimator.predict(pictures, asked), rounds, frames * persons)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--persons", type=int, default=2, help="per frame")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="4 frames, 3 rounds")
    parser.add_argument("--network", action="store_true", help="also through ViTPose-S with random weights")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    frames, rounds = (4, 3) if arguments.quick else (arguments.frames, arguments.rounds)
    summary = measure(frames, arguments.persons, rounds)
    if arguments.network:
        summary["network"] = measure_network(frames, arguments.persons, rounds)
    if arguments.json:
        print(json.dumps({"benchmark": "vitpose", "summary": summary}, indent=2))
        return 0
    for name, figures in summary.items():
        if isinstance(figures, dict):
            print(f"{name:22s}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
        else:
            print(f"{name:22s} {figures:.5f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
