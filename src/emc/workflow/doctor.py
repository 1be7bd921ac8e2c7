"""Whether this installation can do its work: each check does the real thing on a small scale."""

from __future__ import annotations

import importlib.util
import os
import platform
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.errors import EmcError
from emc.pose.records import Box, Clip
from emc.version import __version__


def examine(project: Path | None = None) -> dict[str, Any]:
    """Return every check with what was found and, where it failed, what to do.

    project : also a project's database, read whole, and the media of its clips.
    """
    checks = [
        _check("python", _python, "install Python 3.11 or newer"),
        _check("compute", _compute, "reinstall PyTorch: `pip install --force-reinstall torch`"),
        _check("video", _video, "reinstall PyAV: `pip install --force-reinstall av`"),
        _check("project store", _store, "check that the folder for temporary files can be written to"),
        _check("estimator nano", _nano, "reinstall emc-pose: its embedded weights are missing or damaged"),
        _check("detector embedded", _detector, "reinstall emc-pose: its embedded weights are missing or damaged"),
        _check("models of auto", _auto, "set XDG_CACHE_HOME to a folder that can be read"),
        _check("lifter temporal-small", _lifter, "reinstall emc-pose: its embedded weights are missing or damaged"),
        _check("regions (keypointrcnn)", _regions, "reinstall PyTorch: `pip install --force-reinstall torch`"),
        _check("ONNX files", _onnx, "follow what it says, or reinstall: `pip install --force-reinstall onnxruntime`"),
    ]
    if project is not None:
        checks += _project_checks(project)
    return {"emc": __version__, "ok": all(check["ok"] for check in checks), "checks": checks}


def environment() -> dict[str, Any]:
    """Return the machine and the versions that figures depend on."""
    import cv2
    import torch

    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "threads": torch.get_num_threads(),
    }


def _check(name: str, probe: Callable[[], str], remedy: str) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "found": probe(), "remedy": ""}
    except (EmcError, ImportError, OSError, RuntimeError, ValueError) as error:
        return {"name": name, "ok": False, "found": f"{type(error).__name__}: {error}", "remedy": remedy}


def _python() -> str:
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _compute() -> str:
    import torch

    (torch.ones(8, 8) @ torch.ones(8, 8)).sum().item()
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    return f"PyTorch {torch.__version__}, {gpu}"


def _video() -> str:
    import av

    from emc.stages.overlay import write_video
    from emc.stages.video import open_media

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "check.mp4"
        write_video(path, (np.full((64, 64, 3), value, np.uint8) for value in (0, 128, 255)), fps=10)
        with open_media(path) as reader:
            count = sum(1 for _ in reader.frames())
    if count != 3:
        raise ValueError(f"wrote 3 frames of H.264 and read {count}")
    return f"PyAV {av.__version__}, H.264 written and read"


def _store() -> str:
    from emc.workflow.project import new_project

    with tempfile.TemporaryDirectory() as folder, new_project(Path(folder) / "check") as store:
        store.put_document("check", "check", {"ok": True})
        if store.document("check", "check") != {"ok": True}:
            raise ValueError("a stored document did not come back")
    return "SQLite, written and read"


def _project_checks(project: Path) -> list[dict[str, Any]]:
    from emc.workflow.media import check_clip
    from emc.workflow.project import find_project, open_project

    def database() -> str:
        if faults := [*store.check(), *store.verify_journal().faults]:
            raise ValueError("; ".join(faults))
        return f"{len(clips)} clips, database whole"

    def media(clip: Clip) -> str:
        check_clip(clip)
        return f"as added, {clip.path}"

    with open_project(find_project(project, Path.cwd())) as store:
        clips = store.clips()
        backup = "see `emc verify`; `emc recover` brings back what there is"
        return [
            _check(f"project {store.folder.stem}", database, backup),
            *(_check(f"clip {clip.id}", partial(media, clip), f"see `emc relink {clip.id}`") for clip in clips),
        ]


def _nano() -> str:
    estimator = plugins.make_plugin("estimators", "nano")
    estimator.predict([np.zeros((64, 64, 3), np.uint8)], [[Box(0, (8, 8, 48, 48))]])
    return f"{estimator.describe().parameters:,} parameters, predicts"


def _detector() -> str:
    plugins.make_plugin("detectors", "embedded").detect([np.zeros((64, 64, 3), np.uint8)], [0])
    return "detects"


def _auto() -> str:
    # Without them EMC works, with the embedded models: that is no fault of the installation.
    from emc.estimators.auto import choose

    return choose(downloads=False).line.removeprefix("auto: ")


def _regions() -> str:
    from emc.estimators.keypoint_rcnn import examine_operators

    return examine_operators()


def _onnx() -> str:
    if importlib.util.find_spec("onnxruntime") is None:
        return "not read: pip install onnxruntime"
    from emc.engines import engines_in_turn

    return "run by " + ", else ".join(engines_in_turn())


def _lifter() -> str:
    xy = np.random.default_rng(0).uniform(0, 100, (5, 17, 2))
    lifted = plugins.make_plugin("lifters", "temporal-small").lift(xy, np.ones((5, 17)), (100, 100))
    if lifted.shape != (5, 17, 3):
        raise ValueError(f"lifted to {lifted.shape} instead of (5, 17, 3)")
    return "lifts"
