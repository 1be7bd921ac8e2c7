"""What the joints of one skeleton say of another's: the same joint, the mean of some, or nothing.

A joint is known by what it stands for: mostly its name, but data sets mean different places by the word *neck*, and the
same place by *pelvis* and *mid_hip*. A joint that the source lacks is *derived* where a mean of joints comes near it
(the neck of OpenPose is the mean of the shoulders by its own definition), and *absent* where nothing does: nobody
invents a toe. `SkeletonMap.say` tells which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from emc.errors import ShapeMismatch
from emc.pose.records import Prediction
from emc.pose.skeletons.sides import plain_name
from emc.pose.skeletons.skeleton import Skeleton

STANDS_FOR: Mapping[str, str] = MappingProxyType({
    "pelvis": "hip_middle", "mid_hip": "hip_middle", "thorax": "neck_base", "upper_neck": "neck_upper",
})  # fmt: skip
"""Name -> meaning, where the two differ."""
STANDS_FOR_IN: Mapping[tuple[str, str], str] = MappingProxyType({
    ("coco18", "neck"): "shoulder_middle", ("body25", "neck"): "shoulder_middle", ("halpe26", "neck"): "neck_base",
    ("lsp14", "neck"): "neck_upper",
})  # fmt: skip
"""(skeleton, name) -> meaning, where data sets mean different places by the same word."""
SHOULDERS, HIPS = ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")
RULES: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType({
    "hip_middle": (HIPS,),
    "shoulder_middle": (SHOULDERS, ("neck_base",), ("neck",)),
    "neck_base": (("shoulder_middle",), ("neck",)),
    "neck": (("neck_base",), ("shoulder_middle",), ("neck_upper",)),
    "neck_upper": (("neck",), ("neck_base",), ("shoulder_middle",)),
    "spine": (("hip_middle", "neck_base"),),
    "neck_nose": (("nose", "neck_base"), ("head_top", "neck_base")),
})  # fmt: skip
"""Meaning -> ways to derive it, best first: the mean of what each names, which may be derived in turn."""

Shares = dict[int, float]


@dataclass(frozen=True, slots=True)
class SkeletonMap:
    """A mapping from the joints of `source` to those of `target`.

    weights : (T, S) float64; row t holds the share of each source joint in target joint t. Rows sum to 1, those of
    absent joints to 0. same, derived, absent : names of target joints, by how they are known.
    """

    source: Skeleton
    target: Skeleton
    weights: np.ndarray
    same: tuple[str, ...]
    derived: tuple[str, ...]
    absent: tuple[str, ...]

    def places(self, xy: np.ndarray) -> np.ndarray:
        """Return (..., T, 2) places of (..., S, 2) ones, in their units and type.

        A joint is NaN where it is absent, or where one that it depends on is NaN. Raises `ShapeMismatch`.
        """
        self._check(xy.shape[-2:], (len(self.source), 2), "xy")
        found = np.asarray(np.isfinite(xy).all(axis=-1))
        out = self.weights @ np.where(found[..., None], xy, 0.0)
        lost = ((self.weights != 0) @ (~found)[..., None].astype(np.float64))[..., 0] > 0
        return np.where((lost | self._nothing)[..., None], np.nan, out).astype(xy.dtype)

    def least(self, values: np.ndarray) -> np.ndarray:
        """Return (..., T): the least confidence, score or visibility (..., S) a joint depends on; 0 where absent.

        The type is kept. Raises `ShapeMismatch`.
        """
        self._check(values.shape[-1:], (len(self.source),), "values")
        out = np.zeros((*values.shape[:-1], len(self.target)), dtype=values.dtype)
        for joint, row in enumerate(self.weights):
            used = np.flatnonzero(row)
            if len(used):
                out[..., joint] = values[..., used].min(axis=-1)
        return out

    def labels(self, xy: np.ndarray, visibility: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return labels (T, 2) with NaN and (T,) with 0 where a joint is absent or depends on one without a label."""
        seen = self.least(visibility)
        places = self.places(np.where(visibility[:, None] > 0, xy, np.nan))
        seen = np.where(np.isfinite(places).all(axis=-1), seen, 0).astype(visibility.dtype)
        return np.where(seen[:, None] > 0, places, np.nan).astype(xy.dtype), seen

    def prediction(self, found: Prediction) -> Prediction:
        """Return a prediction in the target's joints: an absent one is NaN, with score, confidence and features 0."""
        features = found.features
        if features is not None:
            features = (self.weights @ features.astype(np.float64)).astype(features.dtype)
        xy = self.places(found.xy)
        placed = np.isfinite(xy).all(axis=-1)
        score, confidence = (
            np.where(placed, self.least(v), 0).astype(v.dtype) for v in (found.score, found.confidence)
        )
        return replace(found, xy=xy, score=score, confidence=confidence, features=features)

    def say(self) -> str:
        """Return one line: how many joints are the same, what the others are derived from, what is absent."""
        said = f"{self.source.name} to {self.target.name}: {len(self.same)} of {len(self.target)} joints are the same"
        if self.derived:
            said += "; " + ", ".join(f"{joint} = {self._formula(joint)}" for joint in self.derived)
        return said + (f"; absent: {', '.join(self.absent)}" if self.absent else "")

    @property
    def _nothing(self) -> np.ndarray:
        return ~(self.weights != 0).any(axis=1)

    def _formula(self, joint: str) -> str:
        row = self.weights[self.target.index(joint)]
        used = [int(i) for i in np.flatnonzero(row)]
        names = [self.source.joints[i] for i in used]
        if len(used) == 1:
            return names[0]
        if np.allclose(row[used], 1 / len(used)):
            return f"mean of {' and '.join(names)}"
        return " + ".join(f"{row[i]:g} {name}" for i, name in zip(used, names, strict=True))

    @staticmethod
    def _check(shape: tuple[int, ...], wanted: tuple[int, ...], what: str) -> None:
        if tuple(shape) != wanted:
            raise ShapeMismatch(f"{what} of shape (..., {shape}) cannot be mapped: the source skeleton needs {wanted}")


def skeleton_map(source: Skeleton, target: Skeleton) -> SkeletonMap:
    """Return the mapping between two skeletons; see the words above for what is derived and what is absent."""
    known = {meaning(source, joint): i for i, joint in reversed(list(enumerate(source.joints)))}
    weights = np.zeros((len(target), len(source)))
    same: list[str] = []
    derived: list[str] = []
    absent: list[str] = []
    for row, joint in zip(weights, target.joints, strict=True):
        wanted = meaning(target, joint)
        shares = _shares(wanted, known, ()) if wanted in known else None
        kind = same if shares else derived
        if shares is None and joint in target.derived:
            shares = _mean(tuple(meaning(source, name) for name in target.derived[joint]), known, ())
        if shares is None:
            shares = _shares(wanted, known, ())
        for index, share in (shares or {}).items():
            row[index] = share
        (kind if shares else absent).append(joint)
    return SkeletonMap(source, target, weights, tuple(same), tuple(derived), tuple(absent))


def meaning(skeleton: Skeleton, joint: str) -> str:
    """Return what a joint stands for: mostly its name, with its side in front (``l_hip`` is left_hip)."""
    plain = plain_name(joint, skeleton.joints)
    return STANDS_FOR_IN.get((skeleton.name, joint), STANDS_FOR.get(plain, plain))


def channel_start(source: Skeleton, target: Skeleton) -> np.ndarray:
    """Return (T, S) shares: from which output channels of a model of `source` one of `target` starts.

    A joint of the source keeps its own channel: its row is one exact 1. A derived joint starts as the mean of what it
    is derived from, any other as that of the nearest joints along the target's limbs that the source knows, and one
    that depends on nothing as the mean of all. Rows sum to 1.
    """
    weights = skeleton_map(source, target).weights.copy()
    known = np.asarray(weights.any(axis=1))
    if not known.any():
        return np.full(weights.shape, 1 / len(source))
    near = np.zeros((len(target), len(target)), dtype=bool)
    for a, b in target.limbs:
        near[a, b] = near[b, a] = True
    for joint in np.flatnonzero(~known):
        ring = _nearest(near, int(joint), known)
        weights[joint] = weights[ring].mean(axis=0) if len(ring) else np.full(len(source), 1 / len(source))
    return weights


def _nearest(near: np.ndarray, start: int, known: np.ndarray) -> np.ndarray:
    """Return the known joints fewest limbs away from `start`; none where no limb leads to one."""
    reached = np.zeros(len(near), dtype=bool)
    front = reached.copy()
    front[start] = True
    while front.any():
        if (front & known).any():
            return np.flatnonzero(front & known)
        reached |= front
        front = near[front].any(axis=0) & ~reached
    return np.flatnonzero(front)


def _shares(wanted: str, known: Mapping[str, int], asked: tuple[str, ...]) -> Shares | None:
    if wanted in known:
        return {known[wanted]: 1.0}
    if wanted in asked:
        return None
    for names in RULES.get(wanted, ()):
        found = _mean(names, known, (*asked, wanted))
        if found is not None:
            return found
    return None


def _mean(names: tuple[str, ...], known: Mapping[str, int], asked: tuple[str, ...]) -> Shares | None:
    total: Shares = {}
    for name in names:
        found = _shares(name, known, asked)
        if found is None:
            return None
        for index, share in found.items():
            total[index] = total.get(index, 0.0) + share / len(names)
    return total
