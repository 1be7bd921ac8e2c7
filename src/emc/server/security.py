"""Who may talk to the server: a token, and only pages that the server itself sent.

A page of another site can make a browser send requests to this machine. Three checks stop it: the ``Host`` must be
this server's own (a name that was made to point here is refused), the ``Origin`` of a page must be the server itself,
and every request must bring a token, as a cookie that other sites' requests do not carry.

The token that the server makes at its start is its owner's. A project with members (`emc members`) is opened by theirs
too, which prove a name and say what its owner may do; a password, which proves no name, then opens nothing.
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

from emc.server.members import Members

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

    host : what the server listens on. port : its port, 0 where any port in ``Host`` is right (tests). tls : whether it
    speaks TLS.
    """

    token: str
    host: str = "127.0.0.1"
    port: int = 0
    password: str = ""
    tls: bool = False

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
        if self.port and (port or (443 if self.tls else 80)) != self.port:
            return False
        if name in LOOPBACK or self.host in LOOPBACK:
            return name in LOOPBACK
        return _is_address(name) or name in {self.host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    def set_cookie(self, response: Response, token: str = "") -> None:
        """Let the browser bring a token (default: the server's own) from now on.

        Scripts cannot read it, other sites' requests lack it; where the server speaks TLS, it is sent over that alone.
        """
        response.set_cookie(
            self.cookie, token or self.token, httponly=True, samesite="strict", path="/", secure=self.tls
        )


class Guard:
    """ASGI middleware that refuses what `Access` does not allow, and adds protective headers to every answer.

    members : who else has a token. What a request has proved stands in its scope: ``emc_token``, the token that it came
    with ("" for none), and ``emc_member``, whose that is (None: the owner's).
    """

    def __init__(self, app: ASGIApp, access: Access, members: Members | None = None) -> None:
        self._app = app
        self._access = access
        self._members = members

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request and pass it on, or answer why not."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        fault = await self._refusal(scope)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        await (self._app if fault is None else fault)(scope, receive, guarded)

    async def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not allowed, None for one that is."""
        headers, safe = Headers(scope=scope), scope["method"] in _SAFE
        fault = foreign(self._access, scope)
        if fault is not None:
            return fault
        on_page = scope["path"] == "/" and safe
        given = [_bearer(headers), _cookie(headers, self._access.cookie), _query_token(scope) if on_page else ""]
        scope["emc_token"], scope["emc_member"] = "", None
        for token in filter(None, given):
            member = None if self._access.is_token(token) or self._members is None else await self._members.find(token)
            if member is not None or self._access.is_token(token):
                scope["emc_token"], scope["emc_member"] = token, member
                break
        if not safe and headers.get("origin") is None and not (given[0] and scope["emc_token"] == given[0]):
            return _refuse(
                403, "the request does not say which page it comes from: send Origin, or the token as a header"
            )
        if scope["emc_token"]:
            return None
        asks = bool(self._access.password) or (self._members is not None and await self._members.any())
        if asks and (on_page or scope["path"] == "/login"):
            return None
        return _refuse(401, "the token is missing or of an earlier start: open the address that `emc edit` printed")


def foreign(access: Access, scope: Scope) -> Response | None:
    """Return the answer to a request for another host, or from another site's page; None for one of this server's."""
    headers = Headers(scope=scope)
    host, origin = headers.get("host", ""), headers.get("origin")
    if not access.knows_host(host):
        return _refuse(421, "this server does not answer to that host name: open the address that `emc edit` printed")
    if origin is None:
        return None
    try:
        parts = urlsplit(origin)
        own = parts.netloc == host and (parts.scheme == "https" or not access.tls)
    except ValueError:
        # What cannot be parsed is no page of ours: an answer of its own kind would only tell a stranger apart.
        own = False
    return None if own else _refuse(403, "requests from pages of other sites are refused: use the editor's own page")


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
