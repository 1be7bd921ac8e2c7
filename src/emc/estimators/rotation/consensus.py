"""Consensus of several passes over one person, joint by joint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHARPNESS = 20.0
POWER = 2.0
KERNEL_WIDTH = 0.05
UPRIGHT_WEIGHT = 2.0
"""Chosen on training photos of LSPE that were held out (320 uncommon, 150 common poses): see docs/rotation.md."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """The joints that most weight of the passes agrees on.

    xy : (N, J, 2) in the passes' pixels, NaN where no pass found the joint. support : (N, J) in [0, 1], the share of
    all weight that lies near xy. chosen : (N, J) index of the pass that xy was found by.
    """

    xy: np.ndarray
    support: np.ndarray
    chosen: np.ndarray


def find_consensus(xy: np.ndarray, score: np.ndarray, side: np.ndarray, upright: np.ndarray) -> Consensus:
    """Return each joint where the passes agree most.

    xy : (K, N, J, 2) K passes over N persons in common pixels, NaN where not found. score : (K, N, J), about 0 to 1.
    side : (N,) the longer side of each person's box, pixels. upright : (K, N) bool, the passes over the unrotated
    image.

    A pass's weight at a joint is ``score ** POWER``, times ``exp(SHARPNESS * (m - best m))`` with m its mean score over
    the person: a network is more confident of all joints of people who stand as in its training data; times
    `UPRIGHT_WEIGHT` for the upright passes, so that standing people keep their prediction. The place is the mode of
    the weighted kernel density (Gaussian, `KERNEL_WIDTH` of the side), refined by one step of mean shift (Comaniciu
    and Meer, PAMI 2002).
    """
    weight = _weights(xy, score, upright)
    places = np.where(weight[..., None] > 0, xy, 0.0).astype(np.float64)
    width = (KERNEL_WIDTH * np.maximum(side, 1e-6))[:, None]
    density = np.stack([_kernel_weights(places, places[k], weight, width).sum(axis=0) for k in range(len(xy))])
    # Below every density: a pass that did not find the joint stands at (0, 0), and must not be chosen where all
    # densities are near 0.
    density = np.where(weight > 0, density, -1.0)
    chosen = density.argmax(axis=0)
    centre = np.take_along_axis(places, chosen[None, ..., None], axis=0)[0]
    near = _kernel_weights(places, centre, weight, width)
    total = near.sum(axis=0)
    found = total > 0
    mean = (near[..., None] * places).sum(axis=0) / np.where(found, total, 1.0)[..., None]
    support = np.where(found, total / np.maximum(weight.sum(axis=0), 1e-12), 0.0)
    return Consensus(np.where(found[..., None], mean, np.nan), support, chosen)


def found_confidence(xy: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return scores (K, N, J) from 0 on, 0 where a joint was not found."""
    found = np.isfinite(xy).all(axis=-1)
    return np.where(found, np.clip(score, 0.0, None), 0.0).astype(np.float64)


def _weights(xy: np.ndarray, score: np.ndarray, upright: np.ndarray) -> np.ndarray:
    """Return the (K, N, J) weight of each pass at each joint, 0 where it found none."""
    confidence = found_confidence(xy, score)
    mean = confidence.mean(axis=-1)
    # Against the best pass, so that the exponent is at most 0 and nothing overflows. At 20 a pass 0.1 below the best
    # counts 0.14 of it: passes over people upside down are outvoted, not averaged in.
    weight = np.exp(SHARPNESS * (mean - mean.max(axis=0)))[..., None] * confidence**POWER
    return np.where(upright[..., None], UPRIGHT_WEIGHT, 1.0) * weight


def _kernel_weights(places: np.ndarray, centre: np.ndarray, weight: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the weights (K, N, J) times a Gaussian of the distance to `centre` (N, J, 2)."""
    distance = np.linalg.norm(places - centre, axis=-1)
    return weight * np.exp(-0.5 * (distance / width) ** 2)
