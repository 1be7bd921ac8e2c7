"""What a training does when: what it draws, which steps are scored, at which rate it learns, in which numbers."""

from __future__ import annotations

import math

import torch

from emc.config import CalibrateSettings
from emc.pose.mix import MixSampler


def sampler_of(targets: int, commons: int, settings: CalibrateSettings) -> MixSampler:
    """Return the sampler that `train` uses, to tell what was served."""
    mix = settings.mix if settings.strategy == "calibration" else (1, 0)
    return MixSampler(targets, commons, mix, settings.batch, settings.seed)


def ladder_steps(settings: CalibrateSettings) -> tuple[int, ...]:
    """Return the steps of the ladder: evenly spaced, the last one the end; fewer where there are fewer steps."""
    count = min(settings.ladder, settings.steps)
    # Rounded from the whole and not by adding a step: the last one is then the end exactly, and the cosine has run out
    # on it.
    return tuple(round(settings.steps * (i + 1) / count) for i in range(count))


def learning_rate(step: int, settings: CalibrateSettings) -> float:
    """Return the rate of a step (from 0): a linear rise, then half a cosine down to 1 % of the peak."""
    warmup = max(1, round(settings.warmup * settings.steps))
    if step < warmup:
        # step + 1: a first step with the rate 0 would be an augmented batch for nothing.
        return settings.lr * (step + 1) / warmup
    done = (step - warmup) / max(1, settings.steps - warmup)
    # Not down to 0: the last steps would then not move, and the running average would be the mean of one point.
    return settings.lr * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * done)))


def resolved_precision(device: str, settings: CalibrateSettings) -> str:
    """Return the number format of the forward pass: ``auto`` is bfloat16 where the processor computes in it."""
    if settings.precision != "auto":
        return settings.precision
    if device == "cpu":
        # By the instructions, not by what torch accepts: without them it computes bfloat16 in emulation, slower than
        # float32.
        fast = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
        return "bfloat16" if fast is not None and fast() else "float32"
    return "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"
