"""Footage at full speed: `python benchmarks/prediction/predict.py [--quick] [--only ...] [--shared FOLDER] [--json]`.

Every contestant is a program of its own on all cores (`contestants.py`), its networks loaded (files made by
`predict_networks.py`); rounds of all of them in turn, medians of five; peak memory (resident set) of each beside its
frames per second. `emc` is all of `emc predict` from there on: a run begun in a project, video decoded, persons cut,
predicted, stored, alerts found.

- model: `emc` with given boxes against the bare network on tensors in memory and against rtmlib on the same ONNX file,
  clip and boxes; RTMPose t, s, m, l and ViTPose-S with random weights; MoveNet with its own (`emc models get`), which
  `emc` runs as it is and rtmlib as `emc export onnx` writes it. Beside them decoding alone: `ceiling` is the
  share of the bare network that is left when nothing but the network and the decoder use the cores, `ceiling_vs_rtmlib`
  what that would reach against rtmlib. The summary takes the largest RTMPose against the bare network, the worst of all
  against rtmlib. All of them, and all other parts, run in ONNX Runtime; where OpenVINO is installed, the same three in
  OpenVINO come beside them (`..._openvino`): ours and the bare network in float32, rtmlib as it asks for it, which is
  bfloat16 where the processor can.
- tracker: `emc`, detector on every fifth frame, against rtmlib's PoseTracker with the same two networks, as it is by
  default and looking on every fifth frame too; share of joints within a tenth of the box of the rendered truth.
  `ceiling` is what the bare pose network alone, on tensors in memory, would reach against the same PoseTracker.
- transformers: `emc` on the file that `emc export onnx` makes of a ViTPose-S, against transformers on the same weights,
  clip and boxes (no mirrored second reading on any side); `ceiling` as above; beside it in OpenVINO, where that is.
- growth: `emc` with detection on a clip and on one ten times as long: time and memory.
- parity: ours against rtmlib and transformers on the same weights: largest difference in px and score
  (torchvision's and Detectron2's network: `benchmarks/prediction/keypointrcnn.py`).
- coco: OKS-AP of `nano` and `movenet_mbv3` on coco-mini with given boxes (`--shared`).

rtmlib is no dependency: `pip install --no-deps rtmlib tqdm` (its own would bring a second OpenCV).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onnx_models
from parity import parity
from race import Job, race, ratio, shown
from rtmpose_networks import SIZE
from tracker import tracker_part

from emc.estimators.vitpose import VitPoseEstimator, VitPoseS
from networks import clip_with_boxes, longer, movenet_files, network_file, rendered, vitpose_files

PARTS = ("model", "tracker", "transformers", "growth", "parity", "coco")
NETWORKS = ("rtmpose_t", "rtmpose_s", "rtmpose_m", "rtmpose_l", "vitpose_s", "movenet-lightning", "movenet-thunder")
HEAVY = ("rtmpose_l", "vitpose_s", "movenet-thunder")
"""Networks that are shown half of the clip."""
OPENVINO = importlib.util.find_spec("openvino") is not None
TRACKER_FIGURES = ("vs_pose_tracker", "vs_pose_tracker_as_seldom", "accuracy_difference")


def model(folder: Path, shared: Path, quick: bool, rounds: int, networks: list[str]) -> list[dict[str, Any]]:
    rows = []
    clips: dict[int, tuple[Path, Path, int, int]] = {}
    for name in networks[:1] if quick else networks:
        most = 16 if quick else 115 if name in HEAVY else 230
        if most not in clips:
            clips[most] = clip_with_boxes(folder, shared, most)
        video, boxes, frames, persons = clips[most]
        files = network_of(folder, name)
        kind = {"rtmlib": "ViTPose" if name.startswith("vitpose") else "RTMPose"}
        clip = Job(str(video), frames, files.ours, str(boxes), files.size)
        theirs, alone = replace(clip, model=files.theirs), Job("", frames, files.bare, persons=persons)
        contestants = {
            "emc": ("emc", clip), "bare": ("bare", alone), "rtmlib": ("rtmlib", replace(theirs, settings=kind)),
            "decoder": ("decoder", Job(str(video), frames)),
        }  # fmt: skip
        if OPENVINO:
            contestants |= {
                "emc_openvino": ("emc", replace(clip, settings={"engine": "openvino"})),
                "bare_openvino": ("bare_openvino", alone),
                "rtmlib_openvino": ("rtmlib", replace(theirs, settings=kind | {"engine": "openvino"})),
            }
        found = race(contestants, rounds)
        bare, decoding = (found[key]["median_s"] for key in ("bare", "decoder"))
        rows.append({"network": name, "clip": video.name, "frames": frames, "persons": persons} | {
            "bare_ms_per_person": 1000 * bare / persons, "decoding_ms_per_frame": 1000 * decoding / frames,
            "ceiling": bare / (bare + decoding / (os.cpu_count() or 1)),
            "ceiling_vs_rtmlib": found["rtmlib"]["median_s"] / (bare + decoding / (os.cpu_count() or 1)),
        } | against(found) | {"contestants": shown(found)})  # fmt: skip
    return rows


@dataclass(frozen=True)
class Files:
    """One network as each contestant reads it: `ours` a file or an estimator's name, the others files; (W, H)."""

    ours: str
    bare: str
    theirs: str
    size: tuple[int, int]


def network_of(folder: Path, name: str) -> Files:
    if name.startswith("movenet"):
        alone, exported, size = movenet_files(folder, name)
        return Files(name, str(alone), str(exported), size)
    path = str(network_file(folder, name))
    return Files(path, path, path, SIZE)


def against(found: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return `emc` over the bare network and over rtmlib, each in the same engine."""
    figures = {"vs_bare_model": ratio(found, "emc", "bare"), "vs_rtmlib": ratio(found, "emc", "rtmlib")}
    if "emc_openvino" in found:
        figures["vs_bare_openvino"] = ratio(found, "emc_openvino", "bare_openvino")
        figures["vs_rtmlib_openvino"] = ratio(found, "emc_openvino", "rtmlib_openvino")
        figures["openvino_vs_onnxruntime"] = ratio(found, "emc_openvino", "emc")
    return figures


def transformers_part(folder: Path, shared: Path, quick: bool, rounds: int) -> dict[str, Any]:
    video, boxes, frames, persons = clip_with_boxes(folder, shared, 8 if quick else 40)
    estimator = VitPoseEstimator.untrained(0) if quick else VitPoseS.untrained(0)
    saved, exported = vitpose_files(folder, estimator, "vitpose")
    ours = Job(str(video), frames, str(exported), str(boxes))
    contestants = {
        "emc_onnx": ("emc", ours),
        "transformers": ("transformers", Job(str(video), frames, str(saved), str(boxes))),
        "bare": ("bare", Job("", frames, str(exported), persons=persons)),
    }
    if OPENVINO:
        contestants["emc_openvino"] = ("emc", replace(ours, settings={"engine": "openvino"}))
    found = race(contestants, rounds)
    openvino = {"vs_transformers_openvino": ratio(found, "emc_openvino", "transformers")} if OPENVINO else {}
    return {
        "network": "tiny ViTPose" if quick else "ViTPose-S", "clip": video.name, "frames": frames, "persons": persons,
        "contestants": shown(found), "vs_transformers": ratio(found, "emc_onnx", "transformers"), **openvino,
        "vs_bare_model": ratio(found, "emc_onnx", "bare"),
        "ceiling": ratio(found, "bare", "transformers"),
    }  # fmt: skip


def growth(folder: Path, quick: bool, rounds: int) -> dict[str, Any]:
    frames = 24 if quick else 150
    video, _ = rendered(folder, frames)
    long = longer(video, frames, folder)
    jobs = {"once": ("emc", Job(str(video), frames)), "ten_times": ("emc", Job(str(long), 10 * frames))}
    found = race(jobs, rounds)
    return {"frames": frames, "contestants": shown(found)} | {
        "time_growth": 1 / ratio(found, "ten_times", "once"),
        "memory_growth": found["ten_times"]["peak_mib"] / found["once"]["peak_mib"],
    }


def summary(document: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if "model" in document:
        largest = [row for row in document["model"] if row["network"].startswith("rtmpose")] or document["model"]
        figures["vs_bare_model"] = largest[-1]["vs_bare_model"]
        figures["vs_rtmlib"] = min(row["vs_rtmlib"] for row in document["model"])
        if "vs_bare_openvino" in largest[-1]:
            figures["vs_bare_openvino"] = largest[-1]["vs_bare_openvino"]
            figures["vs_rtmlib_openvino"] = min(row["vs_rtmlib_openvino"] for row in document["model"])
    if "tracker" in document:
        figures |= {key: document["tracker"][key] for key in TRACKER_FIGURES}
        figures["ceiling_of_tracker"] = document["tracker"]["ceiling"]
    if "transformers" in document:
        figures["vs_transformers"] = document["transformers"]["vs_transformers"]
        figures["ceiling_of_transformers"] = document["transformers"]["ceiling"]
        if "vs_transformers_openvino" in document["transformers"]:
            figures["vs_transformers_openvino"] = document["transformers"]["vs_transformers_openvino"]
    if "growth" in document:
        figures |= {key: document["growth"][key] for key in ("memory_growth", "time_growth")}
    if "parity" in document:
        figures["parity_px"] = {row["model"]: row["largest_px"] for row in document["parity"]}
    if "coco" in document:
        figures["oks_ap"] = {row["model"]: row["ap"] for row in document["coco"]}
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--networks", nargs="*", choices=NETWORKS, default=list(NETWORKS), help="of the part model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few frames, one round, smallest networks")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    # What is not told another engine is compared in the one that the others use.
    os.environ["EMC_ONNX_ENGINE"] = "onnxruntime"
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
