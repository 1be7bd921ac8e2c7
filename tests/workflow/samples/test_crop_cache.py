from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from emc.pose.records import Clip, Pose, Provenance, Role, Visibility
from emc.workflow.samples.crop_cache import mapped_clip
from emc.workflow.samples.cut import Cuts, cut_clip
from emc.workflow.samples.extras import LabelExtra

SIDE = 256
BOX = (60.0, 50.0, 100.0, 150.0)


def pictures(folder: Path, count: int, alike: bool = False) -> Path:
    """Write numbered pictures; alike ones are links to one file."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        file = folder / f"{number:05d}.png"
        if alike and number:
            os.link(folder / "00000.png", file)
        else:
            cv2.imwrite(str(file), rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))
    return folder


def cuts_of(folder: Path, count: int) -> Cuts:
    xy = np.linspace([70.0, 60.0], [150.0, 190.0], 17).astype(np.float32)
    seen, human = np.full(17, Visibility.VISIBLE, np.int8), np.full(17, Provenance.HUMAN, np.int8)
    poses = {n: [Pose(n, 0, xy + n % 5, seen, human)] for n in range(count)}
    extras = {(n, 0): LabelExtra(head=20.0, box=BOX) for n in range(count)}
    clip = Clip("photos", str(folder), Role.TARGET, "ana", count, SIDE, SIDE, kind="images")
    return Cuts(clip, poses, extras)


def test_the_same_samples_as_without_a_file(tmp_path: Path) -> None:
    from emc.estimators.nano.estimator import NanoEstimator

    cuts = cuts_of(pictures(tmp_path / "photos", 4), 4)
    plain, (mapped, note) = cut_clip(cuts), mapped_clip(cuts, tmp_path / "cache")
    assert note == ""
    assert len(mapped) == len(plain) == 4
    for one, same in zip(mapped, plain, strict=True):
        np.testing.assert_array_equal(one.image, same.image)
        np.testing.assert_array_equal(one.xy, same.xy)
        np.testing.assert_array_equal(one.box, same.box)
        assert (one.frame, one.head, one.scale, one.area) == (same.frame, same.head, same.scale, same.area)
        assert not one.image.flags.writeable
    estimator = NanoEstimator()
    batches = [estimator.collate(samples, np.random.default_rng(0)) for samples in (plain, mapped)]
    np.testing.assert_array_equal(batches[0]["image"].numpy(), batches[1]["image"].numpy())


def test_a_clip_is_decoded_once_though_its_labels_change(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos", 2)
    cuts = cuts_of(folder, 2)
    before, _ = mapped_clip(cuts, tmp_path / "cache")
    for file in folder.iterdir():
        file.unlink()
    moved = {0: [replace(cuts.by_frame[0][0], xy=cuts.by_frame[0][0].xy + 3)], 1: cuts.by_frame[1]}
    after, note = mapped_clip(replace(cuts, by_frame=moved), tmp_path / "cache")
    assert note == ""
    np.testing.assert_array_equal(after[0].image, before[0].image)
    np.testing.assert_allclose(after[0].xy, before[0].xy + 3, atol=1e-4)


def test_another_box_is_cut_anew_and_the_old_file_goes(tmp_path: Path) -> None:
    cuts = cuts_of(pictures(tmp_path / "photos", 2), 2)
    mapped_clip(cuts, tmp_path / "cache")
    old = set((tmp_path / "cache").iterdir())
    wider = dict(cuts.extras) | {(0, 0): LabelExtra(box=(40.0, 40.0, 160.0, 160.0))}
    found, _ = mapped_clip(replace(cuts, extras=wider), tmp_path / "cache")
    new = set((tmp_path / "cache").iterdir())
    assert not old & new
    assert sorted(file.suffix for file in new) == [".crops", ".json"]
    assert found[0].image.shape[0] > found[1].image.shape[0]


def test_half_a_file_is_made_anew(tmp_path: Path) -> None:
    cuts = cuts_of(pictures(tmp_path / "photos", 2), 2)
    mapped_clip(cuts, tmp_path / "cache")
    crops = next((tmp_path / "cache").glob("*.crops"))
    crops.write_bytes(crops.read_bytes()[:1000])
    found, _ = mapped_clip(cuts, tmp_path / "cache")
    np.testing.assert_array_equal(found[1].image, cut_clip(cuts)[1].image)


def test_where_no_file_can_be_written_memory_keeps_the_images(tmp_path: Path) -> None:
    cuts = cuts_of(pictures(tmp_path / "photos", 1), 1)
    (tmp_path / "taken").write_text("a file where the folder should be")
    found, note = mapped_clip(cuts, tmp_path / "taken")
    np.testing.assert_array_equal(found[0].image, cut_clip(cuts)[0].image)
    assert note.startswith("cut-out persons of clip photos are kept in memory: cannot write")


def test_a_clip_without_labels_has_no_file(tmp_path: Path) -> None:
    cuts = cuts_of(tmp_path / "nowhere", 0)
    assert mapped_clip(cuts, tmp_path / "cache") == ([], "")
    assert not (tmp_path / "cache").exists()


GROWTH = """
import re, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.workflow.samples.test_crop_cache import cuts_of, cut_clip, mapped_clip, pictures
place, count, how = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
cuts = cuts_of(pictures(place / "photos", count, alike=True), count)
samples = cut_clip(cuts) if how == "memory" else mapped_clip(cuts, place / "cache")[0]
assert len(samples) == count and sum(int(sample.image[0].sum()) for sample in samples) > 0
print(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_is_flat_in_the_number_of_images(tmp_path: Path) -> None:
    def kilobytes(count: int, how: str) -> int:
        words = [sys.executable, "-c", GROWTH, str(Path(__file__).parents[3]), str(tmp_path / f"{how}{count}")]
        done = subprocess.run([*words, str(count), how], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    # 200 more cuts of 240 x 230 pixels are 33 MB.
    in_memory = kilobytes(220, "memory") - kilobytes(20, "memory")
    mapped = kilobytes(220, "disk") - kilobytes(20, "disk")
    assert in_memory > 25_000
    assert mapped < 0.2 * in_memory
