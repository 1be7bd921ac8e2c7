"""Twelve kinds of bad input: one line, an exit code, and a project as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.integration.conftest import Cli, contents

from emc.workflow.samples.rendered import ClipFiles

Maker = Callable[[Path, ClipFiles], Path]


def missing(folder: Path, good: ClipFiles) -> Path:
    return folder / "missing.mp4"


def empty(folder: Path, good: ClipFiles) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def truncated(folder: Path, good: ClipFiles) -> Path:
    path = folder / "truncated.mp4"
    data = good.video.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def audio_only(folder: Path, good: ClipFiles) -> Path:
    path = folder / "audio_only.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def zero_length(folder: Path, good: ClipFiles) -> Path:
    path = folder / "zero_length.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    return path


def wrong_extension(folder: Path, good: ClipFiles) -> Path:
    path = folder / "notes.mp4"
    path.write_text("this is a text file\n" * 100)
    return path


def huge(folder: Path, good: ClipFiles) -> Path:
    path = folder / "huge.png"
    Image.new("1", (20_000, 9_000)).save(path)
    return path


def folder_without_images(folder: Path, good: ClipFiles) -> Path:
    path = folder / "no_images"
    path.mkdir()
    (path / "readme.txt").write_text("nothing here")
    return path


@pytest.mark.parametrize(
    "make",
    [missing, empty, truncated, audio_only, zero_length, wrong_extension, huge, folder_without_images],
    ids=lambda make: make.__name__,
)
def test_bad_media(make: Maker, tmp_path: Path, rendered: list[ClipFiles], project: Path, cli: Cli) -> None:
    bad = make(tmp_path, rendered[0])
    before = contents(project)
    done = cli("add", bad, "--project", project)
    assert done.exit_code == 1
    told = [line for line in done.stderr.splitlines() if line]
    assert len(told) == 1, done.stderr
    assert bad.name in told[0]
    assert ":" in told[0].removeprefix("left out: ").replace(str(bad), "")
    assert contents(project) == before


def test_the_other_files_go_on(tmp_path: Path, rendered: list[ClipFiles], project: Path, cli: Cli) -> None:
    bad = empty(tmp_path, rendered[0])
    done = cli("add", bad, rendered[1].video, "--project", project, "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert [clip["id"] for clip in document["added"]] == [rendered[1].order.name]
    assert len(document["failed"]) == 1


def test_unreadable_folder(rendered: list[ClipFiles], cli: Cli) -> None:
    with tempfile.TemporaryDirectory() as place:
        locked, project = Path(place) / "locked", Path(place) / "p.emc"
        locked.mkdir(mode=0)
        assert cli("new", project).exit_code == 0
        assert cli("add", rendered[0].video, "--project", project).exit_code == 0
        before = contents(project)
        with another_user_if_root(Path(place), project):
            done = cli("add", locked, "--project", project)
        assert done.exit_code == 1, done.output
        assert "locked" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert contents(project) == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("status",), 0),
        (("predict",), 1),
        (("relink", "VIDEO", "PLACE/locked/v.mp4"), 1),
        (("relink", "--all", "PLACE/locked/deep"), 1),
        (("add", "PLACE/locked/other.mp4"), 1),
        (("import", "coco", "PLACE/locked/labels.json"), 1),
        (("export", "coco", "PLACE/locked/labels.json"), 1),
        (("predict", "--boxes", "PLACE/locked/boxes.csv"), 1),
        (("predict", "--project", "PLACE/locked/p.emc"), 1),
        (("new", "PLACE/locked/q"), 1),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_media_in_a_place_that_this_user_may_not_look_into(
    words: tuple[str, ...], code: int, rendered: list[ClipFiles], cli: Cli
) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        locked, project = place / "locked", place / "p.emc"
        locked.mkdir()
        shutil.copy(rendered[0].video, locked / "v.mp4")
        assert cli("new", project).exit_code == 0
        assert cli("add", locked / "v.mp4", "--project", project).exit_code == 0
        locked.chmod(0)
        before = contents(project)
        asked = [word.replace("PLACE", name).replace("VIDEO", "v") for word in words]
        own = [] if words[0] == "new" or "--project" in words else ["--project", project]
        with another_user_if_root(place, project):
            done = cli(*asked, *own)
        locked.chmod(0o700)
        assert done.exit_code == code, done.output
        assert len(done.stderr.strip().splitlines()) == (1 if code else 0)
        assert "locked" in done.output.replace("\n", "")
        assert contents(project) == before


@contextmanager
def another_user_if_root(*folders: Path) -> Iterator[None]:
    """Root may read every folder: be nobody for a while, who may use `folders`."""
    if os.geteuid() != 0:
        yield
        return
    for folder in folders:
        for path in (folder, *folder.glob("*.sqlite*")):
            path.chmod(0o777)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def label_file(good: ClipFiles, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(good.labels.read_text())
    change(document)
    path = folder / "labels.json"
    path.write_text(json.dumps(document))
    return path


def not_coco(document: dict[str, Any]) -> None:
    document.clear()
    document["rows"] = [1, 2, 3]


def outside(document: dict[str, Any]) -> None:
    document["annotations"][2]["keypoints"][0:3] = [9999.0, 10.0, 2]


def unknown_joint(document: dict[str, Any]) -> None:
    document["annotations"][1]["keypoints"] += [10.0, 10.0, 2]


def frame_outside(document: dict[str, Any]) -> None:
    document["images"][3]["id"] = 400
    document["annotations"][3]["image_id"] = 400
    document["images"][3].pop("frame", None)


@pytest.mark.parametrize(
    "change", [not_coco, outside, unknown_joint, frame_outside], ids=lambda change: change.__name__
)
def test_bad_labels(
    change: Callable[[dict[str, Any]], object], tmp_path: Path, rendered: list[ClipFiles], project: Path, cli: Cli
) -> None:
    bad = label_file(rendered[0], tmp_path, change)
    before = contents(project)
    done = cli("import", "coco", bad, "--project", project)
    assert done.exit_code == 1, done.output
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stderr.startswith("emc: ")
    assert contents(project) == before


def test_labels_that_are_no_json(tmp_path: Path, project: Path, cli: Cli) -> None:
    bad = tmp_path / "labels.json"
    bad.write_text("{not json")
    before = contents(project)
    done = cli("import", "coco", bad, "--project", project)
    assert (done.exit_code, len(done.stderr.strip().splitlines())) == (1, 1)
    assert "labels.json" in done.stderr
    assert contents(project) == before


def test_disk_full_while_writing(tmp_path: Path, rendered: list[ClipFiles], project: Path, cli: Cli) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(disk)], check=False).returncode != 0:
        pytest.skip("cannot mount a small file system here")
    try:
        before = contents(project)
        done = cli("export", "coco", disk / "labels.json", "--project", project)
        assert done.exit_code == 1
        assert "full" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert list(disk.iterdir()) == []
        assert contents(project) == before
    finally:
        subprocess.run(["umount", str(disk)], check=False)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["status", "--project", "nowhere"], 1, "nowhere"),
        (["add", "x.mp4", "--role", "other"], 2, "other"),
        (["add", "x.mp4", "--tag", "uniform"], 2, "uniform"),
        (["predict", "--clip", "nobody"], 2, "nobody"),
        (["predict", "--estimator", "resnet"], 2, "resnet"),
        (["calibrate", "--mix", "8-2"], 2, "8-2"),
        (["calibrate", "--set", "calibrate.steps=0"], 2, "calibrate.steps"),
        (["export", "coco", "x.json", "--only", "some"], 2, "some"),
    ],
)
def test_wrong_requests(words: list[str], code: int, told: str, project: Path, cli: Cli) -> None:
    if "--project" not in words:
        words = [*words, "--project", str(project)]
    before = contents(project)
    done = cli(*words)
    assert (done.exit_code, told in done.stderr) == (code, True), done.output
    assert contents(project) == before
