"""The batches of a training: what each holds, and who makes it while the network works."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from emc.config import CalibrateSettings
from emc.interfaces import Trainable
from emc.pose.mix import Draw, MixSampler
from emc.pose.records import Role, Sample
from emc.stages.calibrate.abilities import augments, with_augmentation
from emc.stages.calibrate.labels import with_spread
from emc.stages.calibrate.processes import Processes

_T = TypeVar("_T")
_MOST_WORKERS = 8
# Two cores are what was measured (docs/decisions/training-batches.md); three and four were not.
_FEW_CORES = 2
_SWITCH_SECONDS = 2e-4
"""How long a thread of Python may keep the others waiting; by default the network waits 5 ms for a batch's maker."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's tensors, and (B,) which rows are replayed common data; of several processes this one's rows alone."""

    tensors: Mapping[str, Any]
    replayed: np.ndarray


class Batches:
    """Makes the batch of any step; what it draws and how it is augmented follow from the seed and the step alone."""

    def __init__(
        self,
        estimator: Trainable,
        target: Sequence[Sample],
        common: Sequence[Sample],
        sampler: MixSampler,
        settings: CalibrateSettings,
        processes: Processes,
    ) -> None:
        self.sampler = sampler
        self.seed = settings.seed
        self.processes = processes
        self.samples = {role: with_spread(s, settings.occluded_sigma) for role, s in _by_role(target, common)}
        self.makers = {role: with_augmentation(estimator, _changes(settings, role, estimator)) for role in Role}
        self.alike = settings.rotation is None
        self.device = next(estimator.module.parameters()).device

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step, counted from 0, on the network's device."""
        draws = self.sampler.draws(step)
        whole = self._together(draws, step) if self.alike else self._apart(draws, step)
        rows = self.processes.rows(len(whole.replayed))
        return Batch({name: self._moved(value, rows) for name, value in whole.tensors.items()}, whole.replayed[rows])

    def _together(self, draws: Sequence[Draw], step: int) -> Batch:
        samples = [self.samples[draw.role][draw.index] for draw in draws]
        # 0 and 1 are the populations' orders (`emc.pose.mix`); another number would be another training of every seed.
        made = self.makers[Role.TARGET].collate(samples, np.random.default_rng([self.seed, 2, step]))
        return Batch(made, np.array([draw.role is Role.COMMON for draw in draws]))

    def _apart(self, draws: Sequence[Draw], step: int) -> Batch:
        """Return the target rows, then the common ones: each population is augmented in its own measure."""
        parts: list[Mapping[str, Any]] = []
        counts: list[int] = []
        for number, role in enumerate((Role.TARGET, Role.COMMON)):
            samples = [self.samples[role][draw.index] for draw in draws if draw.role is role]
            if samples:
                # One more number than above: with the same seed both populations would be augmented by the same draws.
                rng = np.random.default_rng([self.seed, 2, step, number])
                parts.append(self.makers[role].collate(samples, rng))
            counts.append(len(samples))
        return Batch(_joined(parts), np.repeat([False, True], counts))

    def _moved(self, value: Any, rows: slice) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        own = value if rows == slice(None) else value[rows]
        return own.to(self.device, non_blocking=True)


def _by_role(target: Sequence[Sample], common: Sequence[Sample]) -> tuple[tuple[Role, Sequence[Sample]], ...]:
    return (Role.TARGET, target), (Role.COMMON, common)


def _changes(settings: CalibrateSettings, role: Role, estimator: Trainable) -> dict[str, float]:
    """Return what the settings change of the estimator's augmentation; only target persons are turned further.

    Nothing is mirrored where no joint has a mirror joint: left would be taught as right.
    """
    asked = {"flip": settings.flip, "cutout": settings.cutout}
    if not estimator.skeleton.mirrors and augments(estimator, "flip"):
        asked["flip"] = 0.0
    if role is Role.TARGET:
        asked["rotation"] = settings.rotation
    return {name: value for name, value in asked.items() if value is not None}


def _joined(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(parts) == 1:
        return parts[0]
    return {
        name: torch.cat([part[name] for part in parts]) if isinstance(value, torch.Tensor) else value
        for name, value in parts[0].items()
    }


def made(make: Callable[[int], _T], first: int, end: int, workers: int, on_cpu: bool) -> Generator[_T]:
    """Yield ``make(first)`` ... ``make(end - 1)`` in order, the same ones whoever makes them.

    workers : threads that make them, 0 = by the cores that are left. Where the network leaves a core free, batches are
    made beside it. Where it has them all they are made while it rests: its threads wait for each other, so that taking
    one core from them for a while would cost the time of both. Of two cores the network's own thread makes them: two
    others, which Python lets work in turn, took longer for two batches than it does.
    """
    cores, network = usable_cores(), torch.get_num_threads() if on_cpu else 1
    if network >= cores > 1 and on_cpu:
        if workers or cores > _FEW_CORES:
            yield from _in_between(make, first, end, workers or cores)
        else:
            yield from map(make, range(first, end))
    else:
        free = max(1, min(cores - network, _MOST_WORKERS))
        yield from _beside(make, first, end, workers or (1 if on_cpu else free))


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _beside(make: Callable[[int], _T], first: int, end: int, workers: int) -> Generator[_T]:
    """Make batches ahead in `workers` threads while those before are used."""
    threads = torch.get_num_threads()
    with _makers(workers) as makers, _quick_switches():
        waiting: deque[Future[_T]] = deque(
            makers.submit(make, step) for step in range(first, min(first + workers, end))
        )
        for step in range(first, end):
            # The oldest one, however many are ready: in another order the same seed would give other weights on a
            # machine with another number of cores.
            batch = waiting.popleft().result()
            _keep_threads(threads)
            if step + workers < end:
                waiting.append(makers.submit(make, step + workers))
            yield batch


def _in_between(make: Callable[[int], _T], first: int, end: int, workers: int) -> Generator[_T]:
    """Make `workers` batches at once while the network rests, then hand them out."""
    threads = torch.get_num_threads()
    with _makers(workers) as makers:
        for start in range(first, end, workers):
            # All before the first is handed out: the network must not compute while they are made, see `made`.
            block = list(makers.map(make, range(start, min(start + workers, end))))
            _keep_threads(threads)
            yield from block


def _makers(workers: int) -> ThreadPoolExecutor:
    """Return threads that compute alone: teams of their own would fight with the network's for the cores."""
    return ThreadPoolExecutor(workers, "calibrate", initializer=_alone)


def _alone() -> None:
    """Let this thread compute alone.

    Asked first, since torch gives a thread the number that was set last anywhere when it first asks or computes.
    """
    torch.get_num_threads()
    torch.set_num_threads(1)


def _keep_threads(threads: int) -> None:
    """Give the network its number of threads again: some libraries below know one number for all threads."""
    torch.set_num_threads(threads)


@contextmanager
def _quick_switches() -> Generator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
