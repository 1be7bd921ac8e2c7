"""Train an estimator on target and common data together, with a ladder of checkpoints."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import torch

from emc.config import CalibrateSettings
from emc.errors import EmcError, InputError, NotTrainable, UsageError
from emc.interfaces import Estimator, Trainable
from emc.pose.mix import MixSampler
from emc.pose.records import Role, Sample

_T = TypeVar("_T")
_NORMS = (torch.nn.modules.batchnorm._BatchNorm,)  # pyright: ignore[reportPrivateUsage]  # the only common base class


@dataclass(frozen=True, slots=True)
class Progressed:
    """A training step is done; `step` counts from 1."""

    step: int
    loss: float
    lr: float


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A checkpoint to score: the averaged weights after `step` steps, a state dict on the CPU, not to be changed."""

    step: int
    weights: Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class SavePoint:
    """Everything needed to go on after `step` steps as if nothing had happened."""

    step: int
    state: bytes


Event = Progressed | LadderStep | SavePoint


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
    run = _Run(estimator.module, settings)
    fingerprint = _fingerprint(run.module, settings, len(target), len(common))
    if state is not None:
        run.restore(state, fingerprint)
    ladder = ladder_steps(settings)

    def batch(step: int) -> Mapping[str, Any]:
        samples = [(target if d.role is Role.TARGET else common)[d.index] for d in sampler.draws(step)]
        return estimator.collate(samples, np.random.default_rng([settings.seed, 2, step]))

    for prepared in _ahead(batch, run.step, settings.steps):
        yield run.advance(estimator, prepared)
        if run.step in ladder:
            yield LadderStep(run.step, run.averaged())
        if run.step in ladder or run.step % settings.save_every == 0:
            yield SavePoint(run.step, run.saved(fingerprint))
    run.finish()


def sampler_of(targets: int, commons: int, settings: CalibrateSettings) -> MixSampler:
    """Return the sampler that `train` uses, to tell what was served."""
    mix = settings.mix if settings.strategy == "calibration" else (1, 0)
    return MixSampler(targets, commons, mix, settings.batch, settings.seed)


def ladder_steps(settings: CalibrateSettings) -> tuple[int, ...]:
    """Return the steps of the ladder: evenly spaced, the last one the end; fewer where there are fewer steps."""
    count = min(settings.ladder, settings.steps)
    return tuple(round(settings.steps * (i + 1) / count) for i in range(count))


def learning_rate(step: int, settings: CalibrateSettings) -> float:
    """Return the rate of a step (from 0): a linear rise, then half a cosine down to 1 % of the peak."""
    warmup = max(1, round(settings.warmup * settings.steps))
    if step < warmup:
        return settings.lr * (step + 1) / warmup
    done = (step - warmup) / max(1, settings.steps - warmup)
    return settings.lr * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done)))


@contextlib.contextmanager
def borrowed_weights(estimator: Trainable, weights: Mapping[str, torch.Tensor]) -> Generator[None]:
    """Let the estimator predict with other weights for a while, such as those of a `LadderStep` in mid-training."""
    module = estimator.module
    own = {name: value.detach().clone() for name, value in module.state_dict().items()}
    modes = [(part, part.training) for part in module.modules()]
    module.load_state_dict(dict(weights))
    module.eval()
    try:
        yield
    finally:
        module.load_state_dict(own)
        for part, training in modes:
            part.training = training


def _ahead(make: Callable[[int], _T], first: int, end: int) -> Generator[_T]:
    """Yield ``make(first)`` ... ``make(end - 1)``, each made in a thread while the one before is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="calibrate") as maker:
        waiting = maker.submit(make, first) if first < end else None
        for step in range(first, end):
            made = cast("Future[_T]", waiting).result()
            waiting = maker.submit(make, step + 1) if step + 1 < end else None
            yield made


def _precision(module: torch.nn.Module, settings: CalibrateSettings) -> torch.autocast:
    device = next(module.parameters()).device.type
    return torch.autocast(device, torch.bfloat16, enabled=resolved_precision(device, settings) == "bfloat16")


def resolved_precision(device: str, settings: CalibrateSettings) -> str:
    """Return the number format of the forward pass: ``auto`` is bfloat16 where the processor computes in it."""
    if settings.precision != "auto":
        return settings.precision
    if device == "cpu":
        fast = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return "bfloat16" if fast is not None and fast() else "float32"
    return "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"


class _Run:
    """Weights, their running average, and the optimizer of one training."""

    def __init__(self, module: torch.nn.Module, settings: CalibrateSettings) -> None:
        self.module = module
        self.settings = settings
        self.step = 0
        self.average = {name: value.detach().clone() for name, value in module.state_dict().items()}
        self.optimizer = torch.optim.AdamW(_parameter_groups(module, settings.weight_decay), lr=settings.lr)

    def advance(self, estimator: Trainable, batch: Mapping[str, Any]) -> Progressed:
        """Do one step; its randomness depends on the seed and the step alone."""
        settings, rate = self.settings, learning_rate(self.step, self.settings)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        _to_training(self.module, frozen_statistics=settings.strategy != "initial")
        with torch.random.fork_rng(devices=[]), _precision(self.module, settings):
            torch.manual_seed(settings.seed * 1_000_003 + self.step)
            loss = estimator.loss(batch)
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
        self.step += 1
        self._average_in()
        return Progressed(self.step, value, rate)

    @torch.no_grad()
    def _average_in(self) -> None:
        # Early on a fixed decay would keep the average at the base for the first hundred steps.
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.module.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1.0 - decay)
            else:
                self.average[name].copy_(value)

    def averaged(self) -> dict[str, torch.Tensor]:
        return {name: value.cpu().clone() for name, value in self.average.items()}

    def finish(self) -> None:
        self.module.load_state_dict(self.average)
        self.module.eval()

    def saved(self, fingerprint: str) -> bytes:
        buffer = io.BytesIO()
        torch.save(
            {
                "fingerprint": fingerprint,
                "step": self.step,
                "weights": self.module.state_dict(),
                "average": self.average,
                "optimizer": self.optimizer.state_dict(),
            },
            buffer,
        )
        return buffer.getvalue()

    def restore(self, state: bytes, fingerprint: str) -> None:
        saved = _read_state(state)
        if saved["fingerprint"] != fingerprint:
            raise UsageError(
                "the resume point was made with other settings or data "
                f"({_difference(saved['fingerprint'], fingerprint)}): use the same ones, or start anew"
            )
        self.module.load_state_dict(saved["weights"])
        self.average = {name: saved["average"][name].to(value.device) for name, value in self.average.items()}
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step = int(saved["step"])


def _read_state(state: bytes) -> dict[str, Any]:
    try:
        saved = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
        for name in ("fingerprint", "step", "weights", "average", "optimizer"):
            saved[name]
    except Exception as error:  # noqa: BLE001  # damaged bytes raise whatever the unpickler stumbles over
        raise InputError(
            f"the resume point ({len(state)} bytes) is damaged ({type(error).__name__}): start the calibration anew"
        ) from error
    return cast(dict[str, Any], saved)


def _fingerprint(module: torch.nn.Module, settings: CalibrateSettings, targets: int, commons: int) -> str:
    """Return what must be equal for a training to go on; what only chooses or saves may differ."""
    must = settings.model_dump(mode="json", exclude={"validation", "budget", "parts", "save_every"})
    must["precision"] = resolved_precision(next(module.parameters()).device.type, settings)
    return json.dumps({**must, "targets": targets, "commons": commons})


def _difference(old: str, new: str) -> str:
    then, now = json.loads(old), json.loads(new)
    names = [name for name in now if then.get(name) != now[name]]
    return ", ".join(f"{name} {then.get(name)} -> {now[name]}" for name in names)


def _to_training(module: torch.nn.Module, frozen_statistics: bool) -> None:
    module.train()
    if frozen_statistics:
        for part in module.modules():
            if isinstance(part, _NORMS):
                part.eval()


def _parameter_groups(module: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices and kernels alone: biases and norm scales have nothing to gain from shrinking."""
    trained = [p for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
