"""Remake the embedded `nano` weights: ``python training/nano.py --photos ../shared/data/lspe``.

Renders the cache of everyday motion in a side process, trains (resuming what was begun), fits the confidences on
held-out common photos, and writes the package's asset. ``--only`` runs one of the parts. Nothing is trained, tuned or
chosen on a test split; ``--only evaluate`` measures the embedded weights on them, for the model card.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import torch

import nano_data
import nano_loop
import nano_score
from emc.estimators.nano import NanoEstimator
from emc.pose.records import Sample
from emc.synth.motion import COMMON_MOTIONS
from emc.synth.motion.motions import KICKS
from emc.weights.saved_files import CARD_FILE, WEIGHTS_FILE, write_weights
from nano_loop import Recipe, Training

HERE = Path(__file__).resolve().parent
ASSET = HERE.parent / "src" / "emc" / "assets" / "nano"
HELD_OUT = 150
RENDERED = 5000
RENDERED_HELD_OUT = 250
RENDERED_TEST = 300
PHOTO_SHARE = 0.7
DATA_SEED = 7


def main() -> None:
    args = parse()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    recipe = replace(Recipe(), steps=args.steps, decay=args.decay)
    args.state.mkdir(parents=True, exist_ok=True)
    parts = {"render": do_render, "train": do_train, "export": do_export, "evaluate": do_evaluate}
    if args.only:
        parts[args.only](args, recipe)
        return
    renderer = multiprocessing.get_context("spawn").Process(target=do_render, args=(args, recipe), daemon=True)
    renderer.start()
    do_train(args, recipe)
    do_export(args, recipe)
    do_evaluate(args, recipe)


def parse() -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "emc" / "nano"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("render", "train", "export", "evaluate"))
    parser.add_argument("--photos", type=Path, default=HERE.parents[1] / "shared" / "data" / "lspe", help="LSPE folder")
    parser.add_argument("--cache", type=Path, default=cache / "rendered", help="rendered frames")
    parser.add_argument("--state", type=Path, default=cache / "state", help="checkpoint and log")
    parser.add_argument("--asset", type=Path, default=ASSET, help="where export writes the weights")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--decay", type=int, default=Recipe.decay)
    parser.add_argument("--rendered-from", type=int, default=700, help="step at which rendered frames join")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep-every", type=int, default=100, help="steps between checkpoints")
    return parser.parse_args()


def do_render(args: argparse.Namespace, recipe: Recipe) -> None:
    nano_data.render_cache(args.cache, RENDERED, DATA_SEED)
    nano_data.render_cache(args.cache, RENDERED_HELD_OUT, DATA_SEED + 1)


def do_train(args: argparse.Namespace, recipe: Recipe) -> None:
    photos, held_out = nano_data.hold_out(nano_data.read_photos(args.photos, "common_train"), HELD_OUT, DATA_SEED)
    training = nano_loop.resume(recipe, args.state / "checkpoint.pt")
    shown = NanoEstimator.untrained(0)
    log = args.state / "log.jsonl"

    def watch(state: Training, line: str) -> None:
        figures: dict[str, float] = {}
        if state.step % (5 * args.keep_every) == 0 or state.step == recipe.steps:
            shown.module.load_state_dict(state.mean)
            figures = nano_score.score(nano_score.measure(shown, held_out))
        nano_loop.say(log, line, {"time": time.strftime("%H:%M:%S"), **figures})

    pools = mixed(photos, args, recipe)
    nano_loop.run(training, recipe, pools, args.state / "checkpoint.pt", args.keep_every, watch)


def mixed(photos: Sequence[Sample], args: argparse.Namespace, recipe: Recipe) -> nano_loop.Pools:
    """Return photos alone before ``--rendered-from``, then photos and rendered frames at 7:3."""
    rendered: list[Sample] = []
    count = round(recipe.batch * PHOTO_SHARE)

    def pools(step: int) -> list[tuple[Sequence[Sample], int]]:
        if step < args.rendered_from:
            return [(photos, recipe.batch)]
        if not rendered:
            wait_for(nano_data.shard_path(args.cache, 0, DATA_SEED + 1))
            rendered.extend(nano_data.read_rendered(args.cache, RENDERED, DATA_SEED))
        return [(photos, count), (rendered, recipe.batch - count)]

    return pools


def wait_for(path: Path) -> None:
    """Wait until the side process has rendered its last shard."""
    while not path.exists():
        print(f"waiting for {path}", flush=True)
        time.sleep(20)


def do_export(args: argparse.Namespace, recipe: Recipe) -> None:
    training = nano_loop.resume(recipe, args.state / "checkpoint.pt")
    _, held_out = nano_data.hold_out(nano_data.read_photos(args.photos, "common_train"), HELD_OUT, DATA_SEED)
    estimator = NanoEstimator.untrained(0)
    half = {name: value.half() if value.is_floating_point() else value for name, value in training.mean.items()}
    estimator.module.load_state_dict(half)
    estimator.module.freeze_statistics()
    figures = nano_score.score(nano_score.measure(estimator, held_out))
    rendered = nano_data.read_rendered(args.cache, HELD_OUT, DATA_SEED + 1)
    measured = nano_score.measure(estimator, [*held_out, *rendered])
    estimator.save(
        args.asset,
        {
            "confidence": nano_score.fit_confidence(measured),
            "training": {
                "steps": training.step,
                "batch": recipe.batch,
                "seed": recipe.seed,
                "photos": "LSPE common_train, 150 held out",
                "rendered": RENDERED if training.step > args.rendered_from else 0,
                "held_out": figures,
                "held_out_photos": sorted(Path(sample.clip).stem for sample in held_out),
            },
        },
    )
    write_weights(half, args.asset / WEIGHTS_FILE)
    print(f"{args.asset} written at step {training.step}: {figures}")


def do_evaluate(args: argparse.Namespace, recipe: Recipe) -> None:
    estimator = NanoEstimator(args.asset)
    splits: dict[str, Callable[[], list[Sample]]] = {
        "common_test": lambda: nano_data.read_photos(args.photos, "common_test"),
        "target_test": lambda: nano_data.read_photos(args.photos, "target_test"),
        "rendered_common": lambda: nano_data.rendered_test(COMMON_MOTIONS, RENDERED_TEST, DATA_SEED),
        "rendered_kicks": lambda: nano_data.rendered_test(KICKS, RENDERED_TEST, DATA_SEED),
    }
    table = {}
    for name, read in splits.items():
        measured = nano_score.measure(estimator, read())
        table[name] = {
            **nano_score.score(measured),
            "ci95": nano_score.intervals(measured),
            "ece": round(nano_score.confidence_error(measured), 4),
            "people": len(measured.torso),
        }
        print(name, table[name], flush=True)
    card = json.loads((args.asset / CARD_FILE).read_text(encoding="utf-8"))
    card["scores"] = table
    (args.asset / CARD_FILE).write_text(json.dumps(card, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
