"""The project store: a folder ``NAME.emc`` with a database, and the user's media by path and hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emc.lazy import lazy_door

if TYPE_CHECKING:
    from emc.store.alerts.columns import AlertColumns as AlertColumns
    from emc.store.media import Comparison as Comparison
    from emc.store.media import MediaStatus as MediaStatus
    from emc.store.media import compare_media as compare_media
    from emc.store.media import hash_files as hash_files
    from emc.store.media import hash_media as hash_media
    from emc.store.media import is_folder as is_folder
    from emc.store.media import is_there as is_there
    from emc.store.media import read_files as read_files
    from emc.store.sql import SqlStore as SqlStore
else:
    __getattr__, __all__ = lazy_door(
        __name__,
        {
            "emc.store.alerts.columns": ["AlertColumns"],
            "emc.store.media": [
                "Comparison",
                "MediaStatus",
                "compare_media",
                "hash_files",
                "hash_media",
                "is_folder",
                "is_there",
                "read_files",
            ],
            "emc.store.sql": ["SqlStore"],
        },
    )
