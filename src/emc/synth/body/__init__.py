"""Rendered people: rig, mesh, looks."""

from emc.synth.body.figure import build_figure
from emc.synth.body.look import MATERIALS, TILE, Look, sample_look
from emc.synth.body.mesh import PROP_PART, Mesh, skinned
from emc.synth.body.rig import (
    COCO_SOURCES,
    H36M_SOURCES,
    MARKER,
    NODE,
    NODES,
    PARENTS,
    Array,
    BodyShape,
    PosedRig,
    Rig,
    build_rig,
    pick,
    pose_rig,
    rotation,
    sample_body,
)

__all__ = [
    "Array",
    "BodyShape",
    "COCO_SOURCES",
    "H36M_SOURCES",
    "Look",
    "MARKER",
    "MATERIALS",
    "Mesh",
    "NODE",
    "NODES",
    "PARENTS",
    "PROP_PART",
    "PosedRig",
    "Rig",
    "TILE",
    "build_figure",
    "build_rig",
    "pick",
    "pose_rig",
    "rotation",
    "sample_body",
    "sample_look",
    "skinned",
]
