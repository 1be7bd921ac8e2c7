"""A real server in a thread, and a reader of its event stream."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from emc.server.app import create_app
from emc.server.patience import PatientProtocol
from emc.server.security import Access

TOKEN = "a-token-for-tests-only"


@contextmanager
def running(project: Path, password: str = "") -> Iterator[str]:
    """Serve a project on a free port, as the command does; yields its address."""
    app = create_app(project, TOKEN, access=Access(TOKEN, password=password), author="ana")
    config = uvicorn.Config(app, http=PatientProtocol, port=0, log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.hub.close()
        server.should_exit = True
        thread.join(20)


class Stream:
    """Reads an event stream in a thread of its own."""

    def __init__(self, address: str, **params: Any) -> None:
        self._news: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._client = httpx.Client(base_url=address, headers={"authorization": f"Bearer {TOKEN}"}, timeout=30)
        self._params = params
        self._response: httpx.Response | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait(self, event: str, **values: Any) -> dict[str, Any]:
        """Return the next event of a kind that has the values; others are passed over."""
        while True:
            kind, data = self._news.get(timeout=20)
            if kind == event and all(data.get(key) == value for key, value in values.items()):
                return data

    def close(self) -> None:
        """Leave, as a page that is closed does."""
        if self._response is not None:
            self._response.close()
        self._client.close()

    def _read(self) -> None:
        kind = ""
        try:
            with self._client.stream("GET", "/api/events", params=self._params) as response:
                self._response = response
                for line in response.iter_lines():
                    name, _, value = line.partition(": ")
                    if name == "event":
                        kind = value
                    elif name == "data":
                        self._news.put((kind, json.loads(value)))
        except (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError):
            return


def poster(address: str, page: str = "", name: str = "") -> httpx.Client:
    """Return a client of one page."""
    headers = {"authorization": f"Bearer {TOKEN}", "x-emc-page": page, "x-emc-name": name}
    return httpx.Client(base_url=address, headers=headers, timeout=30)
