from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emc.errors import DecodeError, InputError, UsageError
from emc.stages.video import on_canvas, open_media, probe
from emc.stages.video.listing import natural_key


def save(path: Path, value: int, size: tuple[int, int] = (20, 10), **options: object) -> Path:
    Image.new("RGB", size, (value, value, value)).save(path, **options)
    return path


def test_natural_order():
    names = ["img10.png", "img2.png", "IMG1.png", "a.png", "img2b.png"]
    assert sorted(names, key=natural_key) == ["a.png", "IMG1.png", "img2.png", "img2b.png", "img10.png"]


def test_folder_is_a_clip_without_a_rate(tmp_path):
    for name, value in (("img10.png", 100), ("img2.bmp", 20), ("img1.tif", 10), ("img3.webp", 30), ("._img4.png", 1)):
        save(tmp_path / name, value, **({"lossless": True} if name.endswith("webp") else {}))
    (tmp_path / "notes.txt").write_text("not an image")
    info = probe(tmp_path)
    assert (info.kind, info.frames, info.width, info.height, info.fps) == ("images", 4, 20, 10, 0.0)
    assert info.files == ("img1.tif", "img2.bmp", "img3.webp", "img10.png")
    assert info.times.tolist() == []
    with open_media(tmp_path, info) as reader:
        assert [int(image[0, 0, 0]) for _, image in reader.frames()] == [10, 20, 30, 100]
        assert int(reader.read(3)[5, 5, 1]) == 100
        with pytest.raises(UsageError, match="frame 4 is outside"):
            reader.read(4)


def test_single_image_is_a_clip_of_one_frame(tmp_path):
    path = save(tmp_path / "photo.png", 77)
    info = probe(path)
    assert (info.kind, info.frames, info.codec) == ("images", 1, "png")
    with open_media(path) as reader:
        assert reader.read(0).shape == (10, 20, 3)
        assert int(reader.read(0).max()) == 77


@pytest.mark.parametrize(
    ("tag", "corner"),
    [(1, (0, 0)), (2, (0, 19)), (3, (9, 19)), (4, (9, 0)), (5, (0, 0)), (6, (0, 9)), (7, (19, 9)), (8, (19, 0))],
)
def test_exif_orientation_is_applied(tag, corner, tmp_path):
    # The stored picture's top-left pixel is white; `corner` is where each tag of the EXIF standard puts it.
    pixels = np.zeros((10, 20, 3), dtype=np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = tag
    path = tmp_path / "turned.png"
    Image.fromarray(pixels).save(path, exif=exif)
    info = probe(path)
    assert (info.width, info.height) == ((20, 10) if tag < 5 else (10, 20))
    with open_media(path) as reader:
        assert np.argwhere(reader.read(0)[..., 0] == 255).tolist() == [list(corner)]


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("L", 90, 90), ("RGBA", (90, 90, 90, 255), 90), ("I;16", 90 * 257, 90), ("1", 1, 255)],
)
def test_other_pixel_kinds_become_rgb(mode, value, expected, tmp_path):
    path = tmp_path / "kind.png"
    Image.new(mode, (4, 4), value).save(path)
    with open_media(path) as reader:
        image = reader.read(0)
    assert image.shape == (4, 4, 3)
    assert image.dtype == np.uint8
    assert np.unique(image).tolist() == [expected]


def test_images_of_several_sizes_keep_their_own(tmp_path):
    save(tmp_path / "a.png", 1)
    save(tmp_path / "b.png", 2, size=(30, 8))
    info = probe(tmp_path)
    assert (info.width, info.height, info.sizes) == (30, 10, ((20, 10), (30, 8)))
    assert [info.size(frame) for frame in (0, 1)] == [(20, 10), (30, 8)]
    with open_media(tmp_path, info) as reader:
        assert [reader.read(frame).shape for frame in (0, 1)] == [(10, 20, 3), (8, 30, 3)]
    assert on_canvas(np.full((8, 30, 3), 7, np.uint8), 30, 10)[:, 0, 0].tolist() == [7] * 8 + [0] * 2


def test_images_of_one_size_need_no_list_of_sizes(tmp_path):
    save(tmp_path / "a.png", 1)
    save(tmp_path / "b.png", 2)
    info = probe(tmp_path)
    assert info.sizes == ()
    assert info.size(1) == (20, 10)


def test_folder_without_images(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match="holds no images among its 1 entries"):
        probe(tmp_path)


def test_unreadable_image_in_a_folder_is_named(tmp_path):
    save(tmp_path / "a.png", 1)
    (tmp_path / "b.jpg").write_text("no image")
    with pytest.raises(DecodeError, match=r"b\.jpg cannot be decoded \(no image format that is known\)"):
        probe(tmp_path)


def test_empty_image_in_a_folder_is_named(tmp_path):
    save(tmp_path / "a.png", 1)
    (tmp_path / "b.png").touch()
    with pytest.raises(DecodeError, match=r"b\.png is empty \(0 bytes\)"):
        probe(tmp_path)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_truncated_image_is_named(suffix, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = tmp_path / f"half.{suffix}"
    Image.fromarray(noise).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DecodeError, match=rf"half\.{suffix} cannot be decoded"):
        probe(path)


def test_video_with_the_name_of_an_image(write_clip, tmp_path):
    path = tmp_path / "clip.png"
    path.write_bytes(write_clip("clip.mp4", frames=2).read_bytes())
    with pytest.raises(DecodeError, match=r"clip\.png cannot be decoded"):
        probe(path)


def test_too_many_pixels(tmp_path):
    save(tmp_path / "a.png", 1)
    with pytest.raises(InputError, match=r"a\.png is 20 x 10 .* raise max_pixels"):
        probe(tmp_path, max_pixels=199)


def test_image_replaced_since_it_was_added(tmp_path):
    save(tmp_path / "a.png", 1)
    info = probe(tmp_path)
    save(tmp_path / "a.png", 1, size=(40, 10))
    with open_media(tmp_path, info) as reader, pytest.raises(DecodeError, match="is now 40 x 10 but was 20 x 10"):
        reader.read(0)
