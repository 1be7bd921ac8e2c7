"""Who may work on a project: a name, a role, and a token that proves both. Only the token's digest is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from emc.errors import UsageError
from emc.store import SqlStore

KIND = "member"
"""Kind of the project's documents, by name, that say who is a member."""
NAME_LENGTH = 60


class Role(StrEnum):
    """What a member may do; each may do what those before may.

    annotator : correct poses. reviewer : also say that a run is checked, or send it back. owner : also calibrate.
    """

    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    OWNER = "owner"

    def may(self, needed: Role) -> bool:
        """Return whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Member:
    """One who works on the project. digest : of the token. revoked : when (ISO 8601, UTC), "" for one who may enter."""

    name: str
    role: Role
    digest: str
    created: str
    revoked: str = ""


def token_digest(token: str) -> str:
    """Return what is stored of a token. Tokens are 32 random bytes: no salt and no slow hash make them safer."""
    return hashlib.sha256(token.encode()).hexdigest()


def add_member(store: SqlStore, name: str, role: Role = Role.ANNOTATOR) -> str:
    """Make somebody a member and return their token, which is shown this once.

    Somebody who is one already gets a new token, and the old one opens nothing any more. Raises `UsageError` for a name
    that cannot be shown.
    """
    if not name or name != name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise UsageError(f"'{name}' cannot be a member's name: use 1 to {NAME_LENGTH} printable characters")
    token = secrets.token_urlsafe(32)
    store.put_document(KIND, name, {"role": str(role), "digest": token_digest(token), "created": _now(), "revoked": ""})
    return token


def revoke_member(store: SqlStore, name: str) -> Member:
    """Let a member's token open nothing from now on; their edits keep their name. Raises `UsageError` for no member."""
    found = store.document(KIND, name)
    if found is None:
        raise UsageError(f"'{name}' is no member of {store.folder.name}: see `emc members`")
    store.put_document(KIND, name, {**found, "revoked": found.get("revoked") or _now()})
    return _member(name, {**found, "revoked": _now()})


def members_of(store: SqlStore) -> list[Member]:
    """Return the members, those who were revoked too, the oldest first."""
    found = ((name, store.document(KIND, name)) for name in store.documents(KIND))
    return [_member(name, document) for name, document in found if document is not None]


def _member(name: str, document: dict[str, Any]) -> Member:
    try:
        role = Role(str(document.get("role")))
    except ValueError:
        # Of a newer version, or written by hand: the least that a member may do.
        role = Role.ANNOTATOR
    digest, created, revoked = (str(document.get(key) or "") for key in ("digest", "created", "revoked"))
    return Member(name, role, digest, created, revoked)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
