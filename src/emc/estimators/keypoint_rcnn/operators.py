"""Whether the operators of Keypoint R-CNN work here, and whether a torchvision beside them does: for `emc doctor`."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import torch

from emc.estimators.keypoint_rcnn.boxes import suppressed
from emc.estimators.keypoint_rcnn.regions import roi_align

PATIENCE = 120.0
"""Seconds that importing torchvision may take."""


def examine_operators() -> str:
    """Return in words what was found, after reading one region and suppressing one duplicate.

    Raises `ValueError` where either gives another number than it must.
    """
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    middle = float(roi_align(ramp, torch.tensor([[0.0, 2.0, 2.0, 6.0, 6.0]]), 1, 1.0))
    kept = suppressed(torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 5]]), torch.tensor([0.5, 0.9]), 0.5).tolist()
    if abs(middle - 4.0) > 1e-4 or kept != [1]:
        raise ValueError(f"a region's middle is {middle} instead of 4, of two duplicates {kept} stay instead of [1]")
    return f"own operators in plain PyTorch; {torchvision_state()}"


def torchvision_state() -> str:
    """Return in words whether torchvision is installed and can be imported, tried in a process of its own."""
    if importlib.util.find_spec("torchvision") is None:
        return "torchvision is not installed, and not needed"
    name = f"torchvision {_version()}"
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import torchvision"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return f"{name} took more than {PATIENCE:.0f} s to load and was given up; keypointrcnn does without it"
    if done.returncode == 0:
        return f"{name} loads, and is not needed"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
    return (
        f"{name} does not load beside this PyTorch ({lines[-1][:200]}): keypointrcnn does without it, but packages "
        "that look for it, such as transformers (vitpose), may fail; uninstall it or install the build for this PyTorch"
    )


def _version() -> str:
    try:
        return version("torchvision")
    except PackageNotFoundError:
        return "of unknown version"
