"""Connections that begin a request and do not end it are closed: a stranger must not hold them open for nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""From the connection, or the first byte of a further request, to the end of the request's head."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, but a request's head must be there within `HEAD_SECONDS`."""

    head_seconds = HEAD_SECONDS
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest where a head is not whole yet."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing further."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        # Not begun again with each byte: one byte a second would hold the connection as well.
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.head_seconds, self._close)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _close(self) -> None:
        self._waiting = None
        if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
            self.transport.close()
