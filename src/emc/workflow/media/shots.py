"""Where the shots of a clip begin: found once, kept in the project."""

from __future__ import annotations

from collections.abc import Sequence

from emc.interfaces import Progress, Store
from emc.pose.records import Clip
from emc.pose.shots import first_frames
from emc.workflow.media.opening import open_clip

KIND = "shots"
"""Kind of the project's documents that hold them, named after the clip."""


def clip_shots(store: Store, clip: Clip, progress: Progress | None = None, look: bool = True) -> frozenset[int]:
    """Return the frames of a clip that begin another shot: nothing is carried on to them from the frame before.

    Of pictures without a rate every one does. Of a film that was not looked at before, all frames are decoded once;
    look : False: then no shots are known, nor of a clip without a hash, which has no media to look at. Raises what
    `open_clip` raises.
    """
    if clip.still:
        return frozenset(range(1, clip.frames))
    stored = store.document(KIND, clip.id)
    if stored is None or stored["media"] != clip.sha256:
        if not look or not clip.sha256:
            return frozenset()
        if progress is not None:
            progress.start(f"find cuts {clip.id}", None)
        with open_clip(clip) as media:
            cuts = list(first_frames(media.frames()))
        keep_shots(store, clip, cuts)
        if progress is not None:
            progress.finish()
        return frozenset(cuts)
    return frozenset(int(frame) for frame in stored["cuts"])


def keep_shots(store: Store, clip: Clip, cuts: Sequence[int]) -> None:
    """Note where the shots of a clip begin, found by looking at every frame."""
    store.put_document(KIND, clip.id, {"media": clip.sha256, "cuts": sorted(cuts)})
