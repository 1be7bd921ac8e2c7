"""Measure how a pose estimator errs on rendered people: per joint, over time, with swaps, drops and confidence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.interfaces import Estimator, Progress
from emc.lifters.noise_fit import PredictedClip, fit_noise, swap_states, true_errors
from emc.pose.records import Box
from emc.pose.skeletons import COCO17
from emc.workflow.compute import set_threads
from emc.workflow.engine import in_engine
from emc.workflow.files import write_bytes
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.samples import window_start

FPS = 30.0
SECONDS = 2.0
FRAMES = 45
"""Frames of each clip that are looked at, around its climax."""
SIZE = (256, 256)
SEED = 700_000
"""Clips and people of these seeds are shown nowhere else: no training, calibration or demo has them."""


@dataclass(frozen=True, slots=True)
class NoiseClip:
    """A rendered clip to watch."""

    kind: str
    motion: str
    seed: int


def bench_noise(clips: int, settings: Settings, progress: Progress | None = None) -> dict[str, Any]:
    """Return the noise of the settings' estimator on common and on uncommon rendered motion.

    clips : rendered clips of each kind, each of another person; persons are given by their true boxes. The document's
    ``populations`` are what `emc.lifters.measured_noise.read_noise` reads; ``summary`` says in figures how it errs.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    estimator: Estimator = plugins.estimator_for(settings.predict.estimator)
    key = model_key(estimator)
    estimator = in_engine(estimator, settings.predict.engine, told=progress.say)
    wanted = noise_clips(clips)
    watched: dict[str, list[PredictedClip]] = {}
    progress.start("watch rendered clips", len(wanted))
    for clip in wanted:
        watched.setdefault(clip.kind, []).append(watch_clip(clip, estimator))
        progress.advance(note=clip.motion)
    progress.finish()
    return {
        "format": "emc-noise-1",
        "estimator": key,
        "fps": FPS,
        "clips": clips,
        "unit": "metres of a person of 1.70 m",
        "populations": {kind: fit_noise(found, FPS).as_json() for kind, found in watched.items()},
        "summary": {kind: noise_summary(found) for kind, found in watched.items()},
    }


def write_noise(document: Mapping[str, Any], path: Path) -> None:
    """Write the document of `bench_noise` as one line of JSON."""
    write_bytes(path, (json.dumps(document, separators=(",", ":")) + "\n").encode())


def noise_clips(clips: int) -> list[NoiseClip]:
    """Return `clips` common and as many uncommon clips, the motions in turn."""
    from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS

    kinds = (("common", COMMON_MOTIONS), ("uncommon", UNCOMMON_MOTIONS))
    return [
        NoiseClip(kind, motions[i % len(motions)], SEED + 10_000 * number + i)
        for number, (kind, motions) in enumerate(kinds)
        for i in range(clips)
    ]


def watch_clip(clip: NoiseClip, estimator: Estimator) -> PredictedClip:
    """Render a clip, predict it on its true boxes, and return both what was seen and what is true."""
    found = list(labelled_frames(clip))
    images = [image for image, _, _, _ in found]
    boxes = [
        [Box(i, (float(x), float(y), float(w), float(h)), track=0)] for i, (_, (x, y, w, h), _, _) in enumerate(found)
    ]
    predictions = estimator.predict(images, boxes)
    return PredictedClip(
        predicted=np.stack([p.xy for p in predictions]).astype(np.float64),
        confidence=np.stack([p.confidence for p in predictions]).astype(np.float64),
        truth=np.stack([xy for _, _, xy, _ in found]).astype(np.float64),
        labelled=np.stack([seen > 0 for _, _, _, seen in found]),
    )


def labelled_frames(clip: NoiseClip) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield image, box (4,), true joints (17, 2) and visibility (17,) of the consecutive frames around the climax."""
    from emc.synth.scene import make_clip

    rendered = make_clip(clip.motion, clip.seed, seconds=SECONDS, fps=FPS, size=SIZE)
    start = window_start(rendered.actors[0].motion.h36m, FRAMES)
    for number in range(start, min(start + FRAMES, len(rendered))):
        frame = rendered[number]
        if not frame.people:
            # Frames must follow each other: what comes after one without a person is left out.
            return
        label = frame.people[0]
        yield frame.image, label.box, label.xy, label.visibility


def noise_summary(watched: Sequence[PredictedClip]) -> dict[str, Any]:
    """Return in figures how an estimator errs: lengths in mm of a standard adult, shares of joints and frames."""
    errors = np.concatenate([true_errors(clip) for clip in watched]) * 1000
    states = np.concatenate([swap_states(clip) for clip in watched])
    lost = np.concatenate([~np.isfinite(clip.predicted[clip.labelled]).all(axis=-1) for clip in watched])
    return {
        "frames": len(errors),
        "mean_mm": round(float(np.nanmean(errors)), 1),
        "median_mm": round(float(np.nanmedian(errors)), 1),
        "beyond_200_mm": round(float(np.nanmean(errors[np.isfinite(errors)] > 200)), 4),
        "swapped_frames": round(float((states > 0).mean()), 4),
        "dropped_joints": round(float(lost.mean()), 4),
        "mean_mm_per_joint": {
            joint: round(float(np.nanmean(errors[:, i])), 1) for i, joint in enumerate(COCO17.joints)
        },
    }
