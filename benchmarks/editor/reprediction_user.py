"""Whether reading a person again after each fix makes the scripted user better.

Usage: python reprediction_user.py [--clips 6] [--seed 93000] [--frames 90] [--json] [--out ergonomics-out]

The sheets of whole ways of sheets.py, without the browser, on rendered kicks predicted by `nano`. After each
fix the joints that nobody has decided yet are read again, as reprediction.py does it: on the frame of the fix (`fix`),
or also on the pictures of the sheet that the fix repaired (`run`). `crops` reads in eight boxes around the corrected
pose, `swap` gives the mirror joint the place that the fix took from the joint. Each line is one way; `ratio` is its
seconds (*simulated*) over those without reading again, to the lower of both qualities (OKS), pooled, with a 95 %
interval over clips. After each clip the table so far is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import sheets
import torch
from clips import KICKS, ClipSpec, MadeClip, make
from reprediction import Crops, swapped
from sheets import Case, Way, case_of, repaired, worked

import emc.plugins as plugins
from emc.stages.propagate import Repair, StopReason
from emc.stages.video import open_media
from emc.store import SqlStore
from emc.study.scripted.correction_curve import Curve
from emc.study.scripted.klm import LABEL

Placed = dict[int, np.ndarray]
Reading = Callable[[Any, int, int, np.ndarray], dict[int, np.ndarray]]


@dataclass
class Images:
    """The pictures of a clip."""

    images: list[np.ndarray]


@dataclass
class Seen:
    """What the readings of reprediction.py ask of a clip: its pictures and where the joints are now."""

    case: Images
    places: np.ndarray
    side: np.ndarray


def pictures(clip: MadeClip) -> Images:
    with SqlStore.open(clip.project) as store, open_media(Path(store.clips()[0].path)) as reader:
        return Images([reader.read(frame) for frame in range(clip.spec.frames)])


@dataclass
class Again:
    """The editor's repair, and after it the joints that nobody has decided yet, read again."""

    images: Images
    read: Reading
    run: bool

    def __call__(self, case: Case, joint: int, placed: Placed, at: int, way: Way) -> list[tuple[int, Repair]]:
        """Return what the fix repairs, and what was predicted again; later fixes start from that."""
        found = repaired(case, joint, placed, at, way)
        known = {at: placed[joint][at]}
        if self.run:
            moved = dict(
                zip(found[0][1].frames[found[0][1].moved].tolist(), found[0][1].xy[found[0][1].moved], strict=True)
            )
            known |= {frame: xy for frame, xy in moved.items() if frame in way.frames(len(case.clip.start))}
        for frame, xy in known.items():
            seen = Seen(self.images, case.clip.start.astype(float), case.side)
            for other, place in self.read(seen, frame, joint, xy).items():
                if other not in placed:
                    case.clip.start[frame, other] = place
                    found.append((other, read_at(frame, place)))
        return found


def read_at(frame: int, xy: np.ndarray) -> Repair:
    one = np.ones(1)
    return Repair(np.array([frame]), xy[None], one, one, np.ones(1, bool), StopReason.AGREES, StopReason.AGREES)


def tried(case: Case, images: Images, read: Reading | None, run: bool) -> tuple[Curve, dict[str, float]]:
    """Work through the clip as the scripted user does, with a repair that also reads again."""
    copied = replace(case, clip=replace(case.clip, start=case.clip.start.copy()))
    sheets.repaired = repaired if read is None else Again(images, read, run)
    return worked(copied, Way())


def compared(base: list[tuple[Curve, dict[str, float]]], rows: list[tuple[Curve, dict[str, float]]]) -> dict[str, Any]:
    seconds = []
    for ours, theirs in zip(base, rows, strict=True):
        goal = min(ours[0].oks[-1], theirs[0].oks[-1])
        seconds.append((theirs[0].seconds_to(goal), ours[0].seconds_to(goal)))
    table, rng = np.array(seconds), np.random.default_rng(0)
    drawn = [table[rng.integers(0, len(table), len(table))].sum(0) for _ in range(2000)]
    low, high = np.percentile([a / b for a, b in drawn], [2.5, 97.5])
    means = {key: round(float(np.mean([row[key] for _, row in rows])), 4) for key in SHOWN}
    ratio = float(table[:, 0].sum() / table[:, 1].sum())
    return means | {"ratio": round(ratio, 3), "ratio_ci95": [round(float(low), 3), round(float(high), 3)]}


SHOWN = ("seconds", "corrections_per_90_frames", "oks_before", "oks", "missed_errors", "introduced_errors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--seed", type=int, default=93_000)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--out", type=Path, default=Path("ergonomics-out"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    crops = Crops(plugins.estimator_for("nano"))
    ways: dict[str, tuple[Reading | None, bool]] = {
        "nothing": (None, False), "swap, fix": (swapped, False), "swap, run": (swapped, True),
        "crops, fix": (crops, False), "crops, run": (crops, True),
    }  # fmt: skip
    found: dict[str, list[tuple[Curve, dict[str, float]]]] = {name: [] for name in ways}
    for i in range(given.clips):
        clip = make(ClipSpec(KICKS[i % len(KICKS)], given.seed + i, given.frames, "nano"), given.out, None)
        case, images = case_of(clip), pictures(clip)
        for name, (read, run) in ways.items():
            found[name].append(tried(case, images, read, run))
        show({name: compared(found["nothing"], rows) for name, rows in found.items()}, i + 1, given.json)


def show(told: dict[str, dict[str, Any]], clips: int, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"label": LABEL, "clips": clips, "ways": told}) + "\n")
    for name, row in {} if as_json else told.items():
        figures = "  ".join(f"{key} {value}" for key, value in row.items())
        sys.stdout.write(f"{clips} clips  {name:12} {figures}  ({LABEL})\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
