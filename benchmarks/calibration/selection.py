"""Learning curves of choosing whom to correct: `python benchmarks/calibration/selection.py --out FOLDER [--steps 600]`.

From the training photos of uncommon poses, 50 persons are drawn at random and corrected by their labels; the base's
confidence is fitted on them; then each way orders the rest, and `nano` is calibrated, as by default, on the first 100,
200, 400 and 800 persons of each order (the 50 first among them, mixed with the common photos). All ways share the 50,
the base, the steps and the seed. What the rule chooses is scored on `target_test` and `common_test`, and so is the
base, as it is and as the default rotation ensemble: a gain is given over both. ``tuned`` is the share of the tuned
weights that the budget left (see `calibrate.shares`), seed by seed.

Resumable: what FOLDER holds is not done again. Labels saved: how many more persons at random reach the same score, read
off the curve of random draws (straight between budgets, on a logarithmic scale).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

import emc.plugins as plugins
from emc.config import Settings, read_settings
from emc.estimators.nano import NanoEstimator
from emc.estimators.rotation import rotation_ensemble
from emc.interfaces import Estimator
from emc.pose.metrics import as_figure, independent_units, resample_weights
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons import COCO17
from emc.stages.confidence import fit_confidence, with_confidence
from emc.stages.evaluate import compare_populations, joint_hits
from emc.stages.select_persons import METHODS, Candidate, select
from emc.workflow.bench.lspe import hold_out
from emc.workflow.calibration import Populations, original_pixels, run_ladder
from emc.workflow.files import write_bytes, write_json
from emc.workflow.progress import Silent
from emc.workflow.samples import LSPE_SPLITS, read_lspe_split
from emc.workflow.scoring import predict_samples

FIRST = 50
HELD = 160
ROLES = ("target", "common")
PARTS = ("leg", "total")
Splits = dict[str, list[Sample]]


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--out", type=Path, required=True, help="keeps results, and lets a stopped run go on")
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 200, 400, 800])
    parser.add_argument("--hows", nargs="+", default=["random", "error", "both"], choices=METHODS)
    parser.add_argument("--chosen-up-to", type=int, default=10**6, help="larger budgets are drawn at random alone")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--parts", nargs="+", default=[], help="body parts whose expected errors count (default: all)")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def settings_for(seed: int, steps: int) -> Settings:
    chosen = {"seed": seed, "steps": steps, "ladder": 1, "save_every": 100}
    return read_settings(None, calibrate=chosen, evaluate={"bootstrap": 200})


def labelled_joints(samples: Sequence[Sample]) -> list[int]:
    return [j for j in range(len(COCO17)) if any(s.visibility[j] > 0 for s in samples)]


def order_of(
    pool: list[Sample], found: list[Prediction], how: str, seed: int, budget: int, parts: Sequence[str]
) -> list[int]:
    """Return indices of the pool: 50 at random, then the chosen ones."""
    first = np.random.default_rng([seed, 41]).permutation(len(pool))[:FIRST].tolist()
    known, rest = [pool[i] for i in first], [i for i in range(len(pool)) if i not in set(first)]
    hits = joint_hits([found[i] for i in first], known, COCO17, "head_segment", 0.5)
    model = fit_confidence([found[i] for i in first], hits, [s.group for s in known], COCO17).model
    trusted = with_confidence(found, model, COCO17)
    people = [
        Candidate(s.clip, s.frame, s.person, p.xy, p.box, 1.0 - p.confidence, 0.0)
        for s, p in zip(pool, trusted, strict=True)
    ]
    joints = {j for part in parts for j in COCO17.part(part)} or set(labelled_joints(pool))
    asked = [people[i] for i in rest]
    chosen = select(asked, budget - FIRST, COCO17, how, sorted(joints), [people[i] for i in first], seed)
    return [*first, *(rest[one.index] for one in chosen)]


def train_one(
    folder: Path, chosen: list[Sample], held: list[Sample], splits: Splits, settings: Settings, base: NanoEstimator
) -> None:
    """Calibrate on the chosen persons and keep the hits of what the rule chose; the weights are not kept."""
    unseen = frozenset(base.describe().extra.get("held_out_photos", ()))
    common = [s for s in splits["common_train"] if s.clip not in unseen]
    held_common = [s for s in splits["common_train"] if s.clip in unseen]
    folder.mkdir(parents=True, exist_ok=True)
    ladder = run_ladder(base.clone(), Populations(chosen, common, held, held_common), settings, folder, Silent())
    keep_hits(folder, plugins.estimator_for(str(folder / "chosen")), splits)
    row = ladder["ladder"][-1]
    told = {
        "persons": len(chosen),
        "step": ladder["chosen"]["step"],
        "share": row.get("share"),
        "rotations": ladder["rotations"],
    }
    write_json(folder / "result.json", told)
    for name in (f"step_{settings.calibrate.steps}", "chosen"):
        shutil.rmtree(folder / name, ignore_errors=True)


def keep_hits(folder: Path, reader: Estimator, splits: Splits) -> None:
    for role in ROLES:
        test = splits[f"{role}_test"]
        people, found = original_pixels(test, predict_samples(reader, test))
        hits = joint_hits(found, people, COCO17, "head_segment", 0.5)
        write_bytes(folder / f"{role}.bin", hits.astype("<f4").tobytes())


def hits_of(folder: Path, role: str = "target") -> np.ndarray:
    return np.frombuffer((folder / f"{role}.bin").read_bytes(), dtype="<f4").reshape(-1, len(COCO17)).astype(np.float64)


def share_right(hits: np.ndarray, part: str) -> float:
    return float(np.nanmean(hits[..., list(COCO17.part(part))]))


def equal_random_count(score: float, curve: list[tuple[int, float]]) -> float | None:
    """Return how many persons at random reach a score; None below the curve, infinite above it."""
    if score < curve[0][1]:
        return None
    for (b0, s0), (b1, s1) in zip(curve, curve[1:], strict=False):
        if s0 <= score <= s1 and s1 > s0:
            return math.exp(math.log(b0) + (score - s0) / (s1 - s0) * math.log(b1 / b0))
    return math.inf


def table(place: dict[tuple[str, int, int], Path], options: argparse.Namespace, test: list[Sample]) -> list[dict]:
    unit, _ = independent_units([s.clip for s in test], [s.frame for s in test])
    rows: list[dict] = []
    for budget in options.budgets:
        for how in options.hows:
            if (how, budget, 0) not in place:
                continue
            folders = [place[how, budget, seed] for seed in range(options.seeds)]
            told = [json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in folders]
            row: dict = {"how": how, "persons": budget, "tuned": [one["share"] for one in told]}
            for role in ROLES:
                hits = np.stack([hits_of(folder, role) for folder in folders])
                row |= {f"{role} {part}": share_right(hits, part) for part in PARTS}
            if how != "random" and "random" in options.hows:
                draws = [place["random", budget, seed] for seed in range(options.seeds)]
                mine, theirs = (np.mean([hits_of(f) for f in group], axis=0) for group in (folders, draws))
                for part in PARTS:
                    compared = compare_populations(theirs, mine, unit, COCO17, part)
                    row[f"{part} against random"] = as_figure(compared.change)
            rows.append(row)
    for part in PARTS if "random" in options.hows else ():
        curve = sorted((row["persons"], row[f"target {part}"]) for row in rows if row["how"] == "random")
        for row in rows:
            if row["how"] != "random":
                equal = equal_random_count(row[f"target {part}"], curve)
                row[f"{part} equal random"] = equal
    return rows


def share_of_gain(
    place: dict[tuple[str, int, int], Path],
    mine: tuple[str, int],
    most: tuple[str, int],
    out: Path,
    seeds: int,
    part: str,
) -> dict:
    """Return the gain of `mine` as a share of that of `most`, over the base and over its ensemble, by bootstrap.

    None where some resample shows no gain of `most`.
    """
    joints = list(COCO17.part(part))
    right = {
        name: np.nansum(np.mean([hits_of(folder)[:, joints] for folder in folders], axis=0), axis=1)
        for name, folders in {
            "mine": [place[(*mine, seed)] for seed in range(seeds)],
            "most": [place[(*most, seed)] for seed in range(seeds)],
            "base": [out / "base"],
            "base, rotation ensemble": [out / "ensemble"],
        }.items()
    }
    weights = np.concatenate([np.ones((1, len(right["base"]))), resample_weights(len(right["base"]), 1000, 0)])
    sums = {name: weights @ values for name, values in right.items()}
    told = {}
    for over in ("base", "base, rotation ensemble"):
        gained = sums["most"] - sums[over]
        if (gained <= 0).any():
            # A share of a gain that may be none has no interval.
            told[over] = None
            continue
        ratios = (sums["mine"] - sums[over]) / gained
        low, high = np.percentile(ratios[1:], [2.5, 97.5])
        told[over] = {"value": float(ratios[0]), "ci95": [float(low), float(high)]}
    return told


def saved(row: dict, part: str) -> str:
    equal = row.get(f"{part} equal random")
    if equal is None:
        return "-" if row["how"] == "random" else "none"
    return f"more than {row['persons']} of any number tried" if math.isinf(equal) else f"{equal - row['persons']:+.0f}"


def budgets_of(how: str, options: argparse.Namespace) -> list[int]:
    return [b for b in options.budgets if how == "random" or b <= options.chosen_up_to]


def trained(splits: Splits, base: NanoEstimator, options: argparse.Namespace) -> dict[tuple[str, int, int], Path]:
    """Train what is not there yet and return where each model's hits are."""
    place: dict[tuple[str, int, int], Path] = {}
    for seed in range(options.seeds):
        settings = settings_for(seed, options.steps)
        pool, held = hold_out(splits["target_train"], settings)
        people, found = original_pixels(pool, predict_samples(base, pool))
        for how in options.hows:
            order = order_of(people, found, how, seed, max(options.budgets), options.parts)
            for budget in budgets_of(how, options):
                folder = options.out / f"{how}_{budget}_{seed}_{options.steps}"
                place[how, budget, seed] = folder
                if not (folder / "result.json").is_file():
                    train_one(folder, [pool[i] for i in order[:budget]], held[:HELD], splits, settings, base)
                    print(f"done: {folder.name}", file=sys.stderr, flush=True)
    return place


def document_of(place: dict[tuple[str, int, int], Path], splits: Splits, options: argparse.Namespace) -> dict:
    most = ("random", 800)
    asked = [(how, budget) for how in options.hows for budget in budgets_of(how, options) if (how, budget) != most]
    known = (*most, 0) in place
    return {
        "rows": table(place, options, splits["target_test"]),
        "base": {
            name: {
                f"{role} {part}": share_right(hits_of(options.out / name, role), part)
                for role in ROLES
                for part in PARTS
            }
            for name in ("base", "ensemble")
        },
        "leg gain as a share of that of 800 at random": {
            f"{how} {budget}": share_of_gain(place, (how, budget), most, options.out, options.seeds, "leg")
            for how, budget in (asked if known else [])
        },
        "seeds": options.seeds,
        "steps": options.steps,
    }


def show(document: dict) -> None:
    for name, row in document["base"].items():
        print(f"{name}: " + ", ".join(f"{what} {100 * value:.1f}" for what, value in row.items()) + " (PCKh@0.5, %)")
    print(
        "| persons | way | target leg | target total | common total | leg against random | labels saved (leg) | tuned |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in document["rows"]:
        change = row.get("leg against random")
        told = "" if not change else f"{change['value']:+.1f} [{change['ci95'][0]:+.1f}, {change['ci95'][1]:+.1f}]"
        cells = (f"{100 * row[name]:.1f}" for name in ("target leg", "target total", "common total"))
        tuned = ", ".join("-" if share is None else f"{share:.0%}" for share in row["tuned"])
        print(f"| {row['persons']} | {row['how']} | {' | '.join(cells)} | {told} | {saved(row, 'leg')} | {tuned} |")
    for name, told in document["leg gain as a share of that of 800 at random"].items():
        words = (
            f"over the {over} {f['value']:.2f} [{f['ci95'][0]:.2f}, {f['ci95'][1]:.2f}]"
            if f
            else f"over the {over} not told, 800 at random may have gained nothing"
            for over, f in told.items()
        )
        print(f"{name}: leg gain as a share of that of 800 at random: " + "; ".join(words))


def main() -> None:
    options = options_of()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    splits: Splits = {name: read_lspe_split(options.shared / "lspe", name, Silent()) for name in LSPE_SPLITS}
    base = NanoEstimator()
    for name, reader in (("base", base), ("ensemble", rotation_ensemble(inner=base))):
        if not (options.out / name / "common.bin").is_file():
            (options.out / name).mkdir(parents=True, exist_ok=True)
            keep_hits(options.out / name, reader, splits)
    document = document_of(trained(splits, base, options), splits, options)
    if options.json:
        print(json.dumps(document, indent=2))
    else:
        show(document)


if __name__ == "__main__":
    main()
