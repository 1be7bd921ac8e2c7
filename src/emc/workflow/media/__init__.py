"""The media of clips: compared with what was added at every use, opened only where they are the same, linked again."""

from emc.workflow.media.check import check_clip, checked_clips, media_report, stored_names
from emc.workflow.media.opening import WatchedMedia, known_info, open_clip
from emc.workflow.media.relink import relink_clip, relink_folder
from emc.workflow.media.shots import clip_shots, keep_shots
from emc.workflow.media.sound import clip_sound, video_notes

__all__ = [
    "WatchedMedia",
    "check_clip",
    "checked_clips",
    "clip_shots",
    "clip_sound",
    "video_notes",
    "keep_shots",
    "known_info",
    "media_report",
    "open_clip",
    "relink_clip",
    "relink_folder",
    "stored_names",
]
