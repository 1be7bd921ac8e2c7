"""Train an estimator on target and common data together, with a ladder of checkpoints."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numpy as np
import torch

from emc.config import CalibrateSettings
from emc.errors import EmcError, NotTrainable
from emc.interfaces import Estimator, Trainable
from emc.pose.records import Role, Sample
from emc.stages.calibrate.events import Event, LadderStep, Progressed, SavePoint
from emc.stages.calibrate.optimizer import build_optimizer, set_rate
from emc.stages.calibrate.resume import fingerprint_of, pack_state, unpack_state
from emc.stages.calibrate.schedule import ladder_steps, learning_rate, resolved_precision, sampler_of
from emc.stages.calibrate.teacher import teacher_of
from emc.stages.calibrate.weights import average_in, copied, pull_to

_T = TypeVar("_T")
_NORMS = (torch.nn.modules.batchnorm._BatchNorm,)  # pyright: ignore[reportPrivateUsage]  # the only common base class


def train(
    estimator: Estimator,
    target: Sequence[Sample],
    common: Sequence[Sample],
    settings: CalibrateSettings,
    state: bytes | None = None,
) -> Iterator[Event]:
    """Train `estimator` in place and yield what happens, in order.

    After each step comes `Progressed`; on a step of the ladder `LadderStep`, then `SavePoint`, which also comes every
    ``settings.save_every`` steps. A `LadderStep` that was not stored before an interruption therefore comes again.
    At the end the estimator has the weights of the last `LadderStep`.

    estimator : with the weights of the base, also where training goes on from a `state`.
    target, common : training samples. ``settings.strategy`` says what is used: ``calibration`` both at
    ``settings.mix``; ``finetune`` and ``initial`` the target alone (for ``initial`` bring an untrained estimator).
    state : bytes of a `SavePoint` of the same settings and data: training goes on there and gives the very numbers
    of an uninterrupted run on the same machine with the same number of threads.

    Batch-norm statistics stay those of the base (the mixture of populations differs from what they were computed on)
    except for ``initial``, which has none yet. Raises `NotTrainable`, `UsageError` for missing samples or a `state` of
    other settings, `InputError` for a damaged `state`, `EmcError` where the loss is no longer finite.
    """
    if not isinstance(estimator, Trainable):
        info = estimator.describe()
        raise NotTrainable(
            f"estimator {info.name} ({info.kind}) can only predict: choose a trainable one, see `emc models`"
        )
    sampler = sampler_of(len(target), len(common), settings)
    run = _Run(estimator, settings)
    fingerprint = fingerprint_of(run.module, settings, len(target), len(common))
    if state is not None:
        run.restore(state, fingerprint)
    ladder = ladder_steps(settings)

    def batch(step: int) -> tuple[Mapping[str, Any], np.ndarray]:
        draws = sampler.draws(step)
        samples = [(target if d.role is Role.TARGET else common)[d.index] for d in draws]
        made = estimator.collate(samples, np.random.default_rng([settings.seed, 2, step]))
        return made, np.array([d.role is Role.COMMON for d in draws])

    for prepared, replayed in _ahead(batch, run.step, settings.steps):
        yield run.advance(prepared, replayed)
        if run.step in ladder:
            yield LadderStep(run.step, run.averaged())
        if run.step in ladder or run.step % settings.save_every == 0:
            yield SavePoint(run.step, run.saved(fingerprint))
    run.finish()


def _ahead(make: Callable[[int], _T], first: int, end: int) -> Generator[_T]:
    """Yield ``make(first)`` ... ``make(end - 1)``, each made in a thread while the one before is used.

    That thread computes alone: a second team of compute threads would fight with the network's for the cores.
    """
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(1, "calibrate", initializer=torch.set_num_threads, initargs=(1,)) as maker:
        waiting = maker.submit(make, first) if first < end else None
        for step in range(first, end):
            made = cast("Future[_T]", waiting).result()
            if step == first:
                # Some libraries below know one number for all threads: the network keeps its own.
                torch.set_num_threads(threads)
            waiting = maker.submit(make, step + 1) if step + 1 < end else None
            yield made


class _Run:
    """Weights, their running average, and the optimizer of one training."""

    def __init__(self, estimator: Trainable, settings: CalibrateSettings) -> None:
        self.estimator = estimator
        self.module = estimator.module
        self.settings = settings
        self.step = 0
        self.base = copied(self.module)
        self.average = copied(self.module)
        self.optimizer = build_optimizer(estimator, settings)
        self.teacher = teacher_of(estimator, self.base, settings)

    def advance(self, batch: Mapping[str, Any], replayed: np.ndarray) -> Progressed:
        """Do one step; its randomness depends on the seed and the step alone."""
        settings, rate = self.settings, learning_rate(self.step, self.settings)
        set_rate(self.optimizer, rate)
        _to_training(self.module, frozen_statistics=settings.strategy != "initial")
        with torch.random.fork_rng(devices=[]), _precision(self.module, settings):
            torch.manual_seed(settings.seed * 1_000_003 + self.step)
            taught = self.teacher.taught(batch, replayed) if self.teacher else batch
            loss = self.estimator.loss(taught)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise EmcError(
                f"the loss is {value} at step {self.step + 1} (learning rate {rate:.3g}): start again with a smaller "
                "learning rate, such as a tenth, and look for labels far outside their image"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), settings.clip_norm)
        self.optimizer.step()
        if settings.pull > 0:
            pull_to(self.base, self.module, rate * settings.pull)
        self.step += 1
        # Early on a fixed decay would keep the average at the base for the first hundred steps.
        average_in(self.average, self.module, min(settings.ema, (1 + self.step) / (10 + self.step)))
        return Progressed(self.step, value, rate)

    def averaged(self) -> dict[str, torch.Tensor]:
        return {name: value.cpu().clone() for name, value in self.average.items()}

    def finish(self) -> None:
        self.module.load_state_dict(self.average)
        self.module.eval()

    def saved(self, fingerprint: str) -> bytes:
        parts = {
            "weights": self.module.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }
        return pack_state(fingerprint, self.step, parts)

    def restore(self, state: bytes, fingerprint: str) -> None:
        saved = unpack_state(state, fingerprint)
        self.module.load_state_dict(saved["weights"])
        self.average = {name: saved["average"][name].to(value.device) for name, value in self.average.items()}
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = int(saved["step"])


def _precision(module: torch.nn.Module, settings: CalibrateSettings) -> torch.autocast:
    device = next(module.parameters()).device.type
    return torch.autocast(device, torch.bfloat16, enabled=resolved_precision(device, settings) == "bfloat16")


def _to_training(module: torch.nn.Module, frozen_statistics: bool) -> None:
    module.train()
    if frozen_statistics:
        for part in module.modules():
            if isinstance(part, _NORMS):
                part.eval()
