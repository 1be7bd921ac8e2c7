"""Whether an engine computes what a network does: the same maps, and the same places of drawn people."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emc.engines.graphs import cache_folder, write_whole
from emc.engines.network import NetworkInEngine
from emc.pose.records import Box

MAPS = 1e-4
"""Largest difference of a map, as a share of the range of its values."""
PLACES = 0.05
"""Largest distance, in pixels of crops of about the network's own size, between places of joints that are seen."""
SEEN = 0.2
"""Confidence from which on a joint is seen: flat maps have their highest cell anywhere."""
FIGURES = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """How far an engine is from PyTorch. maps : share of their range. places : pixels, 0 where no joint is seen."""

    maps: float
    places: float

    @property
    def exact(self) -> bool:
        """Whether it is within `MAPS` and `PLACES`; what is no number is not."""
        return self.maps <= MAPS and self.places <= PLACES


class Both:
    """Calls a network and an engine on the same crops, and gives what the engine says."""

    def __init__(self, network: Callable[[Tensor], Any], engine: Callable[[Tensor], Any]) -> None:
        self._network, self._engine = network, engine
        self.maps = 0.0

    def __call__(self, crops: Tensor) -> Any:
        """Return the engine's maps, and remember how far they are from the network's."""
        found = self._engine(crops)
        for one, expected in zip(_tensors(found), _tensors(self._network(crops)), strict=True):
            reach = float(expected.max() - expected.min())
            away = float((one - expected).abs().max()) / max(reach, 1e-12)
            self.maps = max(self.maps, away if np.isfinite(away) else np.inf)
        return found


def difference(estimator: Any, forward: NetworkInEngine) -> Difference:
    """Compare an estimator or a detector (see `EngineUser`) with itself in an engine on drawn people."""
    here, there = estimator.for_check(), estimator.for_check()
    images, boxes = drawn_people(here.describe().input_size)
    there.forward = both = Both(estimator.module, forward)
    compare = _moved if hasattr(here, "predict") else _shifted
    # One by one: together they would hold more memory than the prediction that follows.
    places = max(compare(here, there, image, listed) for image, listed in zip(images, boxes, strict=True))
    return Difference(both.maps, places)


def known_difference(estimator: Any, forward: NetworkInEngine, graph: bytes, remember: bool) -> Difference:
    """Return the difference that was measured before for the same weights, engine and code, else measure it.

    remember : whether the cache is told; weights of a moment leave nothing there.
    """
    place = cache_folder() / "checks" / f"{_checked_key(estimator, forward, graph)}.json"
    with suppress(OSError, ValueError, TypeError):
        return Difference(**json.loads(place.read_text(encoding="utf-8")))
    found = difference(estimator, forward)
    with suppress(OSError):
        if remember:
            write_whole(place, json.dumps(asdict(found)).encode())
    return found


def drawn_people(size: tuple[int, int]) -> tuple[list[np.ndarray], list[list[Box]]]:
    """Return `FIGURES` pictures, uint8 RGB, each of a drawn person, and their boxes; always the same ones.

    size : (width, height) of the crops that a network reads: a person is about as large.
    """
    import cv2

    pictures: list[np.ndarray] = []
    boxes: list[list[Box]] = []
    rng = np.random.default_rng(0)
    high = int(size[1] * 0.8)
    wide = int(min(size[0] * 0.8, high * 0.6))
    for number in range(FIGURES):
        noise = rng.integers(0, 255, (9, 9, 3)).astype(np.uint8)
        ground = cv2.resize(noise, (2 * wide, 2 * high), interpolation=cv2.INTER_CUBIC) // 2 + 60
        joints = _figure(rng) * (wide, high) + (wide / 2, high / 2)
        for first, last, colour, thick in _LIMBS:
            ends = [tuple(int(v) for v in joints[end]) for end in (first, last)]
            cv2.line(ground, ends[0], ends[1], colour, max(2, int(thick * high)), cv2.LINE_AA)
        cv2.circle(ground, tuple(int(v) for v in joints[0]), int(0.08 * high), _SKIN, -1, cv2.LINE_AA)
        pictures.append(cv2.GaussianBlur(ground, (3, 3), 0))
        boxes.append([Box(number, (wide / 2, high / 2, float(wide), float(high)), track=0)])
    return pictures, boxes


_SKIN, _SHIRT, _TROUSERS = (224, 172, 140), (40, 70, 160), (50, 45, 40)
_STANDING = np.array([
    (0.5, 0.08), (0.35, 0.22), (0.65, 0.22), (0.25, 0.37), (0.75, 0.37), (0.2, 0.52), (0.8, 0.52),
    (0.42, 0.52), (0.58, 0.52), (0.4, 0.74), (0.6, 0.74), (0.38, 0.96), (0.62, 0.96),
])  # fmt: skip
"""Head, then shoulders, elbows, wrists, hips, knees, ankles: shares of the box."""
_LIMBS = (
    (1, 8, _SHIRT, 0.12), (2, 7, _SHIRT, 0.12), (1, 2, _SHIRT, 0.1), (7, 8, _TROUSERS, 0.1),
    (7, 9, _TROUSERS, 0.07), (8, 10, _TROUSERS, 0.07), (9, 11, _TROUSERS, 0.05), (10, 12, _TROUSERS, 0.05),
    (1, 3, _SHIRT, 0.05), (2, 4, _SHIRT, 0.05), (3, 5, _SKIN, 0.04), (4, 6, _SKIN, 0.04),
)  # fmt: skip


def _figure(rng: np.random.Generator) -> np.ndarray:
    return _STANDING + rng.normal(0, 0.04, _STANDING.shape)


def _moved(here: Any, there: Any, image: np.ndarray, boxes: Sequence[Box]) -> float:
    """Return the largest distance between places of joints that are seen."""
    (expected,), (found,) = (one.predict([image], [boxes]) for one in (here, there))
    far = np.linalg.norm(expected.xy.astype(np.float64) - found.xy, axis=-1)
    return float(far[expected.confidence >= SEEN].max(initial=0.0))


def _shifted(here: Any, there: Any, image: np.ndarray, boxes: Sequence[Box]) -> float:
    """Return the largest difference of a box's numbers; infinite where there are other boxes."""
    (expected,), (found,) = (one.detect([image], [boxes[0].frame]) for one in (here, there))
    if len(expected) != len(found):
        return float("inf")
    numbers = [np.array([box.xywh for box in one]) for one in (expected, found)]
    return float(np.abs(numbers[0] - numbers[1]).max(initial=0.0))


def _tensors(found: Any) -> list[Tensor]:
    if isinstance(found, Tensor):
        return [found.float()]
    return [one.float() for one in (found.values() if isinstance(found, Mapping) else found)]


def _checked_key(estimator: Any, forward: NetworkInEngine, graph: bytes) -> str:
    """Return what a measured difference belongs to: graph, weights, engine, and the code around the network."""
    told = hashlib.sha256(f"{forward.engine.name}:{torch.__version__}:{MAPS}:{PLACES}".encode())
    told.update(graph)
    for name, value in estimator.module.state_dict().items():
        told.update(name.encode())
        told.update(value.detach().cpu().contiguous().numpy().tobytes())
    for path in _sources([estimator, *estimator.module.modules()]):
        told.update(path.read_bytes())
    return told.hexdigest()[:24]


def _sources(things: Sequence[object]) -> list[Path]:
    classes = {base for thing in things for base in type(thing).__mro__ if base.__module__.partition(".")[0] == "emc"}
    files: set[str] = set()
    for one in classes:
        with suppress(OSError, TypeError):
            files.add(inspect.getfile(one))
    return [Path(file) for file in sorted(files)]
