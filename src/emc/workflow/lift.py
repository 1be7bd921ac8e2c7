"""poses -> 3D, for the clips of a project."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc import plugins
from emc.config import Settings
from emc.interfaces import Lifter, Progress, Store
from emc.pose.records import Clip
from emc.pose.sequences import LiftedSequence
from emc.stages.lift import lift_clip, smooth
from emc.workflow.alerts import newest_run
from emc.workflow.clips import selected_clips
from emc.workflow.files import write_bytes
from emc.workflow.progress import Silent


def lift_project(
    store: Store, settings: Settings, clips: Sequence[str] = (), progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Lift the current poses of clips and keep them as ``lifted/<clip>.npz`` in the project.

    The file holds, for each person p, ``p_frames`` (T,), ``p_xyz`` (T, 17, 3) metres (Human3.6M-17, camera axes: x
    right, y down, z forward; pelvis at the origin) and ``p_confidence`` (T,).
    """
    progress = progress or Silent()
    lifter: Lifter = plugins.make_plugin("lifters", settings.lift.lifter)
    chosen = selected_clips(store, clips)
    rows: list[dict[str, Any]] = []
    progress.start("lift", len(chosen))
    for clip in chosen:
        sequences = lift_poses(store, clip, lifter)
        path = store.folder / "lifted" / f"{clip.id}.npz"
        write_bytes(path, packed(sequences))
        frames = sum(len(sequence) for sequence in sequences.values())
        row = {"clip": clip.id, "persons": len(sequences), "frames": frames, "file": str(path)}
        store.put_document("lifted", clip.id, row | {"lifter": settings.lift.lifter})
        rows.append(row)
        progress.advance(note=clip.id)
    progress.finish()
    return rows


def lift_poses(store: Store, clip: Clip, lifter: Lifter) -> dict[int, LiftedSequence]:
    """Return a clip's persons in 3D, from its newest predictions with all corrections, lightly smoothed."""
    newest_run(store, clip.id)
    lifted = lift_clip(store.poses(clip.id), lifter, (clip.width, clip.height))
    return {person: smooth(sequence) for person, sequence in lifted.items()}


def lift_run(store: Store, clip: Clip, run: str, lifter: Lifter) -> dict[int, LiftedSequence]:
    """Return a clip's persons in 3D from one run's raw predictions, to compare models before any correction."""
    lifted = lift_clip(store.predictions(run), lifter, (clip.width, clip.height))
    return {person: smooth(sequence) for person, sequence in lifted.items()}


def packed(sequences: dict[int, LiftedSequence]) -> bytes:
    """Return the bytes of an ``.npz`` with the sequences of all persons."""
    arrays: dict[str, np.ndarray] = {}
    for person, sequence in sequences.items():
        arrays[f"{person}_frames"] = sequence.frames
        arrays[f"{person}_xyz"] = sequence.xyz
        arrays[f"{person}_confidence"] = sequence.confidence
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def unpacked(path: Path) -> dict[int, LiftedSequence]:
    """Return the sequences of a file that `packed` wrote."""
    with np.load(path) as arrays:
        persons = sorted({int(key.partition("_")[0]) for key in arrays.files})
        return {
            p: LiftedSequence(p, arrays[f"{p}_frames"], arrays[f"{p}_xyz"], arrays[f"{p}_confidence"]) for p in persons
        }
