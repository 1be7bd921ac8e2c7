"""Footage at full speed: `python benchmarks/predict.py [--quick] [--only ...] [--shared FOLDER] [--json]`.

Every contestant is a program of its own on all cores (`predict_contestants.py`), its networks loaded; rounds of all of
them in turn, medians of five; peak memory (resident set) of each beside its frames per second. `emc` is all of
`emc predict` from there on: a run begun in a project, video decoded, persons cut, predicted, stored, alerts found.

- model: `emc` with given boxes against the bare network on tensors in memory and against rtmlib on the same ONNX file,
  clip and boxes; RTMPose t, s, m, l and ViTPose-S with random weights. Beside them decoding alone: `ceiling` is the
  share of the bare network that is left when nothing but the network and the decoder use the cores. The summary takes
  the largest RTMPose against the bare network, the worst of all against rtmlib.
- tracker: `emc`, detector on every fifth frame, against rtmlib's PoseTracker with the same two networks, as it is by
  default and looking on every fifth frame too; share of joints within a tenth of the box of the rendered truth.
- transformers: `emc` on the file that `emc export onnx` makes of a ViTPose-S, against transformers on the same weights,
  clip and boxes (no mirrored second reading on any side).
- growth: `emc` with detection on a clip and on one ten times as long: time and memory.
- parity: ours against rtmlib and transformers on the same weights: largest difference in px and score
  (torchvision's and Detectron2's network: `benchmarks/keypointrcnn.py`).
- coco: OKS-AP of `nano` and `movenet_mbv3` on coco-mini with given boxes (`--shared`).

rtmlib is no dependency: `pip install --no-deps rtmlib tqdm` (its own would bring a second OpenCV).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

import onnx_models
from emc.estimators.detector_network import cell_centres
from emc.estimators.detectors import EmbeddedDetector, load_detector
from emc.estimators.nano import NanoEstimator
from emc.estimators.onnx_card import card_path, write_card
from emc.estimators.onnx_export import card_of, form_of, write_onnx
from emc.estimators.onnx_pose import OnnxEstimator
from emc.estimators.vitpose import VitPoseEstimator
from emc.estimators.vitpose_published import VitPoseS
from emc.formats.boxes_csv import BoxesCsvFormat
from emc.formats.coco import CocoFormat
from emc.pose.records import Box
from emc.stages.overlay import write_video
from emc.workflow.rendered import ClipOrder, render_file
from predict_contestants import DETECTOR_SIDE, Job, pictures, race, ratio, shown, transformers
from rtmpose_networks import SIZE, RtmPose

PARTS = ("model", "tracker", "transformers", "growth", "parity", "coco")
NETWORKS = ("rtmpose_t", "rtmpose_s", "rtmpose_m", "rtmpose_l", "vitpose_s")
HEAVY = ("rtmpose_l", "vitpose_s")
"""Networks that are shown half of the clip."""
DETECT_EVERY = 5
NEAR = 0.1
TRACKER_FIGURES = ("vs_pose_tracker", "vs_pose_tracker_as_seldom", "accuracy_difference")


def clip_with_boxes(folder: Path, shared: Path, frames: int) -> tuple[Path, Path, int, int]:
    """Return the clip of two people (a rendered one where it is missing), a table of boxes, frames and persons."""
    video = shared / "video" / "two_people_1768x994_30fps.mp4"
    if not video.is_file():
        video = rendered(folder, frames)[0]
    detector = EmbeddedDetector()
    table: dict[int, list[Box]] = {}
    number = -1
    for number, image in enumerate(pictures(Job(str(video), frames))):
        (found,) = detector.detect([cv2.cvtColor(image, cv2.COLOR_BGR2RGB)], [number])
        if found:
            table[number] = [Box(number, box.xywh, box.score, person) for person, box in enumerate(found[:2])]
    path = folder / f"boxes_{frames}.csv"
    BoxesCsvFormat().write(path, table)
    return video, path, number + 1, sum(len(boxes) for boxes in table.values())


def rendered(folder: Path, frames: int) -> tuple[Path, Path]:
    """Return a rendered clip and its labels."""
    files = render_file(
        ClipOrder("walk", 31, frames, seconds=frames / 30 + 0.1, size=(640, 480), folder=str(folder), purpose="test")
    )
    return files.video, files.labels


def network_file(folder: Path, name: str) -> Path:
    """Write a network with random weights as ONNX."""
    path = folder / f"{name}.onnx"
    torch.manual_seed(0)
    if name == "vitpose_s":
        vitpose_files(folder, VitPoseS.untrained(0), name)
        return path
    with quiet():
        torch.onnx.export(
            RtmPose(name[-1]).eval(), (torch.zeros(2, 3, SIZE[1], SIZE[0]),), str(path), input_names=["input"],
            output_names=["simcc_x", "simcc_y"], dynamic_shapes=({0: torch.export.Dim("batch")},), dynamo=True,
            external_data=False, verbose=False,
        )  # fmt: skip
    return path


def vitpose_files(folder: Path, estimator: Any, name: str) -> tuple[Path, Path]:
    """Save a ViTPose for transformers and as `emc export onnx` does; returns the folder and the file."""
    estimator.mirror = False
    saved, exported = folder / name, folder / f"{name}.onnx"
    estimator.save(saved)
    form = form_of(estimator)
    with quiet():
        write_onnx(form, exported, "heatmap")
    write_card(card_path(exported), card_of(form, "heatmap", 1))
    return saved, exported


@contextlib.contextmanager
def quiet() -> Any:
    logging.disable(logging.WARNING)
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
    logging.disable(logging.NOTSET)


def model(folder: Path, shared: Path, quick: bool, rounds: int, networks: list[str]) -> list[dict[str, Any]]:
    rows = []
    clips: dict[int, tuple[Path, Path, int, int]] = {}
    for name in networks[:1] if quick else networks:
        most = 16 if quick else 115 if name in HEAVY else 230
        if most not in clips:
            clips[most] = clip_with_boxes(folder, shared, most)
        video, boxes, frames, persons = clips[most]
        path = network_file(folder, name)
        kind = {"rtmlib": "ViTPose" if name.startswith("vitpose") else "RTMPose"}
        with_boxes = Job(str(video), frames, str(path), str(boxes), SIZE)
        found = race({
            "emc": ("emc", with_boxes),
            "bare": ("bare", Job("", frames, str(path), size=SIZE, persons=persons)),
            "rtmlib": ("rtmlib", Job(str(video), frames, str(path), str(boxes), SIZE, settings=kind)),
            "decoder": ("decoder", Job(str(video), frames)),
        }, rounds)  # fmt: skip
        alone, decoding = (found[key]["median_s"] for key in ("bare", "decoder"))
        rows.append({"network": name, "clip": video.name, "frames": frames, "persons": persons} | {
            "bare_ms_per_person": 1000 * alone / persons, "decoding_ms_per_frame": 1000 * decoding / frames,
            "ceiling": alone / (alone + decoding / (os.cpu_count() or 1)),
            "vs_bare_model": ratio(found, "emc", "bare"), "vs_rtmlib": ratio(found, "emc", "rtmlib"),
            "contestants": shown(found),
        })  # fmt: skip
    return rows


class YoloxForm(nn.Module):
    """The embedded detector's network in the form that rtmlib's YOLOX reads: BGR 0 to 255 in, cells of 3 grids out."""

    def __init__(self) -> None:
        super().__init__()
        self.network, _ = load_detector(None)
        cells = DETECTOR_SIDE // 8
        self.centres = cell_centres(cells, cells)
        columns, rows = np.meshgrid(np.arange(cells), np.arange(cells))
        self.grid = torch.from_numpy(np.stack([columns, rows])).float()
        self.rest = torch.zeros(1, (cells // 2) ** 2 + (cells // 4) ** 2, 6)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return (1, cells, 6): x, y, log w, log h in cells, score of an object, of a person; empty coarser grids."""
        logits, sides = self.network(image.flip(1) / 255)
        score = logits.sigmoid()
        peak = nn.functional.max_pool2d(score, 3, stride=1, padding=1) == score
        middle = self.centres + (sides[:, 2:] - sides[:, :2]) / 2
        extent = (sides[:, 2:] + sides[:, :2]).clamp(min=0.1)
        parts = [middle / 8 - self.grid, (extent / 8).log(), score * peak, torch.ones_like(score)]
        return torch.cat([torch.cat(parts, 1).flatten(2).transpose(1, 2), self.rest], 1)


def yolox_file(folder: Path) -> Path:
    path = folder / "detector.onnx"
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        image = torch.zeros(1, 3, DETECTOR_SIDE, DETECTOR_SIDE)
        torch.onnx.export(
            YoloxForm().eval(), (image,), str(path), input_names=["images"], output_names=["output"], dynamo=True,
            external_data=False, verbose=False,
        )  # fmt: skip
    return path


def tracker_part(folder: Path, quick: bool, rounds: int) -> dict[str, Any]:
    frames = 24 if quick else 150
    video, labels = rendered(folder, frames)
    form = form_of(NanoEstimator())
    path = folder / "nano.onnx"
    with quiet():
        size = write_onnx(form, path, "simcc", 2).input_size
    write_card(card_path(path), card_of(form, "simcc", 2))
    detector = str(yolox_file(folder))
    found = race({
        f"emc_every_{k}": ("emc", Job(str(video), frames, str(path), settings={"detect_every": k}))
        for k in (1, DETECT_EVERY)
    } | {
        f"tracker_every_{k}": ("tracker", Job(str(video), frames, str(path), size=size, detector=detector, every=k))
        for k in (1, DETECT_EVERY)
    }, rounds)  # fmt: skip
    truth = [(person.image, person) for person in CocoFormat().read(labels).persons]
    order = {image.id: number for number, image in enumerate(CocoFormat().read(labels).images)}
    right = {name: share_right(row["found"], [(order[i], p) for i, p in truth]) for name, row in found.items()}
    ours = f"emc_every_{DETECT_EVERY}"
    return {"clip": video.name, "frames": frames, "contestants": shown(found), "joints_right": right} | {
        "vs_pose_tracker": ratio(found, ours, "tracker_every_1"),
        "vs_pose_tracker_as_seldom": ratio(found, ours, f"tracker_every_{DETECT_EVERY}"),
        "accuracy_difference": right[ours] - right["tracker_every_1"],
    }


def share_right(found: list[tuple[int, Any]], truth: list[tuple[int, Any]]) -> float:
    """Return the share of labelled joints that the best person of the frame puts within a tenth of the box."""
    near: list[np.ndarray] = []
    for frame, person in truth:
        labelled = np.asarray(person.visibility) > 0
        reach = NEAR * max(person.box[2:])
        people = [np.asarray(xy, float) for number, xy in found if number == frame]
        hits = [np.linalg.norm(xy - person.xy, axis=1)[labelled] < reach for xy in people]
        near.append(max(hits, key=np.sum) if hits else np.zeros(labelled.sum(), bool))
    return float(np.concatenate(near).mean())


def transformers_part(folder: Path, shared: Path, quick: bool, rounds: int) -> dict[str, Any]:
    video, boxes, frames, persons = clip_with_boxes(folder, shared, 8 if quick else 40)
    estimator = VitPoseEstimator.untrained(0) if quick else VitPoseS.untrained(0)
    saved, exported = vitpose_files(folder, estimator, "vitpose")
    found = race({
        "emc_onnx": ("emc", Job(str(video), frames, str(exported), str(boxes))),
        "transformers": ("transformers", Job(str(video), frames, str(saved), str(boxes))),
    }, rounds)  # fmt: skip
    return {
        "network": "tiny ViTPose" if quick else "ViTPose-S", "clip": video.name, "frames": frames, "persons": persons,
        "contestants": shown(found), "vs_transformers": ratio(found, "emc_onnx", "transformers"),
    }  # fmt: skip


def growth(folder: Path, quick: bool, rounds: int) -> dict[str, Any]:
    frames = 24 if quick else 150
    video, _ = rendered(folder, frames)
    images = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in pictures(Job(str(video), frames))]
    long = folder / "long.mp4"
    # There and back again: no jump where the clip repeats.
    write_video(long, (images[n % frames if n // frames % 2 == 0 else -1 - n % frames] for n in range(10 * frames)), 30)
    jobs = {"once": ("emc", Job(str(video), frames)), "ten_times": ("emc", Job(str(long), 10 * frames))}
    found = race(jobs, rounds)
    return {"frames": frames, "contestants": shown(found)} | {
        "time_growth": 1 / ratio(found, "ten_times", "once"),
        "memory_growth": found["ten_times"]["peak_mib"] / found["once"]["peak_mib"],
    }


def parity(folder: Path, shared: Path, quick: bool) -> list[dict[str, Any]]:
    rows = onnx_models.parity(folder, shared, 20 if quick else 200)
    estimator = VitPoseEstimator.untrained(1) if quick else VitPoseS.untrained(1)
    saved, exported = vitpose_files(folder, estimator, "parity_vitpose")
    video, boxes, frames, persons = clip_with_boxes(folder, shared, 4 if quick else 20)
    theirs = transformers(Job(str(video), frames, str(saved), str(boxes)), folder).run()
    table = BoxesCsvFormat().read(boxes)
    for name, ours in (("vitpose", estimator), ("vitpose, exported", OnnxEstimator(exported))):
        places, scores = [], []
        for number, image in enumerate(pictures(Job(str(video), frames))):
            for one in ours.predict([cv2.cvtColor(image, cv2.COLOR_BGR2RGB)], [table.get(number, [])]):
                places.append(one.xy)
                scores.append(one.score)
        apart = np.abs(np.stack(places) - np.stack([xy for _, xy, _ in theirs]))
        score = np.abs(np.stack(scores) - np.stack([score for *_, score in theirs]))
        rows.append({"model": f"{name}, random weights", "against": "transformers", "persons": persons} | {
            "largest_px": float(np.nanmax(apart)), "median_px": float(np.nanmedian(apart)),
            "beyond_0.1_px": float(np.mean(apart > 0.1)), "largest_score": float(score.max()),
        })  # fmt: skip
    return rows


def summary(document: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if "model" in document:
        largest = [row for row in document["model"] if row["network"].startswith("rtmpose")] or document["model"]
        figures["vs_bare_model"] = largest[-1]["vs_bare_model"]
        figures["vs_rtmlib"] = min(row["vs_rtmlib"] for row in document["model"])
    if "tracker" in document:
        figures |= {key: document["tracker"][key] for key in TRACKER_FIGURES}
    if "transformers" in document:
        figures["vs_transformers"] = document["transformers"]["vs_transformers"]
    if "growth" in document:
        figures |= {key: document["growth"][key] for key in ("memory_growth", "time_growth")}
    if "parity" in document:
        figures["parity_px"] = max(row["largest_px"] for row in document["parity"])
    if "coco" in document:
        figures["oks_ap"] = {row["model"]: row["ap"] for row in document["coco"]}
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS), help="of the part model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few frames, one round, smallest networks")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rounds = 1 if asked.quick else asked.rounds
    parts: dict[str, Callable[[Path], Any]] = {
        "model": lambda folder: model(folder, asked.shared, asked.quick, rounds, asked.networks),
        "tracker": lambda folder: tracker_part(folder, asked.quick, rounds),
        "transformers": lambda folder: transformers_part(folder, asked.shared, asked.quick, rounds),
        "growth": lambda folder: growth(folder, asked.quick, rounds),
        "parity": lambda folder: parity(folder, asked.shared, asked.quick),
        "coco": lambda folder: onnx_models.coco(asked.shared),
    }
    document: dict[str, Any] = {"benchmark": "predict", "cores": os.cpu_count(), "rounds": rounds}
    for name in asked.only:
        if name == "coco" and not (asked.shared / "coco-mini").is_dir():
            print(f"no coco-mini in {asked.shared}: its part is left out", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            document[name] = parts[name](Path(folder))
    document["summary"] = summary(document)
    print(json.dumps(document if asked.json else document["summary"], indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
