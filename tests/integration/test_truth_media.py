"""Media are what was added (item 1 of the list): one test per case, with files made by real encoders."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.integration.conftest import Cli, contents
from tests.integration.media_files import frames_as_read, only_clip

from emc.pose.records import TEST_TAG
from emc.workflow.project import open_project
from emc.workflow.samples.rendered import ClipFiles


@dataclass(frozen=True)
class Corrected:
    """A project with one corrected clip, whose file may be spoiled."""

    folder: Path
    video: Path
    clip: str


@pytest.fixture
def corrected(tmp_path: Path, rendered: list[ClipFiles], cli: Cli) -> Corrected:
    folder, video = tmp_path / "p.emc", tmp_path / "kick.mp4"
    shutil.copy2(rendered[0].video, video)
    assert cli("new", tmp_path / "p").exit_code == 0
    assert cli("add", video, "--project", folder, "--group", "anna", "--tag", "split=test").exit_code == 0
    assert cli("import", "coco", rendered[0].labels, "--project", folder).exit_code == 0
    return Corrected(folder, video, "kick")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (1, 2, 3):
        write_photo(folder / f"p{number}.png", 60 * number)
    return folder


@pytest.fixture
def album(tmp_path: Path, photos: Path, cli: Cli) -> Path:
    folder = tmp_path / "album.emc"
    assert cli("new", folder).exit_code == 0
    assert cli("add", photos, "--project", folder).exit_code == 0
    return folder


def write_photo(path: Path, value: int, size: tuple[int, int] = (60, 40)) -> None:
    Image.fromarray(np.full((size[1], size[0], 3), value, np.uint8)).save(path)


def frame_values(folder: Path) -> list[int]:
    """Return the grey value of every frame of the only clip, as the product reads it."""
    return [int(image[0, 0, 0]) for image in frames_as_read(only_clip(folder))]


def uses(labels: Path, out: Path) -> dict[str, tuple[Any, ...]]:
    """Return every command that uses a clip's media or what stands on it."""
    return {
        "predict": ("predict",),
        "evaluate": ("evaluate",),
        "calibrate": ("calibrate", "--steps", 2),
        "lift": ("lift",),
        "export": ("export", "coco", out / "labels.json"),
        "import": ("import", "coco", labels),
    }


def test_another_file_under_a_corrected_clip_is_refused_at_every_use(
    corrected: Corrected, rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    assert cli("predict", "--project", corrected.folder).exit_code == 0
    before = contents(corrected.folder)
    shutil.copy(rendered[1].video, corrected.video)
    for use, words in uses(rendered[0].labels, tmp_path).items():
        done = cli(*words, "--project", corrected.folder)
        assert done.exit_code == 1, use
        (told,) = done.stderr.strip().splitlines()
        assert "clip kick" in told and "is not the file that was added" in told, use
        assert "bring that file back" in told and "emc relink kick PATH" in told, use
    assert contents(corrected.folder) == before
    assert not (tmp_path / "labels.json").exists()


def test_a_missing_file_is_one_error_with_both_remedies(
    corrected: Corrected, rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    assert cli("predict", "--project", corrected.folder).exit_code == 0
    corrected.video.unlink()
    before = contents(corrected.folder)
    for use, words in uses(rendered[0].labels, tmp_path).items():
        done = cli(*words, "--project", corrected.folder)
        (told,) = done.stderr.strip().splitlines()
        assert done.exit_code == 1 and "clip kick" in told, use
        assert "is missing: bring it back, or say where it is with `emc relink kick PATH`" in told, use
    assert contents(corrected.folder) == before
    assert cli("export", "coco", tmp_path / "o.json", "--without-media", "--project", corrected.folder).exit_code == 0


def test_a_copy_with_another_time_is_the_same_file(corrected: Corrected, cli: Cli) -> None:
    os.utime(corrected.video, ns=(1_000_000_000, 1_000_000_000))
    assert only_clip(corrected.folder).files[0].modified != 1_000_000_000
    assert cli("evaluate", "--project", corrected.folder).exit_code == 0
    assert cli("status", "--project", corrected.folder).exit_code == 0
    assert only_clip(corrected.folder).files[0].modified == 1_000_000_000, "noted: it is not read again next time"


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda folder: write_photo(folder / "p0.png", 20), "new: p0.png"),
        (lambda folder: (folder / "p2.png").unlink(), "missing: p2.png"),
        (lambda folder: (folder / "p2.png").rename(folder / "a.png"), "renamed: p2.png to a.png"),
        (lambda folder: write_photo(folder / "p2.png", 99), "changed: p2.png"),
    ],
    ids=["added", "removed", "renamed", "changed"],
)
def test_a_photo_that_came_or_went_is_named_and_no_pose_shifts(
    spoil: Any, named: str, photos: Path, album: Path, cli: Cli
) -> None:
    assert frame_values(album) == [60, 120, 180]
    spoil(photos)
    done = cli("predict", "--project", album)
    assert done.exit_code == 1
    assert "clip photos" in done.stderr and named in done.stderr and "emc relink photos PATH" in done.stderr


def test_photos_keep_their_frames_by_content(photos: Path, album: Path, cli: Cli) -> None:
    (photos / "p1.png").rename(photos / "z.png")
    assert cli("relink", "photos", photos, "--project", album).exit_code == 0
    assert frame_values(album) == [60, 120, 180]
    write_photo(photos / "a.png", 7)
    refused = cli("relink", "photos", photos, "--project", album)
    assert refused.exit_code == 1 and "a.png" in refused.stderr and "--changed" in refused.stderr
    assert cli("relink", "photos", photos, "--changed", "--project", album).exit_code == 0
    assert frame_values(album) == [60, 120, 180, 7]


def test_a_file_that_is_no_photo_does_not_matter(photos: Path, album: Path) -> None:
    (photos / "notes.txt").write_text("of the session")
    assert frame_values(album) == [60, 120, 180]


def test_a_project_that_moves_with_its_media_finds_them(corrected: Corrected, tmp_path: Path, cli: Cli) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    shutil.move(corrected.folder, place / "p.emc")
    shutil.move(corrected.video, place / "kick.mp4")
    assert cli("evaluate", "--project", place / "p.emc").exit_code == 0
    assert only_clip(place / "p.emc").path == str(place / "kick.mp4")


def test_relink_keeps_role_group_tags_and_corrections(corrected: Corrected, tmp_path: Path, cli: Cli) -> None:
    before = only_clip(corrected.folder)
    moved = tmp_path / "archive" / "renamed.mp4"
    moved.parent.mkdir()
    corrected.video.rename(moved)
    done = cli("relink", "kick", moved, "--project", corrected.folder)
    assert done.exit_code == 0, done.stderr
    after = only_clip(corrected.folder)
    assert (after.role, after.group, after.tags) == (before.role, "anna", {"split": "test"})
    assert after.path == str(moved)
    assert cli("evaluate", "--project", corrected.folder).exit_code == 0


def test_relink_refuses_other_content_unless_told(
    corrected: Corrected, rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    before = contents(corrected.folder)
    done = cli("relink", "kick", rendered[1].video, "--project", corrected.folder)
    assert done.exit_code == 1 and "differs from what was added" in done.stderr and "--changed" in done.stderr
    assert contents(corrected.folder) == before
    assert cli("predict", "--project", corrected.folder).exit_code == 0
    done = cli("relink", "kick", rendered[1].video, "--changed", "--project", corrected.folder)
    assert done.exit_code == 0, done.stderr
    again = json.loads(cli("predict", "--project", corrected.folder, "--json").stdout)
    with open_project(corrected.folder) as store:
        assert len(store.runs("kick")) == 2, f"other pictures are predicted anew: {again}"


def test_relink_refuses_frames_that_do_not_fit_even_so(corrected: Corrected, photos: Path, cli: Cli) -> None:
    done = cli("relink", "kick", photos, "--changed", "--project", corrected.folder)
    assert done.exit_code == 1 and "name media of its own kind" in done.stderr


def test_all_clips_are_found_under_a_folder(corrected: Corrected, photos: Path, tmp_path: Path, cli: Cli) -> None:
    assert cli("add", photos, "--project", corrected.folder).exit_code == 0
    deep = tmp_path / "disk" / "2024" / "may"
    deep.mkdir(parents=True)
    corrected.video.rename(deep / "IMG_0001.mp4")
    shutil.move(photos, deep / "shoot")
    shutil.copy(deep / "IMG_0001.mp4", deep / "decoy.mp4")
    (deep / "decoy.mp4").write_bytes(b"x" * (deep / "IMG_0001.mp4").stat().st_size)
    done = cli("relink", "--all", tmp_path / "disk", "--project", corrected.folder, "--json")
    assert done.exit_code == 0, done.output
    rows = {row["clip"]: row for row in json.loads(done.stdout)["clips"]}
    assert rows["kick"] == {"clip": "kick", "path": str(deep / "IMG_0001.mp4"), "state": "relinked"}
    assert rows["photos"] == {"clip": "photos", "path": str(deep / "shoot"), "state": "relinked"}
    with open_project(corrected.folder) as store:
        assert {clip.tags.get("split") for clip in store.clips()} == {"test", None}


def test_a_held_out_clip_that_comes_back_is_held_out(corrected: Corrected, tmp_path: Path, cli: Cli) -> None:
    with open_project(corrected.folder) as store:
        edits = len(store.edits())
    assert cli("remove", "kick", "--project", corrected.folder).exit_code == 0
    renamed = tmp_path / "training_material.mp4"
    corrected.video.rename(renamed)
    done = cli("add", renamed, "--project", corrected.folder)
    assert done.exit_code == 0
    assert "held out for tests (split=test): it stays so" in done.stderr
    after = only_clip(corrected.folder)
    assert (after.id, after.group, after.tags) == ("kick", "anna", dict([TEST_TAG]))
    with open_project(corrected.folder) as store:
        assert len(store.edits("kick")) == edits > 0


def test_status_and_doctor_say_present_changed_or_missing(
    corrected: Corrected, photos: Path, rendered: list[ClipFiles], cli: Cli
) -> None:
    assert cli("add", photos, "--project", corrected.folder).exit_code == 0

    def said() -> dict[str, str]:
        document = json.loads(cli("status", "--project", corrected.folder, "--json").stdout)
        return {clip["id"]: clip["media"] for clip in document["clips"]}

    assert said() == {"kick": "present", "photos": "present"}
    shutil.copy(rendered[1].video, corrected.video)
    shutil.rmtree(photos)
    assert said() == {"kick": "changed", "photos": "missing"}
    done = cli("doctor", "--project", corrected.folder, "--json")
    assert done.exit_code == 1
    faults = {check["name"]: check["found"] for check in json.loads(done.stdout)["checks"] if not check["ok"]}
    assert set(faults) == {"clip kick", "clip photos"}
    assert "not the file that was added" in faults["clip kick"] and "missing" in faults["clip photos"]
