import numpy as np
import pytest

from emc.stages.refine.normal import STATE, NormalEquations, columns, pack, unpack


def test_a_state_is_the_root_and_the_joints_around_it():
    rng = np.random.default_rng(0)
    root, xyz = rng.normal(size=(4, 3)), rng.normal(size=(4, 17, 3))
    xyz[:, 0] = 0
    state = pack(root, xyz)
    assert state.shape == (4, STATE)
    assert state[2, columns(5)].tolist() == xyz[2, 5].tolist()
    back = unpack(state)
    assert (back[0] == root).all() and (back[1] == xyz).all()


class Dense:
    """The same problem written out row by row."""

    def __init__(self, frames):
        self.shape, self.rows, self.rights = (frames, STATE), [], []

    def add(self, parts, residual, weight):
        line = np.zeros(self.shape)
        for frame, numbers, factor in parts:
            line[frame, numbers] += factor
        self.rows.append(line.ravel() * np.sqrt(weight))
        self.rights.append(-residual * np.sqrt(weight))

    def solve(self):
        return np.linalg.lstsq(np.array(self.rows), np.array(self.rights), rcond=None)[0].reshape(self.shape)


def both(frames, rng):
    """Return equations and their dense twin, with the state pulled to random numbers."""
    start, target = rng.normal(size=(2, frames, STATE))
    equations, dense = NormalEquations(frames), Dense(frames)
    equations.add_diagonal(start - target, np.full((frames, STATE), 2.0))
    for t, n in np.ndindex(frames, STATE):
        dense.add([(t, n, 1.0)], start[t, n] - target[t, n], 2.0)
    return start, equations, dense


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_residuals_of_single_frames(frames):
    rng = np.random.default_rng(frames)
    _, equations, dense = both(frames, rng)
    where, jacobian = np.array([0, 4, 5, 50]), rng.normal(size=(frames, 2, 4))
    residual, weight = rng.normal(size=(frames, 2)), rng.uniform(1, 3, (frames, 2))
    equations.add_within(where, jacobian, residual, weight)
    for t, k in np.ndindex(frames, 2):
        dense.add([(t, where, jacobian[t, k])], residual[t, k], weight[t, k])
    assert equations.solve() == pytest.approx(dense.solve(), abs=1e-8)


@pytest.mark.parametrize("frames", [3, 4, 7])
def test_second_differences_over_time(frames):
    rng = np.random.default_rng(frames)
    start, equations, dense = both(frames, rng)
    weight, change = rng.uniform(1, 3, (frames - 2, STATE)), np.diff(start, 2, axis=0)
    equations.add_second_difference(change, weight)
    for t, n in np.ndindex(frames - 2, STATE):
        dense.add([(t, n, 1.0), (t + 1, n, -2.0), (t + 2, n, 1.0)], change[t, n], weight[t, n])
    assert equations.solve() == pytest.approx(dense.solve(), abs=1e-8)


@pytest.mark.parametrize("frames", [2, 6])
def test_first_differences_of_a_sum_over_time(frames):
    rng = np.random.default_rng(frames)
    start, equations, dense = both(frames, rng)
    weight, moved = rng.uniform(1, 3, frames - 1), np.diff(start[:, 1] + start[:, 10])
    equations.add_first_difference((1, 10), moved, weight)
    for t in range(frames - 1):
        dense.add([(t + 1, [1, 10], 1.0), (t, [1, 10], -1.0)], moved[t], weight[t])
    assert equations.solve() == pytest.approx(dense.solve(), abs=1e-8)
