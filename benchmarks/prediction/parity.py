"""The parity part of `benchmarks/prediction/predict.py`: the same weights and boxes give the same places and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx_models
from contestants import pictures, transformers
from race import Job

from emc.estimators.onnx import OnnxEstimator
from emc.estimators.vitpose import VitPoseEstimator, VitPoseS
from emc.formats.poses.boxes_csv import BoxesCsvFormat
from networks import clip_with_boxes, vitpose_files


def parity(folder: Path, shared: Path, quick: bool) -> list[dict[str, Any]]:
    rows = onnx_models.parity(folder, shared, 20 if quick else 200)
    estimator = VitPoseEstimator.untrained(1) if quick else VitPoseS.untrained(1)
    saved, exported = vitpose_files(folder, estimator, "parity_vitpose")
    video, boxes, frames, persons = clip_with_boxes(folder, shared, 4 if quick else 20)
    theirs = transformers(Job(str(video), frames, str(saved), str(boxes)), folder).run()
    table = BoxesCsvFormat().read(boxes)
    for name, ours in (("vitpose", estimator), ("vitpose, exported", OnnxEstimator(exported))):
        places, scores = [], []
        for number, image in enumerate(pictures(Job(str(video), frames))):
            for one in ours.predict([cv2.cvtColor(image, cv2.COLOR_BGR2RGB)], [table.get(number, [])]):
                places.append(one.xy)
                scores.append(one.score)
        apart = np.abs(np.stack(places) - np.stack([xy for _, xy, _ in theirs]))
        score = np.abs(np.stack(scores) - np.stack([score for *_, score in theirs]))
        rows.append({"model": f"{name}, random weights", "against": "transformers", "persons": persons} | {
            "largest_px": float(np.nanmax(apart)), "median_px": float(np.nanmedian(apart)),
            "beyond_0.1_px": float(np.mean(apart > 0.1)), "largest_score": float(score.max()),
        })  # fmt: skip
    return rows
