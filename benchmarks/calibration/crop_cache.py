"""Cut-out persons in memory and in a mapped file: private memory and time, for N and 10 N persons.

    python benchmarks/calibration/crop_cache.py [--persons 200] [--json]

A folder of pictures with one labelled person each is rendered, cut out, and every cut is read once. ``growth`` is the
private memory (RssAnon) that 10 N persons take more than N, each measured in a process of its own; ``again`` the time
of a second load, which finds the file, over that of the first. Pages of the file itself belong to the system, which
takes them back when it needs memory. Linux only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from emc.pose.records import Clip, Pose, Provenance, Role, Visibility
from emc.workflow.samples import LabelExtra
from emc.workflow.samples.crop_cache import mapped_clip
from emc.workflow.samples.cut import Cuts, cut_clip

SIDE = 480


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {(how, n): measured(Path(folder), how, n) for how in ("memory", "disk") for n in sizes(asked.persons)}
    few, many = sizes(asked.persons)
    document = {
        "persons": [few, many],
        "growth_mb": {how: (found[how, many]["mb"] - found[how, few]["mb"]) for how in ("memory", "disk")},
        "first_s": {how: found[how, many]["first_s"] for how in ("memory", "disk")},
        "again": found["disk", many]["again_s"] / found["disk", many]["first_s"],
    }
    print(json.dumps(document, indent=2) if asked.json else "\n".join(f"{k:10} {v}" for k, v in document.items()))


def sizes(persons: int) -> tuple[int, int]:
    return persons, 10 * persons


def measured(folder: Path, how: str, count: int) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(load, (folder / f"{how}{count}", how, count))


def load(folder: Path, how: str, count: int) -> dict[str, float]:
    cuts = cuts_of(folder / "photos", count)
    times: list[float] = []
    private = 0.0
    for turn in range(2):
        started = time.perf_counter()
        samples = cut_clip(cuts) if how == "memory" else mapped_clip(cuts, folder / "cache")[0]
        if sum(int(sample.image.sum()) for sample in samples) <= 0 or len(samples) != count:
            raise SystemExit("the cuts are not what was written")
        times.append(time.perf_counter() - started)
        private = private_megabytes() if turn == 0 else private
        del samples
    return {"mb": private, "first_s": times[0], "again_s": times[1]}


def private_megabytes() -> float:
    found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(found.group(1)) / 1000 if found else float("nan")


def cuts_of(folder: Path, count: int) -> Cuts:
    folder.mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 255, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "00000.jpg"), cv2.resize(picture, (SIDE, SIDE)))
    for number in range(1, count):
        os.link(folder / "00000.jpg", folder / f"{number:05d}.jpg")
    xy = np.linspace([160.0, 160.0], [320.0, 330.0], 17).astype(np.float32)
    seen, human = np.full(17, Visibility.VISIBLE, np.int8), np.full(17, Provenance.HUMAN, np.int8)
    poses = {number: [Pose(number, 0, xy, seen, human)] for number in range(count)}
    extras = {(number, 0): LabelExtra(box=(150.0, 150.0, 180.0, 190.0)) for number in range(count)}
    clip = Clip("photos", str(folder), Role.TARGET, "a", count, SIDE, SIDE, kind="images", sha256=str(count))
    return Cuts(clip, poses, extras)


if __name__ == "__main__":
    main()
