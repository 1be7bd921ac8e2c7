"""From corrected poses to labelled samples: which persons count as labelled, and their cut of the frame."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from emc.executors.local import ThreadExecutor
from emc.interfaces import Progress, Store
from emc.pose.records import Clip, Sample
from emc.workflow.media import checked_clips
from emc.workflow.samples.cut import Cuts, clip_cuts, cut_clip

MANY_PERSONS = 2000
"""From this many on, cut-out persons are kept in files: as many cuts of `CUT_LIMIT` pixels are 0.6 GB."""


def load_samples(store: Store, clips: Iterable[Clip], progress: Progress, cache: str = "auto") -> list[Sample]:
    """Return the labelled persons of several clips, in their order; clips are decoded side by side.

    cache : ``memory``, or ``disk``: their images are views of files in the project's folder (see `crop_cache`);
    ``auto``: of files from `MANY_PERSONS` on. Raises `InputError` where the media of a labelled clip are missing or are
    not what was added: labels would stand on other pictures.
    """
    from emc.workflow.samples.crop_cache import FOLDER, mapped_clip

    chosen = list(clips)
    asked = [clip_cuts(store, clip) for clip in chosen]
    checked_clips(store, [cuts.clip for cuts in asked if cuts.by_frame])
    persons = sum(len(poses) for cuts in asked for poses in cuts.by_frame.values())
    folder = store.folder / FOLDER if cache == "disk" or (cache == "auto" and persons >= MANY_PERSONS) else None

    def cut(cuts: Cuts) -> tuple[list[Sample], str]:
        return (cut_clip(cuts), "") if folder is None else mapped_clip(cuts, folder)

    samples: list[Sample] = []
    executor = ThreadExecutor()
    progress.start("cut out labelled persons", len(chosen))
    try:
        # The store was read above, in its own thread; workers see files alone.
        for found, note in executor.map(cut, asked):
            samples.extend(found)
            if note:
                progress.say(note)
            progress.advance(note=f"{len(samples)} persons")
    finally:
        executor.close()
    progress.finish()
    return samples


def count_by(samples: Sequence[Sample], key: str) -> dict[str, int]:
    """Return how many samples have each value of an attribute (``clip`` or ``group``)."""
    counts: dict[str, int] = defaultdict(int)
    for sample in samples:
        counts[getattr(sample, key)] += 1
    return dict(counts)
