"""Clips with truth and real predictions, on which ways of correcting are compared: see ergonomics.py."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from emc.config import Settings, read_settings
from emc.formats.poses.boxes_csv import BoxesCsvFormat
from emc.formats.poses.coco import CocoFormat
from emc.pose.records import Box, FrameAlerts
from emc.pose.skeletons import COCO17
from emc.store import SqlStore
from emc.study.scripted.oracle import Truth
from emc.workflow.predict import predict_clips
from emc.workflow.project import add_clips, new_project
from emc.workflow.samples import ClipRequest, head_segment
from emc.workflow.samples.lspe import to_coco17
from emc.workflow.samples.rendered import render_file

KICKS = ("side_kick", "spinning_kick", "front_kick")
SIZE = (640, 640)
PHOTO_SIDE = 256


@dataclass(frozen=True)
class ClipSpec:
    """A clip to be made: what it shows, with which seed, how many frames, and which model predicts it."""

    kind: str
    seed: int
    frames: int
    model: str

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.kind}_{self.seed}_{self.frames}_{Path(self.model).stem}"


@dataclass(frozen=True)
class MadeClip:
    """A predicted project, its truth, and the predicted places (T, 17, 2)."""

    spec: ClipSpec
    project: Path
    truth: Truth
    start: np.ndarray


def make(spec: ClipSpec, folder: Path, photos: Path | None) -> MadeClip:
    """Make a clip's project, or read the one that is there."""
    where = folder / "clips" / spec.name
    if not (where / "truth.npz").is_file():
        shutil.rmtree(where, ignore_errors=True)
        where.mkdir(parents=True)
        write_photos(where, photos, spec) if spec.kind == "photos" else write_kick(where, spec)
    with np.load(where / "truth.npz") as arrays:
        truth = Truth(*(arrays[name] for name in ("xy", "visibility", "scale", "head", "sigmas")))
        return MadeClip(spec, where / "clip.emc", truth, arrays["start"])


def write_kick(where: Path, spec: ClipSpec) -> None:
    order = ClipRequest(spec.kind, spec.seed, spec.frames, seconds=3.0, size=SIZE, folder=str(where.parent / "media"))
    order = order if spec.frames <= 90 else ClipRequest(spec.kind, spec.seed, 90, seconds=3.0, size=SIZE)
    files = render_file(order)
    predict(where, files.video, files.labels, spec, spec.frames)


def write_photos(where: Path, photos: Path | None, spec: ClipSpec) -> None:
    """Write photos of one person each, padded to one size, as a folder that is a clip; their labels are the truth."""
    if photos is None:
        raise SystemExit("photos are asked for, but there is no folder of them: give --shared")
    labels = CocoFormat().read(photos / "target_test.json")
    chosen = np.random.default_rng(spec.seed).permutation(len(labels.persons))[: spec.frames]
    (where / "photos").mkdir()
    images, notes = [], []
    for number, person in enumerate(labels.persons[int(i)] for i in chosen):
        picture = cv2.imread(str(photos / labels.image(person.image).file_name))
        if picture is None:
            raise SystemExit(f"{labels.image(person.image).file_name} cannot be read: fetch the photos again")
        height, width = picture.shape[:2]
        picture = cv2.copyMakeBorder(picture, 0, PHOTO_SIDE - height, 0, PHOTO_SIDE - width, cv2.BORDER_CONSTANT)
        name = f"{number:04d}.png"
        cv2.imwrite(str(where / "photos" / name), picture)
        xy, seen = to_coco17(person.xy, person.visibility, labels.skeleton)
        images.append({"id": number, "file_name": name, "width": PHOTO_SIDE, "height": PHOTO_SIDE})
        notes.append(
            note(number, xy, seen, person.box, person.area, head_segment(person.xy, person.visibility, labels.skeleton))
        )
    category = {"id": 1, "name": "person", "keypoints": list(COCO17.joints), "skeleton": []}
    document = {"images": images, "annotations": notes, "categories": [category]}
    (where / "labels.json").write_text(json.dumps(document), encoding="utf-8")
    # Photos have nothing to do with each other: tracked, they would be taken for several people who come and go.
    boxes = {row["image_id"]: [Box(row["image_id"], tuple(row["bbox"]), 1.0, 0)] for row in notes}
    BoxesCsvFormat().write(where / "boxes.csv", boxes)
    predict(where, where / "photos", where / "labels.json", spec, len(images), where / "boxes.csv")


def note(number: int, xy: np.ndarray, seen: np.ndarray, box: object, area: float, head: float) -> dict[str, object]:
    points = np.column_stack([np.nan_to_num(xy), seen]).round(3).ravel().tolist()
    return {
        "id": number + 1,
        "image_id": number,
        "category_id": 1,
        "keypoints": points,
        "iscrowd": 0,
        "area": float(area),
        "num_keypoints": int((seen > 0).sum()),
        "bbox": [float(v) for v in box],
        "head_segment": head,
    }


def predict(where: Path, media: Path, labels: Path, spec: ClipSpec, frames: int, boxes: Path | None = None) -> None:
    with new_project(where / "clip") as store:
        added = add_clips(store, [media])
        predict_clips(store, added.clips, settings_for(spec.model), boxes_file=boxes or labels)
        start = predicted(store, added.clips[0].id, frames)
    xy, visibility, area, head = labelled(labels, frames)
    scale, sigmas = np.sqrt(area), np.array(COCO17.sigmas)
    np.savez(where / "truth.npz", xy=xy, visibility=visibility, scale=scale, head=head, sigmas=sigmas, start=start)


def settings_for(model: str) -> Settings:
    return read_settings(None, {}, predict={"estimator": model})


def predicted(store: SqlStore, clip: str, frames: int) -> np.ndarray:
    run = store.current_run(clip)
    if run is None:
        raise SystemExit(f"clip {clip} was not predicted: delete its folder and run again")
    xy = np.full((frames, 17, 2), np.nan)
    for prediction in store.predictions(run.id):
        xy[prediction.frame] = prediction.xy
    return xy


def labelled(path: Path, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (T, 17, 2) places, (T, 17) visibility, (T,) areas and head segments of a clip's COCO labels."""
    document = json.loads(path.read_text("utf-8"))
    order = {image["id"]: index for index, image in enumerate(document["images"])}
    xy, seen = np.full((frames, 17, 2), np.nan), np.zeros((frames, 17), np.int8)
    area, head = np.ones(frames), np.full(frames, np.nan)
    for each in document["annotations"]:
        points = np.array(each["keypoints"], float).reshape(-1, 3)
        frame = order[each["image_id"]]
        xy[frame] = np.where(points[:, 2:] > 0, points[:, :2], np.nan)
        seen[frame], area[frame], head[frame] = points[:, 2], each["area"], each.get("head_segment") or np.nan
    return xy, seen, area, head


def copy_of(clip: MadeClip, folder: Path, flags: bool) -> Path:
    """Copy a clip's project for one policy; without flags the model's alerts are taken out, as in a classic tool."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(clip.project, folder)
    if not flags:
        with SqlStore.open(folder) as store:
            for each in store.clips():
                run = store.current_run(each.id)
                rows = store.frame_alerts(run.id, worst_first=False) if run else []
                if run:
                    store.write_alerts(run.id, [], [FrameAlerts(row.frame, 0, 0) for row in rows])
    return folder
