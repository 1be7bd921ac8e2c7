"""Which frames of a clip are worked on, and their pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from emc.config import VideoSettings
from emc.errors import UsageError
from emc.interfaces import Store
from emc.pose.records import Clip
from emc.stages.sampling import sample_by_motion, sample_every, sample_fps, sample_uniform
from emc.workflow.media import open_clip


def wanted_frames(store: Store, clip: Clip, settings: VideoSettings) -> list[int]:
    """Return the frames that the settings ask for, ascending.

    Sampling by motion decodes the clip once; its result is kept in the project.
    """
    count = min(clip.frames, settings.max_frames) if settings.max_frames else clip.frames
    match settings.sample:
        case "every":
            return sample_every(count, settings.every)
        case "fps":
            if not clip.fps:
                raise UsageError(
                    f"clip {clip.id} has no rate, so it has no {settings.fps:g} frames per second: give it with "
                    f"`emc add {clip.path} --fps N`, or take every:N"
                )
            times = clip.times if clip.times is not None else np.arange(clip.frames) / clip.fps
            return sample_fps(times[:count], settings.fps)
        case "uniform":
            return sample_uniform(count, settings.count)
        case "motion":
            return motion_frames(store, clip, count, settings)


def motion_frames(store: Store, clip: Clip, count: int, settings: VideoSettings) -> list[int]:
    """Return frames sampled by motion, from the project where they were chosen before."""
    name = f"{clip.id}:{settings.count}:{count}" + (f":{clip.accepted}" if clip.accepted else "")
    stored = store.document("motion_frames", name)
    if stored is None:
        with open_clip(clip) as reader:
            stored = {"frames": sample_by_motion(reader.frames(first=0, last=count - 1, step=1), settings.count)}
        store.put_document("motion_frames", name, stored)
    return [int(frame) for frame in stored["frames"]]


def sampling_of(word: str | None) -> dict[str, Any]:
    """Turn ``every:3``, ``fps:5``, ``uniform:200`` or ``motion:200`` into video settings; None into none.

    Raises `UsageError` that names the word and what is allowed.
    """
    if word is None:
        return {}
    how, _, number = word.partition(":")
    field = {"every": "every", "fps": "fps", "uniform": "count", "motion": "count"}.get(how)
    try:
        value = float(number) if how == "fps" else int(number)
    except ValueError:
        field = None
        value = 0
    if field is None:
        raise UsageError(f"sampling '{word}' is unknown: write every:3, fps:5, uniform:200 or motion:200")
    return {"sample": how, field: value}
