"""How fast a project of many predicted frames is: writing, opening, one frame, a page of the (m, n) list, an edit.

Usage: python store.py [--frames 1000000] [--json] [--folder DIR]. Everything is written to a new folder in
DIR (default: the system's temporary folder) and deleted at the end. One person of 17 joints per frame, without features
unless `--features` says how many. ``cpu`` figures leave out waiting, for the disk or for other work on the machine.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emc.pose.records import (
    Alert,
    AlertReason,
    Clip,
    Edit,
    FrameAlerts,
    JointChange,
    Prediction,
    Provenance,
    Role,
    Visibility,
)
from emc.store import SqlStore

JOINTS = 17
BATCH = 512
PAGE = 100


def made_predictions(first: int, count: int, features: int, rng: np.random.Generator) -> list[Prediction]:
    xy = rng.uniform(0, 1920, (count, JOINTS, 2)).astype(np.float32)
    score = rng.uniform(0, 1, (count, JOINTS)).astype(np.float32)
    box = np.array([100, 100, 400, 800], np.float32)
    extra = rng.uniform(0, 1, (count, JOINTS, features)).astype(np.float32) if features else None
    return [
        Prediction(first + i, 0, xy[i], score[i], score[i], box, None if extra is None else extra[i])
        for i in range(count)
    ]


def write_all(store: SqlStore, frames: int, features: int) -> tuple[str, float, float]:
    """Write in batches; return the run, the seconds inside `write_predictions`, and those of the processor."""
    rng = np.random.default_rng(0)
    run = store.start_run("kick", "nano", "coco17", {}).id
    seconds = cpu = 0.0
    for first in range(0, frames, BATCH):
        count = min(BATCH, frames - first)
        predictions = made_predictions(first, count, features, rng)
        start, start_cpu = time.perf_counter(), time.process_time()
        store.write_predictions(run, predictions, upto=first + count)
        seconds += time.perf_counter() - start
        cpu += time.process_time() - start_cpu
    store.finish_run(run)
    return run, seconds, cpu


def write_alerts(store: SqlStore, run: str, frames: int) -> float:
    rng = random.Random(0)
    rows = [FrameAlerts(f, rng.randrange(6), rng.randrange(12)) for f in range(frames)]
    alerts = [
        Alert("kick", 0, rng.randrange(JOINTS), f, min(f + 9, frames - 1), AlertReason.LOST, rng.random())
        for f in range(0, frames, 10)
    ]
    start = time.perf_counter()
    store.write_alerts(run, alerts, rows)
    return time.perf_counter() - start


def timed(action: Callable[[], object], times: int) -> dict[str, float]:
    """Return p50 and p95 in milliseconds over `times` calls, of the clock and of the processor."""
    taken = np.empty((times, 2))
    for i in range(times):
        start, start_cpu = time.perf_counter(), time.process_time()
        action()
        taken[i] = time.perf_counter() - start, time.process_time() - start_cpu
    (p50, cpu50), (p95, cpu95) = np.round(1000 * np.percentile(taken, [50, 95], axis=0), 3).tolist()
    return {"p50_ms": p50, "p95_ms": p95, "cpu_p50_ms": cpu50, "cpu_p95_ms": cpu95}


def one_edit(frame: int) -> Edit:
    change = JointChange(frame, 0, 5, 10.0, 20.0, Visibility.VISIBLE, Provenance.HUMAN)
    return Edit("kick", "drag", (change,), seconds=2.0)


def measure(folder: Path, frames: int, features: int) -> dict[str, object]:
    rng = random.Random(1)
    with SqlStore.create(folder) as store:
        store.add_clip(Clip("kick", "kick.mp4", Role.TARGET, "a", frames, 1920, 1080))
        run, write_seconds, write_cpu = write_all(store, frames, features)
        alert_seconds = write_alerts(store, run, frames)
        edit = timed(lambda: store.append_edit(one_edit(rng.randrange(frames))), 300)
    opened = time.perf_counter()
    with SqlStore.open(folder) as store:
        store.clips()
        store.frame_alerts(run, limit=PAGE)
        open_seconds = time.perf_counter() - opened

        def frame_read() -> object:
            frame = rng.randrange(frames)
            return list(store.predictions(run, frame, frame))

        def pose_read() -> object:
            frame = rng.randrange(frames)
            return store.poses("kick", None, frame, frame)

        def page_read(worst_first: bool) -> object:
            return store.frame_alerts(run, PAGE, rng.randrange(max(1, frames - PAGE)), worst_first)

        return {
            "frames": frames,
            "features": features,
            "write_per_s": round(frames / write_seconds),
            "write_per_cpu_s": round(frames / write_cpu),
            "write_alerts_s": round(alert_seconds, 2),
            "open_s": round(open_seconds, 4),
            "frame_predictions": timed(frame_read, 1000),
            "frame_poses": timed(pose_read, 1000),
            "mn_page_worst_first": timed(lambda: page_read(True), 500),
            "mn_page_by_frame": timed(lambda: page_read(False), 500),
            "alerts_page": timed(lambda: store.alerts(run, PAGE, rng.randrange(max(1, frames // 10 - PAGE))), 500),
            "append_edit": edit,
            "megabytes": round(sum(file.stat().st_size for file in folder.iterdir()) / 1e6, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--features", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    parent = Path(tempfile.mkdtemp(prefix="emc-store-", dir=options.folder))
    try:
        figures = measure(parent / "bench.emc", options.frames, options.features)
    finally:
        shutil.rmtree(parent, ignore_errors=True)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
