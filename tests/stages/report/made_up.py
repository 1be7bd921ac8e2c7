"""A made-up run for the tests of the report: stick figures whose predictions get better from step to step."""

import copy
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from emc.pose.records import Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.stages.choose.grid import GridColumn, draw_grid, hardest_samples
from emc.stages.evaluate import before_after, evaluate_population, joint_hits, score_3d, score_confidence
from emc.stages.report import build_report, drawing_of, example_of, pick_examples, sequence_medium, video_preview

# COCO-17 standing figure, 100 px tall, feet at y = 100.
STANDING = np.array([
    [50, 8], [53, 6], [47, 6], [56, 8], [44, 8], [62, 22], [38, 22], [68, 38], [32, 38], [70, 52], [30, 52],
    [57, 52], [43, 52], [58, 75], [42, 75], [58, 98], [42, 98],
], dtype=float)  # fmt: skip
# Human3.6M-17, metres, camera axes (y down).
STANDING_3D = np.array([
    [0, 0, 0], [-.13, 0, 0], [-.14, .42, 0], [-.14, .84, 0], [.13, 0, 0], [.14, .42, 0], [.14, .84, 0], [0, -.24, 0],
    [0, -.48, 0], [0, -.58, -.04], [0, -.72, 0], [.15, -.46, 0], [.22, -.2, 0], [.24, .04, 0], [-.15, -.46, 0],
    [-.22, -.2, 0], [-.24, .04, 0],
])  # fmt: skip
LEGS = list(COCO17.part("leg"))
ERRORS = {0: (3.6, 1.5), 200: (2.4, 1.45), 400: (1.9, 1.5), 600: (1.4, 1.55), 800: (1.2, 2.1)}


def people(seed: int, clips: int, frames: int, size: int = 240, images: Sequence[np.ndarray] = ()) -> list[Sample]:
    rng = np.random.default_rng(seed)
    samples: list[Sample] = []
    ramp = np.linspace(40, 130, size).astype(np.uint8)
    plain = np.stack(
        [np.tile(ramp, (size, 1)), np.tile(ramp[:, None], (1, size)), np.full((size, size), 90, np.uint8)], -1
    )
    for clip in range(clips):
        for frame in range(frames):
            xy = (STANDING * [1, 1] - 50) * rng.uniform(1.2, 1.9) + size / 2 + rng.normal(0, 5, (17, 2))
            visibility = np.where(rng.random(17) < 0.9, 2, 0)
            low, high = xy.min(axis=0), xy.max(axis=0)
            image = images[len(samples) % len(images)] if images else plain
            samples.append(
                Sample(image, xy, visibility, np.array([*low, *(high - low)]), f"kick_{clip:02}", f"athlete_{clip % 6}",
                       frame * 10, head=16.0, area=float(np.prod(high - low)) * 0.6)
            )  # fmt: skip
    return samples


def predicted(samples: Sequence[Sample], spread: float, seed: int) -> list[Prediction]:
    rng = np.random.default_rng(seed)
    found: list[Prediction] = []
    for sample in samples:
        scale = np.full((17, 1), spread)
        scale[LEGS] *= 1.8
        offset = rng.standard_t(3, (17, 2)) * scale
        confidence = np.clip(1 - np.linalg.norm(offset, axis=1) / 30 + rng.normal(0, 0.1, 17), 0, 1).astype(np.float32)
        found.append(Prediction(sample.frame, 0, (sample.xy + offset).astype(np.float32), confidence, confidence,
                                sample.box.astype(np.float32)))  # fmt: skip
    return found


def kick(frames: int = 90) -> np.ndarray:
    """(T, 17, 3) metres: the right leg swings up and down."""
    points = np.repeat(STANDING_3D[None], frames, axis=0)
    for t in range(frames):
        angle = 1.5 * np.sin(np.pi * t / frames) ** 2
        for joint, away in ((2, 0.42), (3, 0.84)):
            points[t, joint] = [-0.13 - 0.3 * away * np.sin(angle), away * np.cos(angle), -away * np.sin(angle)]
    return points


def made_up(resamples: int = 0) -> tuple[dict[str, Any], dict[str, bytes | str]]:
    """Return a small report, one's own to change; without `resamples` there are no intervals."""
    report, media = _once(resamples)
    return copy.deepcopy(report), dict(media)


@functools.cache
def _once(resamples: int) -> tuple[dict[str, Any], dict[str, bytes | str]]:
    return run(resamples, clips=5, frames=4)


def run(
    resamples: int = 200, clips: int = 8, frames: int = 8, images: Sequence[np.ndarray] = ()
) -> tuple[dict[str, Any], dict[str, bytes | str]]:
    """Return a whole report and its media."""
    target, common = people(1, clips, frames, images=images), people(2, clips + 4, 3)
    runs = {s: (predicted(target, t, 7), predicted(common, c, 8)) for s, (t, c) in ERRORS.items()}
    scores = {
        s: (evaluate_population(t, target, COCO17, bootstrap=resamples),
            evaluate_population(c, common, COCO17, bootstrap=resamples))
        for s, (t, c) in runs.items()
    }  # fmt: skip
    first, last = scores[0], scores[600]
    media: dict[str, bytes | str] = {}
    examples: list[dict[str, Any]] = []
    for i, kind in pick_examples(first[0].hits, last[0].hits):
        name = f"examples/{len(examples)}.jpg"
        entry, media[name] = example_of(
            kind, target[i], runs[0][0][i], runs[600][0][i], (first[0].hits[i], last[0].hits[i]), name
        )
        examples.append(entry)
    rng = np.random.default_rng(3)
    truth = {f"kick_{i:02}": kick() for i in range(6)}
    rough = {
        clip: points + rng.normal(0, 0.05, (17, 3)) + rng.normal(0, 0.012, points.shape)
        for clip, points in truth.items()
    }
    fine = {clip: points + (rough[clip] - points) * 0.6 for clip, points in truth.items()}
    media["three_d.json"] = sequence_medium(
        {"before": rough["kick_00"], "after": fine["kick_00"], "truth": truth["kick_00"]}, "kick_00", 30.0, H36M17,
        film=video_preview((np.full((54, 96, 3), 40 + 5 * i, np.uint8) for i in range(30)), 3, "kick_00"),
    )  # fmt: skip
    report = build_report(
        version="0.1.0",
        created="2026-11-22T16:30:00+00:00",
        title="High kicks, autumn training",
        strategy="calibration",
        scored_on="The scored persons took no part in training or in the choice of the checkpoint.",
        environment={"python": "3.11.9", "torch": "2.13.0", "device": "cpu, 2 threads", "platform": "Linux x86_64"},
        seeds={"calibrate": 0, "evaluate": 0},
        data={
            "target": {"clips": 20, "frames": 480, "persons": 480, "tags": {}},
            "common": {"clips": 120, "frames": 120, "persons": 120, "tags": {}},
            "mix": {"asked": [8, 2], "served": [0.801, 0.199]},
            "leaks": 0,
        },
        ladder=[{"step": s, "target": t.document, "common": c.document} for s, (t, c) in scores.items()],
        chosen={
            "step": 600,
            "rule": "highest target score (leg) among checkpoints whose common total score is at most 0.5 points worse "
            "than that of the base; ties to the earlier step; the base where none is better",
            "why": "step 600: target 71.9 -> 91.0, common 95.0 -> 94.8; "
            "refused: step 800 (target 93.1, common worse by 4.0)",
            "budget": 0.5,
            "parts": ["leg"],
            "trusted": True,
            "refused": {"800": "common worse by 3.96 points"},
        },
        before_after=before_after((first[0], last[0]), (first[1], last[1]), resamples),
        three_d={
            "before": score_3d(rough, truth, bootstrap=resamples),
            "after": score_3d(fine, truth, bootstrap=resamples),
            "sequence": "three_d.json",
        },
        effort={"actions": 312, "seconds": 1460.0, "joints_changed": 903},
        confidence={
            "before": score_confidence(runs[0][0], target, COCO17),
            "after": score_confidence(runs[600][0], target, COCO17),
        },
        skeleton=drawing_of(COCO17),
        examples=examples,
        checkpoint_grid=grid_of(target, runs, media),
        card=CARD,
        notes=["These are made-up figures: they test the page and say nothing about a model."],
    )  # fmt: skip
    return report, media


def grid_of(
    target: list[Sample],
    runs: dict[int, tuple[list[Prediction], list[Prediction]]],
    media: dict[str, bytes | str],
) -> dict[str, Any]:
    rows = hardest_samples(runs[0][0], target, COCO17, "head_segment", 3)
    shown = [target[i] for i in rows]
    columns = [GridColumn(f"step {s}" if s else "base", [t[i] for i in rows], s == 600) for s, (t, _) in runs.items()]
    wrong = {c.name: joint_hits(c.predictions or [], shown, COCO17, "head_segment", 0.5) for c in columns}
    media["checkpoints.png"] = draw_grid(shown, [*columns, GridColumn("labels", None)], wrong, COCO17)
    return {
        "image": "checkpoints.png",
        "columns": [{"name": c.name, "wrong": int((wrong[c.name] == 0).sum())} for c in columns],
        "frames": [{"clip": s.clip, "frame": s.frame, "person": 0} for s in shown],
    }


CARD: dict[str, Any] = {
    "sha256": "5f1c0e6cf2a44c1a9d1f63a2b8f3c3f7e5a9d20b6f3d8d1e4c7b9a0f2e6d5c41",
    "seed": 0,
    "mix": {"asked": [8, 2], "served": [0.801, 0.199]},
    "counts": {
        split: {
            "target": {"clips": a, "frames": 24 * a, "persons": 24 * a},
            "common": {"clips": b, "frames": b, "persons": b},
        }
        for split, a, b in (("train", 16, 96), ("validation", 4, 24), ("test", 8, 60))
    },
    "splits": {
        "train": [f"athlete_{i}" for i in range(14)],
        "validation": ["athlete_14", "athlete_15"],
        "test": ["athlete_16", "athlete_17", "athlete_18"],
    },
    "kept_whole": {"target": "group", "common": "group"},
    "tags": {
        "target": {
            "gender": {"female": 0.46, "male": 0.54},
            "clothing": {"dobok": 0.62, "sportswear": 0.38},
            "background": {"dark": 0.22, "grass": 0.31, "hall": 0.47},
        },
        "common": {"source": {"coco": 1.0}},
    },
    "leaks": 0,
    "warnings": ["100 % of common persons have source = coco: the scores speak for these alone"],
}  # fmt: skip
