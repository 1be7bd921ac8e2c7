"""The estimator that made a run, loaded when it is first asked for, to look at one crop again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.errors import EmcError
from emc.interfaces import Estimator, Trainable
from emc.pose.records import Box, Sample
from emc.workflow.engine import in_engine
from emc.workflow.predict import model_key

_SAMPLES = 4
"""Markers per side of the grid by which the geometry of a network's heatmaps is found."""


class RunModels:
    """Loaded estimators by the model key of runs; safe to use from several threads."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._loaded: dict[str, Estimator] = {}
        self._vain: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def estimator(self, model: str) -> Estimator | None:
        """Return the estimator whose predictions carry the key `model`, None where none of the project's is it.

        Where none is it, they are looked through again only after another one has come.
        """
        with self._lock:
            if model not in self._loaded:
                names = self._names(model)
                if self._vain.get(model) != names:
                    self._search(model, names)
            return self._loaded.get(model)

    def _names(self, model: str) -> tuple[str, ...]:
        """Return the estimators that may have made a run: the one its key names, the project's, the calibrated ones."""
        made_by = [name for name in plugins.plugin_names("estimators") if f"{model}-".startswith(f"{name}-")]
        if model.rpartition("-")[0].endswith(plugins.ADAPTIVE):
            made_by.append(model.rpartition("-")[0])
        chosen = self._folder.glob("models/*/chosen/emc.json")
        newest = sorted(chosen, key=lambda path: path.stat().st_mtime, reverse=True)
        names = [*sorted(made_by, key=len, reverse=True), self._settings.predict.estimator]
        return tuple(dict.fromkeys([*names, *(str(path.parent) for path in newest)]))

    def _search(self, model: str, names: tuple[str, ...]) -> None:
        for name in names:
            try:
                estimator: Estimator = plugins.estimator_for(name)
                key = model_key(estimator)
            except EmcError:
                continue
            if key == model:
                # Nobody waits for an export here: a graph is at hand once the clip was predicted.
                self._loaded[model] = in_engine(estimator, self._settings.predict.engine, export=False)
                return
        self._vain[model] = names


def heatmaps(estimator: Estimator, image: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return an estimator's chances (J, h, w) for one person, and the affine (2, 3) from cells to pixels of the image.

    None where the estimator shows no heatmaps. What a network's cells stand for is found from the targets that the
    estimator itself makes of labels whose places are known.
    """
    if not isinstance(estimator, Trainable):
        return None
    joints = len(estimator.skeleton)
    markers = _markers(box, joints)
    batch = estimator.collate([_marked(image, box, xy) for xy in markers], None)
    target = np.asarray(batch.get("target", ()), dtype=np.float64)
    if target.ndim != 4 or target.shape[1] != joints:
        return None
    affine = _geometry(target, np.asarray(batch["weight"]), markers)
    # Networks that give more than heatmaps give those first.
    logits = _logits(estimator, batch)[:joints]
    if affine is None or logits.shape != target.shape[1:]:
        return None
    flat = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
    return flat / flat.sum(axis=(1, 2), keepdims=True), affine


def perturbed(estimator: Estimator, image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return (N, J, 3) places and confidences that an estimator finds in boxes around the given one."""
    x, y, w, h = (float(v) for v in box)
    ways = [(dx, dy, s) for s in (0.8, 1.0, 1.25) for dx, dy in ((-0.1, 0), (0.1, 0), (0, -0.1), (0, 0.1))]
    boxes = [
        Box(0, (x + dx * w - (s - 1) * w / 2, y + dy * h - (s - 1) * h / 2, w * s, h * s), track=i)
        for i, (dx, dy, s) in enumerate(ways)
    ]
    found = estimator.predict([image], [boxes])
    return np.stack([np.concatenate([p.xy, p.confidence[:, None]], axis=1) for p in found])


def _markers(box: np.ndarray, joints: int) -> np.ndarray:
    """Return (N, J, 2) places, a grid over the box dealt out to the joints of N made-up labels."""
    side = np.linspace(0.15, 0.85, _SAMPLES)
    grid = np.array([(u, v) for u in side for v in side])
    places = np.asarray(box[:2]) + grid * np.asarray(box[2:])
    count = -(-len(places) // joints)
    padded = np.resize(places, (count * joints, 2))
    return padded.reshape(count, joints, 2)


def _marked(image: np.ndarray, box: np.ndarray, xy: np.ndarray) -> Sample:
    seen = np.full(len(xy), 2, dtype=np.int8)
    return Sample(image, xy.astype(np.float32), seen, np.asarray(box, dtype=np.float32), "", "", 0)


def _geometry(target: np.ndarray, weight: np.ndarray, markers: np.ndarray) -> np.ndarray | None:
    """Return the affine (2, 3) from cells to pixels that the targets' centres of gravity follow."""
    rows, columns = np.indices(target.shape[2:])
    mass = target.sum(axis=(2, 3))
    cells = np.stack([(target * columns).sum(axis=(2, 3)) / mass, (target * rows).sum(axis=(2, 3)) / mass], axis=-1)
    inside = weight > 0
    if inside.sum() < 4:
        return None
    given = np.concatenate([cells[inside], np.ones((int(inside.sum()), 1))], axis=1)
    solved, *_ = np.linalg.lstsq(given, markers[inside], rcond=None)
    return solved.T


def _logits(estimator: Trainable, batch: Any) -> np.ndarray:
    import torch

    training = estimator.module.training
    estimator.module.eval()
    with torch.inference_mode():
        found = estimator.module(batch["image"][:1])
    estimator.module.train(training)
    return found[0].float().numpy().astype(np.float64)
