"""Clips from addresses, fetched by yt-dlp from a server in this process."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("yt_dlp", reason="addresses need yt-dlp: pip install 'emc-pose[web]'")

from typer.testing import CliRunner

from emc.cli.main import app
from emc.errors import InputError, PluginError
from emc.stages.overlay.drawing import write_video
from emc.workflow.project.folder import new_project
from emc.workflow.project.web_clips import UNSTATED, add_sources, fetch, is_address


class Server(ThreadingHTTPServer):
    """Serves /clip.mp4 (with ranges) and /page.html; breaks the first `broken` downloads off in the middle."""

    daemon_threads = True

    def __init__(self, video: bytes) -> None:
        self.video = video
        self.broken = 0
        self.ranges: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        return

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        if self.path == "/page.html":
            self.reply(200, "text/html", b"<html><title>Nothing</title><p>No film here.</p></html>", body)
        elif self.path == "/text.mp4":
            self.reply(200, "video/mp4", b"this is no film " * 400, body)
        elif self.path == "/clip.mp4":
            self.video(body)
        else:
            self.reply(404, "text/plain", b"none", body)

    def video(self, body: bool) -> None:
        video, asked = self.server.video, self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked.startswith("bytes=") else 0
        self.server.ranges.append(asked)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(video) - start))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(video) - 1}/{len(video)}")
        self.end_headers()
        if not body:
            return
        stop = len(video)
        if self.server.broken:
            self.server.broken -= 1
            stop = min(stop, start + len(video) // 8)
        self.wfile.write(video[start:stop])
        self.close_connection = True

    def reply(self, status: int, kind: str, content: bytes, body: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    rng = np.random.default_rng(0)
    write_video(path, (rng.integers(0, 255, (96, 128, 3), dtype=np.uint8) for _ in range(12)), fps=10)
    return path.read_bytes()


@pytest.fixture
def server(film: bytes) -> Iterator[Server]:
    made = Server(film)
    thread = threading.Thread(target=partial(made.serve_forever, 0.05), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_a_clip_comes_with_origin_licence_and_checksum(server: Server, tmp_path: Path, film: bytes) -> None:
    address = f"{server.address}/clip.mp4"
    with new_project(tmp_path / "p") as store:
        done = add_sources(store, [address], group="anna", tags={"split": "test"})
        assert done.failures == ()
        (clip,) = done.clips
        assert (clip.frames, clip.width, clip.height, clip.group, dict(clip.tags)) == (
            12, 128, 96, "anna", {"split": "test"},
        )  # fmt: skip
        assert Path(clip.path).parent == (tmp_path / "p.emc" / "media").resolve()
        assert Path(clip.path).read_bytes() == film
        origin = store.document("origin", clip.id)
        assert origin is not None
        assert (origin["address"], origin["licence"], origin["title"]) == (address, UNSTATED, "clip")
        assert origin["sha256"] == clip.sha256 == hashlib.sha256(film).hexdigest()
        again = add_sources(store, [address])
        assert again.clips == ()
        assert "already in the project" in again.failures[0]


def test_a_broken_download_goes_on_where_it_stopped(server: Server, tmp_path: Path, film: bytes) -> None:
    server.broken = 6
    with pytest.raises(InputError, match=r"clip\.mp4 could not be fetched"):
        fetch(f"{server.address}/clip.mp4", tmp_path)
    (part,) = tmp_path.glob("*.part")
    got = part.stat().st_size
    assert 0 < got < len(film)
    server.broken = 0
    before = len(server.ranges)
    assert fetch(f"{server.address}/clip.mp4", tmp_path).path.read_bytes() == film
    assert f"bytes={got}-" in server.ranges[before:]
    assert list(tmp_path.glob("*.part")) == []


def test_what_cannot_be_fetched_is_told_and_the_others_go_on(server: Server, tmp_path: Path) -> None:
    port = server.server_port
    words = [f"{server.address}/page.html", f"{server.address}/gone.mp4", "http://127.0.0.1:9/x.mp4",
             f"{server.address}/text.mp4", f"{server.address}/clip.mp4"]  # fmt: skip
    with new_project(tmp_path / "p") as store:
        done = add_sources(store, words, licence="CC BY 4.0, the club")
        assert [clip.frames for clip in done.clips] == [12]
        assert (store.document("origin", done.clips[0].id) or {})["licence"] == "CC BY 4.0, the club"
    page, gone, unreachable, text = done.failures
    assert page == f"http://127.0.0.1:{port}/page.html has no video: give the address of a page or file with one"
    assert "gone.mp4 could not be fetched" in gone
    assert "404" in gone
    assert "http://127.0.0.1:9/x.mp4 could not be fetched" in unreachable
    assert text.count("\n") == 0
    assert "text.mp4" in text or "text" in text


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with new_project(tmp_path / "p") as store, pytest.raises(PluginError, match=r"emc-pose\[web\]"):
        add_sources(store, ["https://example.org/a.mp4"])


def test_paths_are_no_addresses() -> None:
    assert is_address("https://example.org/a.mp4")
    assert not is_address("clips/a.mp4")
    assert not is_address("C:/clips/a.mp4")
    assert not is_address("file:///etc/passwd")


def test_the_command_takes_addresses_and_paths(server: Server, tmp_path: Path, film: bytes) -> None:
    (tmp_path / "own.mp4").write_bytes(film + b"\0" * 8)
    runner, project = CliRunner(), tmp_path / "p.emc"
    assert runner.invoke(app, ["new", str(tmp_path / "p")]).exit_code == 0
    words = ["add", str(tmp_path / "own.mp4"), f"{server.address}/clip.mp4", "--project", str(project)]
    done = runner.invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "added own: 12 frames" in done.output
    assert "added Generic-clip: 12 frames" in done.output
    shown = runner.invoke(app, ["status", "--project", str(project)])
    digest = hashlib.sha256(film).hexdigest()
    for output in (done.output, shown.output):
        assert f"Generic-clip: from {server.address}/clip.mp4 on 20" in output
        assert f"licence: {UNSTATED}; SHA-256 {digest}" in output
        assert "own: from" not in output
    document = json.loads(runner.invoke(app, ["status", "--project", str(project), "--json"]).stdout)
    kept = {clip["id"]: clip["origin"] for clip in document["clips"]}
    assert kept["own"] is None
    assert kept["Generic-clip"]["sha256"] == digest
