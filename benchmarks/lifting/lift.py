"""Speed of lifting against the bare network: `python lift.py [--frames 20000] [--threads 2] [--json]`.

The bare network runs on input that lies ready (both mirror images, edges padded); lifting does all that `emc lift` does
of one person: filling gaps, normalising, padding, both mirror images, averaging. They take turns within one run, and
the median over rounds of the ratio of their times is what counts, with its quartiles; on a loaded machine that of
processor times. Below stands what it costs to give `temporal-small` Human3.6M-17 joints instead of COCO-17, and what
telling it the focal length gains. Other errors in mm come from `emc bench lift`. --only leaves parts out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emc.config import PredictSettings
from emc.interfaces import Lifter
from emc.lifters.person_frame import person_frame
from emc.lifters.temporal import PIECE as SMALL_PIECE
from emc.lifters.temporal import TemporalSmallLifter
from emc.lifters.temporal_network import TemporalNetwork, pad_edges, screen_coordinates
from emc.lifters.videopose import PIECE, TemporalLifter
from emc.lifters.virtual_camera import random_camera, standard_scale
from emc.pose.metrics import mean_error, mpjpe_errors
from emc.synth.body import sample_body
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS, generate_motion
from emc.synth.scene.camera import look_at
from emc.workflow.compute import set_threads

SEED = 8_642
SIZE = (1280, 720)
STATURE = 1.70
PARTS = ("speed", "layouts", "focal")


def walked(frames: int) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    motion = generate_motion("walk", 10.0, 30.0, sample_body(rng), rng)
    seen = random_camera(motion.h36m, rng).project(motion.coco)
    return np.resize(np.concatenate([seen, seen[::-1]]), (frames, 17, 2)) + rng.normal(0, 1, (frames, 17, 2))


def bare(network: TemporalNetwork, values: np.ndarray, piece: int) -> Callable[[], object]:
    """Return a call of the network alone: both mirror images, ready and padded, in the same pieces as lifting."""
    before, after = network.padding
    padded = torch.from_numpy(np.stack([pad_edges(one, before, after) for one in (values, values[:, ::-1])]).copy())

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, len(values), piece):
                network(padded[:, start : start + piece + before + after])

    return run


def paired_times(calls: list[Callable[[], object]], rounds: int) -> np.ndarray:
    """Return (rounds, calls, 2) seconds by the clock and of the processor; every other round runs backwards."""
    for call in calls:
        call()
    took = np.empty((rounds, len(calls), 2))
    for number in range(rounds):
        order = range(len(calls)) if number % 2 else reversed(range(len(calls)))
        for index in order:
            begun = np.array([time.perf_counter(), time.process_time()])
            calls[index]()
            took[number, index] = np.array([time.perf_counter(), time.process_time()]) - begun
    return took


def compare(
    lifter: Lifter, network: TemporalNetwork, values: np.ndarray, xy: np.ndarray, piece: int, rounds: int
) -> dict[str, Any]:
    confidence = np.ones(xy.shape[:2])
    took = paired_times([bare(network, values, piece), lambda: lifter.lift(xy, confidence, SIZE)], rounds)
    ratios = took[:, 0] / took[:, 1]
    quartiles = np.percentile(ratios, [25, 50, 75], axis=0).round(3)
    alone, whole = np.median(took[..., 0], axis=0)
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "receptive_field": network.receptive_field,
        "bare_frames_per_s": round(len(xy) / alone),
        "lift_frames_per_s": round(len(xy) / whole),
        "ratio": float(quartiles[1, 0]),
        "ratio_quartiles": quartiles[[0, 2], 0].tolist(),
        "cpu_ratio": float(quartiles[1, 1]),
    }


def seeded_checkpoint(folder: Path) -> Path:
    """Write a checkpoint of the paper's size with made-up weights: only how long it takes is real."""
    torch.manual_seed(SEED)
    torch.save({"model_pos": TemporalNetwork().state_dict()}, folder / "made_coco.bin")
    return folder / "made_coco.bin"


def measure(frames: int, large_frames: int, rounds: int) -> dict[str, dict[str, Any]]:
    xy = walked(frames)
    small = TemporalSmallLifter()
    values, _ = person_frame(xy, np.ones(xy.shape[:2]))
    rows = {"temporal-small": compare(small, small.network, values, xy, SMALL_PIECE, rounds)}
    with tempfile.TemporaryDirectory() as folder:
        large = TemporalLifter(seeded_checkpoint(Path(folder)))
    xy = walked(large_frames)
    values = screen_coordinates(xy, SIZE).astype(np.float32)
    rows["temporal, 243 frames"] = compare(large, large.network, values, xy, PIECE, rounds)
    return rows


def layout_cost() -> dict[str, dict[str, float]]:
    """Return MPJPE in mm of `temporal-small` on exact COCO-17 joints, and on COCO-17 joints made of Human3.6M-17."""
    lifter = TemporalSmallLifter()
    rows = {}
    for kind, names in (("package common", COMMON_MOTIONS), ("package uncommon", UNCOMMON_MOTIONS)):
        errors: dict[str, list[float]] = {"coco17": [], "h36m17": []}
        for index, name in enumerate(names):
            for clip in range(6):
                rng = np.random.default_rng([SEED, index, clip])
                motion = generate_motion(name, 4.0, 30.0, sample_body(rng), rng)
                camera = random_camera(motion.h36m, rng)
                truth, ones = camera.to_camera(motion.h36m), np.ones(motion.coco.shape[:2])
                own = lifter.lift(camera.project(motion.coco), ones, camera.size)
                mapped = lifter.lift_h36m(camera.project(motion.h36m), ones, camera.size)
                errors["coco17"].append(mean_error(mpjpe_errors(own, truth)))
                errors["h36m17"].append(mean_error(mpjpe_errors(mapped, truth)))
        rows[kind] = {layout: round(float(np.mean(values)), 1) for layout, values in errors.items()}
    return rows


def focal_gain() -> list[dict[str, float]]:
    """Return MPJPE in mm with the focal length unknown and told, by field of view and place in the frame."""
    rows = []
    for field in (20, 35, 53, 80):
        focal = SIZE[0] / (2 * np.tan(np.radians(field) / 2))
        lifters = {"unknown": TemporalSmallLifter(), "told": TemporalSmallLifter(focal=focal)}
        for aside in (0.0, 0.3):
            views = [
                beside(name, focal, aside, index, k) for index, name in enumerate(COMMON_MOTIONS) for k in range(4)
            ]
            row: dict[str, float] = {"field": field, "aside": aside}
            for known, lifter in lifters.items():
                lifted = [(lifter.lift(xy, np.ones(xy.shape[:2]), SIZE), truth) for xy, truth in views]
                row[known] = round(float(np.mean([mean_error(mpjpe_errors(*pair)) for pair in lifted])), 1)
            rows.append(row)
    return rows


def beside(name: str, focal: float, aside: float, index: int, turn: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a camera sees of a person 300 pixels tall, `aside` frame widths off its middle, and the truth."""
    rng = np.random.default_rng([SEED, 9, index, turn])
    motion = generate_motion(name, 3.0, 30.0, sample_body(rng), rng)
    scale = standard_scale(motion.coco)
    pelvis, azimuth = scale * motion.h36m[:, 0].mean(axis=0), turn * np.pi / 2 + 0.3
    towards = np.array([np.sin(azimuth), 0.0, np.cos(azimuth)])
    right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)]) * (1 if turn % 2 else -1)
    eye = pelvis + towards * STATURE * focal / 300 + [0.0, 0.3, 0.0]
    camera = look_at(eye, pelvis - right * aside * SIZE[0] * STATURE / 300, focal, SIZE)
    truth = camera.to_camera(scale * motion.h36m)
    return camera.project(scale * motion.coco), truth - truth[:, :1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--large-frames", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # As every command of the product does: else freed memory is cleared again, now and then, in either of the two.
    set_threads(PredictSettings(threads=options.threads))  # pyright: ignore[reportCallIssue]
    found: dict[str, Any] = {"threads": options.threads}
    if "speed" in options.only:
        found["lifters"] = measure(options.frames, options.large_frames, options.rounds)
    if "layouts" in options.only:
        found["layouts"] = layout_cost()
    if "focal" in options.only:
        found["focal"] = focal_gain()
    print(json.dumps(found, indent=2) if options.json else tables(found))


def tables(found: dict[str, Any]) -> str:
    lines = []
    if "lifters" in found:
        lines += [
            "| lifter | parameters | bare, frames/s | lifting, frames/s | ratio (quartiles) | by CPU time |",
            "|---|---|---|---|---|---|",
        ]
        for name, row in found["lifters"].items():
            cells = (row["parameters"], row["bare_frames_per_s"], row["lift_frames_per_s"])
            low, high = row["ratio_quartiles"]
            ratios = f"{row['ratio']} ({low} to {high}) | {row['cpu_ratio']}"
            lines.append(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} | {ratios} |")
    if "layouts" in found:
        lines += ["", "| MPJPE, mm, exact 2D | COCO-17 in | Human3.6M-17 in |", "|---|---|---|"]
        lines += [f"| {name} | {row['coco17']} | {row['h36m17']} |" for name, row in found["layouts"].items()]
    if "focal" in found:
        lines += [
            "",
            "| field of view, degrees | off the middle | focal length unknown, mm | told, mm |",
            "|---|---|---|---|",
        ]
        for row in found["focal"]:
            lines.append(f"| {row['field']} | {row['aside']:.0%} | {row['unknown']} | {row['told']} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
