"""The project store: a folder ``NAME.emc`` with a database, and the user's media by path and hash.

Names are loaded when they are first used: the database library costs a second that most commands need not spend.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emc.store.alerts.columns import AlertColumns
    from emc.store.media import hash_media
    from emc.store.sql import SqlStore

_PLACES = {
    "AlertColumns": "emc.store.alerts.columns",
    "SqlStore": "emc.store.sql",
    "hash_media": "emc.store.media",
}
__all__ = ["AlertColumns", "SqlStore", "hash_media"]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
