"""The models that `emc bench lspe` compares: what is trained for each, resumable, and what it then predicts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import EngineName, Settings
from emc.interfaces import Estimator, Progress, Trainable
from emc.pose.records import Prediction, Sample
from emc.workflow.calibration import Populations, run_ladder, with_rotations
from emc.workflow.files import read_json, write_bytes, write_json
from emc.workflow.scoring import predict_samples

TRAINED: Mapping[str, Mapping[str, Any]] = {
    "initial": {"strategy": "initial", "ladder": 1},
    "finetune": {"strategy": "finetune", "ladder": 1, "shares": (1.0,), "ensemble_rotations": 1},
    "plain 8:2": {"strategy": "calibration", "mix": (8, 2), "ladder": 1, "shares": (1.0,), "ensemble_rotations": 1},
    "calibration": {},
}
"""What differs from the settings. The first three are the source's: their last weights, no choice, no way back."""
UNTRAINED = ("base", "base, rotation ensemble")
OURS = "calibration"


@dataclass(frozen=True, slots=True)
class Arm:
    """A model and what it says of the test persons: (N, J, 2) places in pixels of each sample's image."""

    name: str
    target: np.ndarray
    common: np.ndarray
    steps: int = 0
    minutes: float = 0.0
    choice: Mapping[str, Any] | None = None


def untrained_arm(name: str, base: Trainable, tests: Mapping[str, Sequence[Sample]], settings: Settings) -> Arm:
    """Return the base as it is, or as the rotation ensemble of the settings."""
    reader = (
        base
        if name == "base"
        else with_rotations(base, settings.calibrate.ensemble_rotations, settings.calibrate.ensemble_zooms)
    )
    engine = settings.predict.engine
    return Arm(name, _places(reader, tests["target"], engine), _places(reader, tests["common"], engine))


def trained_arm(
    name: str,
    base: Trainable,
    data: Populations,
    tests: Mapping[str, Sequence[Sample]],
    settings: Settings,
    folder: Path,
    progress: Progress,
) -> Arm:
    """Return a trained model and its predictions; what `folder` already holds is not done again.

    data : without test persons, so that nothing but the finished arm ever reads them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = read_json(folder / "arm.json")
    if done is None:
        done = _train(name, base, data, settings, folder, progress)
        reader = plugins.estimator_for(str(folder / done["model"]))
        places = {role: _places(reader, tests[role], settings.predict.engine) for role in ("target", "common")}
        write_bytes(folder / "places.npz", _packed(places))
        write_json(folder / "arm.json", done)
    with np.load(folder / "places.npz") as stored:
        return Arm(name, stored["target"], stored["common"], done["steps"], done["minutes"], done["choice"])


def _train(
    name: str, base: Trainable, data: Populations, settings: Settings, folder: Path, progress: Progress
) -> dict[str, Any]:
    asked = {**TRAINED[name], "steps": settings.calibrate.steps}
    chosen = settings.model_copy(update={"calibrate": settings.calibrate.model_copy(update=asked)})
    before = float((read_json(folder / "minutes.json") or {"minutes": 0.0})["minutes"])
    start = time.monotonic()
    try:
        ladder = run_ladder(base, data, chosen, folder, progress)
    finally:
        minutes = before + (time.monotonic() - start) / 60
        write_json(folder / "minutes.json", {"minutes": minutes})
    model = "chosen" if name == OURS else f"step_{chosen.calibrate.steps}"
    why = {**ladder["chosen"], "rotations": ladder["rotations"]} if name == OURS else None
    return {"model": model, "steps": chosen.calibrate.steps, "minutes": minutes, "choice": why}


def _places(reader: Estimator, samples: Sequence[Sample], engine: EngineName) -> np.ndarray:
    return np.stack([prediction.xy for prediction in predict_samples(reader, samples, engine)])


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def as_predictions(places: np.ndarray, samples: Sequence[Sample]) -> list[Prediction]:
    """Return places as predictions, with nothing said of how sure they are."""
    sure = np.ones(places.shape[1], np.float32)
    return [
        Prediction(s.frame, s.person, xy.astype(np.float32), sure, sure, np.asarray(s.box, np.float32))
        for xy, s in zip(places, samples, strict=True)
    ]
