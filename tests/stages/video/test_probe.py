from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emc.errors import DecodeError, InputError
from emc.stages.video import probe

KEY12 = {"g": "12", "bf": "3"}


def test_what_a_video_holds(write_clip):
    info = probe(write_clip("plain.mp4", options=KEY12))
    assert (info.kind, info.frames, info.width, info.height, info.codec) == ("video", 48, 192, 96, "h264")
    assert info.fps == pytest.approx(30)
    assert info.keyframes.tolist() == [0, 12, 24, 36]
    assert info.times.dtype == np.float64
    assert info.times == pytest.approx(np.arange(48) / 30)


def test_animated_gif_is_a_video(write_clip):
    info = probe(write_clip("moving.gif", frames=6, codec="gif", pixels="rgb8"))
    assert (info.kind, info.frames, info.codec) == ("video", 6, "gif")


def test_missing_file():
    with pytest.raises(InputError, match=r"nowhere\.mp4 does not exist: check its spelling"):
        probe(Path("nowhere.mp4"))


@pytest.mark.parametrize("name", ["empty.mp4", "empty.jpg"])
def test_empty_file(name, tmp_path):
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=rf"{name} is empty \(0 bytes\)"):
        probe(tmp_path / name)


def test_neither_file_nor_folder():
    import tempfile

    # The path of a socket may hold only about a hundred characters.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path = Path(folder) / "camera.mp4"
        server.bind(str(path))
        with pytest.raises(InputError, match=r"camera\.mp4 is neither a file nor a folder"):
            probe(path)


def test_file_inside_of_a_file(write_clip):
    with pytest.raises(InputError, match="cannot be opened"):
        probe(write_clip("a.mp4", frames=2) / "b.mp4")


def test_text_with_the_name_of_a_video(tmp_path):
    (tmp_path / "notes.mp4").write_text("not a video\n" * 50)
    with pytest.raises(DecodeError, match=r"notes\.mp4 is not a video in a known format"):
        probe(tmp_path / "notes.mp4")


def test_play_list_with_the_name_of_a_video_opens_nothing_else(write_clip, tmp_path):
    target = write_clip("target.ts", frames=4)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", str(target), "#EXT-X-ENDLIST"]
    (tmp_path / "list.mp4").write_text("\n".join(lines))
    with pytest.raises(DecodeError, match=r"list\.mp4 is not a video in a known format"):
        probe(tmp_path / "list.mp4")


def test_image_with_the_name_of_a_video(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.mp4", format="PNG")
    with pytest.raises(DecodeError, match=r"photo\.mp4 is a PNG image with the name of a video"):
        probe(tmp_path / "photo.mp4")


@pytest.mark.parametrize(("name", "codec"), [("talk.mp4", "aac"), ("talk.mkv", "aac"), ("talk.mp3", "libmp3lame")])
def test_audio_only(name, codec, write_sound):
    path = write_sound(name, codec)
    with pytest.raises(InputError, match=rf"{name} has no video stream \(only audio\): check the export"):
        probe(path)


def test_video_stream_without_frames(write_clip):
    path = write_clip("nothing.mp4", frames=0, codec="mpeg4")
    with pytest.raises(InputError, match=r"nothing\.mp4 "):
        probe(path)


CUT_OFF = {
    "index_at_end.mp4": ({}, "no readable index"),
    "index_at_start.mp4": ({"container": {"movflags": "faststart"}}, r"cut off: its data end after \d+ frames of 48"),
    "pieces.mp4": ({"container": {"movflags": "frag_keyframe+empty_moov"}}, r"cut off: its data end after \d+ frames"),
    "web.mkv": ({}, r"cut off: its data end after \d+ frames, at 0\.\d of 1\.6 s"),
    "broadcast.ts": ({}, r"cut off: \d+ of \d+ frames decode"),
    "programme.mpg": ({"codec": "mpeg2video"}, r"cut off: \d+ of \d+ frames decode"),
    "old.avi": ({"codec": "mpeg4"}, r"cut off: its data end after \d+ frames"),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_truncated_file(name, write_clip):
    settings, message = CUT_OFF[name]
    path = write_clip(name, **{"options": KEY12, **settings})
    assert probe(path).frames == 48
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    with pytest.raises(DecodeError, match=message) as caught:
        probe(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_noise_in_place_of_a_video(tmp_path):
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(3).bytes(20_000))
    with pytest.raises(DecodeError, match=r"noise\.mp4 "):
        probe(tmp_path / "noise.mp4")


def test_too_many_pixels(write_clip):
    path = write_clip("large.mp4", frames=2)
    with pytest.raises(InputError, match=r"large\.mp4 is 192 x 96 .* raise max_pixels"):
        probe(path, max_pixels=192 * 96 - 1)
    assert probe(path, max_pixels=192 * 96).width == 192


def test_one_broken_file_does_not_stop_the_others(write_clip, tmp_path):
    (tmp_path / "bad.mp4").write_text("x" * 100)
    good = [write_clip(name, frames=3) for name in ("a.mp4", "b.mp4")]
    found, failed = [], []
    for path in (good[0], tmp_path / "bad.mp4", good[1]):
        try:
            found.append(probe(path).frames)
        except InputError as error:
            failed.append(str(error))
    assert found == [3, 3]
    assert len(failed) == 1
    assert "bad.mp4" in failed[0]
