"""Poses drawn over frames, alone and beside a 3D view."""

from emc.stages.overlay.drawing import draw_overlay, write_video
from emc.stages.overlay.side_by_side import draw_scene, floor_extent, join_side_by_side, view_camera
from emc.stages.overlay.sound import Sound

__all__ = ["Sound", "join_side_by_side", "draw_overlay", "draw_scene", "floor_extent", "view_camera", "write_video"]
