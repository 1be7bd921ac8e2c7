"""One file over the network, from servers of this machine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.weights.published.sources import SMALL, WEIGHTS, serving

from emc.weights.published.https import SourceError, download


def test_a_file_comes_whole_and_progress_counts_its_bytes(tmp_path: Path) -> None:
    class Counted:
        bytes = 0

        def advance(self, steps: int = 1, note: str = "") -> None:
            self.bytes += steps

    counted = Counted()
    with serving({"/small.bin": WEIGHTS}) as server:
        got = download(f"{server.address}/small.bin", SMALL.weights, tmp_path / "new", counted)  # pyright: ignore
    assert got.read_bytes() == WEIGHTS
    assert counted.bytes == len(WEIGHTS)
    assert not (tmp_path / "new" / "small.bin.part").exists()


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with serving({"/small.bin": WEIGHTS}) as server:
        server.short["/small.bin"] = 30_000
        with pytest.raises(SourceError, match="small.bin broke off 50000 bytes before its end"):
            download(f"{server.address}/small.bin", SMALL.weights, tmp_path, None)
        assert (tmp_path / "small.bin.part").stat().st_size == 30_000
        assert download(f"{server.address}/small.bin", SMALL.weights, tmp_path, None).read_bytes() == WEIGHTS
        assert server.seen[1] == ("/small.bin", "bytes=30000-")


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "small.bin").write_bytes(WEIGHTS)
    with serving({}) as server:
        download(f"{server.address}/small.bin", SMALL.weights, tmp_path, None)
        assert server.seen == []


@pytest.mark.parametrize("content", [WEIGHTS[:-2] + b"xx", b"more" + WEIGHTS, b"<html>not here</html>"])
def test_another_file_is_refused_and_not_kept(content: bytes, tmp_path: Path) -> None:
    told = "another checksum" if len(content) == len(WEIGHTS) else f"{len(content)} bytes instead of {len(WEIGHTS)}"
    with serving({"/small.bin": content}) as server, pytest.raises(SourceError, match=told):
        download(f"{server.address}/small.bin", SMALL.weights, tmp_path, None)
    assert list(tmp_path.glob("small.bin")) == list(tmp_path.glob("*.part")) == []


def test_a_source_that_is_silent_or_away_is_told_by_name(tmp_path: Path) -> None:
    with serving({}, silent=True) as server, pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+: .*timed out"):
        download(f"{server.address}/small.bin", SMALL.weights, tmp_path, None, patience=0.3)
    with serving({}) as server:
        away = server.address
        with pytest.raises(SourceError, match="404|Not Found"):
            download(f"{away}/small.bin", SMALL.weights, tmp_path, None)
    with pytest.raises(SourceError, match="refused"):
        download(f"{away}/small.bin", SMALL.weights, tmp_path, None)


def test_a_name_server_that_is_silent_does_not_hold_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: release.wait(30))
    monkeypatch.setattr("urllib.request.getproxies", dict)
    with pytest.raises(SourceError, match="nowhere.example: its name was not found within 0 s"):
        download("https://nowhere.example/small.bin", SMALL.weights, tmp_path, None, patience=0.2)
    release.set()
