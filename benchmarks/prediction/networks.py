"""What `predict.py` needs before it can measure: clips, boxes, and networks as files, made here."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from contestants import DETECTOR_SIDE, pictures
from race import Job
from rtmpose_networks import SIZE, RtmPose
from torch import nn

import emc.plugins as plugins
from emc.detectors.embedded import EmbeddedDetector
from emc.detectors.embedded.detector import load_detector
from emc.detectors.embedded.network import cell_centres
from emc.estimators.nano import NanoEstimator
from emc.estimators.onnx import card_of, card_path, export_form_of, write_card, write_onnx
from emc.estimators.vitpose import VitPoseS
from emc.formats.poses.boxes_csv import BoxesCsvFormat
from emc.pose.records import Box
from emc.stages.overlay import write_video
from emc.workflow.samples import ClipRequest
from emc.workflow.samples.rendered import render_file


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
        ClipRequest("walk", 31, frames, seconds=frames / 30 + 0.1, size=(640, 480), folder=str(folder), purpose="test")
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


def movenet_files(folder: Path, name: str) -> tuple[Path, Path, tuple[int, int]]:
    """Write a MoveNet for a bare run (its network alone) and for rtmlib (as `emc export onnx` does), and its size."""
    estimator = plugins.estimator_for(name)
    form = export_form_of(estimator)
    alone, exported = folder / f"{name}-network.onnx", folder / f"{name}.onnx"
    with quiet():
        size = write_onnx(form, exported, "simcc").input_size
        torch.onnx.export(
            estimator.module.float().eval(), (torch.zeros(2, 3, size[1], size[0]),), str(alone),
            input_names=["input"], dynamic_shapes=({0: torch.export.Dim("batch")},), dynamo=True, external_data=False,
            verbose=False,
        )  # fmt: skip
    return alone, exported, size


def vitpose_files(folder: Path, estimator: Any, name: str) -> tuple[Path, Path]:
    """Save a ViTPose for transformers and as `emc export onnx` does; returns the folder and the file."""
    estimator.mirror = False
    saved, exported = folder / name, folder / f"{name}.onnx"
    estimator.save(saved)
    form = export_form_of(estimator)
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


def nano_file(folder: Path) -> tuple[Path, tuple[int, int]]:
    """Export `nano` as `emc export onnx` does; returns the file and the size of its crops."""
    form = export_form_of(NanoEstimator())
    path = folder / "nano.onnx"
    with quiet():
        size = write_onnx(form, path, "simcc", 2).input_size
    write_card(card_path(path), card_of(form, "simcc", 2))
    return path, size


def longer(video: Path, frames: int, folder: Path) -> Path:
    """Write a clip ten times as long: there and back again, so that nothing jumps where it repeats."""
    images = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in pictures(Job(str(video), frames))]
    path = folder / "long.mp4"
    write_video(path, (images[n % frames if n // frames % 2 == 0 else -1 - n % frames] for n in range(10 * frames)), 30)
    return path


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
