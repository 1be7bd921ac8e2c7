from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.integration.label_files import annotation, coco, figure, project

from emc.errors import InputError, UsageError
from emc.formats.poses.coco import CocoFormat
from emc.interfaces import Store
from emc.workflow.labels.landing import land, the_clip
from emc.workflow.project import add_clips


def landed(store: Store, folder: Path, images: Any, clip: str | None = None) -> dict[str, dict[int, int]]:
    people = [annotation(n, image["id"], figure(10)) for n, image in enumerate(images, 1)]
    file = coco(folder / "labels.json", images, people)
    parts = land(store, CocoFormat().read(file), file, clip, None)
    return {part.clip.id: dict(part.frames) for part in parts}


def test_the_clip_is_named_or_the_only_one(tmp_path: Path) -> None:
    with project(tmp_path, "kick") as store:
        assert the_clip(store, None).id == "kick"
    with project(tmp_path / "two", "kick", "run") as store:
        assert the_clip(store, "run").id == "run"
        with pytest.raises(UsageError, match="the project has 2 clips: name the one"):
            the_clip(store, None)


def test_images_go_to_the_videos_and_folders_that_they_name(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(photos / name), np.full((120, 200, 3), ord(name[0]), np.uint8))
    with project(tmp_path, "kick", "Run2") as store:
        add_clips(store, [photos])
        images = [
            {"id": 1, "file_name": "kick_frame_000012.png"}, {"id": 2, "file_name": "run2_0007.png"},
            {"id": 3, "file_name": "run2_0040.png"}, {"id": 4, "file_name": "x/b.png"},
        ]  # fmt: skip
        assert landed(store, tmp_path, images) == {"kick": {1: 12}, "Run2": {2: 7, 3: 40}, "photos": {4: 1}}
        with pytest.raises(UsageError, match=r"has 3 clips and no clip has 'jump_0001\.png' of .*: name the one"):
            landed(store, tmp_path, [{"id": 1, "file_name": "jump_0001.png"}])
        with pytest.raises(InputError, match=r"labels z\.png, which clip photos .* lacks: add that image"):
            landed(store, tmp_path, [{"id": 1, "file_name": "z.png"}], "photos")


def test_the_field_clip_decides_and_the_user_may_choose_one(tmp_path: Path) -> None:
    images = [{"id": n, "clip": name, "frame": 5} for n, name in enumerate(("kick", "run"))]
    with project(tmp_path, "kick", "run") as store:
        assert landed(store, tmp_path, images) == {"kick": {0: 5}, "run": {1: 5}}
        assert landed(store, tmp_path, images, "run") == {"run": {1: 5}}
        # A file of one clip may be meant for a clip that is called otherwise here.
        assert landed(store, tmp_path, [{"id": 1, "clip": "old", "frame": 5}], "run") == {"run": {1: 5}}
        with pytest.raises(InputError, match="labels clip old, which the project lacks"):
            landed(store, tmp_path, [{"id": 1, "clip": "old", "frame": 5}])
        with pytest.raises(InputError, match="image 9 names no clip, others do"):
            landed(store, tmp_path, [*images, {"id": 9, "frame": 6}])


def test_several_clips_of_another_project_are_not_one(tmp_path: Path) -> None:
    images = [{"id": n, "clip": name, "frame": 5} for n, name in enumerate(("a", "b"))]
    with project(tmp_path, "kick") as store:
        with pytest.raises(UsageError, match="labels the clips a, b, not kick"):
            landed(store, tmp_path, images, "kick")
        with pytest.raises(InputError, match="labels clip a, which the project lacks"):
            landed(store, tmp_path, images)
