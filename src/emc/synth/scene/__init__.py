"""Scenes: camera, backdrop, light, rendering and exact labels."""

from emc.synth.scene.scene import RenderedFrame, make_clip

__all__ = ["RenderedFrame", "make_clip"]
