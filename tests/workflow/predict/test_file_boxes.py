"""Boxes from a file: tracked on a video with its gaps filled, on images as they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from emc.pose.records import Clip, Role
from emc.workflow.predict.boxes import file_boxes

# Somebody on the frames 0 and 2, who is missing on 1.
TABLE = "frame,x,y,w,h\n0,10,10,20,40\n2,10,10,20,40\n"


def people(kind: str, folder: Path, table: str = TABLE, cuts: frozenset[int] = frozenset()) -> dict[int, list[int]]:
    path, media = folder / "boxes.csv", folder / "media"
    path.write_text(table)
    media.mkdir()
    for frame in range(3):
        cv2.imwrite(str(media / f"{frame}.png"), np.zeros((100, 100, 3), np.uint8))
    clip = Clip("c", str(media), Role.TARGET, "c", 3, 100, 100, kind=kind)
    return {frame: [box.track for box in boxes] for frame, boxes in file_boxes(path, clip, cuts=lambda: cuts).items()}


def test_a_person_missing_on_a_frame_of_a_video_is_there(tmp_path: Path) -> None:
    assert people("video", tmp_path) == {0: [0], 1: [0], 2: [0]}


def test_nobody_keeps_a_number_over_a_cut(tmp_path: Path) -> None:
    assert people("video", tmp_path, cuts=frozenset({2})) == {0: [0], 1: [], 2: [1]}


def test_nobody_is_made_up_on_an_image(tmp_path: Path) -> None:
    assert people("images", tmp_path) == {0: [0], 1: [], 2: [1]}


def test_persons_whom_the_file_numbers_are_left_alone(tmp_path: Path) -> None:
    numbered = "frame,x,y,w,h,person\n0,10,10,20,40,4\n2,10,10,20,40,7\n"
    assert people("video", tmp_path, numbered) == {0: [4], 2: [7]}
