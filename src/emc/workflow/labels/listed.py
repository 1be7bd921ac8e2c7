"""What label files list beside labelled persons: their images, and who is on them without labels.

Kept with the edit that brought it in: when that is taken back, nothing of it counts any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emc.interfaces import Store
from emc.pose.journal import undone_edits
from emc.pose.labels import LabelledPerson
from emc.pose.records import Ignored
from emc.workflow.labels.landing import Landed

KIND = "label_files"


@dataclass(frozen=True, slots=True)
class Listed:
    """What the standing imports of a clip list: image id -> frame of the newest file, all frames, who is ignored."""

    images: Mapping[int, int]
    frames: frozenset[int]
    ignored: tuple[Ignored, ...]


def keep_listed(store: Store, part: Landed, edit: int, ignored: Sequence[LabelledPerson], file: Path) -> None:
    """Keep what a file lists on a clip, by the edit that its labels became."""
    document = store.document(KIND, part.clip.id) or {"files": []}
    rows = [
        [part.frames[p.image], list(p.box), None if np.isnan(p.area) else p.area, int(p.iscrowd)]
        for p in ignored
        if p.box is not None
    ]
    images = sorted(part.frames.items())
    document["files"].append({"edit": edit, "file": str(file), "images": images, "ignored": rows})
    store.put_document(KIND, part.clip.id, document)


def listed_on(store: Store, clip: str) -> Listed:
    """Return what the imports that stand list on a clip."""
    document: dict[str, Any] = store.document(KIND, clip) or {"files": []}
    gone = undone_edits([(edit.id, edit.undoes) for edit in store.edits(clip)]) if document["files"] else set[int]()
    standing = [row for row in document["files"] if row["edit"] not in gone]
    images = {int(id): int(frame) for id, frame in standing[-1]["images"]} if standing else {}
    frames = frozenset(int(frame) for row in standing for _, frame in row["images"])
    # A later file replaces the persons of its images.
    said: dict[int, list[Ignored]] = {}
    for row in standing:
        said.update({int(frame): [] for _, frame in row["images"]})
        for frame, box, area, crowd in row["ignored"]:
            x, y, w, h = (float(value) for value in box)
            one = Ignored(clip, int(frame), (x, y, w, h), float("nan") if area is None else float(area), bool(crowd))
            said[int(frame)].append(one)
    return Listed(images, frames, tuple(one for rows in said.values() for one in rows))
