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


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_the_band_solves_what_a_full_matrix_solves(frames):
    """The same residuals, written out row by row, solved by numpy's least squares."""
    rng = np.random.default_rng(frames)
    start = rng.normal(size=(frames, STATE))
    target = rng.normal(size=(frames, STATE))
    rows, rights = [], []

    def row(parts, residual, weight):
        line = np.zeros((frames, STATE))
        for frame, numbers, factor in parts:
            line[frame, numbers] += factor
        rows.append(line.ravel() * np.sqrt(weight))
        rights.append(-residual * np.sqrt(weight))

    equations = NormalEquations(frames)
    equations.add_diagonal(start - target, np.full((frames, STATE), 2.0))
    for t in range(frames):
        for n in range(STATE):
            row([(t, n, 1.0)], start[t, n] - target[t, n], 2.0)
    where, jacobian = np.array([0, 4, 50]), rng.normal(size=(frames, 2, 3))
    residual, weight = rng.normal(size=(frames, 2)), rng.uniform(1, 3, (frames, 2))
    equations.add_within(where, jacobian, residual, weight)
    for t in range(frames):
        for k in range(2):
            row([(t, where, jacobian[t, k])], residual[t, k], weight[t, k])
    bend = rng.uniform(1, 3, (max(frames - 2, 0), STATE))
    change = np.diff(start, 2, axis=0) if frames > 2 else np.zeros((0, STATE))
    if frames > 2:
        equations.add_second_difference(change, bend)
    for t in range(frames - 2):
        for n in range(STATE):
            row([(t, n, 1.0), (t + 1, n, -2.0), (t + 2, n, 1.0)], change[t, n], bend[t, n])
    if frames > 1:
        pair, held = (1, 10), rng.uniform(1, 3, frames - 1)
        moved = np.diff(start[:, 1] + start[:, 10])
        equations.add_first_difference(pair, moved, held)
        for t in range(frames - 1):
            row([(t + 1, [1, 10], 1.0), (t, [1, 10], -1.0)], moved[t], held[t])
    expected = np.linalg.lstsq(np.array(rows), np.array(rights), rcond=None)[0].reshape(frames, STATE)
    assert equations.solve() == pytest.approx(expected, abs=1e-8)
