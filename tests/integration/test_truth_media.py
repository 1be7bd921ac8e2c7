"""Nothing about media is silently wrong: one test per case, with files made by real encoders."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.integration.conftest import Cli, contents
from tests.integration.media_files import as_pictures, frames_of, scene, seconds_of_sound, write_film

from emc.pose.records import TEST_TAG, Clip
from emc.workflow.lifting.lift import read_lifted
from emc.workflow.media import open_clip
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


def only_clip(folder: Path) -> Clip:
    with open_project(folder) as store:
        (clip,) = store.clips()
        return store.clip(clip.id)


def frame_values(folder: Path) -> list[int]:
    """Return the grey value of every frame of the only clip, as the product reads it."""
    return [int(image[0, 0, 0]) for image in frames_as_read(only_clip(folder))]


def frames_as_read(clip: Clip) -> list[np.ndarray]:
    with open_clip(clip) as media:
        return [image for _, image in media.frames()]


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


# 1. Media are what was added


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


# 2. Time and geometry are never made up


@pytest.fixture
def pictures(tmp_path: Path, rendered: list[ClipFiles]) -> Path:
    return as_pictures(rendered[0].video, tmp_path / "kick_pictures")


def new_project_with(folder: Path, cli: Cli, *words: Any) -> Path:
    assert cli("new", folder).exit_code == 0
    done = cli("add", *words, "--project", folder)
    assert done.exit_code == 0, done.output
    return folder


def lifted(project: Path, boxes: Path, cli: Cli) -> dict[str, Any]:
    """Predict in the boxes of a label file, lift, and return the clip's row."""
    done = cli("predict", "--boxes", boxes, "--project", project)
    assert done.exit_code == 0, done.output
    done = cli("lift", "--project", project, "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)["lifted"]
    return row


def untracked(labels: Path, folder: Path) -> Path:
    """Return the boxes of a label file as a table that numbers nobody."""
    document = json.loads(labels.read_text())
    frames = {image["id"]: image.get("frame", image["id"]) for image in document["images"]}
    rows = [",".join(map(str, [frames[one["image_id"]], *one["bbox"]])) for one in document["annotations"]]
    path = folder / "boxes.csv"
    path.write_text("frame,x,y,w,h\n" + "\n".join(rows) + "\n")
    return path


def persons_of(project: Path) -> dict[int, list[int]]:
    """Return person -> frames on which it was predicted."""
    with open_project(project) as store:
        run = store.current_run(store.clips()[0].id)
        found: dict[int, list[int]] = {}
        for one in store.predictions(run.id) if run else ():
            found.setdefault(one.person, []).append(one.frame)
    return found


def test_pictures_have_no_rate_until_somebody_tells_one(
    pictures: Path, rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    project = new_project_with(tmp_path / "p.emc", cli, pictures)
    boxes = untracked(rendered[0].labels, tmp_path)
    clip = only_clip(project)
    assert (clip.fps, clip.times, clip.still) == (0.0, None, True)
    lifted(project, boxes, cli)
    for format in ("trc", "mot", "c3d", "bvh", "gltf"):
        done = cli("export", format, tmp_path / f"kick.{format}", "--project", project)
        assert done.exit_code == 2 and f"clip {clip.id} has no rate" in done.stderr, format
        assert f"emc add {pictures} --fps N" in done.stderr
        assert not list(tmp_path.glob(f"kick*.{format}"))
    assert cli("export", "csv3d", tmp_path / "kick.csv", "--project", project).exit_code == 0
    head, _, first = (tmp_path / "kick.csv").read_text().splitlines()[:3]
    assert "no rate: frames are counted, time_s is empty" in head
    assert first.split(",")[:3] == ["p0", "0", ""]
    told = cli("add", pictures, "--fps", 30, "--project", project)
    assert told.exit_code == 0 and "which has 30 frames per second from now on" in told.stderr
    assert lifted(project, boxes, cli)["persons"] == 1
    assert persons_of(project) == {0: list(range(8))}
    assert cli("export", "trc", tmp_path / "kick.trc", "--project", project).exit_code == 0
    assert (tmp_path / "kick.trc").read_text().splitlines()[2].split("\t")[0] == "30"


def test_sampling_by_time_needs_a_rate(pictures: Path, tmp_path: Path, cli: Cli) -> None:
    project = new_project_with(tmp_path / "p.emc", cli, pictures)
    done = cli("predict", "--sample", "fps:5", "--project", project)
    assert done.exit_code == 2 and "has no rate" in done.stderr and "every:N" in done.stderr


def test_slow_motion_is_told_and_kept_beside_the_files_own_rate(tmp_path: Path, cli: Cli) -> None:
    film = write_film(tmp_path / "slow.mp4", [scene(k) for k in range(12)], rate=30)
    clip = only_clip(new_project_with(tmp_path / "p.emc", cli, film, "--fps", 240))
    assert clip.times is not None and clip.played_times is not None
    assert (clip.fps, round(clip.file_fps, 6), clip.played_fps) == (240, 30, clip.file_fps)
    assert clip.times == pytest.approx(np.arange(12) / 240)
    assert clip.played_times == pytest.approx(np.arange(12) / 30)
    document = json.loads(cli("status", "--project", tmp_path / "p.emc", "--json").stdout)
    assert document["clips"][0]["fps"] == 240 and document["clips"][0]["file_fps"] == pytest.approx(30)


def test_a_rate_that_is_none_is_refused(pictures: Path, tmp_path: Path, cli: Cli) -> None:
    assert cli("new", tmp_path / "p.emc").exit_code == 0
    done = cli("add", pictures, "--fps", -3, "--project", tmp_path / "p.emc")
    assert done.exit_code == 1 and "-3 frames per second are no rate" in done.stderr


@pytest.mark.parametrize(
    ("pixels", "shown"), [(Fraction(2), (160, 120)), (Fraction(1, 2), (80, 240)), (Fraction(1), (80, 120))]
)
def test_pixels_that_are_not_square_are_stretched(
    pixels: Fraction, shown: tuple[int, int], tmp_path: Path, cli: Cli
) -> None:
    # On the screen a disc of 60 pixels; in the file it is as much narrower as its pixels are wider.
    wide = 30 if pixels > 1 else 60
    high = 30 if pixels < 1 else 60
    disc = cv2.ellipse(np.full((120, 80, 3), 30, np.uint8), (40, 60), (wide // 2, high // 2), 0, 0, 360, (230,) * 3, -1)
    film = write_film(tmp_path / "dv.mp4", [disc] * 3, pixels=pixels)
    clip = only_clip(new_project_with(tmp_path / "p.emc", cli, film))
    assert (clip.width, clip.height) == shown
    assert clip.file_size == (80, 120)
    bright = frames_as_read(clip)[0][..., 1] > 130
    assert (bright.any(axis=0).sum(), bright.any(axis=1).sum()) == (pytest.approx(61, abs=3),) * 2
    assert cli("run", film, "--out", tmp_path / "out", "--no-edit").exit_code == 0
    (overlay,) = (tmp_path / "out").glob("overlay*.mp4")
    assert frames_of(overlay)[0].shape[:2] == shown[::-1]


def test_a_variable_rate_is_resampled_at_its_fastest_and_the_header_says_so(
    rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    stamps = [0, 100, 200, 300, 320, 340, 360, 380]
    film = write_film(tmp_path / "phone.mp4", frames_of(rendered[0].video), stamps=stamps)
    project = new_project_with(tmp_path / "p.emc", cli, film)
    lifted(project, untracked(rendered[0].labels, tmp_path), cli)
    for format in ("trc", "mot", "csv3d"):
        assert cli("export", format, tmp_path / f"phone.{format}", "--project", project).exit_code == 0
    words = "variable frame rate (10 to 50 per second), resampled at 50"
    title, _, numbers = (tmp_path / "phone.trc").read_text().splitlines()[:3]
    assert words in title
    assert numbers.split("\t")[:3] == ["50", "50", "20"], "0.38 s at 50 per second, both ends included"
    assert words in (tmp_path / "phone.mot").read_text()
    rows = (tmp_path / "phone.csv3d").read_text().splitlines()
    assert "frame rate varies" in rows[0]
    assert [float(row.split(",")[2]) for row in rows[2:]] == pytest.approx([stamp / 1000 for stamp in stamps])


def test_unrelated_photos_are_neither_tracked_nor_lifted_as_one_motion(
    pictures: Path, rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    project = new_project_with(tmp_path / "p.emc", cli, pictures)
    row = lifted(project, untracked(rendered[0].labels, tmp_path), cli)
    assert persons_of(project) == {number: [number] for number in range(8)}
    assert (row["persons"], row["frames"]) == (8, 8)


def test_a_hard_cut_ends_a_track_and_its_lifted_sequence(rendered: list[ClipFiles], tmp_path: Path, cli: Cli) -> None:
    kick, walk = (frames_of(files.video) for files in (rendered[0], rendered[2]))
    film = write_film(tmp_path / "cut.mp4", [*kick, *walk])
    project = new_project_with(tmp_path / "p.emc", cli, film)
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("frame,x,y,w,h\n" + "".join(f"{frame},40,20,70,120\n" for frame in range(16)))
    row = lifted(project, boxes, cli)
    assert persons_of(project) == {0: list(range(8)), 1: list(range(8, 16))}
    assert (row["persons"], row["frames"]) == (2, 16)


def test_a_track_that_a_file_carries_over_a_cut_is_lifted_in_two_pieces(
    rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    kick, walk = (frames_of(files.video) for files in (rendered[0], rendered[2]))
    project = new_project_with(tmp_path / "p.emc", cli, write_film(tmp_path / "cut.mp4", [*kick, *walk]))
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("frame,x,y,w,h,person\n" + "".join(f"{frame},40,20,70,120,4\n" for frame in range(16)))
    lifted(project, boxes, cli)
    with open_project(project) as store:
        sequence = read_lifted(store, "cut")[4]
    assert sequence.pieces() == [slice(0, 8), slice(8, 16)]


@pytest.mark.parametrize("colours", ["RGB", "L", "I;16"])
@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_tiff_is_turned_once(turn: int, colours: str, tmp_path: Path, cli: Cli) -> None:
    upright = np.zeros((40, 60, 3) if colours == "RGB" else (40, 60), np.uint16 if colours == "I;16" else np.uint8)
    upright[:20, :30] = (250, 0, 0) if colours == "RGB" else 250
    back = {1: 0, 3: 2, 6: 1, 8: 3}[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(np.ascontiguousarray(np.rot90(upright, back))).save(tmp_path / "scan.tif", exif=exif)
    clip = only_clip(new_project_with(tmp_path / "p.emc", cli, tmp_path / "scan.tif"))
    assert (clip.width, clip.height) == (60, 40)
    seen = frames_as_read(clip)[0]
    np.testing.assert_array_equal(seen if colours == "RGB" else seen[..., 0], upright)


@pytest.mark.parametrize("name", ["grey.png", "grey.tif", "colour.png", "colour.tif", "float.tif", "float_colour.tif"])
def test_deep_pictures_are_shown_by_their_real_range(name: str, tmp_path: Path, cli: Cli) -> None:
    ramp = np.linspace(0, 4095, 64 * 48).astype(np.uint16).reshape(48, 64)
    values = (ramp / 4095).astype(np.float32) if "float" in name else ramp
    cv2.imwrite(str(tmp_path / name), np.dstack([values] * 3) if "colour" in name else values)
    project = tmp_path / "p.emc"
    assert cli("new", project).exit_code == 0
    done = cli("add", tmp_path / name, "--project", project)
    assert done.exit_code == 0, done.output
    assert "more than 8 bits" in done.stderr and ("0 to 1" if "float" in name else "12 bits") in done.stderr
    (image,) = frames_as_read(only_clip(project))
    expected = np.rint(ramp / 4095 * 255) if "float" in name else ramp // 16
    np.testing.assert_array_equal(image, np.repeat(expected[..., None], 3, axis=2).astype(np.uint8))


def test_further_pages_of_a_tiff_are_told(tmp_path: Path, cli: Cli) -> None:
    pages = [Image.fromarray(scene(shade)) for shade in (0, 20, 40)]
    pages[0].save(tmp_path / "scan.tif", save_all=True, append_images=pages[1:])
    assert cli("new", tmp_path / "p.emc").exit_code == 0
    done = cli("add", tmp_path / "scan.tif", "--project", tmp_path / "p.emc", "--json")
    assert done.exit_code == 0
    (note,) = json.loads(done.stdout)["notes"]
    assert note == "note: of files with several pages only the first is used: scan.tif (2 more)"


def test_the_overlay_keeps_the_sound(tmp_path: Path, cli: Cli) -> None:
    film = write_film(tmp_path / "loud.mp4", [scene(k) for k in range(30)], sound=True)
    assert seconds_of_sound(film) > 1.5
    done = cli("run", film, "--out", tmp_path / "out", "--no-edit")
    assert done.exit_code == 0, done.output
    (overlay,) = (tmp_path / "out").glob("overlay*.mp4")
    assert seconds_of_sound(overlay) == pytest.approx(1.0, abs=0.1), "as long as the pictures"
    assert len(frames_of(overlay)) == 30
