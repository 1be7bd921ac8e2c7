"""Choose whom to correct next: by expected error, by diversity of poses, by both, or at random; with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emc.errors import ShapeMismatch, UsageError
from emc.pose.skeletons import Skeleton

METHODS = ("both", "error", "diverse", "random")
MOST = 4000
"""More candidates than this are thinned to those with the most expected error before poses are compared."""
NAMED_JOINTS = 3
"""Number of joints that a reason names."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A predicted person who may be corrected.

    xy : (J, 2) pixels, NaN where not found. box : (4,) xywh pixels. wrong : (J,) P(this joint is wrong) in [0, 1].
    apart : frames by which two corrections of this person should lie apart (neighbouring frames teach the same).
    """

    clip: str
    frame: int
    person: int
    xy: np.ndarray
    box: np.ndarray
    wrong: np.ndarray
    apart: float = 15.0


@dataclass(frozen=True, slots=True)
class Selected:
    """A person to correct: `index` among the candidates, `expected` wrong joints, and why it was chosen."""

    index: int
    clip: str
    frame: int
    person: int
    expected: float
    reason: str
    joints: tuple[int, ...] = field(default=())


def select(
    candidates: Sequence[Candidate],
    budget: int,
    skeleton: Skeleton,
    how: str = "both",
    joints: Sequence[int] | None = None,
    done: Sequence[Candidate] = (),
    seed: int = 0,
) -> list[Selected]:
    """Return at most `budget` persons to correct, in order, the first the most worth it.

    how : ``error`` takes the most expected wrong joints; ``diverse`` the pose farthest from all chosen ones (k-centre,
    Sener and Savarese, ICLR 2018); ``both`` the person who stands for the most expected wrong joints of similar poses
    that none chosen stands for yet (facility location, Wei, Iyer and Bilmes, ICML 2015); ``random`` draws at random.
    joints : the ones that count (default: all). done : persons already corrected; they count as chosen. Frames of one
    person that lie near a chosen or corrected one are worth less, by every way but ``random``.

    The order of a smaller budget is the start of that of a larger one. Ties go to the earlier candidate; the same seed
    draws the same persons. Raises `UsageError` for a budget below 1 or an unknown method, `ShapeMismatch` for other
    joints.
    """
    if budget < 1:
        raise UsageError(f"a budget of {budget} persons chooses nobody: ask for at least 1")
    if how not in METHODS:
        raise UsageError(f"unknown way to choose '{how}': use one of {', '.join(METHODS)}")
    if any(len(c.xy) != len(skeleton) or len(c.wrong) != len(skeleton) for c in (*candidates, *done)):
        raise ShapeMismatch(f"a candidate does not have the {len(skeleton)} joints of skeleton {skeleton.name}")
    counted = list(range(len(skeleton)) if joints is None else joints)
    expected: list[float] = [float(np.nan_to_num(c.wrong[counted], nan=1.0).sum()) for c in candidates]
    budget = min(budget, len(candidates))
    if how == "random":
        order: list[int] = np.random.default_rng(seed).permutation(len(candidates))[:budget].tolist()
        return [_selected(candidates[i], i, expected[i], counted, skeleton, "drawn at random") for i in order]
    ranked = np.argsort(-np.array(expected), kind="stable")[: max(MOST, budget)]
    pool: list[int] = np.sort(ranked).tolist()
    some, mass = [candidates[i] for i in pool], np.array([expected[i] for i in pool])
    picked = _PICKERS[how](some, mass, list(done), budget, skeleton)
    return [_selected(some[i], pool[i], expected[pool[i]], counted, skeleton, why) for i, why in picked]


def pose_vectors(candidates: Sequence[Candidate]) -> np.ndarray:
    """Return (N, 2 J) float32 of the poses, centred on the box and in units of its longer side; 0 where not found.

    Divided by the root of J: the Euclidean distance of two vectors is the root mean square over joints.
    """
    if not candidates:
        return np.zeros((0, 0), dtype=np.float32)
    xy = np.stack([c.xy for c in candidates]).astype(np.float64)
    box = np.stack([c.box for c in candidates]).astype(np.float64)
    side = np.maximum(box[:, 2:].max(axis=1), 1.0)
    placed = (xy - (box[:, :2] + box[:, 2:] / 2)[:, None]) / side[:, None, None]
    return (np.nan_to_num(placed) / np.sqrt(xy.shape[1])).reshape(len(xy), -1).astype(np.float32)


def _by_error(
    some: list[Candidate], mass: np.ndarray, done: list[Candidate], budget: int, skeleton: Skeleton
) -> list[tuple[int, str]]:
    freshness = _Freshness(some, done)
    picked: list[tuple[int, str]] = []
    for _ in range(budget):
        best = freshness.best(mass)
        picked.append((best, ""))
        freshness.take(best)
    return picked


def _by_diversity(
    some: list[Candidate], mass: np.ndarray, done: list[Candidate], budget: int, skeleton: Skeleton
) -> list[tuple[int, str]]:
    vectors, known = pose_vectors(some), pose_vectors(done)
    if len(done):
        nearest = np.array([_distances(known, v).min() for v in vectors])
    else:
        # The first of all is the most unusual: farthest from the mean pose.
        nearest = _distances(vectors, vectors.mean(axis=0))
    freshness = _Freshness(some, done)
    picked: list[tuple[int, str]] = []
    for number in range(budget):
        best = freshness.best(nearest)
        away = f"{nearest[best]:.2f} box sides"
        first = number == 0 and not done
        picked.append((best, f"farthest from the mean pose ({away})" if first else f"nearest chosen pose {away} away"))
        freshness.take(best)
        from_best = _distances(vectors, vectors[best])
        nearest = from_best if first else np.minimum(nearest, from_best)
    return picked


def _by_both(
    some: list[Candidate], mass: np.ndarray, done: list[Candidate], budget: int, skeleton: Skeleton
) -> list[tuple[int, str]]:
    vectors = pose_vectors(some)
    # Of `MOST` candidates each such table is 64 MB, and three are held: why there is a `MOST`.
    apart = _squared_distances(vectors, vectors)
    width = _width(vectors)
    similar = np.exp(-apart / (2 * width**2))
    covered = np.zeros(len(some), dtype=np.float32)
    if done:
        covered = np.exp(-_squared_distances(vectors, pose_vectors(done)) / (2 * width**2)).max(axis=1)
    freshness = _Freshness(some, done)
    weight = mass.astype(np.float32)
    picked: list[tuple[int, str]] = []
    for _ in range(budget):
        gain = weight @ np.maximum(similar - covered[:, None], 0)
        best = freshness.best(gain)
        joints = float(gain[best])
        picked.append((best, f"stands for {joints:.1f} expected wrong joints of poses like it"))
        freshness.take(best)
        covered = np.maximum(covered, similar[:, best])
    return picked


_PICKERS = {"error": _by_error, "diverse": _by_diversity, "both": _by_both}


class _Freshness:
    """How much a frame still teaches: near 0 beside a chosen frame of the same person, 1 far from all."""

    def __init__(self, some: Sequence[Candidate], done: Sequence[Candidate]) -> None:
        self._keys = np.unique(
            np.array([f"{c.clip}\n{c.person}" for c in (*some, *done)], dtype=str), return_inverse=True
        )[1].reshape(-1)
        self._frames = np.array([c.frame for c in (*some, *done)], dtype=np.float64)
        self._apart = np.maximum(np.array([c.apart for c in some], dtype=np.float64), 1e-9)
        self._free = np.ones(len(some), dtype=bool)
        self._fresh = np.ones(len(some))
        for index in range(len(some), len(some) + len(done)):
            self._wear(index)

    def best(self, worth: np.ndarray) -> int:
        """Return the free candidate that is worth most; where none is worth anything, the first free one."""
        return int(np.where(self._free, np.maximum(worth, 0.0) * self._fresh + 1e-12, -1.0).argmax())

    def take(self, index: int) -> None:
        self._free[index] = False
        self._wear(index)

    def _wear(self, index: int) -> None:
        same = np.flatnonzero(self._keys[: len(self._fresh)] == self._keys[index])
        near = np.exp(-(((self._frames[same] - self._frames[index]) / self._apart[same]) ** 2) / 2)
        self._fresh[same] *= 1 - near


def _distances(vectors: np.ndarray, one: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors - one, axis=1)


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return (N, M) squared distances."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    return np.maximum(squared, 0)


def _width(vectors: np.ndarray, neighbours: int = 10) -> float:
    """Return the distance within which poses count as alike: the median distance to the tenth nearest."""
    sample = vectors[:: max(1, len(vectors) // 500)]
    squared = np.sort(_squared_distances(sample, vectors), axis=1)
    place = min(neighbours, squared.shape[1] - 1)
    return max(float(np.median(np.sqrt(squared[:, place]))), 1e-3)


def _selected(
    candidate: Candidate, index: int, expected: float, counted: Sequence[int], skeleton: Skeleton, why: str
) -> Selected:
    worst = sorted(counted, key=lambda j: (-float(np.nan_to_num(candidate.wrong[j], nan=1.0)), j))
    told = ", ".join(
        f"{skeleton.joints[j]} {np.nan_to_num(candidate.wrong[j], nan=1.0):.2f}" for j in worst[:NAMED_JOINTS]
    )
    here = f"{expected:.1f} of {len(counted)} joints expected wrong ({told})"
    reason = f"{why}; {here}" if why else here
    return Selected(
        index, candidate.clip, candidate.frame, candidate.person, float(expected), reason,
        tuple(j for j in worst if candidate.wrong[j] >= 0.5 or not np.isfinite(candidate.wrong[j])),
    )  # fmt: skip
