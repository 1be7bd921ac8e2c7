"""Predictions in and out: what another program found becomes a run, and current poses become its files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.errors import InputError, UsageError
from emc.interfaces import RunRecord, Store
from emc.pose.records import Box, Clip, Prediction, Provenance
from emc.pose.skeletons import BODY25, COCO17, COCO18, Skeleton, skeleton_map
from emc.workflow.labels.labels import newest_predictions, the_clip
from emc.workflow.media import checked_clips
from emc.workflow.project import clip_skeleton, declared_skeleton, image_names, padded_pose, same_joints, selected_clips

CHUNK = 256
"""Frames per durable write."""


def holds_predictions(format: str) -> bool:
    """Return whether a format holds predictions; raises `PluginError` for an unknown one."""
    return getattr(plugins.load_plugin("formats", format), "holds", "") == "predictions"


def import_predictions(store: Store, file: Path, clip: str | None, format: str, settings: Settings) -> dict[str, Any]:
    """Store what another program predicted as a complete run of a clip, with its alerts.

    clip : default: the project's only one. Joints are turned into the project's skeleton where it declares one, else
    into that of the clip's run or corrections, if any. Persons that the program did not track are tracked here. The
    same file a second time is the same run. Raises `InputError` or `UsageError` that names the file and the remedy,
    before anything is written.
    """
    target = the_clip(store, clip)
    checked_clips(store, [target])
    reader = plugins.make_plugin("formats", format)
    names = image_names(target) if target.kind == "images" else ()
    found = reader.read(file, names) if format == "openpose" else reader.read(file)
    source: Skeleton = reader.skeleton_of(file) if format == "openpose" else COCO17
    predictions = [prediction for prediction, _ in found]
    _refuse_frames(file, target, predictions)
    if not (format == "openpose" and reader.tracked(file)):
        predictions = numbered(predictions)
    wanted = _wanted(store, target, source)
    mapping = skeleton_map(source, wanted)
    if len(mapping.absent) == len(wanted):
        raise UsageError(f"{file} has no joint of skeleton {wanted.name}: import it into a project of {source.name}")
    if not same_joints(source, wanted):
        predictions = [mapping.prediction(prediction) for prediction in predictions]
    run = _stored(store, target, f"{format}-{_digest(file)}", wanted, predictions, file)
    alerts = _found_alerts(store, run, target, wanted, settings)
    return {
        "clip": target.id,
        "run": run.id,
        "model": run.model,
        "skeleton": wanted.name,
        "frames": len({p.frame for p in predictions}),
        "persons": len({p.person for p in predictions}),
        "alerts": alerts,
        "said": "" if same_joints(source, wanted) else mapping.say(),
    }


def export_predictions(
    store: Store, folder: Path, clips: Sequence[str], format: str, media: bool = True
) -> dict[str, Any]:
    """Write the current poses of one clip as another program's predictions; of OpenPose BODY_25 (or COCO-18).

    A joint that a person placed or confirmed has score 1, others the confidence of the newest run. Joints that the
    clip's skeleton lacks and cannot derive are missing. media : False: also where the clip's media are missing or
    changed, which else is an `InputError`. Raises `UsageError` for several clips.
    """
    chosen = selected_clips(store, clips)
    if len(chosen) != 1:
        raise UsageError(f"{folder} can hold one clip, {len(chosen)} were meant: name one with --clip")
    clip = store.clip(chosen[0].id)
    if media:
        checked_clips(store, [clip])
    source = clip_skeleton(store, clip.id)
    target = COCO17 if format == "coco-results" else source if source.name == COCO18.name else BODY25
    mapping = skeleton_map(source, target)
    rows = [mapping.prediction(one) for one in current_predictions(store, clip, len(source))]
    scored = [(one, float(one.score[one.score > 0].mean())) for one in rows if (one.score > 0).any()]
    writer = plugins.make_plugin("formats", format)
    if format == "openpose":
        writer.write(folder, scored, frames=clip.frames)
    else:
        writer.write(folder, scored)
    return {"file": str(folder), "clips": [clip.id], "persons": len(scored), "said": mapping.say()}


def current_predictions(store: Store, clip: Clip, joints: int) -> list[Prediction]:
    """Return a clip's poses with their confidences, as predictions of `joints` joints."""
    known = {(p.frame, p.person): p for p in newest_predictions(store, clip)}
    rows: list[Prediction] = []
    for pose in (padded_pose(pose, joints) for pose in store.poses(clip.id)):
        found = known.get((pose.frame, pose.person))
        own = np.zeros(joints) if found is None else np.pad(found.confidence, (0, joints - len(found.confidence)))
        placed = np.isfinite(pose.xy).all(axis=1) & (pose.visibility > 0)
        sure = np.where(placed, np.where(pose.provenance >= Provenance.HUMAN, 1.0, own), 0.0).astype(np.float32)
        xy = np.where(placed[:, None], pose.xy, np.nan).astype(np.float32)
        box = np.zeros(4, np.float32) if pose.box is None else np.asarray(pose.box, np.float32)
        rows.append(Prediction(pose.frame, pose.person, xy, sure, sure, box))
    return rows


def numbered(predictions: Sequence[Prediction]) -> list[Prediction]:
    """Return the predictions with the numbers of a tracker over their boxes, so that a person keeps their own."""
    from dataclasses import replace

    from emc.stages.track import TrackSettings, track

    waiting: dict[tuple[int, tuple[float, ...]], list[Prediction]] = defaultdict(list)
    frames: dict[int, list[Box]] = defaultdict(list)
    for one in predictions:
        x, y, w, h = (float(v) for v in one.box)
        box = (x, y, max(w, 1.0), max(h, 1.0))
        waiting[one.frame, box].append(one)
        frames[one.frame].append(Box(one.frame, box))
    # Whoever wrote the file was sure of the persons: none is dropped, and none made up.
    certain = TrackSettings(start_score=0.0, sure_score=0.0, min_hits=1, reunite=False)
    rows: list[Prediction] = []
    for frame, boxes in track(sorted(frames.items()), certain):
        for box in boxes:
            if held := waiting.get((frame, tuple(box.xywh))):
                rows.append(replace(held.pop(), person=box.track))
    return rows


def _refuse_frames(file: Path, clip: Clip, predictions: Sequence[Prediction]) -> None:
    last = max((prediction.frame for prediction in predictions), default=0)
    if last >= clip.frames:
        raise InputError(
            f"{file} has frame {last}, clip {clip.id} has frames 0 to {clip.frames - 1}: import it into the clip that "
            "it was made of"
        )


def _wanted(store: Store, clip: Clip, source: Skeleton) -> Skeleton:
    own = declared_skeleton(store)
    if own is not None:
        return own
    used = store.runs(clip.id) or store.edits(clip.id)
    return clip_skeleton(store, clip.id) if used else source


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _stored(
    store: Store, clip: Clip, model: str, skeleton: Skeleton, predictions: Sequence[Prediction], file: Path
) -> RunRecord:
    settings = {"imported": str(file)}
    same = [run for run in store.runs(clip.id) if run.model == model and run.complete and run.skeleton == skeleton.name]
    if same:
        return same[-1]
    run = store.start_run(clip.id, model, skeleton.name, settings)
    by_frame: dict[int, list[Prediction]] = defaultdict(list)
    for one in predictions:
        by_frame[one.frame].append(one)
    for first in range(0, clip.frames, CHUNK):
        frames = range(first, min(first + CHUNK, clip.frames))
        store.write_predictions(run.id, [one for f in frames for one in by_frame.get(f, ())], upto=frames[-1] + 1)
    store.finish_run(run.id)
    return run


def _found_alerts(store: Store, run: RunRecord, clip: Clip, skeleton: Skeleton, settings: Settings) -> int:
    from emc.stages.alerts import find_alerts

    alerts, frames = find_alerts(clip.id, store.predictions(run.id), settings.alerts, skeleton)
    store.write_alerts(run.id, alerts, frames)
    return len(alerts)
