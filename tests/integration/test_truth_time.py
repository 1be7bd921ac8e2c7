"""Time and geometry of media are never made up (item 2 of the list): one test per case, with files of real encoders."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.integration.conftest import Cli
from tests.integration.media_files import (
    as_pictures,
    frames_as_read,
    frames_of,
    only_clip,
    scene,
    seconds_of_sound,
    write_film,
)

from emc.config import Settings
from emc.pose.records import JointChange, Provenance, Visibility
from emc.workflow.editing import EditAction, Editing
from emc.workflow.lifting.lift import read_lifted
from emc.workflow.project import open_project
from emc.workflow.samples.rendered import ClipFiles

SHOULDER = 5


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
    stale = cli("export", "trc", tmp_path / "kick.trc", "--project", project)
    assert stale.exit_code == 2 and "was lifted as pictures that stand alone" in stale.stderr
    stale = cli("lift", "--project", project)
    assert stale.exit_code == 2 and "emc predict --clip kick_pictures` again" in stale.stderr
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


def test_what_was_lifted_at_another_rate_is_lifted_again(rendered: list[ClipFiles], tmp_path: Path, cli: Cli) -> None:
    project = new_project_with(tmp_path / "p.emc", cli, rendered[0].video)
    boxes = untracked(rendered[0].labels, tmp_path)
    lifted(project, boxes, cli)
    assert cli("add", rendered[0].video, "--fps", 240, "--project", project).exit_code == 0
    stale = cli("export", "trc", tmp_path / "kick.trc", "--project", project)
    assert stale.exit_code == 2 and "was lifted at 30 frames per second, and has 240" in stale.stderr
    lifted(project, boxes, cli)
    assert cli("export", "trc", tmp_path / "kick.trc", "--project", project).exit_code == 0
    title, _, numbers, *rows = (tmp_path / "kick.trc").read_text().splitlines()
    assert "real time as told, the file plays at 30 per second" in title
    assert numbers.split("\t")[0] == "240"
    times = [float(row.split("\t")[1]) for row in rows[2:] if row]
    assert times == pytest.approx(np.arange(8) / 240, abs=1e-6), "speeds are eight times those of the file"


def test_frames_by_time_are_others_at_another_rate(tmp_path: Path, cli: Cli) -> None:
    film = write_film(tmp_path / "slow.mp4", [scene(k) for k in range(12)], rate=30)
    project = new_project_with(tmp_path / "p.emc", cli, film)
    looked: list[int] = []
    for told in ((), ("--fps", 60)):
        cli("add", film, *told, "--project", project)
        done = cli("predict", "--sample", "fps:15", "--json", "--project", project)
        looked.append(json.loads(done.stdout)["runs"][0]["looked"])
    assert looked == [6, 3]


def test_one_command_takes_a_rate_too(pictures: Path, tmp_path: Path, cli: Cli) -> None:
    alone = cli("run", pictures, "--out", tmp_path / "alone", "--no-edit")
    assert alone.exit_code == 0 and "shows one picture a second" in alone.stderr
    done = cli("run", pictures, "--out", tmp_path / "film", "--fps", 25, "--no-edit")
    assert done.exit_code == 0 and "one picture a second" not in done.stderr
    assert only_clip(tmp_path / "film" / "run.emc").fps == 25


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
    said = {}
    for format in ("trc", "mot", "bvh", "csv3d"):
        done = cli("export", format, tmp_path / f"phone.{format}", "--project", project)
        assert done.exit_code == 0
        said[format] = done.stdout
    words = "variable frame rate (10 to 50 per second), resampled at 50"
    title, _, numbers = (tmp_path / "phone.trc").read_text().splitlines()[:3]
    assert words in title
    assert numbers.split("\t")[:3] == ["50", "50", "20"], "0.38 s at 50 per second, both ends included"
    assert words in (tmp_path / "phone.mot").read_text()
    assert "Frame Time: 0.02" in (tmp_path / "phone.bvh").read_text()
    assert words in " ".join(said["bvh"].split()), "a format without room for words"
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
    film = write_film(tmp_path / "loud.mp4", [scene(k) for k in range(30)], sound="aac")
    assert seconds_of_sound(film) > 1.5
    done = cli("run", film, "--out", tmp_path / "out", "--no-edit")
    assert done.exit_code == 0, done.output
    (overlay,) = (tmp_path / "out").glob("overlay*.mp4")
    assert seconds_of_sound(overlay) == pytest.approx(1.0, abs=0.1), "as long as the pictures"
    assert len(frames_of(overlay)) == 30


def test_sound_that_the_overlay_cannot_hold_is_told(tmp_path: Path, cli: Cli) -> None:
    film = write_film(tmp_path / "old.avi", [scene(k) for k in range(30)], sound="pcm_u8")
    assert seconds_of_sound(film) > 1.5
    done = cli("run", film, "--out", tmp_path / "out", "--no-edit")
    assert done.exit_code == 0, done.output
    assert "note: overlay_old.mp4 has no sound: its format cannot hold that of old.avi (pcm_u8)" in done.stderr
    assert seconds_of_sound(tmp_path / "out" / "overlay_old.mp4") == 0


@pytest.mark.parametrize(("told", "reached"), [((), False), (("--fps", 30), True)], ids=["photos", "film"])
def test_a_correction_is_carried_on_over_a_film_alone(
    told: tuple[Any, ...], reached: bool, pictures: Path, rendered: list[ClipFiles], tmp_path: Path, cli: Cli
) -> None:
    project = new_project_with(tmp_path / "p.emc", cli, pictures, *told)
    boxes = tmp_path / "boxes.csv"
    head, *rows = untracked(rendered[0].labels, tmp_path).read_text().splitlines()
    boxes.write_text("\n".join([f"{head},person", *(f"{row},4" for row in rows)]))
    assert cli("predict", "--boxes", boxes, "--project", project).exit_code == 0
    assert persons_of(project) == {4: list(range(8))}, "the file says who it is"
    with open_project(project) as store:
        editing = Editing(store, Settings().alerts, "anna")  # pyright: ignore[reportCallIssue]
        run = store.current_run("kick_pictures")
        assert run is not None
        seen = next(one for one in store.predictions(run.id) if one.frame == 3)
        x, y = (float(value) for value in seen.xy[SHOULDER] + 8)
        wrong = JointChange(3, 4, SHOULDER, x, y, Visibility.VISIBLE, Provenance.HUMAN)
        editing.apply("kick_pictures", EditAction("place", (wrong,), author="anna", propagate=True))
        frames = {change.frame for edit in store.edits("kick_pictures") for change in edit.changes}
        editing.close()
    assert 3 in frames
    assert (len(frames) > 1) is reached
