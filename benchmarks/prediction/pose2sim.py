"""Do Pose2Sim and Sports2D run an exported model unchanged? `python pose2sim.py --python VENV/bin/python`.

Exports `nano`, and hands it to both programs by their own configuration: the line that `emc export onnx` prints goes
into `mode` of their demo's Config.toml. Its detector is an address, and this must run without a network: the embedded
detector in the same form (YOLOX with its suppression inside) takes its place. Each program reads the real clip of two
people (`--shared`); what they wrote is compared with our own reading of the file in the same boxes, both on whole bins.

The programs live in an environment of their own, since they bring another OpenCV:
`python -m venv VENV && VENV/bin/pip install pose2sim sports2d` (2 GB).
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from emc.detectors.embedded import EmbeddedDetector
from emc.detectors.embedded.network import cell_centres
from emc.estimators.onnx import OnnxEstimator, card_path
from emc.pose.records import Box
from emc.workflow.models import export_model

CLIP = "two_people_1768x994_30fps.mp4"
SIDE, INPUT = 384, 640
WHERE = "import {0}, pathlib; print(pathlib.Path({0}.__file__).parent)"
BOXES = """
import cv2, json, sys
from rtmlib import YOLOX
finder = YOLOX(sys.argv[1], model_input_size=(640, 640), backend=sys.argv[4])
capture, rows = cv2.VideoCapture(sys.argv[2]), []
while (got := capture.read())[0]:
    rows.append([[float(v) for v in box] for box in finder(got[1])])
json.dump(rows, open(sys.argv[3], "w"))
"""


class Yolox(nn.Module):
    """The embedded detector as a YOLOX file: (1, 3, 640, 640) BGR 0 to 255 in, (1, 20, 5) corners and score out."""

    def __init__(self, network: nn.Module, cells: int) -> None:
        super().__init__()
        self.network = network
        middles = cell_centres(cells, cells, torch.device("cpu")).flatten(1).T
        self.register_buffer("middles", middles.contiguous())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the highest cells of the network's map."""
        small = functional.interpolate(image.flip(1) / 255, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        logits, sides = self.network(small)
        score = logits.sigmoid()
        peak = functional.max_pool2d(score, 3, stride=1, padding=1) == score
        best, cell = (score * peak).flatten(1).topk(20, dim=1)
        middle = self.get_buffer("middles")[cell[0]]
        reach = sides.flatten(2)[0].T[cell[0]]
        corners = torch.cat([middle - reach[:, :2], middle + reach[:, 2:]], dim=1) * (INPUT / SIDE)
        return torch.cat([corners, best[0, :, None]], dim=1)[None]


def finder(path: Path) -> None:
    network = EmbeddedDetector().network.to(memory_format=torch.contiguous_format)
    with torch.no_grad(), warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        cells = network(torch.zeros(1, 3, SIDE, SIDE))[0].shape[-1]
        torch.onnx.export(
            Yolox(network, cells).eval(), (torch.zeros(1, 3, INPUT, INPUT),), str(path),
            input_names=["input"], output_names=["dets"], dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip


def short_clip(video: Path, frames: int, out: Path) -> list[np.ndarray]:
    """Write the first frames as a video; return its pictures, RGB, as any reader gets them."""
    capture, writer = cv2.VideoCapture(str(video)), None
    for _ in range(frames):
        read, picture = capture.read()
        if not read:
            break
        writer = writer or cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), 30, picture.shape[1::-1])
        writer.write(picture)
    if writer is None:
        raise SystemExit(f"{video} cannot be read: give --shared")
    writer.release()
    capture, pictures = cv2.VideoCapture(str(out)), []
    while (got := capture.read())[0]:
        pictures.append(cv2.cvtColor(got[1], cv2.COLOR_BGR2RGB))
    return pictures


def asked(python: Path, code: str, cwd: Path, *given: str) -> str:
    here = os.environ | {"MPLBACKEND": "Agg", "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": ""}
    done = subprocess.run(
        [str(python), "-c", code, *given], cwd=cwd, env=here, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{python} failed: {done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


def configured(text: str, changes: dict[str, str]) -> str:
    """Return a demo's Config.toml with settings changed; each must be there."""
    for name, value in changes.items():
        text, count = re.subn(
            rf"(?m)^(\s*){name} *=.*$", lambda found, to=f"{name} = {value}": found[1] + to, text, count=1
        )
        if not count:
            raise SystemExit(f"their Config.toml has no setting {name}: this version is not known")
    return text


def run_pose2sim(python: Path, work: Path, clip: Path, mode: str, backend: str) -> list[np.ndarray]:
    """Return each frame's (persons, 17, 3) x, y, score as Pose2Sim wrote them."""
    demo = Path(asked(python, WHERE.format("Pose2Sim"), work)) / "Demo_SinglePerson" / "Config.toml"
    project = work / f"pose2sim_{backend}"
    (project / "videos").mkdir(parents=True)
    (project / "videos" / "clip.mp4").symlink_to(clip)
    device = "auto" if backend == "auto" else "cpu"
    changes = {
        "pose_model": "'Body'", "mode": f'"""{mode}"""', "det_frequency": "1", "display_detection": "false",
        "save_video": "'none'", "parallel_workers_pose": "false", "backend": f"'{backend}'", "device": f"'{device}'",
        "average_likelihood_threshold": "0.0",
    }  # fmt: skip
    (project / "Config.toml").write_text(configured(demo.read_text(encoding="utf-8"), changes), encoding="utf-8")
    asked(python, "from Pose2Sim import Pose2Sim; Pose2Sim.poseEstimation()", project)
    frames = []
    for file in sorted((project / "pose").glob("*_json/*.json")):
        people = [person["pose_keypoints_2d"] for person in json.loads(file.read_text())["people"]]
        frames.append(np.array(people, float).reshape(len(people), 17, 3))
    return frames


def run_sports2d(python: Path, work: Path, clip: Path, mode: str) -> list[np.ndarray]:
    """Return each frame's (persons, 17, 2) as Sports2D wrote them in pixels, in the order of COCO-17; NaN = unknown."""
    demo = Path(asked(python, WHERE.format("Sports2D"), work)) / "Demo" / "Config_demo.toml"
    project = work / "sports2d"
    project.mkdir()
    off = dict.fromkeys(
        ("show_realtime_results", "save_vid", "save_img", "calculate_angles", "save_angles", "to_meters", "make_c3d",
         "save_calib", "interpolate", "filter", "reject_outliers", "show_graphs", "save_graphs"), "false",
    )  # fmt: skip
    changes = {
        "video_input": f"'{clip.name}'", "video_dir": f"'{clip.parent.as_posix()}'", "pose_model": "'Body'",
        "mode": f'"""{mode}"""', "det_frequency": "1", "person_ordering_method": "'highest_likelihood'",
        "backend": "'onnxruntime'", "device": "'cpu'", "keypoint_likelihood_threshold": "0.0",
        "average_likelihood_threshold": "0.0", "fill_large_gaps_with": "'nan'", "min_chunk_size": "1",
    }  # fmt: skip
    text = configured(demo.read_text(encoding="utf-8"), off | changes)
    (project / "Config.toml").write_text(text, encoding="utf-8")
    asked(python, "from Sports2D import Sports2D; Sports2D.process('Config.toml')", project)
    tracks = [trc(file) for file in sorted(project.rglob("*_px_person*.trc"))]
    length = max(len(track) for track in tracks)
    return [np.stack([track[i] for track in tracks if i < len(track)]) for i in range(length)]


ORDER = (
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist",
    "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle",
)  # fmt: skip


def trc(file: Path) -> np.ndarray:
    """Return (frames, 17, 2) of a TRC file in pixels, NaN for joints that it has not."""
    lines = file.read_text(encoding="utf-8").splitlines()
    names = [name for name in lines[3].split("\t")[2:] if name]
    rows = [[float(cell) if cell.strip() else np.nan for cell in line.split("\t")[2:]] for line in lines[5:] if line]
    width = 3 * len(names)
    table = np.array([(row + [np.nan] * width)[:width] for row in rows]).reshape(len(rows), len(names), 3)
    found = np.full((len(rows), 17, 2), np.nan)
    for joint, name in enumerate(ORDER):
        if name in names:
            found[:, joint] = table[:, names.index(name), :2]
    return found


def expected(model: Path, pictures: list[np.ndarray], corners: list[list[list[float]]]) -> list[np.ndarray]:
    """Return each frame's (persons, 17, 3) as our own `onnx` reads the file in their boxes, on whole bins as theirs."""
    card = card_path(model)
    card.write_text(
        card.read_text(encoding="utf-8").replace('refine = "gaussian"', 'refine = "none"'), encoding="utf-8"
    )
    estimator, frames = OnnxEstimator(model), []
    for number, (picture, found) in enumerate(zip(pictures, corners, strict=True)):
        boxes = [Box(number, (x0, y0, x1 - x0, y1 - y0)) for x0, y0, x1, y1 in found]
        people = estimator.predict([picture], [boxes])
        rows = [np.concatenate([person.xy, person.score[:, None]], axis=1) for person in people]
        frames.append(np.stack(rows) if rows else np.zeros((0, 17, 3)))
    return frames


def compared(theirs: list[np.ndarray], ours: list[np.ndarray]) -> dict[str, Any]:
    """Return how far each person that they wrote is from the nearest of ours, in pixels of the video."""
    apart: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    for seen, own in zip(theirs, ours, strict=False):
        for person in seen:
            known = np.isfinite(person[:, :2]).all(axis=1)
            if not known.any() or not len(own):
                continue
            distance = np.abs(own[:, known, :2] - person[None, known, :2]).max(axis=-1)
            nearest = int(np.median(distance, axis=1).argmin())
            apart.append(distance[nearest])
            if person.shape[1] > 2:
                scores.append(np.abs(own[nearest, known, 2] - person[known, 2]))
    joints = np.concatenate(apart)
    return {
        "persons": len(apart), "joints": len(joints), "median_px": round(float(np.median(joints)), 4),
        "within_half_px": round(float((joints <= 0.5).mean()), 4), "largest_px": round(float(joints.max()), 2),
        "largest_score": round(float(np.concatenate(scores).max()), 5) if scores else None,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument(
        "--python", type=Path, required=True, help="interpreter where pose2sim and sports2d are installed"
    )
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    python = arguments.python.absolute()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clip, model, found = work / "clip.mp4", work / "nano.onnx", work / "finder.onnx"
        pictures = short_clip(arguments.shared / "video" / CLIP, arguments.frames, clip)
        printed = ast.literal_eval(export_model("nano", model)["mode"])
        finder(found)
        mode = str(printed | {"det_model": found.as_posix()})
        ours = {}
        for backend in ("onnxruntime", "openvino"):
            asked(python, BOXES, work, str(found), str(clip), str(work / "boxes.json"), backend)
            ours[backend] = expected(model, pictures, json.loads((work / "boxes.json").read_text()))
        summary = {
            "Pose2Sim, ONNX Runtime": compared(
                run_pose2sim(python, work, clip, mode, "onnxruntime"), ours["onnxruntime"]
            ),
            "Pose2Sim, its default (OpenVINO)": compared(
                run_pose2sim(python, work, clip, mode, "auto"), ours["openvino"]
            ),
            "Sports2D, ONNX Runtime": compared(run_sports2d(python, work, clip, mode), ours["onnxruntime"]),
        }
    if arguments.json:
        print(json.dumps({"benchmark": "pose2sim", "mode": printed, "summary": summary}, indent=2))
        return 0
    for name, row in summary.items():
        print(f"{name:34s}", "  ".join(f"{key} {value}" for key, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
