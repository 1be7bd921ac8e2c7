"""The whole loop on embedded clips: a model fails on kicks, is corrected, calibrated, measured and lifted to 3D."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emc.config import Settings
from emc.interfaces import Progress
from emc.pose.motion import LiftedSequence
from emc.pose.records import Clip, Role
from emc.stages.evaluate import score_3d
from emc.store import SqlStore
from emc.workflow.calibration import calibrate_project
from emc.workflow.labels import import_labels
from emc.workflow.lifting import lift_project, lift_run, lifter_of
from emc.workflow.predict import Predicted, predict_clips
from emc.workflow.progress import Silent
from emc.workflow.project import add_clips, new_project, open_project
from emc.workflow.report import Lifted3D, write_project_report
from emc.workflow.samples import TARGET_MOTIONS, ClipFiles, ClipRequest, render_files


@dataclass(frozen=True, slots=True)
class DemoSize:
    """How many clips the demo renders, each of another person, and how many frames of each."""

    train_kicks: int = 450
    train_common: int = 560
    test_kicks: int = 48
    test_common: int = 45
    watched_kicks: int = 24

    def smaller(self) -> DemoSize:
        """Return a size for trying the way, not for proving anything."""
        return DemoSize(10, 6, 2, 2, 5)


SEEN_KICK = (4, 30.0, 1.2, 3)
SEEN_EVERYDAY = (2, 30.0, 2.0, 25)
TEST_KICK = (12, 30.0, 1.2, 1)
TEST_EVERYDAY = (6, 30.0, 2.0, 10)
"""Frames of a clip; frames per second and seconds of the motion of which they are the climax; every which one.

What calibration needs is different people, so clips to learn from are many and sparse; 3D needs a full frame rate.
"""
QUICK_STEPS = 24


def run_demo(out: Path, settings: Settings, quick: bool = False, progress: Progress | None = None) -> dict[str, Any]:
    """Run the loop and write ``report.json``, ``report.html``, ``demo.emc`` and the clips into `out`.

    What an earlier, interrupted demo of the same seed did is not done again. quick : little of everything; its figures
    prove nothing. Returns the report.
    """
    progress = progress or Silent()
    started = time.monotonic()
    size = DemoSize().smaller() if quick else DemoSize()
    settings = demo_settings(settings, quick)
    if settings.predict.estimator == "nano":
        progress.say("demo: calibrates nano, which trains in minutes; on clips of your own auto takes movenet-thunder")
    out.mkdir(parents=True, exist_ok=True)
    files = render_files(clip_requests(out / "clips", size, settings.calibrate.seed), progress)
    folder = out / "demo.emc"
    with open_project(folder) if folder.exists() else new_project(folder) as store:
        add_all(store, files, settings, progress)
        watch(store, files, size, settings, progress)
        before = predict_tests(store, files, settings, progress)
        correct_all(store, files, progress)
        done = calibrate_project(store, settings, progress)
        after_settings = with_estimator(settings, done.folder / "chosen")
        after = predict_tests(store, files, after_settings, progress)
        lift_project(store, after_settings, [f.order.name for f in kicks(files, "test")], progress)
        three_d = compare_3d(store, files, before, after, settings)
        document = write_project_report(store, done, settings, out, three_d, progress)
    progress.say(f"demo: {time.monotonic() - started:.0f} s")
    return document


def demo_settings(settings: Settings, quick: bool) -> Settings:
    """Return the settings of the demo: as given, embedded models for ``auto``, few steps where it is to be quick."""
    # The demo's story and its figures are those of the embedded model, whatever else is at hand.
    if settings.predict.estimator.partition(":")[0] == "auto":
        embedded = settings.predict.model_copy(update={"estimator": "nano", "detector": "embedded"})
        settings = settings.model_copy(update={"predict": embedded})
    if not quick:
        return settings
    few = settings.calibrate.model_copy(update={"steps": QUICK_STEPS, "ladder": 2, "save_every": 10})
    return settings.model_copy(update={"calibrate": few})


def with_estimator(settings: Settings, folder: Path) -> Settings:
    """Return the settings with a saved model as the estimator."""
    return settings.model_copy(update={"predict": settings.predict.model_copy(update={"estimator": str(folder)})})


def clip_requests(folder: Path, size: DemoSize, seed: int) -> list[ClipRequest]:
    """Return the clips to render: kicks (target) and everyday motion (common), each of another rendered person."""
    from emc.synth.motion import COMMON_MOTIONS

    plan = (
        ("train", TARGET_MOTIONS, size.train_kicks, SEEN_KICK, 10_000),
        ("train", COMMON_MOTIONS, size.train_common, SEEN_EVERYDAY, 20_000),
        ("test", TARGET_MOTIONS, size.test_kicks, TEST_KICK, 30_000),
        ("test", COMMON_MOTIONS, size.test_common, TEST_EVERYDAY, 40_000),
    )
    return [
        ClipRequest(motions[i % len(motions)], first + 100_000 * seed + i, *pace, purpose=purpose, folder=str(folder))
        for purpose, motions, count, pace, first in plan
        for i in range(count)
    ]


def is_kick(files: ClipFiles) -> bool:
    """Return whether a rendered clip shows a kick, the demo's target motion."""
    return files.order.motion in TARGET_MOTIONS


def kicks(files: Iterable[ClipFiles], purpose: str) -> list[ClipFiles]:
    """Return the kick clips of one purpose."""
    return [f for f in files if is_kick(f) and f.order.purpose == purpose]


def add_all(store: SqlStore, files: Sequence[ClipFiles], settings: Settings, progress: Progress) -> None:
    """Add the clips as a person would: role, group, tags, and the held-out ones marked ``split=test``."""
    known = {clip.id for clip in store.clips()}
    for one in files:
        if one.order.name in known:
            continue
        role = Role.TARGET if is_kick(one) else Role.COMMON
        tags = one.tags | ({"split": "test"} if one.order.purpose == "test" else {})
        add_clips(store, [one.video], role, one.group, tags, settings.video)
    progress.say(f"project: {len(store.clips())} clips")


def watch(store: SqlStore, files: Sequence[ClipFiles], size: DemoSize, settings: Settings, progress: Progress) -> None:
    """Predict some of the kick clips with the base, persons found by the detector: what a person would see first."""
    clips: list[Clip] = [store.clip(f.order.name) for f in kicks(files, "train")[: size.watched_kicks]]
    done = predict_clips(store, clips, settings, None, progress)
    lost, low = sum(p.lost for p in done), sum(p.low for p in done)
    progress.say(
        f"base model on {len(done)} kicks: {sum(p.alerts for p in done)} alerts, {lost} joints lost, "
        f"{low} of low confidence"
    )


def predict_tests(
    store: SqlStore, files: Sequence[ClipFiles], settings: Settings, progress: Progress
) -> dict[str, Predicted]:
    """Predict the held-out kicks on given boxes, as their 2D scores are measured, so that 3D compares pose models."""
    done: list[Predicted] = []
    held_out = kicks(files, "test")
    progress.start("predict the held-out kicks", len(held_out))
    for one in held_out:
        # How a boxes file was understood is told to whoever brings one; these are the demo's own.
        done += predict_clips(store, [store.clip(one.order.name)], settings, one.labels, Silent())
        progress.advance(note=one.order.name)
    progress.finish()
    return {one.clip: one for one in done}


def correct_all(store: SqlStore, files: Sequence[ClipFiles], progress: Progress) -> None:
    """Correct every clip by its true labels, once: what a person does by hand on real footage."""
    progress.start("correct", len(files))
    for one in files:
        if not store.edits(one.order.name):
            import_labels(store, one.labels, one.order.name, "coco", simulated=True)
        progress.advance(note=one.order.name)
    progress.finish()


def compare_3d(
    store: SqlStore,
    files: Sequence[ClipFiles],
    before: dict[str, Predicted],
    after: dict[str, Predicted],
    settings: Settings,
) -> Lifted3D:
    """Lift the held-out kicks from the base's and from the chosen model's predictions and score both."""
    lifter = lifter_of(settings.lift)
    truth: dict[str, np.ndarray] = {}
    lifted: dict[str, dict[str, np.ndarray]] = {"before": {}, "after": {}}
    for one in kicks(files, "test"):
        clip = store.clip(one.order.name)
        with np.load(one.truth) as arrays:
            truth[clip.id] = arrays["xyz"]
        for when, run in (("before", before[clip.id].run), ("after", after[clip.id].run)):
            sequences = lift_run(store, clip, run, lifter)
            lifted[when][clip.id] = on_frames(sequences, len(truth[clip.id]))
    options = settings.evaluate
    scores = {
        when: score_3d(found, truth, bootstrap=options.bootstrap, seed=options.seed) for when, found in lifted.items()
    }
    return Lifted3D(scores, lifted["before"], lifted["after"], truth)


def on_frames(sequences: dict[int, LiftedSequence], frames: int) -> np.ndarray:
    """Return (frames, 17, 3) of the person seen longest, NaN on frames without them."""
    whole = np.full((frames, 17, 3), np.nan, dtype=np.float32)
    if sequences:
        longest = max(sequences.values(), key=len)
        whole[longest.frames] = longest.xyz
    return whole
