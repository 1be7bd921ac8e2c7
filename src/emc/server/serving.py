"""Run the editor's server until it is stopped."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from emc.errors import UsageError
from emc.server.app import create_app
from emc.server.patience import PatientProtocol
from emc.server.security import LOOPBACK, Access
from emc.workflow.project import open_project
from emc.workflow.team import members_of

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
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Serve a project's editor until Ctrl-C.

    ready : called with the address to open (its token included) once connections are accepted. port : None takes
    `PORT`, or any free one where that is taken. tls : certificate and key, PEM files. Raises `UsageError` for a host
    other than loopback without a password or members, for a port that cannot be had, and for files that are no
    certificate and its key.
    """

    def build(access: Access) -> tuple[ASGIApp, Callable[[], object]]:
        app = create_app(project, access.token, access=access, author=author)
        return app, app.state.hub.close

    if host not in LOOPBACK and not password:
        with open_project(project) as store:
            refuse_open_door(host, bool(members_of(store)))
    serve_app(build, secrets.token_urlsafe(32), ready, host=host, port=port, usual=PORT, password=password, tls=tls)


def refuse_open_door(host: str, closed: bool) -> None:
    """Raise `UsageError` where others can reach the server and nothing (`closed`) keeps them out."""
    if host not in LOOPBACK and not closed:
        raise UsageError(
            f"host {host} can be reached by others: set a password with --password or EMC_PASSWORD, or give each a "
            "token with `emc members add NAME`"
        )


def serve_app(
    build: Callable[[Access], tuple[ASGIApp, Callable[[], object]]],
    token: str,
    ready: Callable[[str], object],
    *,
    host: str,
    port: int | None,
    usual: int,
    password: str,
    tls: tuple[Path, Path] | None = None,
) -> None:
    """Serve an application until Ctrl-C.

    build : makes it, once its address is known, with what ends its event streams. token : what opens it. usual : the
    port that is tried first where `port` is None. Raises what `serve` raises.
    """
    files = {} if tls is None else _certificate(*tls)
    with _listen(host, port, usual) as listener:
        number = int(listener.getsockname()[1])
        access = Access(token, host, number, password, tls is not None)
        app, ending = build(access)
        # No proxy's word is taken for where a request comes from: a guesser of passwords could name any address.
        config = uvicorn.Config(
            app, http=PatientProtocol, log_level="warning", access_log=False, server_header=False, ws="none",
            proxy_headers=False, timeout_graceful_shutdown=3, **files,
        )  # fmt: skip
        address = f"{'http' if tls is None else 'https'}://{_name(host)}:{number}/?token={access.token}"
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


def _certificate(certificate: Path, key: Path) -> dict[str, Any]:
    """Return uvicorn's settings for TLS; raises `UsageError` where the two files are not a certificate and its key."""
    for file in (certificate, key):
        if not file.is_file():
            raise UsageError(f"--tls: there is no file {file}: name a certificate and its key, both PEM files")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise UsageError(
            f"--tls: {certificate} and {key} are no certificate and its key ({said}): name two PEM files, the key "
            "without a passphrase"
        ) from error
    return {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}


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
