"""Rendered clips with truth to run a study on, where a lab has none of its own."""

from __future__ import annotations

from pathlib import Path

from emc.config import Settings, read_settings
from emc.interfaces import Progress
from emc.pose.records import RENDERED_TAG
from emc.store import SqlStore
from emc.workflow.labels import import_labels
from emc.workflow.predict import predict_clips
from emc.workflow.project import add_clips, new_project, open_project, project_folder
from emc.workflow.samples import ClipRequest, render_files

REQUESTS = (("front_kick", 21), ("front_kick", 24), ("side_kick", 23))
SIZE = (512, 512)
MARGIN_SECONDS = 0.4
"""Of motion around the frames that are shown, which are centred on the kick."""


def rendered_study_clips(
    folder: Path, frames: int, training_frames: int, progress: Progress, size: tuple[int, int] = SIZE,
    settings: Settings | None = None,
) -> tuple[SqlStore, tuple[str, str, str]]:  # fmt: skip
    """Return a project of three rendered, predicted and labelled kicks, and their names, the training clip last.

    folder : where videos go, and beside it the project ``NAME.emc``; what is there already is used again. Persons are
    predicted in the boxes of the labels: the study is about joints, whatever the detector finds.
    """
    place = project_folder(folder)
    if place.exists():
        store = open_project(place)
        names = [clip.id for clip in store.clips()]
        return store, (names[0], names[1], names[2])
    lengths = (frames, frames, training_frames)
    orders = [
        ClipRequest(motion, seed, length, seconds=length / 30.0 + MARGIN_SECONDS, size=size, folder=str(folder))
        for (motion, seed), length in zip(REQUESTS, lengths, strict=True)
    ]
    files = render_files(orders, progress)
    store = new_project(folder)
    try:
        tags = {RENDERED_TAG[0]: RENDERED_TAG[1]}
        added = add_clips(store, [each.video for each in files], tags=tags).clips
        for clip, each in zip(added, files, strict=True):
            chosen = settings or read_settings(None)
            predict_clips(store, [clip], chosen, boxes_file=each.labels, progress=progress)
            import_labels(store, each.labels, clip.id)
    except BaseException:
        store.close()
        raise
    return store, (added[0].id, added[1].id, added[2].id)
