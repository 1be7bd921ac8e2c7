"""A project with one clip of a kick, for the tests of lifting and export."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emc.pose.geometry import bounding_box
from emc.pose.records import Clip, Edit, JointChange, Prediction, Provenance, Role, Visibility
from emc.store.sql import SqlStore
from emc.synth.body.rig import BodyShape
from emc.synth.motion.motions import generate_motion
from emc.synth.scene.camera import look_at

FRAMES, FPS, SIZE = 30, 30.0, (320, 240)
WRIST = 9


def seen(offset=(0.0, 0.0, 0.0)):
    """Return (T, 17, 2) pixels of a front kick."""
    motion = generate_motion("front_kick", FRAMES / FPS, FPS, BodyShape(height=1.7), np.random.default_rng(0))
    camera = look_at((1.5, 1.4, 4.5), (0.0, 0.9, 0.0), 320.0, SIZE)
    return camera.project(motion.coco[:FRAMES] + np.array(offset)).astype(np.float32)


def predictions(person, xy):
    """Return confident predictions of one person."""
    sure = np.full(17, 0.9, dtype=np.float32)
    return [Prediction(f, person, points, sure, sure, bounding_box(points)) for f, points in enumerate(xy)]


def kick_project(folder: Path, media: str = "/media/kick.mp4", persons: int = 1) -> SqlStore:
    """Return a store with a clip ``kick`` and a complete run; person 0's left wrist strays on frames 10 and 11."""
    store = SqlStore.create(folder)
    store.add_clip(Clip("kick", media, Role.TARGET, "ana", FRAMES, *SIZE, fps=FPS))
    run = store.start_run("kick", "nano", "coco17", {})
    for person in range(persons):
        xy = seen((0.9 * person, 0, 0))
        if person == 0:
            xy[10:12, WRIST] += (60, 30)
        store.write_predictions(run.id, predictions(person, xy), FRAMES)
    store.finish_run(run.id)
    return store


def correct_wrist(store: SqlStore) -> None:
    """Put the wrist back as a person would."""
    xy = seen()
    changes = tuple(
        JointChange(f, 0, WRIST, *(float(v) for v in xy[f, WRIST]), Visibility.VISIBLE, Provenance.HUMAN)
        for f in (10, 11)
    )
    store.append_edit(Edit("kick", "drag", changes, author="ana"))
