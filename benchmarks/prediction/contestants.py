"""The contestants of `predict.py`, run by `race.race`: each loads what it needs and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from race import Job, Ready, serve

DETECTOR_SIDE = 384
TENSORS = 8


def emc(job: Job, folder: Path) -> Ready:
    """`emc predict` on a clip of a project: everything from starting a run to its alerts; each call is a new run.

    The setting `engine` says what runs an ONNX file: ONNX Runtime, unless it asks for openvino. Networks of ours run
    there too, as `emc predict` runs them.
    """
    told = dict(job.settings)
    os.environ["EMC_ONNX_ENGINE"] = told.pop("engine", "onnxruntime")
    from emc.workflow.compute import share_one_heap

    share_one_heap()
    import emc.workflow.predict.runs as predict
    from emc.config import read_settings
    from emc.pose.records import Role
    from emc.workflow.compute import set_threads
    from emc.workflow.engine import in_engine
    from emc.workflow.predict import read_confidence
    from emc.workflow.predict.boxes import file_boxes
    from emc.workflow.project import estimator_in, new_project, open_project
    from emc.workflow.project.clips import read_clip

    settings = read_settings(
        None, {}, predict={"estimator": job.model or "nano"} | told, video={"max_frames": job.frames}
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
            if estimator is None:
                estimator = in_engine(estimator_in(store, settings.predict.estimator), settings.predict.engine)

    def run() -> Any:
        from emc.workflow.progress import Silent

        with open_project(at) as store:
            model = predict.model_key(estimator)
            fitted = read_confidence(store, model, settings.predict)
            work = predict.start_run(store, clip, model, estimator, settings, boxes, False)
            if boxes:
                given = file_boxes(boxes, clip)
                predict.predict_run(store, work, clip, estimator, given, settings, Silent(), fitted)
            else:
                predict.detect_and_predict(store, work, clip, estimator, settings, Silent(), fitted, None)
            predict.find_run_alerts(store, work, clip, estimator, settings)
            return [(p.frame, p.xy) for p in store.predictions(work.id)]

    return Ready(run, before)


def bare(job: Job, folder: Path) -> Ready:
    """The network alone in ONNX Runtime with its defaults: batches of 8 on all cores, tensors in memory."""
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(job.model, providers=onnxruntime.get_available_providers())
    given = session.get_inputs()[0]
    batch = np.random.default_rng(0).normal(0, 1, (TENSORS, 3, *given.shape[2:])).astype(np.float32)

    def run() -> None:
        for start in range(0, job.persons, TENSORS):
            session.run(None, {given.name: batch[: job.persons - start]})

    return Ready(run)


def bare_openvino(job: Job, folder: Path) -> Ready:
    """The network alone in OpenVINO: float32, else its defaults; batches of 8 on all cores, tensors in memory."""
    import numpy as np
    import openvino

    network = openvino.Core().compile_model(job.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    sides = [size.get_length() for size in list(network.input(0).get_partial_shape())[2:]]
    batch = np.random.default_rng(0).normal(0, 1, (TENSORS, 3, *sides)).astype(np.float32)

    def run() -> None:
        for start in range(0, job.persons, TENSORS):
            network([batch[: job.persons - start]])

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
    """RTMPose (or ViTPose) of rtmlib on each frame's given boxes, in the engine of the setting `engine`."""
    import rtmlib as library

    kind, engine = job.settings.get("rtmlib", "RTMPose"), job.settings.get("engine", "onnxruntime")
    reader = getattr(library, kind)(job.model, model_input_size=job.size, backend=engine)
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
    "emc": emc, "bare": bare, "bare_openvino": bare_openvino, "decoder": decoder, "rtmlib": rtmlib, "tracker": tracker,
    "transformers": transformers,
}  # fmt: skip


if __name__ == "__main__":
    serve(CONTESTANTS)
