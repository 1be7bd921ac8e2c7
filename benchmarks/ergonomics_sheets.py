"""What contact sheets of whole ways cost and bring, without a browser: for trying changes of repair and sheet.

Usage: python benchmarks/ergonomics_sheets.py [--clips 3] [--seed 60000] [--frames 90] [--every 1 2 3 4] [--json]
       [--out ergonomics-out]

The same oracle, cost model and order of work as `ergonomics.py`, the same repair as the editor's. What is left out is
the page: pointer distances in sheets are taken as 400 pixels, tiles as 130, a person in the picture as 700 high.
Rendered kicks, predicted by `nano`. Each line is one way: sheets that show every so many frames (the first is what the
others are compared with), looking at all pictures again after a fix, without taking the model's drift off
(emc.stages.propagate.drift), without repair, and frame by frame: dragging what seems wrong, clicking every joint.
Seconds are *simulated*; `ratio_to_same_oks` is the first way's seconds over this one's, to the lower of both qualities.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.stages.propagate import FlowChain, JointRun, Stop, propagate
from emc.stages.propagate_flow import GreyCrop, crop_scale, follow, grey_crop
from emc.stages.video import open_media
from emc.store.sql import SqlStore
from emc.study.actions import Action, Move
from emc.study.correction_curve import Curve, curve_of, summary_of
from emc.study.klm import LABEL, read_rules
from emc.study.oracle import Oracle
from emc.study.policies import middle_of_longest
from ergonomics_clips import KICKS, ClipSpec, MadeClip, make

TILE, DISTANCE, CUT = 130.0, 400.0, 0.42
PICTURE, MARKER = 700.0, 28.0
REACH = 45


@dataclass
class Case:
    """A clip with its pictures and predictions in memory."""

    clip: MadeClip
    crops: list[GreyCrop]
    confidence: np.ndarray
    side: np.ndarray


@dataclass(frozen=True)
class Way:
    """How the sheets are worked through."""

    every: int = 3
    repair: bool = True
    drift: bool = True
    highlight: bool = True


def case_of(clip: MadeClip) -> Case:
    with SqlStore.open(clip.project) as store:
        media = store.clips()[0]
        run = store.current_run(media.id)
        found = sorted(store.predictions(run.id), key=lambda each: each.frame) if run else []
    boxes = np.stack([each.box for each in found]).astype(float)
    scale = crop_scale(float(np.median(boxes[:, 2:].max(axis=1))))
    with open_media(Path(media.path)) as reader:
        crops = [grey_crop(reader.read(i), box, scale) for i, box in enumerate(boxes)]
    return Case(clip, crops, np.stack([each.confidence for each in found]).astype(float), boxes[:, 2:].max(axis=1))


def repaired(case: Case, joint: int, human: np.ndarray, at: int, way: Way) -> tuple[np.ndarray, np.ndarray]:
    """Return frames and places that a fix on frame `at` repairs, as the editor does it."""
    said = case.clip.start[:, joint].astype(float)
    by_hand = np.isfinite(human).all(axis=1)
    nothing = np.zeros(len(said), bool)
    run = JointRun(
        frames=np.arange(len(said)),
        predicted=np.where(by_hand[:, None], np.nan, said),
        confidence=case.confidence[:, joint],
        human=human,
        hidden=nothing,
        side=case.side,
        cut=nothing,
        seen=np.where(by_hand[:, None], said, np.nan) if way.drift else None,
    )
    hands = np.flatnonzero(by_hand)
    ends = [at, *hands[hands < at][-1:].tolist(), *hands[hands > at][:1].tolist()]
    found = propagate(run, at, [chain(case, run, frame, at) for frame in ends if abs(frame - at) <= REACH], REACH)
    return found.frames[found.moved], found.xy[found.moved]


def chain(case: Case, run: JointRun, start: int, at: int) -> FlowChain:
    part = slice(max(0, at - REACH), at + REACH + 1)
    found = follow(case.crops[part], start - part.start, run.human[start], run.predicted[part], run.side[part])
    xy, error = np.full(run.human.shape, np.nan), np.full(len(run.frames), np.inf)
    xy[part], error[part] = found.xy, found.error
    return FlowChain(xy, error, Stop(found.before), Stop(found.after))


@dataclass
class Work:
    """What was done: the log, and the journal's edits that belong to it."""

    log: list[Action]
    edits: list[Edit]

    def did(self, action: Action, *changes: JointChange) -> None:
        """Note an action, and what it changed."""
        self.log.append(action)
        if changes:
            self.edits.append(Edit("clip", action.kind, changes))


def change(frame: int, joint: int, xy: np.ndarray, by: Provenance = Provenance.HUMAN) -> JointChange:
    return JointChange(frame, 0, joint, float(xy[0]), float(xy[1]), Visibility.VISIBLE, by)


def worked(case: Case, way: Way | str) -> tuple[Curve, dict[str, float]]:
    """Work through the clip; return the quality over time, and the figures at the end."""
    rules, truth, start = read_rules(), case.clip.truth, case.clip.start.astype(float)
    oracle, work = Oracle(truth, rules.person, case.clip.spec.seed), Work([], [])
    if isinstance(way, str):
        by_frames(case, oracle, work, place_all=way == "click all")
    else:
        now = start.copy()
        for joint in range(now.shape[1]):
            work.did(Action("next_sheet" if joint else "open_sheet", keys=0 if joint else 2))
            sheet(case, oracle, now, joint, way, work)
            work.did(Action("confirm", keys=1))
    curve = curve_of(truth, start, work.log, work.edits, rules.model)
    return curve, summary_of(truth, start, work.log, curve)


def by_frames(case: Case, oracle: Oracle, work: Work, place_all: bool) -> None:
    """Go through the frames: click every joint, or drag those that seem wrong on one look."""
    zoom = PICTURE / float(np.median(case.side))
    pointer = case.clip.truth.xy[0, 0]
    for frame, places in enumerate(case.clip.start.astype(float)):
        work.did(Action("step", keys=1 if frame else 0))
        if not place_all:
            work.did(Action("check_frame", frame))
        for joint, drawn in enumerate(places):
            if not oracle.knows(frame, joint):
                continue
            if not place_all and not oracle.looks_wrong(frame, joint, (float(drawn[0]), float(drawn[1])), alone=False):
                continue
            xy, width = np.array(oracle.place(frame, joint, zoom)), oracle.width(frame, joint, zoom)
            moves: tuple[Move, ...] = (Move(zoom * math.dist(pointer, xy), width),)
            if not place_all:
                take, carry = zoom * math.dist(pointer, drawn), zoom * math.dist(drawn, xy)
                moves = (Move(take, MARKER), Move(carry, width, held=True))
            kind = "click" if place_all else "drag"
            work.did(
                Action(kind, frame, joint, 0, 2, moves=moves, stores=True, corrects=True), change(frame, joint, xy)
            )
            pointer = xy


def sheet(case: Case, oracle: Oracle, now: np.ndarray, joint: int, way: Way, work: Work) -> None:
    tiles = list(range(0, len(now), way.every))
    work.did(Action("scan", joint=joint, glances=len(tiles)))
    zoom = TILE / (CUT * float(np.median(case.side)))
    human = np.full((len(now), 2), np.nan)
    placed: set[int] = set()
    bad = {frame for frame in tiles if seems_wrong(oracle, now, frame, joint)}
    while bad:
        frame = middle_of_longest(tiles, bad)
        placed.add(frame)
        aim = Move(DISTANCE, oracle.width(frame, joint, zoom))
        human[frame] = now[frame, joint] = oracle.place(frame, joint, zoom)
        frames, xy = repaired(case, joint, human, frame, way) if way.repair else (np.zeros(0, int), np.zeros((0, 2)))
        now[frames, joint] = xy
        moved = [change(int(f), joint, at, Provenance.PROPAGATED) for f, at in zip(frames, xy, strict=True)]
        fix = Action("fix_tile", frame, joint, presses=2, moves=(aim,), stores=True, corrects=True)
        work.did(fix, change(frame, joint, human[frame]), *moved)
        changed = set(frames.tolist()) & set(tiles)
        work.did(Action("scan", joint=joint, glances=len(changed) if way.highlight else len(tiles)))
        bad = ((bad - changed) | {f for f in changed if seems_wrong(oracle, now, f, joint)}) - placed


def seems_wrong(oracle: Oracle, now: np.ndarray, frame: int, joint: int) -> bool:
    x, y = now[frame, joint]
    return oracle.looks_wrong(frame, joint, (float(x), float(y)) if np.isfinite(x) else None)


def ways(every: list[int]) -> dict[str, Way | str]:
    whole = Way()
    named: dict[str, Way | str] = {
        "looking at all again": replace(whole, highlight=False),
        "without drift": replace(whole, drift=False),
        "without repair": replace(whole, repair=False),
        "drag what is wrong": "drag what is wrong",
        "click all": "click all",
    }
    return {f"every {step}": replace(whole, every=step) for step in every} | named


def compared(found: dict[str, list[tuple[Curve, dict[str, float]]]]) -> dict[str, dict[str, float]]:
    """Return the mean figures of each way, and the first way's seconds over its own to the same quality."""
    first = next(iter(found.values()))
    told: dict[str, dict[str, float]] = {}
    for name, rows in found.items():
        goals = [min(ours[0].oks[-1], theirs[0].oks[-1]) for ours, theirs in zip(first, rows, strict=True)]
        ours = sum(curve.seconds_to(goal) for (curve, _), goal in zip(first, goals, strict=True))
        theirs = sum(curve.seconds_to(goal) for (curve, _), goal in zip(rows, goals, strict=True))
        figures = {key: float(np.mean([row[key] for _, row in rows])) for key in SHOWN}
        told[name] = {**figures, "ratio_to_same_oks": ours / theirs}
    return told


SHOWN = ("seconds", "corrections_per_90_frames", "oks_before", "oks", "right", "missed_errors", "introduced_errors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--seed", type=int, default=60_000)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--every", type=int, nargs="+", default=[3])
    parser.add_argument("--out", type=Path, default=Path("ergonomics-out"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    specs = [ClipSpec(KICKS[i % len(KICKS)], given.seed + i, given.frames, "nano") for i in range(given.clips)]
    found: dict[str, list[tuple[Curve, dict[str, float]]]] = {name: [] for name in ways(given.every)}
    for spec in specs:
        case = case_of(make(spec, given.out, None))
        for name, way in ways(given.every).items():
            found[name].append(worked(case, way))
    means = compared(found)
    if given.json:
        sys.stdout.write(json.dumps({"label": LABEL, "clips": given.clips, "ways": means}) + "\n")
        return
    for name, row in means.items():
        figures = "  ".join(f"{key} {value:.4g}" for key, value in row.items())
        sys.stdout.write(f"{name:22} {figures}  ({LABEL} seconds)\n")


if __name__ == "__main__":
    main()
