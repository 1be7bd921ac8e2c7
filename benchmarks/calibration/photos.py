"""Calibration on real photos and rendered people, in one command: `python photos.py --out FOLDER [--write]`.

- lspe: `emc bench lspe` with three seeds: base, base as a rotation ensemble, and the trained models.
- rendered: `emc bench rendered`: the same on kicks with all COCO-17 joints.
- coco: OKS-AP on given boxes of ``coco-mini``, photos of another source, for the base and every calibrated model.
- labels: what limits the first table. Joints whose error goes when a person's left and right limbs change places, and
  joints on which all trained models agree with each other and not with the label.

Resumable: what FOLDER holds is not trained again. With --write, the tables of docs/benchmarks.md are written again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import emc.plugins as plugins
from emc.config import Settings, read_settings
from emc.estimators.rotation import rotation_ensemble
from emc.formats.poses.coco import CocoFormat
from emc.interfaces import Estimator
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17
from emc.stages.evaluate import evaluate_population
from emc.stages.evaluate.compare import ap_change
from emc.workflow.bench.lspe import bench_lspe
from emc.workflow.bench.rendered import bench_rendered
from emc.workflow.progress import Silent
from emc.workflow.samples import read_lspe_split
from emc.workflow.scoring import predict_samples

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
MARKS = ("<!-- photos: start -->", "<!-- photos: end -->")
LIMBS = ((5, 6), (7, 8), (9, 10)), ((11, 12), (13, 14), (15, 16))
AGREED = 0.25
WRONG = 0.5


class PrintedProgress(Silent):
    """Says lines on the error output, so that --json stays one document."""

    def say(self, line: str) -> None:
        """Print one line."""
        print(line, file=sys.stderr, flush=True)


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("EMC_SHARED", "../shared/data")))
    parser.add_argument("--out", type=Path, required=True, help="keeps results, and lets a stopped run go on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rendered-seeds", type=int, default=1)
    parser.add_argument("--rendered-size", type=float, default=0.5, help="factor on the number of rendered people")
    parser.add_argument("--threads", type=int, default=0, help="compute threads; 0 = one per core")
    parser.add_argument("--quick", action="store_true", help="one seed, ten steps: to see that it runs")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def coco_people(folder: Path) -> list[Sample]:
    labels = CocoFormat().read(folder / "person_keypoints.json")
    pictures = {
        one.id: cv2.cvtColor(cv2.imread(str(folder / "images" / one.file_name)), cv2.COLOR_BGR2RGB)
        for one in labels.images
    }
    return [
        Sample(pictures[p.image], p.xy, p.visibility, np.array(p.box), str(p.image), str(p.image), 0, area=p.area)
        for p in labels.persons
        if not p.iscrowd and p.box is not None and (p.visibility > 0).any()
    ]


def coco_rows(shared: Path, out: Path, seeds: int, settings: Settings) -> list[dict[str, Any]]:
    people = coco_people(shared / "coco-mini")
    base = plugins.estimator_for("nano")
    readers: dict[str, Estimator] = {"base": base, "base, rotation ensemble": rotation_ensemble(inner=base)}
    readers |= {
        f"calibration, seed {seed}": plugins.estimator_for(
            str(out / "lspe" / f"seed_{seed}" / "calibration" / "chosen")
        )
        for seed in range(seeds)
    }
    rows: list[dict[str, Any]] = []
    first = None
    for name, reader in readers.items():
        found = predict_samples(reader, people)
        scores = evaluate_population(found, people, COCO17, "bbox", 0.1, settings.evaluate.bootstrap)
        first = first or scores
        rows.append({"model": name, "ap": scores.document["ap"], "change": ap_change(first, scores).as_json()})
    return rows


def label_rows(shared: Path, out: Path, seeds: int) -> dict[str, Any]:
    """Return what of the errors on `target_test` the labels may be to blame for."""
    test = read_lspe_split(shared / "lspe", "target_test", Silent())
    true, head = np.stack([s.xy for s in test]), np.array([s.head for s in test])
    counted = np.isfinite(true).all(-1) & np.isfinite(head)[:, None]
    places = [
        np.load(out / "lspe" / f"seed_{seed}" / arm / "places.npz")["target"]
        for seed in range(seeds)
        for arm in ("finetune", "plain_82", "calibration")
    ]
    ours = places[2::3]
    error = np.mean([relative(found, true, head)[counted] > WRONG for found in ours])
    swapped = np.mean([relative(sides_changed(found, true), true, head)[counted] > WRONG for found in ours])
    middle = np.median(places, axis=0)
    spread = np.max([relative(found, middle, head) for found in places], axis=0)
    against = (spread < AGREED) & (relative(middle, true, head) > WRONG) & counted
    sides = relative(sides_changed(middle, true), true, head) <= WRONG
    return {
        "joints": int(counted.sum()),
        "wrong": float(error),
        "wrong if sides may change": float(swapped),
        "models agree": float(((spread < AGREED) & counted).sum() / counted.sum()),
        "models agree against the label": float(against.sum() / counted.sum()),
        "of these, on the side not labelled": float((against & sides).sum() / max(against.sum(), 1)),
        "models": len(places),
    }


def relative(found: np.ndarray, true: np.ndarray, head: np.ndarray) -> np.ndarray:
    return np.linalg.norm(found - true, axis=-1) / head[:, None]


def sides_changed(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Return places with left and right of a person's arms, and of the legs, exchanged where labels are nearer so."""
    best = found.copy()
    for limb in LIMBS:
        own = [joint for pair in limb for joint in pair]
        other = [joint for pair in limb for joint in pair[::-1]]
        as_is = np.nansum(np.linalg.norm(found[:, own] - true[:, own], axis=-1), axis=1)
        changed = np.nansum(np.linalg.norm(found[:, other] - true[:, own], axis=-1), axis=1)
        rows = np.flatnonzero(changed < as_is)
        best[np.ix_(rows, own)] = found[np.ix_(rows, other)]
    return best


def percent(figure: Mapping[str, Any], factor: float = 100) -> str:
    if figure["value"] is None:
        return "-"
    low, high = figure["ci95"] or (float("nan"), float("nan"))
    return f"{factor * figure['value']:.1f} [{factor * low:.1f}, {factor * high:.1f}]"


def comparison(document: Mapping[str, Any]) -> list[str]:
    lines = ["| model | population | PCKh legs | arms | total | PCK@0.2 legs | arms | total | steps | minutes |"]
    lines.append("|---|---|---|---|---|---|---|---|---|---|")
    asked = [(metric, part) for metric in ("pckh", "pck") for part in ("leg", "arm", "total")]
    for name, model in document["models"].items():
        for role in ("target", "common"):
            cells = " | ".join(percent(model[role][metric][part]) for metric, part in asked)
            spent = f"{model['steps']} | {model['minutes']:.1f}" if role == "target" and model["steps"] else " | "
            lines.append(f"| {name if role == 'target' else ''} | {role} | {cells} | {spent} |")
    lines += ["", "| change | target leg errors removed, % | all errors removed, % | common total, points |"]
    lines.append("|---|---|---|---|")
    for pair, change in document["changes"].items():
        removed = (percent(change["target"][part]["removed"]) for part in ("leg", "total"))
        lines.append(f"| {pair} | {' | '.join(removed)} | {percent(change['common']['total']['change'], 1)} |")
    choices = document["models"].get("calibration", {}).get("choices", [])
    lines += ["", *(f"- seed {seed}, chosen: {one['why']}" for seed, one in enumerate(choices))]
    return lines


def tables(document: Mapping[str, Any]) -> str:
    lspe, rendered, coco = (document[name] for name in ("lspe", "rendered", "coco"))
    lines = [
        f"Real photos (LSPE), {lspe['seeds']} seed(s) pooled; persons: {counts(lspe)}. "
        "Right joints in % with 95 % intervals over photos.",
        "",
        *comparison(lspe),
        "",
        f"Rendered people, {rendered['seeds']} seed(s); persons: {counts(rendered)}. Intervals over clips.",
        "",
        *comparison(rendered),
        "",
        "OKS-AP on given boxes, `coco-mini` (photos of another source, in no training):",
        "",
        "| model | AP, % | change to the base, points |",
        "|---|---|---|",
        *(f"| {row['model']} | {percent(row['ap'])} | {percent(row['change'], 1)} |" for row in coco),
        "",
        *label_words(document["labels"]),
        "",
        f"Machine: {document['cores']} cores, no GPU, {document['threads']} compute thread(s).",
    ]
    return "\n".join(lines)


def counts(document: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in document["data"].items())


def label_words(labels: Mapping[str, Any]) -> list[str]:
    share = {name: f"{100 * value:.1f} %" for name, value in labels.items() if isinstance(value, float)}
    return [
        f"What the labels of `target_test` may be to blame for ({labels['joints']} joints):",
        f"ours misses {share['wrong']},",
        f"and {share['wrong if sides may change']} where left and right of a person's arms, or legs, may be exchanged.",
        f"All {labels['models']} trained models agree within {AGREED} heads on {share['models agree']} of them;",
        f"on {share['models agree against the label']} they do, but not with the label "
        f"({share['of these, on the side not labelled']} of those lie on the other side's label).",
    ]


def write_page(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    few: dict[str, Any] = {"steps": 10, "ladder": 1} if options.quick else {}
    settings = read_settings(None, calibrate=few, predict={"estimator": "nano", "threads": options.threads})
    seeds = 1 if options.quick else options.seeds
    lspe = bench_lspe(options.shared / "lspe", seeds, options.out / "lspe", settings, PrintedProgress())
    size = 0.03 if options.quick else options.rendered_size
    rendered = bench_rendered(options.rendered_seeds, options.out / "rendered", settings, PrintedProgress(), size=size)
    return {
        "lspe": lspe,
        "rendered": rendered,
        "coco": coco_rows(options.shared, options.out, seeds, settings),
        "labels": label_rows(options.shared, options.out, seeds),
        "cores": os.cpu_count(),
        "threads": options.threads or os.cpu_count(),
        "summary": lspe["summary"],
    }


def main() -> None:
    options = options_of()
    document = measure(options)
    (options.out / "photos.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    if options.write:
        write_page(tables(document))
    print(json.dumps(document) if options.json else tables(document))


if __name__ == "__main__":
    main()
