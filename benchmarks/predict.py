"""Footage at full speed: `python benchmarks/predict.py [--quick] [--only ...] [--shared FOLDER] [--json]`.

Every contestant runs in a process of its own on all cores; rounds of all of them in turn, medians of five; peak memory
(resident set) of each process beside its frames per second. `emc` is the whole of `emc predict` after the program has
started: model loaded, video decoded, persons cut, predicted, stored in a project, alerts found.

- model: `emc` with given boxes against the bare network on tensors in memory, and against rtmlib on the same ONNX file,
  clip and boxes; networks of random weights that cost as much as RTMPose-t, -s and -m. The summary takes the worst
  network against rtmlib, and the largest network against the bare model.
- tracker: `emc`, detector on every fifth frame, against rtmlib's PoseTracker with the same two networks;
  share of joints within a tenth of the box of the rendered truth beside it.
- transformers: `emc` on the file that `emc export onnx` makes of a ViTPose, against transformers on the same
  weights, clip and boxes (no mirrored second reading on either side).
- growth: `emc` with detection on a clip and on one ten times as long: time and memory.
- parity: ours against rtmlib and transformers on the same weights: largest difference in px and score.
- coco: OKS-AP of `nano` and `movenet_mbv3` on coco-mini with given boxes (`--shared`).

rtmlib is no dependency: `pip install --no-deps rtmlib tqdm` (its own would bring a second OpenCV).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from multiprocessing.connection import Connection
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
from emc.estimators.vitpose import VitPoseEstimator
from emc.estimators.vitpose_published import VitPoseS
from emc.formats.boxes_csv import BoxesCsvFormat
from emc.formats.coco import CocoFormat
from emc.pose.records import Box, Role
from emc.stages.overlay import write_video
from emc.workflow.rendered import ClipOrder, render_file

PARTS = ("model", "tracker", "transformers", "growth", "parity", "coco")
DETECT_EVERY = 5
DETECTOR_SIDE = 384
NEAR = 0.1


@dataclass(frozen=True)
class Job:
    """What a contestant needs; `model` and `boxes` are files, `tensors` the number of crops of a bare network."""

    video: str
    frames: int
    model: str = ""
    boxes: str = ""
    size: tuple[int, int] = (0, 0)
    tensors: int = 0
    detector: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


def emc(job: Job, folder: Path) -> Callable[[], Any]:
    """`emc predict` on a project with one clip; each call is a new run."""
    from emc.config import VideoSettings, read_settings
    from emc.workflow.clips import read_clip
    from emc.workflow.predict import predict_clips
    from emc.workflow.project import new_project, open_project

    clip = read_clip(Path(job.video), Role.TARGET, "", {}, [], VideoSettings())
    numbers = count()
    settings = read_settings(
        None, {}, predict={"estimator": job.model or "nano"} | job.settings, video={"max_frames": job.frames}
    )
    boxes = Path(job.boxes) if job.boxes else None

    def run() -> Any:
        # What the detector found is kept in a project: each run has its own.
        name = f"run{next(numbers)}"
        new_project(folder / name)
        with open_project(folder / f"{name}.emc") as store:
            store.add_clip(clip)
            (done,) = predict_clips(store, [clip], settings, boxes)
            return [(p.frame, p.xy) for p in store.predictions(done.run)]

    return run


def bare(job: Job, folder: Path) -> Callable[[], Any]:
    """The network alone, in batches of 8 on all cores."""
    return onnx_models.bare(Path(job.model), job.tensors)


def rtmlib(job: Job, folder: Path) -> Callable[[], Any]:
    """RTMPose of rtmlib on each frame's given boxes."""
    reader = onnx_models.rtmlib_reader("RTMPose", Path(job.model), job.size)
    boxes = BoxesCsvFormat().read(Path(job.boxes))

    def run() -> Any:
        found = []
        for number, image in enumerate(pictures(job)):
            if number in boxes:
                found += [(number, xy) for xy in reader(image, onnx_models.corners(boxes[number]))[0]]
        return found

    return run


def tracker(job: Job, folder: Path) -> Callable[[], Any]:
    """PoseTracker of rtmlib with its defaults."""
    from rtmlib import Custom, PoseTracker

    side = (DETECTOR_SIDE, DETECTOR_SIDE)
    solution = partial(
        Custom, det_class="YOLOX", det=job.detector, det_input_size=side, pose_class="RTMPose", pose=job.model,
        pose_input_size=job.size,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        tracked = PoseTracker(solution, backend="onnxruntime", device="cpu")
    # The embedded detector's own threshold; YOLOX's default is for other networks.
    tracked.det_model.score_thr = 0.3

    def run() -> Any:
        tracked.reset()
        return [(number, xy) for number, image in enumerate(pictures(job)) for xy in tracked(image)[0]]

    return run


def transformers(job: Job, folder: Path) -> Callable[[], Any]:
    """ViTPose as transformers' documentation runs it: processor, model, post-processing, frame by frame."""
    from transformers import VitPoseForPoseEstimation
    from transformers.models.vitpose.image_processing_pil_vitpose import VitPoseImageProcessorPil

    torch.set_num_threads(os.cpu_count() or 1)
    model: Any = VitPoseForPoseEstimation.from_pretrained(job.model).eval()
    height, width = model.config.backbone_config.image_size
    processor: Any = VitPoseImageProcessorPil(size={"height": height, "width": width})
    boxes = BoxesCsvFormat().read(Path(job.boxes))

    def run() -> Any:
        found = []
        for number, image in enumerate(pictures(job)):
            given = [[list(box.xywh) for box in boxes.get(number, ())]]
            if not given[0]:
                continue
            inputs = processor(images=[cv2.cvtColor(image, cv2.COLOR_BGR2RGB)], boxes=given, return_tensors="pt")
            with torch.inference_mode():
                outputs = model(inputs["pixel_values"])
            (people,) = processor.post_process_pose_estimation(outputs, boxes=given)
            found += [(number, person["keypoints"].numpy()) for person in people]
        return found

    return run


def pictures(job: Job) -> Any:
    capture = cv2.VideoCapture(job.video)
    for _ in range(job.frames):
        good, image = capture.read()
        if not good:
            return
        yield image


CONTESTANTS = {"emc": emc, "bare": bare, "rtmlib": rtmlib, "tracker": tracker, "transformers": transformers}


def serve(kind: str, job: Job, line: Connection) -> None:
    """Be one contestant: run when told to, answer with seconds, peak bytes and (when asked) what was found."""
    with tempfile.TemporaryDirectory() as name:
        run = CONTESTANTS[kind](job, Path(name))
        while (order := line.recv()) != "end":
            began = time.perf_counter()
            found = run()
            seconds = time.perf_counter() - began
            line.send((seconds, peak_bytes(), found if order == "found" else None))


def peak_bytes() -> int:
    """Return the largest resident set of this program; what its parent had before it began does not count."""
    status = Path("/proc/self/status")
    if status.is_file():
        (peak,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def race(contestants: dict[str, tuple[str, Job]], rounds: int) -> dict[str, dict[str, Any]]:
    """Return per name: seconds of each round, their median, frames per second, peak memory, and what was found.

    A first round of each is not counted.
    """
    context = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    processes = []
    for name, (kind, job) in contestants.items():
        here, there = context.Pipe()
        processes.append(context.Process(target=serve, args=(kind, job, there), daemon=True))
        processes[-1].start()
        lines[name] = here
    rows: dict[str, dict[str, Any]] = {name: {"seconds": []} for name in contestants}
    for number in range(rounds + 1):
        for name, line in lines.items():
            line.send("run" if number else "found")
            seconds, peak, found = line.recv()
            rows[name]["peak_mib"] = peak / 2**20
            if number:
                rows[name]["seconds"].append(seconds)
            else:
                rows[name]["found"] = found
    for line, process in zip(lines.values(), processes, strict=True):
        line.send("end")
        process.join()
    for name, row in rows.items():
        row["median_s"] = statistics.median(row["seconds"])
        row["frames_per_s"] = contestants[name][1].frames / row["median_s"]
    return rows


def ratio(rows: dict[str, dict[str, Any]], ours: str, theirs: str) -> float:
    """Return the median over the rounds of their time over ours: neighbours in time met the same machine."""
    pairs = zip(rows[theirs]["seconds"], rows[ours]["seconds"], strict=True)
    return statistics.median(their / our for their, our in pairs)


def shown(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: value for key, value in row.items() if key != "found"} for name, row in rows.items()}


def clip_with_boxes(folder: Path, shared: Path, frames: int) -> tuple[Path, Path, int, int]:
    """Return the clip of two people (a rendered one where it is missing), a table of boxes, frames and persons."""
    video = shared / "video" / "two_people_1768x994_30fps.mp4"
    if not video.is_file():
        video = rendered(folder, frames)[0]
    job = Job(str(video), frames)
    images = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in pictures(job)]
    found = EmbeddedDetector().detect(images, range(len(images)))
    table = {
        number: [Box(number, box.xywh, box.score, person) for person, box in enumerate(boxes[:2])]
        for number, boxes in enumerate(found)
        if boxes
    }
    path = folder / "boxes.csv"
    BoxesCsvFormat().write(path, table)
    return video, path, len(images), sum(len(boxes) for boxes in table.values())


def rendered(folder: Path, frames: int) -> tuple[Path, Path]:
    """Return a rendered clip and its labels."""
    files = render_file(
        ClipOrder("walk", 31, frames, seconds=frames / 30 + 0.1, size=(640, 480), folder=str(folder), purpose="test")
    )
    return files.video, files.labels


def model(folder: Path, shared: Path, quick: bool, rounds: int) -> list[dict[str, Any]]:
    video, boxes, frames, persons = clip_with_boxes(folder, shared, 16 if quick else 120)
    rows = []
    for name in ("small",) if quick else ("small", "medium", "large"):
        path = onnx_models.random_model(folder, f"model_{name}", onnx_models.WIDTHS[name])
        job = Job(str(video), frames, str(path), str(boxes), onnx_models.SIZE, persons)
        found = race({kind: (kind, job) for kind in ("emc", "bare", "rtmlib")}, rounds)
        rows.append({"network": name, "clip": video.name, "frames": frames, "persons": persons} | {
            "contestants": shown(found),
            "vs_bare_model": ratio(found, "emc", "bare"), "vs_rtmlib": ratio(found, "emc", "rtmlib"),
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
    size = write_onnx(form, path, "simcc", 2).input_size
    write_card(card_path(path), card_of(form, "simcc", 2))
    theirs = Job(str(video), frames, str(path), size=size, detector=str(yolox_file(folder)))
    every = {f"emc_every_{k}": ("emc", Job(str(video), frames, str(path), settings={"detect_every": k}))
             for k in (1, DETECT_EVERY)}  # fmt: skip
    found = race(every | {"tracker": ("tracker", theirs)}, rounds)
    truth = [(person.image, person) for person in CocoFormat().read(labels).persons]
    order = {image.id: number for number, image in enumerate(CocoFormat().read(labels).images)}
    right = {name: share_right(row["found"], [(order[i], p) for i, p in truth]) for name, row in found.items()}
    ours = f"emc_every_{DETECT_EVERY}"
    return {"clip": video.name, "frames": frames, "contestants": shown(found), "joints_right": right} | {
        "vs_pose_tracker": ratio(found, ours, "tracker"),
        "accuracy_difference": right[ours] - right["tracker"],
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
    estimator.mirror = False
    saved, exported = folder / "vitpose", folder / "vitpose.onnx"
    estimator.save(saved)
    form = form_of(estimator)
    write_onnx(form, exported, "heatmap")
    write_card(card_path(exported), card_of(form, "heatmap", 1))
    jobs = {
        "emc_onnx": ("emc", Job(str(video), frames, str(exported), str(boxes))),
        "transformers": ("transformers", Job(str(video), frames, str(saved), str(boxes))),
    }
    found = race(jobs, rounds)
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
    estimator.mirror = False
    saved = folder / "parity_vitpose"
    estimator.save(saved)
    video, boxes, frames, persons = clip_with_boxes(folder, shared, 4 if quick else 20)
    theirs = transformers(Job(str(video), frames, str(saved), str(boxes)), folder)()
    table = BoxesCsvFormat().read(boxes)
    ours = []
    for number, image in enumerate(pictures(Job(str(video), frames))):
        found = estimator.predict([cv2.cvtColor(image, cv2.COLOR_BGR2RGB)], [table.get(number, [])])
        ours += [prediction.xy for prediction in found]
    apart = np.abs(np.stack(ours) - np.stack([xy for _, xy in theirs]))
    return [*rows, {"model": "vitpose, random weights", "against": "transformers", "persons": persons} | {
        "largest_px": float(np.nanmax(apart)), "median_px": float(np.nanmedian(apart)),
    }]  # fmt: skip


def summary(document: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if "model" in document:
        figures["vs_bare_model"] = document["model"][-1]["vs_bare_model"]
        figures["vs_rtmlib"] = min(row["vs_rtmlib"] for row in document["model"])
    if "tracker" in document:
        figures |= {key: document["tracker"][key] for key in ("vs_pose_tracker", "accuracy_difference")}
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
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few frames, one round, smallest networks")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rounds = 1 if asked.quick else asked.rounds
    parts: dict[str, Callable[[Path], Any]] = {
        "model": lambda folder: model(folder, asked.shared, asked.quick, rounds),
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
