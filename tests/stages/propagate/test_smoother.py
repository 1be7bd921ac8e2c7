from __future__ import annotations

import numpy as np

from emc.stages.propagate import HUMAN_SPREAD, JointRun, PropagationTuning, fuse

SIDE = 200.0


def straight(count: int) -> np.ndarray:
    return np.stack([50.0 + 2.0 * np.arange(count), np.full(count, 100.0)], axis=1)


def run_of(predicted: np.ndarray, confidence: float = 0.9, human: np.ndarray | None = None) -> JointRun:
    count = len(predicted)
    nothing = np.full((count, 2), np.nan)
    no, side = np.zeros(count, bool), np.full(count, SIDE)
    placed = nothing if human is None else human
    return JointRun(np.arange(count), predicted, np.full(count, confidence), placed, no, side, no)


def test_without_any_observation_nothing_is_known() -> None:
    xy, spread, right = fuse(run_of(np.full((5, 2), np.nan)), (), PropagationTuning())
    assert np.isnan(xy).all()
    assert np.isinf(spread).all()
    assert (right == 0).all()


def test_the_path_is_that_of_a_kalman_filter_with_a_rauch_tung_striebel_smoother() -> None:
    """All predictions certain to be right: the classical linear problem, solved here by the two passes."""
    rng = np.random.default_rng(3)
    count, q = 30, 0.03 * SIDE
    predicted = straight(count) + rng.normal(0, 3, (count, 2))
    human = np.full((count, 2), np.nan)
    human[10] = (72.0, 104.0)
    run = run_of(predicted, 0.4, human=human)
    tuning = PropagationTuning(acceleration=(0.03, 0.03), wrong=1e9)
    xy, spread, right = fuse(run, (), tuning)
    np.testing.assert_allclose(right[np.arange(count) != 10], 1.0, atol=1e-6)
    noise = np.full(count, (tuning.right * SIDE) ** 2)
    noise[10] = HUMAN_SPREAD**2
    seen = np.where(np.isfinite(human), human, predicted)
    expected, variance = two_passes(seen, noise, q)
    away = np.arange(count) != 10
    np.testing.assert_allclose(xy[away], expected[away], atol=1e-3)
    np.testing.assert_allclose(spread[away], np.sqrt(variance[away]), rtol=1e-3)


def two_passes(seen: np.ndarray, noise: np.ndarray, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Smooth position and velocity: x' = x + v, v' = v + w with w of spread `q`."""
    step = np.array([[1.0, 1.0], [0.0, 1.0]])
    means, covariances, ahead = [], [], []
    mean, covariance = np.zeros((2, 2)), np.diag([1e9, 1e9])
    for t in range(len(seen)):
        if t:
            mean, covariance = step @ mean, step @ covariance @ step.T + np.diag([0.0, q**2])
        ahead.append((mean, covariance))
        gain = covariance[:, :1] / (covariance[0, 0] + noise[t])
        mean = mean + gain @ (seen[t][None] - mean[:1])
        covariance = covariance - gain @ covariance[:1]
        means.append(mean)
        covariances.append(covariance)
    smooth, spread = means[-1], covariances[-1]
    places, variances = [smooth[0]], [spread[0, 0]]
    for t in range(len(seen) - 2, -1, -1):
        expected, wide = ahead[t + 1]
        gain = covariances[t] @ step.T @ np.linalg.inv(wide)
        smooth = means[t] + gain @ (smooth - expected)
        spread = covariances[t] + gain @ (spread - wide) @ gain.T
        places.append(smooth[0])
        variances.append(spread[0, 0])
    return np.array(places[::-1]), np.array(variances[::-1])
