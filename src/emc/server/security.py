"""Who may talk to the server: a token, and only pages that the server itself sent.

A page of another site can make a browser send requests to this machine. Three checks stop it: the ``Host`` must be
this server's own (a name that was made to point here is refused), the ``Origin`` of a page must be the server itself,
and every request must bring the token, as a cookie that other sites' requests do not carry.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE = frozenset({"GET", "HEAD"})
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Access:
    """What opens the server: its `token`, and on other hosts than loopback a `password` to be given for it.

    host : what the server listens on. port : its port, 0 where any port in ``Host`` is right (tests, proxies).
    """

    token: str
    host: str = "127.0.0.1"
    port: int = 0
    password: str = ""

    @property
    def cookie(self) -> str:
        """Name of the cookie: cookies do not know ports, so two servers on one host must not share a name."""
        return f"emc_{hashlib.sha256(self.token.encode()).hexdigest()[:12]}"

    @property
    def session_cookie(self) -> str:
        """Name of the cookie that says which participant of a study a browser belongs to."""
        return f"{self.cookie}_seat"

    def is_token(self, given: str) -> bool:
        """Return whether `given` is the token, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def is_password(self, given: str) -> bool:
        """Return whether `given` is the password; never where none was set."""
        return bool(self.password) and hmac.compare_digest(given.encode(), self.password.encode())

    def knows_host(self, header: str) -> bool:
        """Return whether a ``Host`` header names this server.

        On loopback: a loopback name and the port. Otherwise also any address in figures (only a name can be made to
        point elsewhere), the host given, and this machine's own names.
        """
        try:
            parts = urlsplit(f"//{header}")
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if self.port and (port or 80) != self.port:
            return False
        if name in LOOPBACK or self.host in LOOPBACK:
            return name in LOOPBACK
        return _is_address(name) or name in {self.host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    def set_cookie(self, response: Response) -> None:
        """Let the browser bring the token from now on; scripts cannot read it, other sites' requests lack it."""
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")


class Guard:
    """ASGI middleware that refuses what `Access` does not allow, and adds protective headers to every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request and pass it on, or answer why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        fault = refusal(self._access, scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        await (self._app if fault is None else fault)(scope, receive, guarded)


def refusal(access: Access, scope: Scope) -> Response | None:
    """Return the answer to a request that is not allowed, None for one that is."""
    headers = Headers(scope=scope)
    host, method = headers.get("host", ""), scope["method"]
    if not access.knows_host(host):
        return _refuse(421, "this server does not answer to that host name: open the address that `emc edit` printed")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return _refuse(403, "requests from pages of other sites are refused: use the editor's own page")
    by_header = access.is_token(_bearer(headers))
    if method not in _SAFE and origin is None and not by_header:
        return _refuse(403, "the request does not say which page it comes from: send Origin, or the token as a header")
    if by_header or access.is_token(_cookie(headers, access.cookie)):
        return None
    if scope["path"] == "/login" and access.password:
        return None
    if scope["path"] == "/" and method in _SAFE and (access.password or access.is_token(_query_token(scope))):
        return None
    return _refuse(401, "the token is missing or of an earlier start: open the address that `emc edit` printed")


def may_enter(access: Access, headers: Headers, given: str) -> bool:
    """Return whether the page itself may be shown: by the token in its address, or by what the request brings."""
    return (
        access.is_token(given) or access.is_token(_cookie(headers, access.cookie)) or access.is_token(_bearer(headers))
    )


def _refuse(status: int, reason: str) -> Response:
    return JSONResponse({"error": reason}, status_code=status)


def _bearer(headers: Headers) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _query_token(scope: Scope) -> str:
    return parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
