"""Normal equations of a least-squares problem over consecutive frames, kept as a band and solved in linear time.

A frame's state has 51 numbers: the pelvis in the camera frame, then the 16 other joints around it, metres. Terms add
squared residuals that are linear in the states of a frame and its two neighbours, so the equations form a band of
half-width 102 and a banded Cholesky factorization solves them in time proportional to the frames.
"""

from __future__ import annotations

from typing import cast

import numpy as np

STATE = 51
BAND = 2 * STATE


def pack(root: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    """Return the (T, 51) states of a (T, 3) root and (T, 17, 3) joints around it."""
    return np.concatenate([root, xyz[:, 1:].reshape(len(xyz), -1)], axis=1)


def unpack(state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (T, 3) root and the (T, 17, 3) joints around it, of (T, 51) states."""
    xyz = np.zeros((len(state), 17, 3))
    xyz[:, 1:] = state[:, 3:].reshape(len(state), 16, 3)
    return state[:, :3].copy(), xyz


def columns(joint: int) -> slice | None:
    """Return where the state holds a joint around the pelvis; None for the pelvis itself, which is the origin."""
    return slice(3 * joint, 3 * joint + 3) if joint else None


class NormalEquations:
    """Sums of J^T W J and J^T W r: what terms add to, and what a Gauss-Newton step solves.

    same : (T, 51, 51) within a frame. Couplings of a frame with the next one stand in `near`, a mapping from
    (row, column) to (T - 1,) with the row in the later frame; those with the one after, always of a number with
    itself, in `far` (T - 2, 51). right : (T, 51).
    """

    def __init__(self, frames: int) -> None:
        self.same = np.zeros((frames, STATE, STATE))
        self.near: dict[tuple[int, int], np.ndarray] = {}
        self.far = np.zeros((max(frames - 2, 0), STATE))
        self.right = np.zeros((frames, STATE))

    def add_within(self, where: np.ndarray, jacobian: np.ndarray, residual: np.ndarray, weight: np.ndarray) -> None:
        """Add residuals of single frames.

        where : (n,) numbers of the state that the residuals depend on. jacobian : (T, m, n). residual, weight : (T, m);
        the weight is one over a variance.
        """
        weighted = np.swapaxes(jacobian * weight[..., None], 1, 2)
        square = weighted @ jacobian
        slope = (weighted @ residual[..., None])[..., 0]
        # Slices add in place; an index array would copy the whole of what it picks.
        runs = [(run[0], slice(int(where[run[0]]), int(where[run[-1]]) + 1), len(run)) for run in _runs(where)]
        for first, rows, height in runs:
            self.right[:, rows] -= slope[:, first : first + height]
            for start, cells, width in runs:
                self.same[:, rows, cells] += square[:, first : first + height, start : start + width]

    def add_diagonal(self, residual: np.ndarray, weight: np.ndarray) -> None:
        """Add residuals (T, 51) that are the state itself less something; weight : (T, 51)."""
        index = np.arange(STATE)
        self.same[:, index, index] += weight
        self.right -= weight * residual

    def add_second_difference(self, residual: np.ndarray, weight: np.ndarray) -> None:
        """Add residuals (T - 2, 51): state before - 2 x state + state after; weight : (T - 2, 51)."""
        index = np.arange(STATE)
        for shift, factor in ((0, 1.0), (1, -2.0), (2, 1.0)):
            rows = slice(shift, shift + len(weight))
            self.same[rows, index, index] += factor * factor * weight
            self.right[rows] -= factor * weight * residual
        frames = len(self.same)
        for number in range(STATE):
            coupling = self._coupling(number, number, frames)
            coupling[:-1] -= 2 * weight[:, number]
            coupling[1:] -= 2 * weight[:, number]
        self.far += weight

    def add_first_difference(self, where: tuple[int, ...], residual: np.ndarray, weight: np.ndarray) -> None:
        """Add residuals (T - 1,): the sum of the numbers `where` after less before; weight : (T - 1,)."""
        frames = len(self.same)
        for a in where:
            self.right[1:, a] -= weight * residual
            self.right[:-1, a] += weight * residual
            for b in where:
                self.same[1:, a, b] += weight
                self.same[:-1, a, b] += weight
                self._coupling(a, b, frames)[:] -= weight

    def solve(self) -> np.ndarray:
        """Return the (T, 51) step that minimises the sum of squares."""
        from scipy.linalg import solveh_banded  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

        frames = len(self.same)
        band = np.zeros((BAND + 1, frames * STATE))
        for row in range(STATE):
            for column in range(row + 1):
                band[row - column, column::STATE] = self.same[:, row, column]
        for (row, column), values in self.near.items():
            band[STATE + row - column, column : (frames - 1) * STATE : STATE] = values
        for number in range(STATE):
            band[2 * STATE, number : (frames - 2) * STATE : STATE] = self.far[:, number]
        right = self.right.reshape(-1)
        solution = cast("np.ndarray", solveh_banded(band, right, overwrite_ab=True, lower=True, check_finite=False))
        return solution.reshape(frames, STATE)

    def _coupling(self, row: int, column: int, frames: int) -> np.ndarray:
        return self.near.setdefault((row, column), np.zeros(max(frames - 1, 0)))


def _runs(where: np.ndarray) -> list[np.ndarray]:
    """Return the places of `where` in runs of consecutive numbers."""
    return np.split(np.arange(len(where)), np.flatnonzero(np.diff(where) != 1) + 1)
