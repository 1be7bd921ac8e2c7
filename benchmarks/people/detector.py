"""Measure detectors: `python detector.py [--detectors NAME ...] [--shared ../shared/data] [--draw FOLDER] [--json]`.

Rendered frames with seeds that training never drew; the test photos of LSP Extended (one annotated person each, so
recall alone); COCO images, which no training saw. A box is right where its IoU with a labelled box is at least 0.5.
Persons of `ignored` kinds (crowds, and by size those of another size than 96 x 96 pixels and up, 32 x 32 to that, and
below) count neither way. On the real clips the detector is adapted and its boxes are tracked as `emc predict` does, and
compared with boxes made by hand (IoU 0.4: they are interpolated). Detectors run as in `emc predict`, in the engine that
suits them, one after the other in one process; times are processor time of one thread, and every later detector's is
also told as a multiple of the first one's. With `--draw`, the tracked boxes are drawn on frames.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from hand_boxes import by_hand

import emc.plugins as plugins
from emc.interfaces import ClipAdaptive, Detector
from emc.pose.geometry import box_overlap
from emc.pose.records import Box
from emc.stages.track import keep_largest, track, track_scores
from emc.synth.motion import COMMON_MOTIONS, UNCOMMON_MOTIONS
from emc.synth.scene.scene import sample_frame
from emc.workflow.engine import in_engine

SEED = 555_000
LOW = 0.05
SIZES = {"all": (0.0, np.inf), "large": (96.0**2, np.inf), "medium": (32.0**2, 96.0**2), "small": (0.0, 32.0**2)}
LEAST_SCORE = 0.3
"""As `predict.min_box_score`."""
# LSP boxes hug the joints; a person's outline is about this share of the longer side wider, on every side.
JOINT_MARGIN = 0.06


@dataclass(frozen=True)
class Labelled:
    """An image with its persons' boxes (N, 4) xywh, and which of them count neither way."""

    image: np.ndarray
    boxes: np.ndarray
    ignored: np.ndarray


def rendered_frames(count: int) -> list[Labelled]:
    frames = []
    for number in range(count):
        frame = sample_frame(
            np.random.default_rng([SEED, number]),
            motions=(*COMMON_MOTIONS, *UNCOMMON_MOTIONS),
            size=(256, 256),
            people=1 + number % 3,
        )
        boxes = np.array([person.box for person in frame.people], np.float32).reshape(-1, 4)
        hidden = np.array([person.area < 0.01 * person.box[3] ** 2 + 80 for person in frame.people], bool)
        frames.append(Labelled(frame.image, boxes, hidden))
    return frames


def photos(shared: Path, count: int) -> list[Labelled]:
    folder = shared / "lspe"
    document = json.loads((folder / "common_test.json").read_text())
    names = {entry["id"]: entry["file_name"] for entry in document["images"]}
    rows = []
    for annotation in document["annotations"][:count]:
        box = np.array(annotation["bbox"], np.float32)
        grow = JOINT_MARGIN * box[2:].max()
        image = cv2.cvtColor(cv2.imread(str(folder / names[annotation["image_id"]])), cv2.COLOR_BGR2RGB)
        low = np.maximum(box[:2] - grow, 0)
        high = np.minimum(box[:2] + box[2:] + grow, [image.shape[1], image.shape[0]])
        rows.append(Labelled(image, np.concatenate([low, high - low])[None], np.zeros(1, bool)))
    return rows


def coco(shared: Path, least: float, most: float) -> list[Labelled]:
    folder = shared / "coco-mini"
    document = json.loads((folder / "person_keypoints.json").read_text())
    rows = []
    for entry in document["images"]:
        found = [a for a in document["annotations"] if a["image_id"] == entry["id"]]
        image = cv2.cvtColor(cv2.imread(str(folder / "images" / entry["file_name"])), cv2.COLOR_BGR2RGB)
        boxes = np.array([a["bbox"] for a in found], np.float32).reshape(-1, 4)
        ignored = np.array([bool(a["iscrowd"]) or not least <= a["area"] < most for a in found], bool)
        rows.append(Labelled(image, boxes, ignored))
    return rows


def marks(found: list[Box], truth: Labelled) -> list[tuple[float, bool]]:
    """Return (score, right) of each box that counts; each labelled person is matched once, best boxes first."""
    shared = box_overlap(np.array([box.xywh for box in found]).reshape(-1, 4), truth.boxes)
    free = np.ones(len(truth.boxes), bool)
    rows = []
    for number in np.argsort([-box.score for box in found], kind="stable"):
        options = np.where(free & (shared[number] >= 0.5), shared[number] - 2.0 * truth.ignored, -9)
        best = int(options.argmax()) if len(options) else -1
        if best >= 0 and options[best] > -9:
            if not truth.ignored[best]:
                free[best] = False
                rows.append((found[number].score, True))
        elif not (truth.ignored & (shared[number] > 0.1)).any():
            rows.append((found[number].score, False))
    return rows


def average_precision(rows: list[tuple[float, bool]], persons: int) -> float:
    """Return the area under the precision envelope over recall."""
    right = np.array([hit for _, hit in sorted(rows, key=lambda row: -row[0])], float)
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((envelope * right).sum() / max(persons, 1))


def found_on(detector: Detector, images: list[Labelled]) -> tuple[list[list[Box]], float]:
    """Return the boxes of each image, and seconds of CPU time an image."""
    began = time.process_time()
    found = [detector.detect([entry.image], [0])[0] for entry in images]
    return found, (time.process_time() - began) / max(len(images), 1)


def score(found: list[list[Box]], spent: float, images: list[Labelled]) -> dict[str, float]:
    rows = [row for boxes, entry in zip(found, images, strict=True) for row in marks(boxes, entry)]
    persons = int(sum((~entry.ignored).sum() for entry in images))
    sure = [hit for value, hit in rows if value >= LEAST_SCORE]
    return {
        "images": len(images),
        "persons": persons,
        "recall": sum(sure) / max(persons, 1),
        "precision": sum(sure) / max(len(sure), 1),
        "ap50": average_precision(rows, persons),
        "ms_per_image": 1000 * spent,
    }


def read_video(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (got := capture.read())[0]:
        frames.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB))
    return frames


def video(path: Path, draw: Path | None, detector: Detector) -> dict[str, float]:
    frames = read_video(path)
    if isinstance(detector, ClipAdaptive):
        shown = list(range(0, len(frames), max(1, len(frames) // 40)))
        detector = detector.adapted(detector.observe([frames[i] for i in shown], shown), len(shown))
    began = time.process_time()
    boxes = [row for start in range(0, len(frames), 16) for row in _chunk(detector, frames, start)]
    spent = time.process_time() - began
    boxes = [[box for box in row if box.score >= LEAST_SCORE] for row in boxes]
    tracked = list(keep_largest(track(enumerate(boxes)), 6))
    score = track_scores(by_hand(path.name, len(frames)), tracked, 0.4)
    if draw is not None:
        draw.mkdir(parents=True, exist_ok=True)
        _draw(frames, tracked, draw / f"{path.stem}_{detector.describe().name}.png")
    return {
        "frames": len(frames),
        "boxes": score.persons,
        "missed": score.persons - score.found,
        "false": score.false,
        "doubles": score.doubles,
        "switches": score.switches,
        "numbers": score.numbers,
        "ms_per_frame": 1000 * spent / len(frames),
    }


def _chunk(detector: Detector, frames: list[np.ndarray], start: int) -> list[list[Box]]:
    images = frames[start : start + 16]
    return detector.detect(images, list(range(start, start + len(images))))


def _draw(frames: list[np.ndarray], tracked: list[tuple[int, list[Box]]], path: Path, tiles: int = 20) -> None:
    pictures = []
    for index in np.linspace(0, len(frames) - 1, tiles).astype(int):
        picture = frames[index].copy()
        for box in tracked[index][1]:
            x, y, w, h = (round(v) for v in box.xywh)
            colour = [(0, 255, 0), (255, 60, 60), (60, 160, 255), (255, 255, 0), (255, 0, 255)][box.track % 5]
            cv2.rectangle(picture, (x, y), (x + w, y + h), colour, 4 if box.score > 0 else 1)
            label = f"{box.track}: {box.score:.2f}"
            cv2.putText(picture, label, (x, max(y - 8, 24)), cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2)
        cv2.putText(picture, f"frame {index}", (8, 30), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (255, 255, 255), 2)
        pictures.append(cv2.resize(picture, None, fx=480 / picture.shape[1], fy=480 / picture.shape[1]))
    rows = [np.hstack(pictures[start : start + 4]) for start in range(0, len(pictures), 4)]
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def measured(name: str, options: dict[str, Any], arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    loose = in_engine(plugins.make_plugin("detectors", name, threshold=LOW, **options), "auto")
    summary: dict[str, dict[str, float]] = {}
    if arguments.rendered:
        images = rendered_frames(arguments.rendered)
        summary["rendered"] = score(*found_on(loose, images), images)
    if arguments.shared.is_dir():
        if arguments.photos:
            images = photos(arguments.shared, arguments.photos)
            summary["lspe_common_test"] = score(*found_on(loose, images), images)
        by_size = {size: coco(arguments.shared, *limits) for size, limits in SIZES.items()}
        seen = found_on(loose, by_size["all"])
        summary |= {f"coco_mini_{size}": score(*seen, images) for size, images in by_size.items()}
        detector = in_engine(plugins.make_plugin("detectors", name, **options), "auto")
        if not arguments.clips:
            return summary
        for path in sorted((arguments.shared / "video").glob("*.mp4")):
            summary[path.stem] = video(path, arguments.draw, detector)
    return summary


def with_ratios(summary: dict[str, dict[str, float]], detectors: list[str]) -> None:
    """Add to every later detector's rows its time as a multiple of the first detector's on the same images."""
    for name in detectors[1:]:
        for row in [key for key in summary if key.startswith(f"{name} ")]:
            first = summary.get(f"{detectors[0]} {row.removeprefix(f'{name} ')}", {})
            for key in set(first) & {"ms_per_image", "ms_per_frame"}:
                summary[row]["times_the_first"] = summary[row][key] / first[key]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--detectors", nargs="+", default=["embedded", "movenet-multipose"])
    parser.add_argument("--weights", type=Path, default=None, help="of the embedded detector")
    parser.add_argument("--sides", type=int, nargs="*", default=None)
    parser.add_argument("--rendered", type=int, default=120)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--clips", action=argparse.BooleanOptionalAction, default=True, help="the real clips too")
    parser.add_argument("--draw", type=Path, default=None, help="folder for pictures of the real clips")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    options = {"sides": arguments.sides} if arguments.sides else {}
    summary: dict[str, dict[str, float]] = {}
    if not arguments.shared.is_dir():
        print(f"no shared data at {arguments.shared}: rendered frames only", file=sys.stderr)
    for name in arguments.detectors:
        own = {"weights": arguments.weights} if name == "embedded" and arguments.weights else {}
        figures = measured(name, {**options, **own}, arguments)
        summary |= {f"{name} {subject}": row for subject, row in figures.items()}
    with_ratios(summary, arguments.detectors)
    if arguments.json:
        print(json.dumps({"benchmark": "detector", "summary": summary}, indent=2))
        return 0
    for name, figures in summary.items():
        print(f"{name:52s}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
