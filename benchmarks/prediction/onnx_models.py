"""Measure ONNX models: `python onnx_models.py [--shared FOLDER] [--only parity speed export coco] [--json]`.

- parity: largest difference from rtmlib in pixels and score, on the same files (random weights, made here), images and
  boxes.
- speed: rtmlib's time per person over ours on the same file, frames and boxes, all cores; beside it the bare network in
  batches of 8 on tensors in memory. Rounds of all of them in turn, medians of `--repeat`.
- export: an exported `nano`, read by rtmlib and by our own `onnx`, against the estimator on rendered people: on the
  same crop, and from the image on (pixels of the network's 128 x 128 input).
- coco: OKS-AP of `nano` and `movenet_mbv3.onnx` on real photos with given boxes (`--shared`, folder ``coco-mini``).

rtmlib is no dependency: `pip install --no-deps rtmlib tqdm` (its own would bring a second OpenCV).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

import emc.plugins as plugins
from emc.detectors.embedded import EmbeddedDetector
from emc.estimators.nano import NanoEstimator
from emc.estimators.nano.estimator import map_confidence
from emc.estimators.onnx import OnnxEstimator, card_of, card_path, export_form_of, write_card, write_onnx
from emc.estimators.onnx.decoding_heads import RtmposeInput
from emc.formats.poses.coco import CocoFormat
from emc.pose.metrics import AP_NAMES, average_precisions
from emc.pose.records import Box, Prediction, Sample
from emc.pose.skeletons import COCO17
from emc.stages.evaluate import match_people
from emc.synth.scene.scene import sample_frame

SIZE = (192, 256)
WIDTHS = {"small": 16, "medium": 40, "large": 80}
"""Channels of the random networks: about the cost of RTMPose-t, -s and -m."""
SPEED_FRAMES = 24
PARTS = ("parity", "speed", "export", "coco")


class RandomNetwork(nn.Module):
    """A convolutional network with RTMPose's outputs (or heatmaps) and random weights."""

    def __init__(self, width: int, heatmaps: bool) -> None:
        super().__init__()
        self.heatmaps = heatmaps
        steps = [(3, width, 2), (width, width, 2), (width, 2 * width, 2), (2 * width, 2 * width, 1)]
        if not heatmaps:
            steps += [(2 * width, 4 * width, 2), (4 * width, 4 * width, 1), (4 * width, 8 * width, 2)]
            steps += [(8 * width, 8 * width, 1)]
        # Heatmaps have a quarter of the input's size, as ViTPose's.
        sized = nn.Upsample(scale_factor=2.0) if heatmaps else nn.Identity()
        blocks = [_block(*step) for step in steps]
        self.body = nn.Sequential(*blocks, sized, nn.Conv2d(steps[-1][1], 17, 7, padding=3))
        cells = (SIZE[0] // 32) * (SIZE[1] // 32)
        self.x, self.y = nn.Linear(cells, 2 * SIZE[0]), nn.Linear(cells, 2 * SIZE[1])

    def forward(self, image: torch.Tensor) -> Any:
        """Return simcc_x and simcc_y, or heatmaps."""
        maps = self.body(image)
        return maps.abs() if self.heatmaps else (self.x(maps.flatten(2)), self.y(maps.flatten(2)))


def _block(wide_in: int, wide: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(wide_in, wide, 3, stride, 1), nn.BatchNorm2d(wide), nn.SiLU())


def random_model(folder: Path, name: str, width: int, heatmaps: bool = False) -> Path:
    torch.manual_seed(0)
    path = folder / f"{name}.onnx"
    names = ["heatmaps"] if heatmaps else ["simcc_x", "simcc_y"]
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            RandomNetwork(width, heatmaps).eval(), (torch.zeros(2, 3, SIZE[1], SIZE[0]),), str(path),
            input_names=["input"], output_names=names, dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
    return path


def rtmlib_reader(kind: str, path: Path, size: tuple[int, int]) -> Any:
    try:
        import rtmlib
    except ImportError:
        sys.exit("this part compares with rtmlib: pip install --no-deps rtmlib tqdm")
    with contextlib.redirect_stdout(io.StringIO()):
        return getattr(rtmlib, kind)(str(path), model_input_size=size)


def corners(boxes: list[Box]) -> list[list[float]]:
    return [[x, y, x + w, y + h] for x, y, w, h in (box.xywh for box in boxes)]


def frames_and_boxes(shared: Path, count: int) -> tuple[str, list[np.ndarray], list[list[Box]]]:
    """Return frames of the real clip of two people with the detector's boxes, or rendered ones where it is missing."""
    video = shared / "video" / "two_people_1768x994_30fps.mp4"
    if not video.is_file():
        drawn = [sample_frame(np.random.default_rng([3, i]), size=(640, 640), people=2) for i in range(count)]
        boxes = [[Box(i, tuple(map(float, p.box))) for p in frame.people] for i, frame in enumerate(drawn)]
        return "rendered", [frame.image for frame in drawn], boxes
    capture = cv2.VideoCapture(str(video))
    images = []
    while len(images) < count and (got := capture.read())[0]:
        images.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB))
    found = EmbeddedDetector().detect(images, list(range(len(images))))
    return video.name, images, [boxes[:2] for boxes in found]


def parity(folder: Path, shared: Path, count: int) -> list[dict[str, Any]]:
    rows = []
    rng = np.random.default_rng(0)
    # Boxes of every shape, half of them reaching beyond the picture.
    image = cv2.GaussianBlur(rng.integers(0, 256, (720, 1280, 3)).astype(np.uint8), (9, 9), 0)
    table = rng.uniform([-200, -200, 10, 10], [1200, 650, 500, 500], (count, 4))
    boxes = [Box(0, tuple(map(float, row))) for row in table]
    for kind, name, heatmaps in (("RTMPose", "simcc", False), ("ViTPose", "heatmap", True)):
        path = random_model(folder, f"parity_{name}", WIDTHS["small"], heatmaps)
        places, scores = rtmlib_reader(kind, path, SIZE)(image, corners(boxes))
        found = OnnxEstimator(path).predict([image], [boxes])
        apart = np.abs(np.stack([p.xy for p in found]) - places)
        score = np.abs(np.stack([p.score for p in found]) - scores)
        rows.append({"model": name, "against": f"rtmlib {kind}", "persons": count} | {
            "largest_px": float(np.nanmax(apart)), "median_px": float(np.nanmedian(apart)),
            "largest_score": float(score.max()), "score_range": [float(scores.min()), float(scores.max())],
        })  # fmt: skip
    return rows


def speed(folder: Path, shared: Path, repeat: int, names: list[str]) -> list[dict[str, Any]]:
    source, images, boxes = frames_and_boxes(shared, SPEED_FRAMES)
    blue_first = [np.ascontiguousarray(image[..., ::-1]) for image in images]
    persons = sum(len(group) for group in boxes)
    rows = []
    for name in names:
        path = random_model(folder, f"speed_{name}", WIDTHS[name])
        ours, theirs = OnnxEstimator(path), rtmlib_reader("RTMPose", path, SIZE)
        work: dict[str, Callable[[], Any]] = {
            "emc": lambda e=ours: e.predict(images, boxes),
            "rtmlib": lambda r=theirs: [r(i, corners(b)) for i, b in zip(blue_first, boxes, strict=True) if b],
            "bare": bare(path, persons),
        }
        seconds = in_turn(work, repeat)
        middle = {key: statistics.median(values) / persons for key, values in seconds.items()}
        rows.append({"model": name, "frames": source, "persons": persons, "rounds": repeat} | {
            "ms_per_person": {key: 1000 * value for key, value in middle.items()},
            "vs_rtmlib": middle["rtmlib"] / middle["emc"], "vs_bare_model": middle["bare"] / middle["emc"],
        })  # fmt: skip
    return rows


def bare(path: Path, persons: int) -> Callable[[], None]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    batch = np.random.default_rng(0).normal(0, 1, (persons, 3, SIZE[1], SIZE[0])).astype(np.float32)

    def run() -> None:
        for start in range(0, persons, 8):
            session.run(None, {"input": batch[start : start + 8]})

    return run


def in_turn(work: dict[str, Callable[[], Any]], repeat: int) -> dict[str, list[float]]:
    """Return seconds of each, in rounds of all of them, so that a busy moment meets all; the first is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for number in range(repeat + 1):
        for name, function in work.items():
            began = time.perf_counter()
            function()
            if number:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def export(folder: Path, count: int) -> list[dict[str, Any]]:
    estimator = NanoEstimator()
    form = export_form_of(estimator)
    table = form.confidence
    frames = [sample_frame(np.random.default_rng([77, i]), size=(512, 512), people=1) for i in range(count)]
    frames = [frame for frame in frames if frame.people]
    rows = []
    for kind, finer in (("simcc", 1), ("simcc", 2), ("heatmap", 2)):
        path = folder / f"nano_{kind}_{finer}.onnx"
        done = write_onnx(form, path, kind, finer)
        write_card(card_path(path), card_of(form, kind, finer))
        theirs = rtmlib_reader("RTMPose" if kind == "simcc" else "ViTPose", path, done.input_size)
        own = OnnxEstimator(path)
        given = RtmposeInput(form.size, form.mean, form.std, form.border, form.pixels, finer)
        columns: dict[str, list[np.ndarray]] = {"same_crop": [], "rtmlib": [], "onnx": [], "score": []}
        for frame in frames:
            box = Box(0, tuple(map(float, frame.box)))
            zoom = 128 / (1.25 * max(box.xywh[2:]))
            image = np.ascontiguousarray(frame.image[..., ::-1])
            places, scores = theirs(image, corners([box]))
            expected = estimator.predict([frame.image], [[box]])[0].xy
            columns["rtmlib"].append(np.linalg.norm(places[0] - expected, axis=1) * zoom)
            again = own.predict([frame.image], [[box]])[0].xy
            columns["onnx"].append(np.linalg.norm(again - expected, axis=1) * zoom)
            crop, centre, scale = theirs.preprocess(image, corners([box])[0])
            read = estimator.decode_crops(given(torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32))))
            inside = given.to_input(torch.from_numpy(read.xy[0])).numpy().clip(0, 128 * finer - 0.5)
            seen = (places[0] - centre + scale / 2) / scale * 128 * finer
            columns["same_crop"].append(np.abs(seen - inside).max(axis=1) / finer)
            sure = map_confidence(read.peak, {"peak": table["score"], "right": table["right"]} if table else None)
            columns["score"].append(np.abs(scores[0] - sure[0]))
        rows.append({"as": kind, "finer": finer, "persons": len(frames), "onnx_vs_torch": done.difference} | {
            name: spread(np.concatenate(values)) for name, values in columns.items()
        })  # fmt: skip
    return rows


def spread(values: np.ndarray) -> dict[str, float]:
    return {
        name: float(np.percentile(values, share)) for name, share in (("median", 50), ("p90", 90), ("largest", 100))
    }


def coco(shared: Path) -> list[dict[str, Any]]:
    models = {"nano": "nano", "movenet_mbv3": str(shared / "weights" / "movenet_mbv3.onnx")}
    people = coco_people(shared)
    return [coco_row(name, plugins.estimator_for(where), people) for name, where in models.items()]


def coco_people(shared: Path) -> list[Sample]:
    folder = shared / "coco-mini"
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


def coco_row(name: str, estimator: Any, people: list[Sample]) -> dict[str, Any]:
    return {"model": name} | coco_scores(read_people(estimator, people), people)


def read_people(estimator: Any, people: list[Sample]) -> list[Prediction]:
    boxes = [[Box(0, tuple(map(float, sample.box)))] for sample in people]
    return estimator.predict([sample.image for sample in people], boxes)


def coco_scores(found: list[Prediction], people: list[Sample]) -> dict[str, Any]:
    images = {sample.clip: number for number, sample in enumerate({s.clip: s for s in people}.values())}
    unit = np.array([images[sample.clip] for sample in people])
    matches = match_people(found, people, COCO17, unit)
    drawn = np.random.default_rng(0).multinomial(len(images), [1 / len(images)] * len(images), 1000)
    figures = average_precisions(matches, np.ones((1, len(images))))[0]
    low, high = np.nanpercentile(average_precisions(matches, drawn.astype(float))[:, 0], [2.5, 97.5])
    near = [
        np.linalg.norm(prediction.xy - sample.xy, axis=1)[sample.visibility > 0] < 0.1 * max(sample.box[2:])
        for prediction, sample in zip(found, people, strict=True)
    ]
    return {"images": len(images), "persons": len(people), "boxes": "given"} | {
        **{key: float(value) for key, value in zip(AP_NAMES, figures, strict=True)},
        "ap_ci95": [float(low), float(high)],
        "joints_within_a_tenth_of_the_box": float(np.concatenate(near).mean()),
    }


def summary(document: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if "parity" in document:
        figures["parity_px"] = max(row["largest_px"] for row in document["parity"])
        figures["parity_score"] = max(row["largest_score"] for row in document["parity"])
    if "speed" in document:
        figures["vs_rtmlib"] = min(row["vs_rtmlib"] for row in document["speed"])
        figures["vs_bare_model"] = min(row["vs_bare_model"] for row in document["speed"])
    if "export" in document:
        figures["export_px"] = max(r["same_crop"]["largest"] for r in document["export"] if r["as"] == "simcc")
    if "coco" in document:
        figures["oks_ap"] = {row["model"]: row["ap"] for row in document["coco"]}
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="cores of EMC's side (rtmlib takes all)"
    )
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="fewer persons and one network")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    # Against ONNX Runtime and rtmlib, which uses it too, unless another engine is asked for.
    os.environ.setdefault("EMC_ONNX_ENGINE", "onnxruntime")
    cv2.setNumThreads(1)
    quick = arguments.quick
    document: dict[str, Any] = {"cores": os.cpu_count(), "threads": arguments.threads}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "parity": lambda: parity(folder, arguments.shared, 20 if quick else 200),
            "speed": lambda: speed(folder, arguments.shared, arguments.repeat, ["small"] if quick else list(WIDTHS)),
            "export": lambda: export(folder, 6 if quick else 60),
            "coco": lambda: coco(arguments.shared),
        }
        for part in arguments.only:
            document[part] = parts[part]()
            if not arguments.json:
                print(part, *(json.dumps(rounded(row)) for row in document[part]), sep="\n  ")
    document["summary"] = summary(document)
    print(json.dumps(rounded(document if arguments.json else document["summary"]), indent=1))
    return 0


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
