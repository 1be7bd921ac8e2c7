"""Small published weights, and servers of this machine that give them: whole, in part, wrongly, or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from emc.weights.published import Published, read_graph_model, tensors_sha256
from emc.weights.published.table import File, Package

VALUES = np.arange(40_000, dtype=np.float16)
WEIGHTS = VALUES.tobytes()
GRAPH = json.dumps(
    {
        "format": "graph-model",
        "weightsManifest": [{"weights": [{"name": "w", "shape": [40_000], "dtype": "float16"}]}],
    }
).encode()


def file(name: str, content: bytes) -> File:
    return File(name, hashlib.sha256(content).hexdigest(), len(content))


PACKAGE = Package("@emc-test/small", "1.2.3", "models", 1)
SMALL = Published(
    "small",
    (PACKAGE,),
    file("small.json", GRAPH),
    file("small.bin", WEIGHTS),
    tensors_sha256(read_graph_model(GRAPH, WEIGHTS, "small")),
    "CC0",
    "these tests",
)


class Server:
    """A server of files by path; `seen` holds (path, range asked for) of every request.

    files : path -> content. short : path -> bytes after which the connection ends, once. silent : never answers.
    """

    def __init__(self, files: Mapping[str, bytes], silent: bool = False) -> None:
        self.files = dict(files)
        self.short: dict[str, int] = {}
        self.silent = silent
        self.seen: list[tuple[str, str]] = []
        self.release = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range", "")
        self.seen.append((request.path, asked))
        if self.silent:
            self.release.wait(30)
            return
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        request.wfile.write(content[start : self.short.pop(request.path, len(content))])


@contextmanager
def serving(files: Mapping[str, bytes], silent: bool = False) -> Generator[Server]:
    server = Server(files, silent)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join()


def registry(address: str, weights: bytes = WEIGHTS) -> dict[str, bytes]:
    """Return the files of a registry at an address that has `PACKAGE`, for any client of the npm registry."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        manifest = json.dumps({"name": PACKAGE.name, "version": PACKAGE.version}).encode()
        inside = {"package.json": manifest, "models/small.json": GRAPH, "models/small.bin": weights, "other.js": b"1"}
        for name, content in inside.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    archive_bytes = packed.getvalue()
    digest = base64.b64encode(hashlib.sha512(archive_bytes).digest()).decode()
    dist = {"tarball": f"{address}/small-1.2.3.tgz", "integrity": f"sha512-{digest}"}
    one = {"name": PACKAGE.name, "version": PACKAGE.version, "dist": dist}
    document = {"name": PACKAGE.name, "dist-tags": {"latest": PACKAGE.version}, "versions": {PACKAGE.version: one}}
    return {"/@emc-test%2fsmall": json.dumps(document).encode(), "/small-1.2.3.tgz": archive_bytes}
