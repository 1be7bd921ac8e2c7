"""The contestants of `benchmarks/predict.py`, each a program of its own that loads what it needs and nothing else.

Run by `race`: it is told what to be, then to run, and answers with seconds, its largest resident set and its finds.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

DETECTOR_SIDE = 384
TENSORS = 8


@dataclass(frozen=True)
class Job:
    """What a contestant needs; `model` and `boxes` are files, `persons` the number of crops of a bare network."""

    video: str
    frames: int
    model: str = ""
    boxes: str = ""
    size: tuple[int, int] = (0, 0)
    persons: int = 0
    detector: str = ""
    every: int = 1
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ready:
    """A contestant that has loaded its networks: `run` is timed, what `before` does is not."""

    run: Callable[[], Any]
    before: Callable[[], Any] = lambda: None


def emc(job: Job, folder: Path) -> Ready:
    """`emc predict` on a clip of a project: everything from starting a run to its alerts; each call is a new run."""
    from emc.workflow.compute import share_one_heap

    share_one_heap()
    from emc.config import read_settings
    from emc.pose.records import Role
    from emc.workflow import predict
    from emc.workflow.clips import read_clip
    from emc.workflow.compute import set_threads
    from emc.workflow.predict_boxes import file_boxes
    from emc.workflow.project import new_project, open_project
    from emc.workflow.skeletons import estimator_in
    from emc.workflow.trust import read_trust

    settings = read_settings(
        None, {}, predict={"estimator": job.model or "nano"} | job.settings, video={"max_frames": job.frames}
    )
    clip = read_clip(Path(job.video), Role.TARGET, "", {}, [], settings.video)
    numbers = count()
    set_threads(settings.predict)
    boxes = Path(job.boxes) if job.boxes else None
    at = folder
    estimator: Any = None

    def before() -> None:
        # What the detector found is kept in a project: each run has its own.
        nonlocal at, estimator
        name = f"run{next(numbers)}"
        new_project(folder / name).close()
        at = folder / f"{name}.emc"
        with open_project(at) as store:
            store.add_clip(clip)
            estimator = estimator or estimator_in(store, settings.predict.estimator)

    def run() -> Any:
        from emc.workflow.progress import Silent

        with open_project(at) as store:
            model = predict.model_key(estimator)
            trust = read_trust(store, model, settings.predict)
            work = predict.start_run(store, clip, model, estimator, settings, boxes, False)
            if boxes:
                given = file_boxes(boxes, clip)
                predict.predict_run(store, work, clip, estimator, given, settings, Silent(), trust)
            else:
                predict.detect_and_predict(store, work, clip, estimator, settings, Silent(), trust, None)
            predict.find_run_alerts(store, work, clip, estimator, settings)
            return [(p.frame, p.xy) for p in store.predictions(work.id)]

    return Ready(run, before)


def bare(job: Job, folder: Path) -> Ready:
    """The network alone in ONNX Runtime with its defaults: batches of 8 on all cores, tensors in memory."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(job.model, providers=onnxruntime.get_available_providers())
    name = session.get_inputs()[0].name
    batch = np.random.default_rng(0).normal(0, 1, (TENSORS, 3, job.size[1], job.size[0])).astype(np.float32)

    def run() -> None:
        for start in range(0, job.persons, TENSORS):
            session.run(None, {name: batch[: job.persons - start]})

    return Ready(run)


def decoder(job: Job, folder: Path) -> Ready:
    """Decoding alone, on one thread, of what `emc` decodes: nothing is converted or cut."""
    import av
    from av.codec.context import ThreadType

    def run() -> None:
        with av.open(job.video) as container:
            stream = container.streams.video[0]
            stream.thread_type = ThreadType.NONE
            for number, _ in enumerate(container.decode(stream), 1):
                if number == job.frames:
                    return

    return Ready(run)


def rtmlib(job: Job, folder: Path) -> Ready:
    """RTMPose (or ViTPose) of rtmlib on each frame's given boxes."""
    import rtmlib as library

    reader = getattr(library, job.settings.get("rtmlib", "RTMPose"))(job.model, model_input_size=job.size)
    boxes = given_boxes(job)

    def run() -> Any:
        found = []
        for number, image in enumerate(pictures(job)):
            if number in boxes:
                corners = [[x, y, x + w, y + h] for x, y, w, h in boxes[number]]
                found += [(number, xy) for xy in reader(image, corners)[0]]
        return found

    return Ready(run)


def tracker(job: Job, folder: Path) -> Ready:
    """PoseTracker of rtmlib with its defaults, but for how often it looks for persons."""
    from rtmlib import Custom, PoseTracker

    side = (DETECTOR_SIDE, DETECTOR_SIDE)
    solution: Any = partial(
        Custom, det_class="YOLOX", det=job.detector, det_input_size=side, pose_class="RTMPose", pose=job.model,
        pose_input_size=job.size,
    )  # fmt: skip
    tracked: Any = PoseTracker(solution, det_frequency=job.every, backend="onnxruntime", device="cpu")
    # The embedded detector's own threshold; YOLOX's default is for other networks.
    tracked.det_model.score_thr = 0.3

    def run() -> Any:
        tracked.reset()
        return [(number, xy) for number, image in enumerate(pictures(job)) for xy in tracked(image)[0]]

    return Ready(run)


def transformers(job: Job, folder: Path) -> Ready:
    """ViTPose as transformers' documentation runs it: processor, model, post-processing, frame by frame."""
    import cv2
    import torch
    from transformers import VitPoseForPoseEstimation
    from transformers.models.vitpose.image_processing_pil_vitpose import VitPoseImageProcessorPil

    torch.set_num_threads(os.cpu_count() or 1)
    model: Any = VitPoseForPoseEstimation.from_pretrained(job.model).eval()
    height, width = model.config.backbone_config.image_size
    processor: Any = VitPoseImageProcessorPil(size={"height": height, "width": width})
    boxes = given_boxes(job)

    def run() -> Any:
        found = []
        for number, image in enumerate(pictures(job)):
            given = [[list(box) for box in boxes.get(number, ())]]
            if not given[0]:
                continue
            inputs = processor(images=[cv2.cvtColor(image, cv2.COLOR_BGR2RGB)], boxes=given, return_tensors="pt")
            with torch.inference_mode():
                outputs = model(inputs["pixel_values"])
            (people,) = processor.post_process_pose_estimation(outputs, boxes=given)
            found += [(number, person["keypoints"].numpy(), person["scores"].numpy()) for person in people]
        return found

    return Ready(run)


def given_boxes(job: Job) -> dict[int, list[tuple[float, float, float, float]]]:
    import csv

    table: dict[int, list[tuple[float, float, float, float]]] = {}
    with Path(job.boxes).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            x, y, w, h = (float(row[key]) for key in ("x", "y", "w", "h"))
            table.setdefault(int(row["frame"]), []).append((x, y, w, h))
    return table


def pictures(job: Job) -> Iterator[Any]:
    import cv2

    capture = cv2.VideoCapture(job.video)
    for _ in range(job.frames):
        good, image = capture.read()
        if not good:
            return
        yield image


CONTESTANTS = {
    "emc": emc, "bare": bare, "decoder": decoder, "rtmlib": rtmlib, "tracker": tracker, "transformers": transformers,
}  # fmt: skip


def peak_bytes() -> int:
    """Return the largest resident set of this program."""
    status = Path("/proc/self/status")
    if status.is_file():
        (peak,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def serve() -> None:
    """Be one contestant: run when told to, answer with seconds, peak bytes and (when asked) what was found."""
    answers = os.fdopen(os.dup(1), "wb")
    # What libraries print must not come between the answers.
    os.dup2(2, 1)
    orders = sys.stdin.buffer
    kind, job = pickle.load(orders)
    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(sys.stderr):
        ready = CONTESTANTS[kind](job, Path(name))
        while (order := pickle.load(orders)) != "end":
            ready.before()
            began = time.perf_counter()
            found = ready.run()
            seconds = time.perf_counter() - began
            pickle.dump((seconds, peak_bytes(), found if order == "found" else None), answers)
            answers.flush()


def race(contestants: dict[str, tuple[str, Job]], rounds: int) -> dict[str, dict[str, Any]]:
    """Return per name: seconds of each round, their median, frames per second, peak memory, and what was found.

    Rounds of all contestants in turn; a first round of each is not counted.
    """
    programs = {name: subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for name in contestants}  # fmt: skip
    rows: dict[str, dict[str, Any]] = {name: {"seconds": []} for name in contestants}
    for name, program in programs.items():
        tell(program, (contestants[name][0], contestants[name][1]))
    for number in range(rounds + 1):
        for name, program in programs.items():
            tell(program, "run" if number else "found")
            answers: Any = program.stdout
            seconds, peak, found = pickle.load(answers)
            rows[name]["peak_mib"] = peak / 2**20
            if number:
                rows[name]["seconds"].append(seconds)
            else:
                rows[name]["found"] = found
    for program in programs.values():
        tell(program, "end")
        program.wait()
    for name, row in rows.items():
        row["median_s"] = statistics.median(row["seconds"])
        row["frames_per_s"] = contestants[name][1].frames / row["median_s"]
    return rows


def tell(program: Any, order: Any) -> None:
    pickle.dump(order, program.stdin)
    program.stdin.flush()


def ratio(rows: dict[str, dict[str, Any]], ours: str, theirs: str) -> float:
    """Return the median over the rounds of their time over ours: neighbours in time met the same machine."""
    pairs = zip(rows[theirs]["seconds"], rows[ours]["seconds"], strict=True)
    return statistics.median(their / our for their, our in pairs)


def shown(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: value for key, value in row.items() if key != "found"} for name, row in rows.items()}


if __name__ == "__main__":
    # Pickled orders name this module, not the program.
    sys.modules["predict_contestants"] = sys.modules["__main__"]
    serve()
