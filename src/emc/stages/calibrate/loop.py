"""Train an estimator on target and common data together, with a ladder of checkpoints."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from emc.config import CalibrateSettings
from emc.errors import EmcError, NotTrainable, UsageError
from emc.interfaces import Estimator, Trainable
from emc.pose.records import Sample
from emc.stages.calibrate.batches import Batch, Batches, made
from emc.stages.calibrate.events import Event, LadderStep, Progressed, SavePoint
from emc.stages.calibrate.objective import objective, share_of, total
from emc.stages.calibrate.optimizer import build_optimizer, set_rate
from emc.stages.calibrate.processes import Processes
from emc.stages.calibrate.resume import fingerprint_of, pack_state, refuse_other_network, unpack_state
from emc.stages.calibrate.schedule import ladder_steps, learning_rate, resolved_precision, sampler_of
from emc.stages.calibrate.teacher import teacher_of
from emc.stages.calibrate.weights import RunningAverage, copied, pull_to

_NORMS = (torch.nn.modules.batchnorm._BatchNorm,)  # pyright: ignore[reportPrivateUsage]  # the only common base class


def train(
    estimator: Estimator,
    target: Sequence[Sample],
    common: Sequence[Sample],
    settings: CalibrateSettings,
    state: bytes | None = None,
    processes: Processes | None = None,
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
    processes : where several train one network together, this one among them. All call `train` with the same
    arguments and take all events; each works on its rows of every batch, and all have the same weights after every
    step: those of one process, up to the order in which numbers are summed (`initial` learns statistics of whole
    batches and is refused; a network that drops parts at random drops others in each process).

    Batch-norm statistics stay those of the base (the mixture of populations differs from what they were computed on)
    except for ``initial``, which has none yet. Raises `NotTrainable`, `UsageError` for missing samples or a `state` of
    other settings, `InputError` for a damaged `state`, `EmcError` where the loss is no longer finite.
    """
    if not isinstance(estimator, Trainable):
        info = estimator.describe()
        raise NotTrainable(
            f"estimator {info.name} ({info.kind}) can only predict: choose a trainable one, see `emc models`"
        )
    world = processes or Processes()
    _check_shares(estimator, settings, world)
    sampler = sampler_of(len(target), len(common), settings)
    run = _Run(estimator, settings, world)
    fingerprint = fingerprint_of(run.module, settings, len(target), len(common))
    if state is not None:
        run.restore(state, fingerprint)
    ladder = ladder_steps(settings)
    make = Batches(estimator, target, common, sampler, settings, world)
    for batch in made(make, run.step, settings.steps, settings.workers, make.device.type == "cpu"):
        yield run.advance(batch)
        if run.step in ladder:
            # Before the resume point: killed between the two, the step comes again; the other way it would be lost.
            yield LadderStep(run.step, run.averaged())
        if run.step in ladder or run.step % settings.save_every == 0:
            yield SavePoint(run.step, run.saved(fingerprint))
    run.finish()


def _check_shares(estimator: Trainable, settings: CalibrateSettings, world: Processes) -> None:
    """Raise `UsageError` where the numbers of several processes could not be those of one."""
    if world.alone:
        return
    if settings.batch < world.size:
        raise UsageError(
            f"calibrate.batch = {settings.batch} cannot be shared by {world.size} processes: start fewer, or take a "
            "larger batch"
        )
    if settings.strategy == "initial" and any(isinstance(part, _NORMS) for part in estimator.module.modules()):
        raise UsageError(
            "a network that learns batch-norm statistics (strategy initial) would learn those of a part of each batch: "
            "run it in one process, without torchrun"
        )


class _Run:
    """Weights, their running average, and the optimizer of one training."""

    def __init__(self, estimator: Trainable, settings: CalibrateSettings, processes: Processes) -> None:
        self.estimator = estimator
        self.module = estimator.module
        self.settings = settings
        self.processes = processes
        processes.same_start(self.module)
        self.step = 0
        self.base = copied(self.module)
        self.average = RunningAverage(self.module)
        self.optimizer = build_optimizer(estimator, settings)
        self.teacher = teacher_of(estimator, self.base, settings)
        self.trained = [value for value in self.module.parameters() if value.requires_grad]
        # The opposite of what is, so that the first step sets every part once.
        self.modes = [(part, not part.training) for part in self.module.modules()]

    def advance(self, batch: Batch) -> Progressed:
        """Do one step; its randomness depends on the seed and the step alone."""
        settings, rate = self.settings, learning_rate(self.step, self.settings)
        set_rate(self.optimizer, rate)
        self._to_training()
        with torch.random.fork_rng(devices=[]), _precision(self.module, settings):
            # Of seed and step alone: a resumed training draws what the uninterrupted one drew. The prime keeps the
            # steps of one seed apart from those of the next.
            torch.manual_seed(settings.seed * 1_000_003 + self.step + (self.processes.rank << 40))
            tensors = self.teacher.with_targets(batch.tensors, batch.replayed) if self.teacher else batch.tensors
            loss = self._loss(tensors)
        # To None: the optimizer skips what got no gradient. With zeros, AdamW's decay and momentum would still move it.
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        # Read after the way back is under way: a device then works while this process looks.
        value = float(self.processes.summed(loss.detach()))
        if not math.isfinite(value):
            raise EmcError(
                f"the loss is {value} at step {self.step + 1} (learning rate {rate:.3g}): start again with a smaller "
                "learning rate, such as a tenth, and look for labels far outside their image"
            )
        self.processes.sum_gradients(self.trained)
        # After the sum: parts of a batch clipped by themselves would not add up to what one process does.
        torch.nn.utils.clip_grad_norm_(self.trained, settings.clip_norm)
        self.optimizer.step()
        if settings.pull > 0:
            pull_to(self.base, self.module, rate * settings.pull)
        self.step += 1
        # Early on a fixed decay would keep the average at the base for the first hundred steps.
        self.average.move(min(settings.ema, (1 + self.step) / (10 + self.step)))
        return Progressed(self.step, value, rate)

    def _loss(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Return the loss of the batch; of several processes, this one's part of it."""
        terms = objective(self.estimator, batch, self.settings)
        if self.processes.alone:
            return total(terms)
        masses = torch.stack([term.mass.to(term.loss.device, torch.float32) for term in terms])
        return share_of(terms, self.processes.summed(masses))

    def _to_training(self) -> None:
        """Set the network to training, unless it is: walking through it at every step costs as much as a layer."""
        if not all(part.training is mode for part, mode in self.modes):
            _to_training(self.module, frozen_statistics=self.settings.strategy != "initial")
            self.modes = [(part, part.training) for part in self.module.modules()]

    def averaged(self) -> dict[str, torch.Tensor]:
        return {name: value.cpu().clone() for name, value in self.average.values.items()}

    def finish(self) -> None:
        # The average and not the last weights: it is what the ladder scored and saved.
        self.module.load_state_dict(self.average.values)
        self.module.eval()

    def saved(self, fingerprint: str) -> bytes:
        parts = {
            "weights": self.module.state_dict(),
            "average": self.average.values,
            "optimizer": self.optimizer.state_dict(),
        }
        return pack_state(fingerprint, self.step, parts)

    def restore(self, state: bytes, fingerprint: str) -> None:
        saved = unpack_state(state, fingerprint)
        with refuse_other_network():
            self.module.load_state_dict(saved["weights"])
            self.average.restore(saved["average"])
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
