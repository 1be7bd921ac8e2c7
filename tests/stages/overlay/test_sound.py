"""Sound that is copied beside new pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from emc.stages.overlay.drawing import write_video
from emc.stages.overlay.sound import Sound


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    """Two seconds of film, silent in the first and with a tone in the second."""
    path = tmp_path / "loud.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        tone = out.add_stream("libopus", rate=48000, layout="mono")
        for index in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * index, np.uint8), format="rgb24")
            frame.pts = index
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for first in range(0, 96000, 960):
            wave = np.sin(2 * np.pi * 440 * (first + np.arange(960)) / 48000) * (first >= 48000)
            heard = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="flt", layout="mono")
            heard.sample_rate, heard.pts = 48000, first
            out.mux(tone.encode(heard))
        out.mux(tone.encode(None))
    return path


def loudness(path: Path) -> np.ndarray:
    """Return the mean size of the sound in each tenth of a second."""
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    whole = np.concatenate(parts)
    return np.abs(whole[: len(whole) // (rate // 10) * (rate // 10)].reshape(-1, rate // 10)).mean(axis=1)


def pictures(count: int) -> list[np.ndarray]:
    return [np.full((48, 64, 3), 90, np.uint8)] * count


def test_sound_stays_beside_its_picture(loud: Path, tmp_path: Path) -> None:
    with Sound(loud, 0.5) as sound:
        write_video(tmp_path / "part.mp4", pictures(12), fps=10, sound=sound)
        assert sound.kept and sound.note == ""
    heard = loudness(tmp_path / "part.mp4")
    assert len(heard) == pytest.approx(12, abs=1), "it ends with the pictures"
    assert heard[1:4].max() < 0.05
    assert heard[7:10].min() > 0.3, "the tone begins half a second in"


def test_a_silent_film_needs_no_words(tmp_path: Path) -> None:
    write_video(tmp_path / "silent.mp4", pictures(3), fps=10)
    with Sound(tmp_path / "silent.mp4", 0.0) as sound:
        write_video(tmp_path / "again.mp4", pictures(3), fps=10, sound=sound)
        assert not sound.kept and sound.note == ""
