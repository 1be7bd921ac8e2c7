from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import emc.stages.video.reader as reader_module
from emc.errors import DecodeError, UsageError
from emc.stages.video import Area, open_media, probe

KEY12 = {"g": "12", "bf": "3"}
KINDS = {
    "reordered.mp4": {"options": KEY12},
    "fast.mp4": {"options": KEY12, "container": {"movflags": "faststart"}},
    "fragments.mp4": {"options": KEY12, "container": {"movflags": "frag_keyframe+empty_moov"}},
    "open_groups.mp4": {"options": {**KEY12, "x264-params": "open-gop=1:scenecut=0"}},
    "open_groups.mkv": {"options": {**KEY12, "x264-params": "open-gop=1:scenecut=0"}},
    "open_groups.ts": {"options": {**KEY12, "x264-params": "open-gop=1:scenecut=0"}},
    "one_group.mp4": {"options": {"g": "1000", "bf": "3"}},
    "gradual_refresh.mp4": {"options": {"g": "12", "x264-params": "intra-refresh=1"}},
    "gradual_refresh.ts": {"options": {"g": "12", "x264-params": "intra-refresh=1"}},
    "stamps_that_lie.avi": {"options": KEY12},
    "no_stamps.h264": {"options": KEY12},
    "old.avi": {"codec": "mpeg4", "options": {"g": "12", "bf": "2"}},
    "stills.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "programme.mpg": {"codec": "mpeg2video", "options": {"g": "12", "bf": "2"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"g": "12", "deadline": "realtime", "cpu-used": "8"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": "keyint=12:log-level=none"}},
}


@pytest.mark.parametrize("name", KINDS)
def test_random_access_gives_exactly_the_frame_of_sequential_decoding(name, write_clip, in_order, monkeypatch):
    monkeypatch.setattr(reader_module, "RECENT_BYTES", 0)
    path = write_clip(name, **KINDS[name])
    expected = in_order(path)
    order = list(range(48)) * 2
    random.Random(name).shuffle(order)
    with open_media(path) as reader:
        assert reader.info.frames == len(expected) == 48
        wrong = [frame for frame in order if not np.array_equal(reader.read(frame), expected[frame])]
    assert wrong == []


@pytest.mark.parametrize("name", ["reordered.mp4", "open_groups.ts", "stamps_that_lie.avi", "gradual_refresh.ts"])
@pytest.mark.parametrize(("first", "last", "step"), [(0, None, 1), (5, 31, 1), (3, None, 17), (40, 47, 7), (9, 8, 1)])
def test_frames_yields_the_asked_range_both_ends_included(name, first, last, step, write_clip, in_order):
    path = write_clip(name, **KINDS[name])
    expected = in_order(path)
    with open_media(path) as reader:
        found = list(reader.frames(first, last, step))
    assert [index for index, _ in found] == list(range(first, 48 if last is None else last + 1, step))
    assert all(np.array_equal(image, expected[index]) for index, image in found)


@pytest.mark.parametrize("name", ["reordered.mp4", "open_groups.ts", "no_stamps.h264", "vp9.webm"])
@pytest.mark.parametrize("decoders", [0, 1])
def test_chosen_frames_and_their_parts_are_those_of_sequential_decoding(name, decoders, write_clip, in_order):
    path = write_clip(name, **KINDS[name])
    expected = in_order(path)
    chosen = [0, 1, 5, 6, 30, 47]
    area = Area(64, 4, 192, 60)
    with open_media(path, probe(path), decoders) as reader:
        found = list(reader.chosen(chosen))
        parts = list(reader.parts((frame, area) for frame in chosen))
        assert list(reader.chosen([])) == []
    assert [frame for frame, _ in found] == [frame for frame, _ in parts] == chosen
    for (frame, image), (_, part) in zip(found, parts, strict=True):
        np.testing.assert_array_equal(image, expected[frame])
        np.testing.assert_array_equal(part, expected[frame][4:60, 64:192])


def test_frames_between_the_chosen_ones_are_not_converted(write_clip, monkeypatch):
    path = write_clip("seldom.mp4", options=KEY12)
    converted = []
    convert = reader_module.Converter.rgb
    monkeypatch.setattr(reader_module.Converter, "rgb", lambda self, f: (converted.append(f.pts), convert(self, f))[1])
    with open_media(path) as reader:
        assert [frame for frame, _ in reader.chosen(range(0, 48, 5))] == list(range(0, 48, 5))
    assert len(converted) == 10


def test_each_frame_carries_its_own_number(write_clip, read_number):
    path = write_clip("numbers.mp4", options=KEY12)
    with open_media(path) as reader:
        assert [read_number(image) for _, image in reader.frames()] == list(range(48))
        assert [read_number(reader.read(frame)) for frame in (47, 0, 12, 11, 13, 30)] == [47, 0, 12, 11, 13, 30]


def test_reads_and_ranges_may_be_mixed(write_clip, read_number):
    path = write_clip("mixed.mp4", options=KEY12)
    with open_media(path) as reader:
        ahead = reader.frames(10, 20)
        assert next(ahead)[0] == 10
        assert read_number(reader.read(40)) == 40
        assert [read_number(image) for _, image in ahead] == list(range(11, 21))


def test_stepping_backwards_decodes_a_group_once(write_clip, read_number, monkeypatch):
    path = write_clip("backwards.mp4", options={"g": "1000", "bf": "0"})
    with open_media(path) as reader:
        assert read_number(reader.read(47)) == 47
        monkeypatch.setattr(reader, "_find", None)
        assert [read_number(reader.read(frame)) for frame in (46, 30, 3)] == [46, 30, 3]


def test_edit_list_leaves_out_what_the_player_leaves_out(write_clip, tmp_path, read_number):
    source, cut = write_clip("whole.mp4", options=KEY12), tmp_path / "cut.mp4"
    with av.open(str(source)) as whole, av.open(str(cut), "w", options={"avoid_negative_ts": "disabled"}) as out:
        stream = out.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.pts -= 17 * 512
                packet.dts -= 17 * 512
                packet.stream = stream
                out.mux(packet)
    with open_media(cut) as reader:
        assert reader.info.frames == 31
        assert reader.info.keyframes.tolist() == [7, 19]
        assert [read_number(reader.read(frame)) for frame in (30, 0, 8, 6, 7)] == [47, 17, 25, 23, 24]


def test_variable_rate_keeps_exact_times(write_clip, read_number):
    stamps = np.cumsum(np.random.default_rng(1).integers(1, 90, 48)).tolist()
    path = write_clip("uneven.mp4", stamps=stamps, clock=1000, options=KEY12)
    with open_media(path) as reader:
        expected = (np.array(stamps) - stamps[0]) / 1000
        # The container's clock ticks 16,000 times a second.
        assert np.abs(reader.info.times - expected).max() < 1 / 16000
        assert reader.info.fps == pytest.approx(47 / expected[-1], rel=1e-4)
        assert [read_number(reader.read(frame)) for frame in (33, 5, 47)] == [33, 5, 47]


@pytest.mark.parametrize(
    ("turn", "rotation", "upright"),
    [
        ((90, False, False), 90, lambda image: np.rot90(image, 1)),
        ((180, False, False), 180, lambda image: np.rot90(image, 2)),
        ((270, False, False), 270, lambda image: np.rot90(image, 3)),
        ((0, True, False), 0, lambda image: image[:, ::-1]),
        ((0, False, True), 180, lambda image: image[::-1]),
    ],
)
def test_rotation_flags_are_applied(turn, rotation, upright, write_clip, in_order):
    path = write_clip("turned.mp4", frames=5, turn=turn)
    expected = [upright(image) for image in in_order(path)]
    info = probe(path)
    assert (info.height, info.width) == expected[0].shape[:2]
    assert info.rotation == rotation
    with open_media(path, info) as reader:
        assert all(np.array_equal(reader.read(frame), expected[frame]) for frame in (4, 0, 2))


def test_rotation_of_a_phone_is_read_from_the_track_header(write_clip, tmp_path, in_order):
    # A phone held upright writes the matrix [0 1 0; -1 0 0]: the picture has to be turned clockwise.
    raw = bytearray(write_clip("flat.mp4", frames=3).read_bytes())
    at = raw.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = np.array([0, one, 0, -one, 0, 0, 96 * one, 0, 1 << 30], dtype=">i4")
    raw[at : at + 36] = matrix.tobytes()
    path = tmp_path / "phone.mp4"
    path.write_bytes(raw)
    info = probe(path)
    assert (info.width, info.height, info.rotation) == (96, 192, 270)
    with open_media(path) as reader:
        assert np.array_equal(reader.read(1), np.rot90(in_order(path)[1], -1))


def test_damage_in_the_middle_names_the_frame_and_leaves_the_rest(write_clip, tmp_path, read_number):
    path = write_clip("hurt.mp4", codec="libx264", options={"g": "12", "bf": "0"})
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    raw = bytearray(path.read_bytes())
    position, size = packets[20]
    raw[position : position + size] = b"\xff" * size
    hurt = tmp_path / "hurt2.mp4"
    hurt.write_bytes(raw)
    with open_media(hurt) as reader:
        assert reader.info.frames == 48
        with pytest.raises(DecodeError, match=r"frame 20 of video .*hurt2\.mp4 cannot be decoded"):
            reader.read(20)
        assert [read_number(reader.read(frame)) for frame in (19, 24, 40)] == [19, 24, 40]


def test_frame_outside_of_the_clip_is_refused(write_clip):
    path = write_clip("short.mp4", frames=4)
    with open_media(path) as reader:
        for frame in (-1, 4):
            with pytest.raises(UsageError, match=rf"frame {frame} is outside of .*short\.mp4: use 0 to 3"):
                reader.read(frame)
        with pytest.raises(UsageError, match="outside"):
            list(reader.frames(0, 4))
        with pytest.raises(UsageError, match="step 0"):
            list(reader.frames(step=0))


def test_close_twice_and_read_again(write_clip, read_number):
    with open_media(write_clip("again.mp4", frames=9)) as reader:
        reader.read(3)
        reader.close()
        reader.close()
        assert read_number(reader.read(5)) == 5


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["two_people_1768x994_30fps.mp4", "avatar_576x576_30fps.mp4"])
def test_real_clips_seek_exactly(name: str, shared_data: Path):
    path = shared_data / "video" / name
    wanted = (100, 3, 99, 64)
    with av.open(str(path)) as container:
        expected = {}
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                expected[index] = frame.to_ndarray(format="rgb24")
            if index == max(wanted):
                break
    info = probe(path)
    assert info.frames == (230 if name.startswith("two") else 120)
    assert info.times[-1] == pytest.approx((info.frames - 1) / 30)
    assert info.time_base == Fraction(1, 15360)
    with open_media(path, info) as reader:
        assert all(np.array_equal(reader.read(frame), expected[frame]) for frame in wanted)
