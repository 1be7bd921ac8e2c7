"""Measure a lifter on Human3.6M files of the user's, by the data set's own protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from emc.config import Settings
from emc.errors import InputError, UsageError
from emc.formats.motion.h36m import TEST_SUBJECTS, H36MView, action_name, h36m_views, read_keypoints, read_positions
from emc.formats.motion.h36m_cameras import read_h36m_cameras
from emc.interfaces import Progress
from emc.stages.evaluate import score_3d
from emc.workflow.compute import set_threads
from emc.workflow.lifting import lifter_of
from emc.workflow.progress import Silent

POSITIONS = "data_3d_h36m.npz"
CAMERAS = "cameras.json"


@runtime_checkable
class BothLayouts(Protocol):
    """A lifter that takes COCO-17 and Human3.6M-17 joints."""

    def lift(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift (T, 17, 2) COCO-17 joints."""
        ...

    def lift_h36m(self, xy: np.ndarray, confidence: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Lift (T, 17, 2) Human3.6M-17 joints."""
        ...


def is_h36m(data: Path) -> bool:
    """Return whether a folder holds Human3.6M files."""
    return (data / POSITIONS).is_file()


def bench_h36m(data: Path, keypoints: str, settings: Settings, progress: Progress | None = None) -> dict[str, Any]:
    """Score the settings' lifter on subjects S9 and S11: the mean over actions of the actions' means, in mm.

    data : folder with ``data_3d_h36m.npz``, ``cameras.json`` (see `emc.formats.motion.h36m_cameras`) and
    ``data_2d_h36m_<keypoints>.npz`` (or ``data_2d_<keypoints>.npz``). 2D joints are taken as COCO-17 where the file or
    its layout says coco, else as Human3.6M-17. Raises `InputError` naming the missing file.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    lifter = lifter_of(settings.lift)
    if not isinstance(lifter, BothLayouts):
        raise UsageError(f"lifter '{settings.lift.lifter}' takes COCO-17 alone: use temporal-small or a checkpoint")
    found = read_keypoints(keypoints_file(data, keypoints))
    coco = "coco" in f"{keypoints} {found.layout}".lower()
    views = list(h36m_views(read_positions(data / POSITIONS), found, read_h36m_cameras(data / CAMERAS)))
    lift = lifter.lift if coco else lifter.lift_h36m
    progress.start("lift Human3.6M", len(views))
    lifted: dict[str, np.ndarray] = {}
    for one in views:
        lifted[one.name] = lift(one.xy, np.ones(one.xy.shape[:2]), one.size)
        progress.advance(note=one.name)
    progress.finish()
    scores = scores_of(views, lifted, settings)
    means: Any = scores["action_mean"]
    return {
        "lifter": settings.lift.lifter,
        "keypoints": keypoints,
        "input": "coco17" if coco else "h36m17",
        "subjects": list(TEST_SUBJECTS),
        "unit": "mm",
        "scores": scores,
        "summary": {name: means[name] for name in ("mpjpe", "p_mpjpe", "n_mpjpe", "mpjve")},
    }


def scores_of(views: list[H36MView], lifted: dict[str, np.ndarray], settings: Settings) -> dict[str, object]:
    """Return the scores of all views; cameras of one take count as one in the intervals."""
    return score_3d(
        lifted,
        {one.name: one.truth for one in views},
        bootstrap=settings.evaluate.bootstrap,
        seed=settings.evaluate.seed,
        units={one.name: f"{one.subject}/{one.action}" for one in views},
        actions={one.name: action_name(one.action) for one in views},
    )


def keypoints_file(data: Path, keypoints: str) -> Path:
    """Return the 2D file of that name; raises `InputError` naming those that are there."""
    for name in (f"data_2d_h36m_{keypoints}.npz", f"data_2d_{keypoints}.npz"):
        if (data / name).is_file():
            return data / name
    there = ", ".join(p.name for p in sorted(data.glob("data_2d_*.npz"))) or "none"
    raise InputError(f"{data} has no data_2d_h36m_{keypoints}.npz (it has {there}): name one with --keypoints")
