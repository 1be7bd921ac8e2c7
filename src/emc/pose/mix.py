"""Mix two populations in an exact ratio: which sample stands at which place of which training batch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from emc.errors import UsageError
from emc.pose.records import Role

# Part of the seed of each order: other numbers would serve other batches for the same seed.
_ROLE_NUMBER = {Role.TARGET: 0, Role.COMMON: 1}


@dataclass(frozen=True, slots=True)
class Draw:
    """One place of a batch: the population, and the index into it."""

    role: Role
    index: int


@dataclass(frozen=True, slots=True)
class MixSampler:
    """An exact, seeded sampler of batches; a pure function of its fields and the step, so it has no state to lose.

    The places of all batches are numbered through; of the first n places round(n x target share) are target, so in
    every stretch the served counts differ from those asked by at most one sample, also across batches of a size that
    the ratio does not divide. Each population is walked in epochs: every sample once, in a new order, before any is
    served again.

    targets, commons : sizes of the populations. mix : target : common, both >= 0, not both 0. batch : places per
    step. seed : of the orders. Raises `UsageError` where an asked population is empty or a figure is out of range.
    """

    targets: int
    commons: int
    mix: tuple[int, int]
    batch: int
    seed: int = 0
    _orders: dict[tuple[Role, int], np.ndarray] = field(
        default_factory=dict[tuple[Role, int], np.ndarray], repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f"batch is {self.batch}: give at least 1")
        if min(self.mix) < 0 or sum(self.mix) < 1:
            raise UsageError(f"mix is {self.mix[0]}:{self.mix[1]}: give two numbers >= 0, such as 8:2")
        for role, part, size in zip(Role, self.mix, (self.targets, self.commons), strict=True):
            if part > 0 and size < 1:
                raise UsageError(
                    f"mix {self.mix[0]}:{self.mix[1]} asks for {role.value} samples and there are none: add corrected "
                    f"{role.value} clips, or choose another mix"
                )

    def served(self, steps: int) -> dict[str, int]:
        """Return how many samples of each population the first `steps` batches hold."""
        target = self._targets_before(steps * self.batch)
        return {Role.TARGET.value: target, Role.COMMON.value: steps * self.batch - target}

    def served_sha256(self, steps: int) -> str:
        """Return the hash of every draw of the first `steps` batches, in order, for the calibration set's card."""
        # Of roles and indices in order, not of counts: two trainings that served the same numbers in another order give
        # other weights.
        digest = hashlib.sha256()
        for step in range(steps):
            for draw in self.draws(step):
                digest.update(f"{draw.role.value} {draw.index}\n".encode())
        return digest.hexdigest()

    def draws(self, step: int) -> list[Draw]:
        """Return the `batch` draws of a step, counted from 0."""
        first = step * self.batch
        target = self._targets_before(first)
        found: list[Draw] = []
        for place in range(first, first + self.batch):
            if self._targets_before(place + 1) > target:
                found.append(Draw(Role.TARGET, self._walk(Role.TARGET, target)))
                target += 1
            else:
                found.append(Draw(Role.COMMON, self._walk(Role.COMMON, place - target)))
        return found

    def _targets_before(self, place: int) -> int:
        # Integers, because a float share drifts away from the asked ratio over a long run.
        part, whole = self.mix[0], sum(self.mix)
        return (2 * place * part + whole) // (2 * whole)

    def _walk(self, role: Role, number: int) -> int:
        """Return the sample that is served `number`-th (from 0) of a population."""
        size = self.targets if role is Role.TARGET else self.commons
        epoch, place = divmod(number, size)
        order = self._orders.get((role, epoch))
        if order is None:
            # The order before is kept: batches are made ahead on several threads, and one may still be in the last
            # epoch while another has begun the next.
            for old in [key for key in self._orders if key[0] is role and key[1] < epoch - 1]:
                del self._orders[old]
            # A stream for each population and epoch, not one for all: with one stream the order of the targets would
            # depend on how many commons there are, and a card's hash would change when a common clip is added.
            order = np.random.default_rng([self.seed, _ROLE_NUMBER[role], epoch]).permutation(size)
            self._orders[role, epoch] = order
        return int(order[place])
