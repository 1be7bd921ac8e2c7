"""Clips opened for their pictures."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import emc
from emc.errors import InputError
from emc.store import SqlStore
from emc.workflow.media import WatchedMedia, known_info, open_clip

Photograph = Callable[[Path, int], None]


def test_frames_are_those_of_the_project_and_not_of_the_listing(store: SqlStore, photos: Path) -> None:
    clip = store.clip("photos")
    with open_clip(clip) as media:
        assert [int(image[0, 0, 0]) for _, image in media.frames()] == [60, 120, 180]
    assert known_info(clip) is known_info(clip)


def test_media_are_watched_from_picture_to_picture(store: SqlStore, photos: Path, photograph: Photograph) -> None:
    watched = WatchedMedia(store.clip("photos"))
    watched.check(0)
    watched.check(1)
    photograph(photos / "p2.png", 99)
    watched.check(0)
    with pytest.raises(InputError, match=r"changed: p2\.png"):
        watched.check(1)
    photograph(photos / "p2.png", 120)
    watched.check(1)
    (photos / "p3.png").rename(photos / "p4.png")
    with pytest.raises(InputError, match=r"renamed: p3\.png to p4\.png"):
        watched.check(0)


def test_no_other_module_opens_a_clip_unseen() -> None:
    """Whoever opens media by path alone never compares them; the doctor opens a file of its own."""
    source = Path(emc.__file__).parent
    opening = {"open_media", "probe"}
    found = set()
    for folder in ("workflow", "server", "cli", "study"):
        for file in (source / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
                if isinstance(node, ast.ImportFrom) and node.module == "emc.stages.video" and opening & names:
                    found.add(str(file.relative_to(source)))
    assert found == {
        "workflow/doctor.py",
        "workflow/media/opening.py",
        "workflow/media/relink.py",  # compares what it opens
        "workflow/predict/spans.py",  # is given what `known_info` compared
        "workflow/project/clips.py",  # adds
    }
