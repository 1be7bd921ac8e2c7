"""What contact sheets of whole ways cost and bring, without a browser: for trying changes of repair and sheet.

Usage: python benchmarks/editor/sheets.py [--clips 3] [--seed 60000] [--frames 90] [--model nano] [--json]
       [--out ergonomics-out] [--ways ..]

The same oracle, cost model and order of work as `ergonomics.py`, the same repair as the editor's. What is left out is
the page: pointer distances in sheets are taken as 400 pixels, tiles as 130, a person in the picture as 700 high.
Rendered kicks. Each line is one way: the editor's sheets as they are; other spacings of their pictures; looking at all
pictures again after a fix; without one of the means of repair (emc.stages.propagate); all as it was before the sheets'
later turns (docs/ergonomics.md); and frame by frame: dragging what seems wrong, clicking every joint. Seconds are
*simulated*; `ratio_to_same_oks` is the first way's seconds over this one's, to the lower of both qualities, with a 95 %
interval by bootstrap over the clips.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from clips import KICKS, ClipSpec, MadeClip, make

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.pose.skeletons import COCO17
from emc.stages.propagate import (
    FlowChain,
    GreyCrop,
    JointRun,
    PropagationTuning,
    Repair,
    StopReason,
    crop_scale,
    follow_kin,
    follow_point,
    grey_crop,
    kin_of,
    propagate,
)
from emc.stages.video import open_media
from emc.store import SqlStore
from emc.study.scripted.actions import Action, Move
from emc.study.scripted.correction_curve import Curve, curve_of, summary_of
from emc.study.scripted.klm import LABEL, read_rules
from emc.study.scripted.oracle import Oracle
from emc.study.scripted.policies import MOST_CLICKS, middle_of_longest

TILE, DISTANCE, CUT = 130.0, 400.0, 0.42
HEAD_CUT, END_CUT, HEAD = 0.3, 0.7, 5
LIMB_ENDS = tuple(i for i, name in enumerate(COCO17.joints) if name.endswith(("elbow", "wrist", "knee", "ankle")))
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
    """How the sheets are worked through; `kin`: nose and eyes move as one, `cuts`: by the joint, `unseen`: of a cut."""

    every: int = 5
    repair: bool = True
    drift: bool = True
    kin: bool = True
    cuts: bool = True
    unseen: float = 0.015
    lean: float = PropagationTuning().lean
    highlight: bool = True

    def cut(self, joint: int) -> float:
        """Return the share of the person that a picture shows (``web/src/sheet/tiles.ts``)."""
        return CUT if not self.cuts else HEAD_CUT if joint < HEAD else END_CUT if joint in LIMB_ENDS else CUT

    def frames(self, count: int) -> list[int]:
        """Return the frames of the sheet."""
        return list(range(self.every // 2 if self.cuts else 0, count, self.every))


BEFORE = Way(every=3, kin=False, cuts=False, unseen=0.0, lean=0.4)
"""The sheets before the fifth turn."""


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


def run_of(case: Case, joint: int, placed: dict[int, np.ndarray], way: Way) -> JointRun:
    """Return a joint's run as the smoother takes it; `placed`: joint -> (T, 2) where a person said, else NaN."""
    start = case.clip.start.astype(float)
    human = placed.get(joint, np.full(start[:, joint].shape, np.nan))
    by_hand = np.isfinite(human).all(axis=1)
    nothing = np.zeros(len(start), bool)
    kin = [other for other in kin_of(COCO17.joints, joint) if way.kin and other in placed]
    return JointRun(
        frames=np.arange(len(start)),
        predicted=np.where(by_hand[:, None], np.nan, start[:, joint]),
        confidence=case.confidence[:, joint],
        human=human,
        hidden=nothing,
        side=case.side,
        cut=nothing,
        seen=np.where(by_hand[:, None], start[:, joint], np.nan) if way.drift else None,
        kin=tuple(placed[other] - start[:, other] for other in kin) if way.drift else (),
    )


def repaired(case: Case, joint: int, placed: dict[int, np.ndarray], at: int, way: Way) -> list[tuple[int, Repair]]:
    """Return what a fix on frame `at` repairs, as the editor does it: of the joint, then of those that follow it."""
    run, tuning = run_of(case, joint, placed, way), PropagationTuning(lean=way.lean)
    hands = np.flatnonzero(np.isfinite(run.human).all(axis=1))
    ends = [at, *hands[hands < at][-1:].tolist(), *hands[hands > at][:1].tolist()]
    chains = [chain(case, run, frame, at) for frame in ends if abs(frame - at) <= REACH]
    found: list[tuple[int, Repair]] = [(joint, propagate(run, at, chains, REACH, tuning))]
    for other in kin_of(COCO17.joints, joint) if way.kin else ():
        follows = None if other in placed else follow_kin(run_of(case, other, placed, way), at, REACH, tuning)
        found += [] if follows is None else [(other, follows)]
    return found


def chain(case: Case, run: JointRun, start: int, at: int) -> FlowChain:
    part = slice(max(0, at - REACH), at + REACH + 1)
    found = follow_point(case.crops[part], start - part.start, run.human[start], run.predicted[part], run.side[part])
    xy, error = np.full(run.human.shape, np.nan), np.full(len(run.frames), np.inf)
    xy[part], error[part] = found.xy, found.error
    return FlowChain(xy, error, StopReason(found.before), StopReason(found.after))


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
        now, placed = start.copy(), dict[int, np.ndarray]()
        for joint in range(now.shape[1]):
            work.did(Action("next_sheet" if joint else "open_sheet", keys=0 if joint else 2))
            sheet(case, oracle, now, joint, placed, way, work)
            placed[joint] = now[:, joint].copy()
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


def sheet(
    case: Case, oracle: Oracle, now: np.ndarray, joint: int, placed: dict[int, np.ndarray], way: Way, work: Work
) -> None:
    """Scan, click the middle of the longest wrong stretch, look at what visibly changed, and so on."""
    tiles = way.frames(len(now))
    work.did(Action("scan", joint=joint, glances=len(tiles)))
    cut = way.cut(joint) * float(np.median(case.side))
    placed[joint] = np.full((len(now), 2), np.nan)
    done, clicks = set[int](), Counter[int]()
    seen = now[:, joint].copy()
    bad = {frame for frame in tiles if seems_wrong(oracle, now, frame, joint)}
    again: int | None = None
    while bad:
        frame = middle_of_longest(tiles, bad) if again is None else again
        clicks[frame] += 1
        inside = click(case, oracle, now, (frame, joint), cut, placed, way, work)
        again = None if inside or clicks[frame] == MOST_CLICKS else frame
        done |= {frame} if again is None else set()
        moved = np.linalg.norm(now[:, joint] - seen, axis=1) > way.unseen * cut
        changed = {f for f in tiles if moved[f] and f != frame}
        seen[[*changed, frame]] = now[[*changed, frame], joint]
        work.did(Action("scan", joint=joint, glances=len(changed) if way.highlight else len(tiles)))
        bad = ((bad - changed) | {f for f in changed if seems_wrong(oracle, now, f, joint)}) - done


def click(
    case: Case,
    oracle: Oracle,
    now: np.ndarray,
    at: tuple[int, int],
    cut: float,
    placed: dict[int, np.ndarray],
    way: Way,
    work: Work,
) -> bool:
    """Click where the joint belongs, or at the picture's border; repair; return whether it lay inside."""
    (frame, joint), zoom = at, TILE / cut
    wanted, middle = np.array(oracle.place(frame, joint, zoom)), now[frame, joint]
    xy = np.clip(wanted, middle - cut / 2, middle + cut / 2)
    placed[joint][frame] = now[frame, joint] = xy
    changes = [change(frame, joint, xy)]
    for other, repair in repaired(case, joint, placed, frame, way) if way.repair else ():
        now[repair.frames[repair.moved], other] = repair.xy[repair.moved]
        moved = zip(repair.frames[repair.moved], repair.xy[repair.moved], strict=True)
        changes += [change(int(f), other, to, Provenance.PROPAGATED) for f, to in moved]
    aim = Move(DISTANCE, oracle.width(frame, joint, zoom))
    work.did(Action("fix_tile", frame, joint, presses=2, moves=(aim,), stores=True, corrects=True), *changes)
    return bool(np.allclose(xy, wanted))


def seems_wrong(oracle: Oracle, now: np.ndarray, frame: int, joint: int) -> bool:
    x, y = now[frame, joint]
    return oracle.looks_wrong(frame, joint, (float(x), float(y)) if np.isfinite(x) else None)


def ways() -> dict[str, Way | str]:
    now = Way()
    return {
        "now": now,
        "every 3rd frame": replace(now, every=3),
        "every 4th frame": replace(now, every=4),
        "looking at all again": replace(now, highlight=False),
        "eyes by themselves": replace(now, kin=False),
        "one cut for all joints": replace(now, cuts=False),
        "without drift": replace(now, drift=False),
        "without repair": replace(now, repair=False),
        "as it was": BEFORE,
        "drag what is wrong": "drag what is wrong",
        "click all": "click all",
    }


def compared(found: dict[str, list[tuple[Curve, dict[str, float]]]]) -> dict[str, dict[str, Any]]:
    """Return the mean figures of each way, and the first way's seconds over its own to the same quality."""
    first = next(iter(found.values()))
    told: dict[str, dict[str, Any]] = {}
    for name, rows in found.items():
        goals = [min(ours[0].oks[-1], theirs[0].oks[-1]) for ours, theirs in zip(first, rows, strict=True)]
        ours = np.array([curve.seconds_to(goal) for (curve, _), goal in zip(first, goals, strict=True)])
        theirs = np.array([curve.seconds_to(goal) for (curve, _), goal in zip(rows, goals, strict=True)])
        figures = {key: float(np.mean([row[key] for _, row in rows])) for key in SHOWN}
        draws = np.random.default_rng(0).integers(0, len(ours), (2000, len(ours)))
        spread = np.percentile(ours[draws].sum(axis=1) / theirs[draws].sum(axis=1), [2.5, 97.5])
        ratio = {"ratio_to_same_oks": float(ours.sum() / theirs.sum()), "ci95": spread.round(4).tolist()}
        told[name] = {**figures, **ratio}
    return told


SHOWN = ("seconds", "corrections_per_90_frames", "oks_before", "oks", "right", "missed_errors", "introduced_errors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=3)
    parser.add_argument("--seed", type=int, default=60_000)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--ways", nargs="+", default=list(ways()), choices=list(ways()))
    parser.add_argument("--out", type=Path, default=Path("ergonomics-out"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    seeds = range(given.seed, given.seed + given.clips)
    specs = [ClipSpec(KICKS[seed % len(KICKS)], seed, given.frames, given.model) for seed in seeds]
    found: dict[str, list[tuple[Curve, dict[str, float]]]] = {name: [] for name in given.ways}
    for spec in specs:
        case = case_of(make(spec, given.out, None))
        for name in given.ways:
            found[name].append(worked(case, ways()[name]))
    means = compared(found)
    if given.json:
        sys.stdout.write(json.dumps({"label": LABEL, "clips": given.clips, "ways": means}) + "\n")
        return
    for name, row in means.items():
        shown = {key: value for key, value in row.items() if key != "ci95"}
        figures = "  ".join(f"{key} {value:.4g}" for key, value in shown.items())
        sys.stdout.write(f"{name:22} {figures} {row['ci95']}  ({LABEL} seconds)\n")


if __name__ == "__main__":
    main()
