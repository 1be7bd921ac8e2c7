"""Predictions in and out: what another program found becomes a run, and current poses become its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import emc.plugins as plugins
from emc.config import Settings
from emc.errors import InputError, UsageError
from emc.formats.poses.coco_results import image_id, result_frame
from emc.interfaces import Store
from emc.pose.label_frames import FrameRule
from emc.pose.records import Box, Clip, Prediction, Provenance
from emc.pose.skeletons import BODY25, COCO17, COCO18, Skeleton, skeleton_map
from emc.workflow.labels.landing import the_clip
from emc.workflow.labels.listed import listed_on
from emc.workflow.labels.runs import file_digest, found_alerts, newest_predictions, stored_run
from emc.workflow.media import checked_clips, clip_shots
from emc.workflow.people import refuse_unknown
from emc.workflow.project import clip_skeleton, declared_skeleton, image_names, padded_pose, same_joints, selected_clips


def holds_predictions(format: str) -> bool:
    """Return whether a format holds predictions; raises `PluginError` for an unknown one."""
    return getattr(plugins.load_plugin("formats", format), "holds", "") == "predictions"


def import_predictions(
    store: Store, file: Path, clip: str | None, format: str, settings: Settings, rule: FrameRule | None = None
) -> dict[str, Any]:
    """Store what another program predicted as a complete run of a clip, with its alerts.

    clip : default: the project's only one. Joints are turned into the project's skeleton where it declares one, else
    into that of the clip's run or corrections, if any. COCO results say their frame in a field ``frame``, or by the
    image ids of the label file that was imported into the clip, or (rule) by their image id itself. Persons that the
    program did not track are tracked here. The same file a second time is the same run. Raises `InputError` or
    `UsageError` that names the file and the remedy, before anything is written.
    """
    target = the_clip(store, clip)
    checked_clips(store, [target])
    reader = plugins.make_plugin("formats", format)
    names = image_names(target) if target.kind == "images" else ()
    found = reader.read(file, names) if format == "openpose" else reader.read(file, _place(store, target, rule))
    source: Skeleton = reader.skeleton_of(file) if format == "openpose" else COCO17
    predictions = [prediction for prediction, _ in found]
    _refuse_frames(file, target, predictions)
    if not (format == "openpose" and reader.tracked(file)):
        predictions = numbered(predictions, clip_shots(store, target))
    wanted = _wanted(store, target, source)
    mapping = skeleton_map(source, wanted)
    if len(mapping.absent) == len(wanted):
        raise UsageError(f"{file} has no joint of skeleton {wanted.name}: import it into a project of {source.name}")
    if not same_joints(source, wanted):
        predictions = [mapping.prediction(prediction) for prediction in predictions]
    run = stored_run(store, target, f"{format}-{file_digest(file)}", wanted, predictions, file)
    alerts = found_alerts(store, run, wanted, settings)
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
    store: Store, folder: Path, clips: Sequence[str], format: str, media: bool = True, people: Sequence[int] = ()
) -> dict[str, Any]:
    """Write the current poses of one clip as another program's predictions; of OpenPose BODY_25 (or COCO-18).

    A joint that a person placed or confirmed has score 1, others the confidence of the newest run. Joints that the
    clip's skeleton lacks and cannot derive are missing. media : False: also where the clip's media are missing or
    changed, which else is an `InputError`. people : only these persons. Raises `UsageError` for several clips, and
    where a person is not there.
    """
    chosen = selected_clips(store, clips)
    if len(chosen) != 1:
        raise UsageError(f"{folder} can hold one clip, {len(chosen)} were meant: name one with --clip")
    clip = store.clip(chosen[0].id)
    if media:
        checked_clips(store, [clip])
    refuse_unknown(store, [clip.id], people)
    source = clip_skeleton(store, clip.id)
    target = COCO17 if format == "coco-results" else source if source.name == COCO18.name else BODY25
    mapping = skeleton_map(source, target)
    rows = [
        mapping.prediction(one)
        for one in current_predictions(store, clip, len(source))
        if not people or one.person in people
    ]
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


def numbered(predictions: Sequence[Prediction], cuts: Container[int] = frozenset()) -> list[Prediction]:
    """Return the predictions with the numbers of a tracker over their boxes, so that a person keeps their own.

    cuts : frames that begin another shot; nobody keeps a number over them.
    """
    from dataclasses import replace

    from emc.stages.predict import tracked_by_shots
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
    for frame, boxes in tracked_by_shots(sorted(frames.items()), cuts, lambda shot: track(shot, certain)):
        for box in boxes:
            if held := waiting.get((frame, tuple(box.xywh))):
                rows.append(replace(held.pop(), person=box.track))
    return rows


def _place(store: Store, clip: Clip, rule: FrameRule | None) -> Callable[[str, dict[str, Any]], int]:
    """Return what says the frame of a COCO result."""
    known = listed_on(store, clip.id).images

    def place(where: str, raw: dict[str, Any]) -> int:
        if known and not (rule and rule.by) and "frame" not in raw and (image := image_id(where, raw)) in known:
            return known[image]
        return result_frame(where, raw, rule) - ((rule.first if rule else None) or 0)

    return place


def _refuse_frames(file: Path, clip: Clip, predictions: Sequence[Prediction]) -> None:
    numbers = [prediction.frame for prediction in predictions]
    outside = [frame for frame in (min(numbers, default=0), max(numbers, default=0)) if not 0 <= frame < clip.frames]
    if outside:
        raise InputError(
            f"{file} has frame {outside[0]}, clip {clip.id} has frames 0 to {clip.frames - 1}: import it into the clip "
            "that it was made of"
        )


def _wanted(store: Store, clip: Clip, source: Skeleton) -> Skeleton:
    own = declared_skeleton(store)
    if own is not None:
        return own
    used = store.runs(clip.id) or store.edits(clip.id)
    return clip_skeleton(store, clip.id) if used else source
