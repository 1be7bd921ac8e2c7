"""Measure lifting on motion capture seen through virtual cameras: exact 2D, and with a pose model's errors in it.

Every clip is seen by a few seeded cameras. The 2D joints are given as they are (``exact``), with the errors measured
from a pose model before calibration (``before``) and after (``after``), drawn with the same chance in both. What comes
out is scored as it is (variant ``plain``) and after each further treatment that `VARIANTS` lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from emc.config import LiftSettings, Settings
from emc.errors import InputError, UsageError
from emc.formats.motion.mocap import read_mocap_npz
from emc.formats.motion.recording import MotionClip
from emc.interfaces import Lifter, Progress
from emc.lifters.measured_noise import NoiseModel, apply_noise, noise_of, read_noise
from emc.lifters.virtual_camera import coco_from_h36m, random_camera, rooted, view
from emc.stages.evaluate import compare_3d, score_3d
from emc.workflow.compute import set_threads
from emc.workflow.lifting import lifter_of
from emc.workflow.progress import Silent

COMMON = ("cmu/*_test",)
UNCOMMON = tuple(
    f"deepmimic/{name}"
    for name in ("kick", "cartwheel", "backflip", "roll", "spin", "dance_*", "crawl", "getup_*")  # fmt: skip
)
"""Clips that are measured where no patterns are given; the embedded lifter was trained on none of them."""
CAMERAS = 4
SEED = 515_000
CONDITIONS = ("exact", "before", "after")
PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class LifterInput:
    """What a lifter and its refinements are given of one person.

    xy : (T, 17, 2) COCO-17 pixels, NaN = missing. confidence : (T, 17). size : (width, height). fps : frames/s.
    """

    xy: np.ndarray
    confidence: np.ndarray
    size: tuple[int, int]
    fps: float


@dataclass(frozen=True, slots=True)
class View:
    """One clip through one camera: name, clip and action, what is seen by condition, and the truth (T, 17, 3)."""

    name: str
    clip: str
    action: str
    seen: Mapping[str, LifterInput]
    truth: np.ndarray


Variant = Callable[[LifterInput, np.ndarray], np.ndarray]
"""What was seen and the lifted (T, 17, 3) metres in, (T, 17, 3) metres out; camera axes, pelvis at the origin."""


def plain(seen: LifterInput, lifted: np.ndarray) -> np.ndarray:
    """Return the lifter's own answer."""
    return lifted


def smoothed(seen: LifterInput, lifted: np.ndarray) -> np.ndarray:
    """Return the lightest treatment: a Savitzky-Golay filter, as before there was any refinement."""
    from emc.pose.motion import LiftedSequence
    from emc.stages.lift import smooth_sequence

    frames = np.arange(len(lifted), dtype=np.int64)
    whole = LiftedSequence(0, frames, lifted.astype(np.float32), seen.confidence.mean(axis=1).astype(np.float32))
    return smooth_sequence(whole).xyz


def refined(names: Sequence[str]) -> Variant:
    """Return the treatment by some refinements of `emc lift`; the camera's focal length is not told."""

    def treated(seen: LifterInput, lifted: np.ndarray) -> np.ndarray:
        from emc.workflow.lifting import refine_arrays

        return refine_arrays(lifted, seen.xy, seen.confidence, seen.size, seen.fps, names)

    return treated


VARIANTS: Mapping[str, Variant] = MappingProxyType(
    {
        PLAIN: plain,
        "smoothed": smoothed,
        "bones": refined(("bones",)),
        "bones, fit, smooth": refined(("bones", "fit", "smooth")),
        "refined": refined(LiftSettings().refine),  # pyright: ignore[reportCallIssue]
    }
)
"""Name -> treatment of the lifted sequence; each is scored on every condition and against `PLAIN`."""


def variants_named(names: Sequence[str] | None) -> Mapping[str, Variant]:
    """Return the treatments of these names beside the plain lifter; None: all. Raises `UsageError` for others."""
    if names is None:
        return VARIANTS
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise UsageError(f"--variant {unknown[0]}: use some of {', '.join(VARIANTS)}")
    return {name: VARIANTS[name] for name in VARIANTS if name in (PLAIN, *names)}


def bench_lift(
    data: Path,
    settings: Settings,
    before: str = "nano",
    after: str = "nano-calibrated",
    common: Sequence[str] = COMMON,
    uncommon: Sequence[str] = UNCOMMON,
    cameras: int = CAMERAS,
    progress: Progress | None = None,
    variants: Mapping[str, Variant] = VARIANTS,
) -> dict[str, Any]:
    """Return scores of the settings' lifter on the common and uncommon clips of ``data/mocap.npz``.

    before, after : noise files of `emc bench noise`, or names of those that ship. common, uncommon : patterns of clip
    names. cameras : views of each clip. ``summary`` holds MPJPE and P-MPJPE in mm on the uncommon clips with the noise
    of before and after. Raises `InputError` where the file or its clips are missing.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    lifter = lifter_of(settings.lift)
    noise = {"before": read_noise(before), "after": read_noise(after)}
    clips = {clip.name: clip for clip in read_mocap_npz(data / "mocap.npz")}
    document: dict[str, Any] = {
        "lifter": settings.lift.lifter,
        "noise": {"before": before, "after": after},
        "cameras": cameras,
        "unit": "mm",
        "populations": {},
    }
    for kind, patterns in (("common", common), ("uncommon", uncommon)):
        chosen = matching(clips, patterns, kind)
        models = {when: noise_of(found, kind, when) for when, found in noise.items()}
        views = [one for clip in chosen for one in views_of(clip, models, cameras)]
        document["populations"][kind] = population(views, lifter, settings, variants, progress, kind)
    document["summary"] = summary(document["populations"]["uncommon"]["variants"][PLAIN])
    return document


def matching(clips: Mapping[str, MotionClip], patterns: Sequence[str], kind: str) -> list[MotionClip]:
    """Return the clips whose names fit a pattern; raises `InputError` where none does."""
    found = [clip for name, clip in sorted(clips.items()) if any(fnmatch(name, pattern) for pattern in patterns)]
    if not found:
        raise InputError(
            f"no clip of mocap.npz fits the {kind} patterns {', '.join(patterns)}: give patterns of names such as "
            f"{', '.join(sorted(clips)[:3])}"
        )
    return found


def views_of(clip: MotionClip, models: Mapping[str, NoiseModel], cameras: int) -> list[View]:
    """Return a clip through `cameras` seeded cameras; the pelvis is put in the middle of the hips."""
    h36m = rooted(clip.xyz)
    coco = coco_from_h36m(h36m)
    seed = list(clip.name.encode())
    out: list[View] = []
    for number in range(cameras):
        camera = random_camera(h36m, np.random.default_rng([SEED, number, *seed]))
        exact = view(h36m, coco, camera)
        seen = {"exact": LifterInput(exact.xy, exact.confidence, camera.size, clip.fps)}
        for when, model in models.items():
            # The same chance before and after: the comparison is paired.
            xy, confidence = apply_noise(exact.xy, model, np.random.default_rng([SEED, 1, number, *seed]))
            seen[when] = LifterInput(xy, confidence, camera.size, clip.fps)
        out.append(View(f"{clip.name}/{number}", clip.name, action_of(clip.name), seen, exact.xyz))
    return out


def action_of(name: str) -> str:
    """Return the action in a clip's name: ``cmu/walking_6_test`` is ``walking``."""
    return re.sub(r"(_\d+)?(_test)?$", "", name.rpartition("/")[2])


def population(
    views: Sequence[View],
    lifter: Lifter,
    settings: Settings,
    variants: Mapping[str, Variant],
    progress: Progress,
    kind: str,
) -> dict[str, Any]:
    """Return the scores of every variant and condition, the change by calibration, and each variant's gain."""
    truth = {one.name: one.truth for one in views}
    units = {one.name: one.clip for one in views}
    actions = {one.name: one.action for one in views}
    options: dict[str, Any] = {"bootstrap": settings.evaluate.bootstrap, "seed": settings.evaluate.seed, "units": units}
    lifted = {when: _lifted(views, when, lifter, progress, kind) for when in CONDITIONS}
    rows: dict[str, Any] = {}
    for name, variant in variants.items():
        found = {
            when: {one.name: variant(one.seen[when], points[one.name]) for one in views}
            for when, points in lifted.items()
        }
        rows[name] = {when: score_3d(found[when], truth, actions=actions, **options) for when in CONDITIONS}
        rows[name]["change"] = compare_3d(found["before"], found["after"], truth, **options)
        if name != PLAIN:
            rows[name]["gain"] = {when: compare_3d(lifted[when], found[when], truth, **options) for when in CONDITIONS}
    return {
        "clips": sorted(set(units.values())),
        "frames": sum(len(points) for points in truth.values()),
        "variants": rows,
    }


def summary(rows: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that the whole bench is about, in mm."""
    return {
        f"{name}_{when}": round(float(rows[when][name]["value"]), 3)
        for name in ("mpjpe", "p_mpjpe")
        for when in ("before", "after")
    }


def _lifted(views: Sequence[View], when: str, lifter: Lifter, progress: Progress, kind: str) -> dict[str, np.ndarray]:
    progress.start(f"lift {kind} clips, {when}", len(views))
    out: dict[str, np.ndarray] = {}
    for one in views:
        seen = one.seen[when]
        out[one.name] = lifter.lift(seen.xy, seen.confidence, seen.size)
        progress.advance(note=one.name)
    progress.finish()
    return out
