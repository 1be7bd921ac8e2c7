"""Labels: where the joints of a person are in a picture, and which of them can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emc.synth.body import COCO_SOURCES, NODE, PROP_PART
from emc.synth.scene.render import OVERSAMPLE, Actor, Layer
from emc.synth.scene.staging import Scene

Array = NDArray[np.float64]

# How deep under the nearest surface of its own part a joint may lie and still count as seen, in
# metres for an average body, and the parts that are its own.
_SKIN_DEPTH: dict[str, tuple[float, tuple[str, ...]]] = {
    "nose": (0.035, ("head",)),
    "eye": (0.035, ("head",)),
    "ear": (0.060, ("head",)),
    "shoulder": (0.120, ("clavicle", "shoulder", "spine")),
    "elbow": (0.080, ("shoulder", "elbow")),
    "wrist": (0.060, ("elbow", "wrist")),
    "hip": (0.170, ("pelvis", "hip", "spine")),
    "knee": (0.100, ("hip", "knee")),
    "ankle": (0.085, ("knee", "ankle")),
}


@dataclass(frozen=True, eq=False)
class PersonLabels:
    """Exact labels of one person in one frame.

    Parameters
    ----------
    xy : ndarray (17, 2)
        COCO joints, pixels, centre of the top-left pixel = (0, 0); float32. A joint outside the
        picture keeps its coordinates.
    visibility : ndarray (17,)
        2 seen, 1 inside the picture but hidden, 0 outside the picture; uint8.
    box : ndarray (4,)
        Tight box around the person's pixels: x, y, width, height; a box around the whole picture
        begins at (-0.5, -0.5).
    area : float
        Area of the person's visible pixels.
    neck_xy, head_top_xy : ndarray (2,)
        Ends of the head segment, pixels.
    coco3d, h36m3d : ndarray (17, 3)
        Joints in the world, metres, y up.
    """

    xy: NDArray[np.float32]
    visibility: NDArray[np.uint8]
    box: NDArray[np.float32]
    area: float
    neck_xy: NDArray[np.float32]
    head_top_xy: NDArray[np.float32]
    coco3d: Array
    h36m3d: Array


def label_person(actor: Actor, scene: Scene, frame: int, layer: Layer, person: int) -> PersonLabels | None:
    """The labels of one person, or None where none of the joints can be seen."""
    rows, columns = np.nonzero(layer.person == person)
    if len(rows) == 0:
        return None
    camera, offset = scene.camera(frame), scene.offsets[person]
    coco = actor.motion.coco[frame] + offset
    xy = camera.project(coco)
    low = np.array([columns.min(), rows.min()]) / OVERSAMPLE
    high = (np.array([columns.max(), rows.max()]) + 1) / OVERSAMPLE
    box = np.concatenate([low + layer.corner - 0.5, high - low])
    visibility = _visibility(actor, scene, layer, person, xy, camera.to_camera(coco)[:, 2])
    if not (visibility == 2).any():
        return None
    ends = np.stack([actor.motion.neck[frame], actor.motion.head_top[frame]]) + offset
    neck_xy, head_top_xy = camera.project(ends).astype(np.float32)
    return PersonLabels(
        xy=xy.astype(np.float32),
        visibility=visibility,
        box=box.astype(np.float32),
        area=len(rows) / OVERSAMPLE**2,
        neck_xy=neck_xy,
        head_top_xy=head_top_xy,
        coco3d=coco,
        h36m3d=actor.motion.h36m[frame] + offset,
    )


def _visibility(actor: Actor, scene: Scene, layer: Layer, person: int, xy: Array, depth: Array) -> NDArray[np.uint8]:
    width, height = scene.size
    flags = np.zeros(len(COCO_SOURCES), np.uint8)
    loose = (actor.look.width + actor.look.flare) * actor.body.height
    scale = actor.body.height / 1.75 * max(actor.body.girth, actor.body.limbs, 1.0)
    for joint, name in enumerate(COCO_SOURCES):
        x, y = xy[joint]
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5) or depth[joint] <= 0:
            continue
        kind = name.rsplit("_", 1)[-1]
        reach, parts = _SKIN_DEPTH[kind]
        own = [NODE[part] for part in _own_nodes(name, parts)]
        cloth = 0.0 if kind in ("nose", "eye", "ear") else loose
        limit = reach * scale + cloth
        flags[joint] = 2 if _seen(layer, person, (x, y), depth[joint], limit, own) else 1
    return flags


def _own_nodes(name: str, parts: tuple[str, ...]) -> list[str]:
    side = name[:2] if name[:2] in ("l_", "r_") else ""
    return [part if part in NODE else side + part for part in parts]


def _seen(layer: Layer, person: int, xy: tuple[float, float], depth: float, limit: float, own: list[int]) -> bool:
    """Whether, near the joint's pixel, nothing lies in front of it but its own part."""
    column = round((xy[0] - layer.corner[0] + 0.5) * OVERSAMPLE - 0.5)
    row = round((xy[1] - layer.corner[1] + 0.5) * OVERSAMPLE - 0.5)
    area = (slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2))
    near = layer.depth[area] if row >= -1 and column >= -1 else layer.depth[:0]
    covered = np.isfinite(near)
    if not covered.any():
        return True
    parts, people = layer.part[area][covered], layer.person[area][covered]
    mine = (people == person) & np.isin(parts, own) & (parts != PROP_PART)
    in_front = depth - near[covered]
    return bool(((mine & (in_front <= limit)) | (in_front < -0.02)).any())
