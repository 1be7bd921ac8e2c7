"""The sound of clips for videos that are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from emc.pose.records import Clip
from emc.workflow.media.opening import known_info

if TYPE_CHECKING:
    from emc.stages.overlay import Sound


@contextmanager
def clip_sound(clip: Clip, first: int) -> Iterator[Sound | None]:
    """Yield the sound of a clip from its frame `first` on, None of pictures."""
    from emc.stages.overlay import Sound

    if clip.kind != "video":
        yield None
        return
    info = known_info(clip)
    start = 0.0 if info.pts is None else float(int(info.pts[first]) * info.time_base)
    with Sound(Path(clip.path), start) as sound:
        yield sound


def video_notes(clip: Clip, path: Path, sound: Sound | None) -> list[str]:
    """Return what to know of a video made of a clip: sound that it lacks, and a speed that nobody told."""
    notes = [sound.note] if sound is not None and sound.note else []
    if clip.still:
        notes.append(f"note: {path.name} shows one picture a second: clip {clip.id} has no rate")
    return notes
