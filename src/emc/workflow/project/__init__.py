"""A project: its folder, its clips, its skeleton."""

from emc.workflow.project.clips import add_clips, clip_frames, image_names, parse_tags, selected_clips
from emc.workflow.project.folder import find_project, new_project, open_project, project_folder, status
from emc.workflow.project.models import keep_models, with_models
from emc.workflow.project.skeletons import (
    MappedEstimator,
    calibrated_skeleton,
    clip_skeleton,
    declared_skeleton,
    estimator_in,
    liftable,
    mirror_note,
    padded_pose,
    rendered_stand_in,
    same_joints,
    samples_in,
    scored_in,
    skeleton_called,
    trainable_in,
    with_joints,
)
from emc.workflow.project.web_clips import add_sources
from emc.workflow.project.wholeness import recover_project, verify_project

__all__ = [
    "MappedEstimator",
    "add_clips",
    "add_sources",
    "with_joints",
    "with_models",
    "calibrated_skeleton",
    "clip_frames",
    "clip_skeleton",
    "declared_skeleton",
    "estimator_in",
    "find_project",
    "image_names",
    "keep_models",
    "liftable",
    "mirror_note",
    "new_project",
    "open_project",
    "padded_pose",
    "parse_tags",
    "project_folder",
    "recover_project",
    "verify_project",
    "rendered_stand_in",
    "same_joints",
    "samples_in",
    "scored_in",
    "selected_clips",
    "skeleton_called",
    "status",
    "trainable_in",
]
