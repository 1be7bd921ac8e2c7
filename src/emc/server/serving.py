"""Run the editor's server until it is stopped."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from emc.errors import UsageError
from emc.server.app import create_app
from emc.server.security import LOOPBACK, Access

PORT = 8731
"""Tried first: what a page could not store waits in the browser under its address, so the address should come back."""
PAUSE = 2.0
"""Seconds between the first answer and the import of PyTorch, which would slow the page down while it loads."""


def serve(
    project: Path,
    ready: Callable[[str], object],
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    password: str = "",
    author: str = "",
) -> None:
    """Serve a project's editor until Ctrl-C.

    ready : called with the address to open (its token included) once connections are accepted. port : None takes
    `PORT`, or any free one where that is taken. Raises `UsageError` for a host other than loopback without a password,
    and for a port that cannot be had.
    """

    def build(access: Access) -> tuple[ASGIApp, Callable[[], object]]:
        app = create_app(project, access.token, access=access, author=author)
        return app, app.state.hub.close

    serve_app(build, secrets.token_urlsafe(32), ready, host=host, port=port, usual=PORT, password=password)


def serve_app(
    build: Callable[[Access], tuple[ASGIApp, Callable[[], object]]],
    token: str,
    ready: Callable[[str], object],
    *,
    host: str,
    port: int | None,
    usual: int,
    password: str,
) -> None:
    """Serve an application until Ctrl-C.

    build : makes it, once its address is known, with what ends its event streams. token : what opens it. usual : the
    port that is tried first where `port` is None. Raises what `serve` raises.
    """
    if host not in LOOPBACK and not password:
        raise UsageError(f"host {host} can be reached by others: set a password with --password or EMC_PASSWORD")
    with _listen(host, port, usual) as listener:
        number = int(listener.getsockname()[1])
        access = Access(token, host, number, password)
        app, ending = build(access)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, ws="none", timeout_graceful_shutdown=3
        )
        address = f"http://{_name(host)}:{number}/?token={access.token}"
        ahead = Ahead()

        def answering() -> None:
            ready(address)
            ahead.start()

        server = _Server(config, answering, ending)
        # The server ends cleanly on Ctrl-C and then passes it on; here it is the usual way to end.
        try:
            with suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
        finally:
            ahead.end()


class Ahead:
    """Imports what pictures and models need while the page is already open; a request that needs it sooner waits.

    The end of the server waits for an import under way: a thread that is cut off inside PyTorch's aborts the program.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._load, name="libraries")

    def start(self) -> None:
        """Begin, once the server answers."""
        self._thread.start()

    def end(self) -> None:
        """Import nothing further; safe to call twice."""
        self._ended.set()

    def _load(self) -> None:
        for name in ("av", "cv2"):
            import_module(name)
        if not self._ended.wait(self._pause):
            import_module("torch")


class _Server(uvicorn.Server):
    """A server that says when it accepts connections, and ends its event streams before it waits for requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object], ending: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)


def _listen(host: str, port: int | None, usual: int = PORT) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (usual, 0) if port is None else (port,):
        # The protocol is named because asyncio turns Nagle's delay (40 ms an answer) off only where it is.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            # Two servers that start at the same moment can both bind a port; only one of them can listen.
            listener.listen()
        except OSError as error:
            listener.close()
            if number != usual or port is not None:
                said = error.strerror or str(error)
                raise UsageError(f"cannot listen on {host} port {number} ({said}): choose another --port") from error
        else:
            return listener
    raise UsageError(f"no port of {host} is free: choose one with --port")


def _name(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
