"""Labelled persons cut out of their frames, and rendered ones."""

from emc.workflow.samples.cut import guessed_torso, uncut_samples
from emc.workflow.samples.eligible import is_labelled, label_visibility, labelled_poses
from emc.workflow.samples.extras import LabelExtra, extras_of, put_extras
from emc.workflow.samples.lspe import LSPE_SPLITS, head_segment, read_lspe_split
from emc.workflow.samples.rendered import (
    TARGET_MOTIONS,
    ClipFiles,
    ClipRequest,
    render_files,
    rendered_common,
    sparse_samples,
    window_start,
)
from emc.workflow.samples.samples import load_samples

__all__ = [
    "ClipFiles",
    "ClipRequest",
    "LabelExtra",
    "LSPE_SPLITS",
    "TARGET_MOTIONS",
    "extras_of",
    "guessed_torso",
    "head_segment",
    "label_visibility",
    "is_labelled",
    "labelled_poses",
    "load_samples",
    "put_extras",
    "read_lspe_split",
    "render_files",
    "rendered_common",
    "sparse_samples",
    "uncut_samples",
    "window_start",
]
