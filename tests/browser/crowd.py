"""A second person beside the one of the rendered clip, and alerts as a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.browser.editor_page import CLIP

from emc.pose.records import Alert, FrameAlerts, Prediction, Role
from emc.workflow.project import open_project

SHIFT = (60.0, 10.0)
OTHER = "walk"


def crowd(
    project: Path,
    alerts: Sequence[Alert],
    gone: Sequence[tuple[int, int]] = (),
    astray: Mapping[tuple[int, int, int], tuple[float, float]] | None = None,
) -> None:
    """Predict persons 0 and 1 anew, sure of everything (0.98); `gone` (frame, person) is not seen there.

    astray : (frame, person, joint) -> where the model puts it instead.
    """
    with open_project(project) as store:
        before = store.current_run(CLIP)
        assert before is not None
        found = list(store.predictions(before.id))
        run = store.start_run(CLIP, "crowd", before.skeleton, {}).id
        both = [_sure(p, person, astray or {}) for p in found for person in (0, 1)]
        store.write_predictions(run, [p for p in both if (p.frame, p.person) not in gone])
        store.write_alerts(run, list(alerts), [FrameAlerts(p.frame, 1, 0) for p in found])
        store.finish_run(run)


def second_clip(project: Path, alerts: Sequence[Alert]) -> None:
    """Add a clip whose media are the first one's, with alerts of its own."""
    with open_project(project) as store:
        first = store.clip(CLIP)
        store.add_clip(replace(first, id=OTHER, role=Role.TARGET))
        before = store.current_run(CLIP)
        assert before is not None
        run = store.start_run(OTHER, "crowd", before.skeleton, {}).id
        store.write_predictions(run, list(store.predictions(before.id)))
        store.write_alerts(run, list(alerts), [FrameAlerts(frame, 1, 0) for frame in range(first.frames)])
        store.finish_run(run)


def _sure(p: Prediction, person: int, astray: Mapping[tuple[int, int, int], tuple[float, float]]) -> Prediction:
    xy = p.xy + person * np.array(SHIFT, np.float32)
    box = p.box + person * np.array([*SHIFT, 0, 0], np.float32)
    for joint in range(len(xy)):
        xy[joint] = astray.get((p.frame, person, joint), xy[joint])
    return Prediction(p.frame, person, xy, p.score, np.full(len(xy), 0.98, np.float32), box)
