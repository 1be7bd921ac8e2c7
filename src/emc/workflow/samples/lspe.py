"""Labelled photos in the layout of Leeds Sports Pose Extended: a COCO keypoints file beside a folder per split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emc.errors import InputError
from emc.formats.poses.coco import CocoFormat
from emc.interfaces import Progress
from emc.pose.labels import LabelledPerson
from emc.pose.records import Sample
from emc.pose.skeletons import COCO17, Skeleton, joint_mapping
from emc.workflow.samples.cut import cut_out

LSPE_SPLITS = ("common_train", "common_test", "target_train", "target_test")


def read_lspe_split(folder: Path, split: str, progress: Progress) -> list[Sample]:
    """Return the labelled persons of one split as COCO-17 samples; each photo is its own clip and group.

    Joints that COCO-17 has and the labels lack stay unlabelled; the head segment (neck to head top) is kept as the
    length that PCKh needs. Raises `InputError` that names the file.
    """
    import cv2

    path = folder / f"{split}.json"
    if not path.is_file():
        raise InputError(f"{path} is missing: --data must hold {', '.join(f'{name}.json' for name in LSPE_SPLITS)}")
    labels = CocoFormat().read(path)
    samples: list[Sample] = []
    progress.start(f"read {split}", len(labels.persons))
    for person in labels.persons:
        file = folder / labels.image(person.image).file_name
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(f"{file} cannot be read as an image: copy it again, or take it out of {path.name}")
        samples.append(photo_sample(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), person, labels.skeleton, file.stem))
        progress.advance()
    progress.finish()
    return samples


def photo_sample(image: np.ndarray, person: LabelledPerson, skeleton: Skeleton, name: str) -> Sample:
    """Return one photo's labelled person in COCO-17."""
    xy, visibility = to_coco17(person.xy, person.visibility, skeleton)
    sample = Sample(
        image=image,
        xy=xy,
        visibility=visibility,
        box=np.asarray(person.box, dtype=np.float32),
        clip=name,
        group=name,
        frame=0,
        head=head_segment(person.xy, person.visibility, skeleton),
        area=float(person.area),
    )
    return cut_out(image, sample)


def to_coco17(xy: np.ndarray, visibility: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of another skeleton as COCO-17: (17, 2) with NaN and (17,) with 0 where it has no such joint."""
    source = joint_mapping(skeleton, COCO17)
    known = source >= 0
    mapped = np.where(known[:, None], xy[source], np.nan).astype(np.float32)
    seen = np.where(known, visibility[source], 0).astype(np.int8)
    return np.where(seen[:, None] > 0, mapped, np.nan).astype(np.float32), seen


def head_segment(xy: np.ndarray, visibility: np.ndarray, skeleton: Skeleton) -> float:
    """Return the length neck to head top in pixels, NaN where one of them is not labelled."""
    if not {"neck", "head_top"} <= set(skeleton.joints):
        return float("nan")
    neck, top = skeleton.index("neck"), skeleton.index("head_top")
    if min(visibility[neck], visibility[top]) == 0:
        return float("nan")
    return float(np.linalg.norm(xy[neck] - xy[top]))
