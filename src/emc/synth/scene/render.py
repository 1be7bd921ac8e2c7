"""Rendering: meshes to pixels, with a depth buffer that also answers who hides whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from emc.synth.body import MATERIALS, NODE, PARENTS, PROP_PART, TILE, BodyShape, Look, Mesh, Rig, skinned
from emc.synth.motion import Motion, Seat
from emc.synth.scene.camera import Camera
from emc.synth.scene.raster import Fragments, interpolated, rasterize
from emc.synth.scene.shading import Light, lit
from emc.synth.scene.staging import Scene

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
OVERSAMPLE = 2


@dataclass(frozen=True, eq=False)
class Actor:
    """One dressed person in motion.

    Parameters
    ----------
    body, look : BodyShape, Look
        Who it is.
    motion : Motion
        What they do.
    rig, mesh : Rig, Mesh
        Made by `emc.synth.body.figure.build_figure`.
    """

    body: BodyShape
    look: Look
    motion: Motion
    rig: Rig
    mesh: Mesh


@dataclass(frozen=True, eq=False)
class Layer:
    """The people of one frame before they are laid over the background.

    Parameters
    ----------
    colour : ndarray (h, w, 4)
        Colours already weighted by coverage, and coverage; uint8.
    corner : (int, int)
        Where the layer's top-left pixel lies in the picture, x and y.
    depth : ndarray (h * s, w * s)
        Distance of the nearest surface, metres, `OVERSAMPLE` = s times finer; infinite where none.
    part, person : ndarray (h * s, w * s)
        Body part and person of the nearest surface; person -1 is no person.
    """

    colour: Image
    corner: tuple[int, int]
    depth: NDArray[np.float32]
    part: NDArray[np.int16]
    person: NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class _Stage:
    """The triangles of one frame, all people and props together."""

    vertices: Array
    velocity: Array
    normals: Array
    uv: Array
    faces: NDArray[np.intp]
    material: NDArray[np.intp]
    part: NDArray[np.intp]
    person: NDArray[np.intp]


def draw_people(actors: Sequence[Actor], scene: Scene, frame: int) -> Layer | None:
    """Draw the people and props of one frame; None where nothing is in the picture.

    A frame with fast movement is drawn at several moments while the shutter is open; the depth,
    part and person maps are those of its middle.
    """
    stage = _gathered(actors, scene, frame)
    camera = scene.camera(frame)
    middle = _screen(camera, stage.vertices)
    window = _window(middle, scene.size)
    if window is None:
        return None
    moments = _moments(camera, stage, middle, scene.shutter)
    tiles = np.stack([actor.look.tiles for actor in actors])
    x0, y0, x1, y1 = window
    total = np.zeros((y1 - y0, x1 - x0, 4), np.float32 if len(moments) > 1 else np.uint8)
    maps: Layer | None = None
    for moment in moments:
        at = middle if moment == 0 else _screen(camera, stage.vertices + moment * stage.velocity)
        # The other moments are averaged away: only the middle one needs a fine grid.
        times = OVERSAMPLE if moment == 0 else 1
        wide, tall = (x1 - x0) * times, (y1 - y0) * times
        at = at.copy()
        at[:, :2] = (at[:, :2] - (x0, y0) + 0.5) * times - 0.5
        fragments = rasterize(at, stage.faces, wide, tall)
        shades = _shaded(stage, at, fragments, wide, tiles, camera, scene.light)
        fine = np.zeros((tall * wide, 4), np.uint8)
        fine[fragments.pixel] = shades
        small = fine.reshape(tall, wide, 4)
        if times > 1:
            small = cv2.resize(small, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
        total = small if len(moments) == 1 else total + small
        if moment == 0:
            maps = _maps(stage, fragments, (tall, wide), (x0, y0))
    if maps is None:
        return None
    colour = np.asarray(total / len(moments) if len(moments) > 1 else total).astype(np.uint8)
    return Layer(colour, maps.corner, maps.depth, maps.part, maps.person)


def _gathered(actors: Sequence[Actor], scene: Scene, frame: int) -> _Stage:
    """Skin every figure for the frame and put all triangles into one list."""
    parts: list[tuple[Array, Array, Array, Mesh, int]] = []
    for person, actor in enumerate(actors):
        posed = actor.motion.posed
        vertices, normals = skinned(actor.mesh, actor.rig, posed, frame)
        vertices += scene.offsets[person]
        velocity = np.zeros_like(vertices)
        if scene.shutter > 0 and len(actor.motion) > 1:
            other = frame + 1 if frame + 1 < len(actor.motion) else frame - 1
            ahead, _ = skinned(actor.mesh, actor.rig, posed, other)
            velocity = (ahead + scene.offsets[person] - vertices) * (other - frame)
        parts.append((vertices, velocity, normals, actor.mesh, person))
        if actor.motion.seat is not None:
            box = _seat_mesh(actor.motion.seat)
            place = box.vertices + scene.offsets[person]
            parts.append((place, np.zeros_like(place), box.normals, box, person))
    starts = np.cumsum([0] + [len(part[0]) for part in parts[:-1]])
    meshes = [part[3] for part in parts]
    return _Stage(
        vertices=np.concatenate([part[0] for part in parts]),
        velocity=np.concatenate([part[1] for part in parts]),
        normals=np.concatenate([part[2] for part in parts]),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        faces=np.concatenate([m.faces + s for m, s in zip(meshes, starts, strict=True)]),
        material=np.concatenate([mesh.material for mesh in meshes]),
        part=np.concatenate([mesh.part for mesh in meshes]),
        person=np.concatenate([np.full(len(part[3].faces), part[4]) for part in parts]),
    )


def _seat_mesh(seat: Seat) -> Mesh:
    """A box in world coordinates."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    squares = ((4, 6, 7, 5), (0, 1, 3, 2), (2, 3, 7, 6), (0, 4, 5, 1), (1, 5, 7, 3), (0, 2, 6, 4))
    axes = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    cosine, sine = np.cos(seat.yaw), np.sin(seat.yaw)
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    corners = signs[np.array(squares).ravel()] * np.array(seat.size) / 2
    quad = np.arange(24).reshape(6, 4)
    faces = np.concatenate([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    none = np.zeros(24, np.intp)
    return Mesh(
        vertices=corners @ turn.T + np.array(seat.centre),
        normals=np.repeat(axes, 4, axis=0) @ turn.T,
        uv=np.zeros((24, 2)),
        first=none,
        second=none,
        weight=np.zeros(24),
        faces=faces,
        material=np.full(12, 15, np.intp),
        part=np.full(12, PROP_PART, np.intp),
    )


def _screen(camera: Camera, vertices: Array) -> Array:
    """Vertices as x, y (pixels) and depth (metres)."""
    seen = camera.to_camera(vertices)
    depth = np.maximum(seen[:, 2:], 1e-3)
    xy = seen[:, :2] * (camera.K[0, 0] / depth) + camera.K[:2, 2]
    return np.concatenate([xy, seen[:, 2:]], axis=1)


def _window(screen: Array, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The part of the picture that the vertices reach, with room for movement; x0, y0, x1, y1."""
    ahead = screen[screen[:, 2] > 0.05]
    if len(ahead) == 0:
        return None
    low, high = ahead[:, :2].min(axis=0) - 12, ahead[:, :2].max(axis=0) + 12
    x0, y0 = (int(max(0, np.floor(v))) for v in low)
    x1, y1 = (int(min(s, np.ceil(v))) for s, v in zip(size, high, strict=True))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _moments(camera: Camera, stage: _Stage, middle: Array, shutter: float) -> tuple[float, ...]:
    """At which moments (frames, 0 = middle) to draw: more where the picture moves more."""
    speed = np.sqrt((stage.velocity**2).sum(axis=1)) * camera.K[0, 0]
    smear = shutter * float((speed / np.maximum(middle[:, 2], 0.3)).max())
    if smear < 2.0:
        return (0.0,)
    half = shutter / 2
    return (-half * 0.67, 0.0, half * 0.67) if smear < 8 else (-0.8 * half, -0.4 * half, 0.0, 0.4 * half, 0.8 * half)


def _shaded(
    stage: _Stage,
    screen: Array,
    fragments: Fragments,
    width: int,
    tiles: NDArray[np.float32],
    camera: Camera,
    light: Light,
) -> Image:
    """RGBA (N, 4) of the fragments."""
    values = np.concatenate([stage.normals, stage.uv], axis=1)
    smooth = interpolated(screen, stage.faces, values, fragments, width)
    normals = smooth[:, :3]
    normals /= np.sqrt(np.einsum("nk,nk->n", normals, normals) + 1e-9)[:, None]
    column, row = ((smooth[:, 3:] * TILE).astype(np.int32) & (TILE - 1)).T
    face = fragments.face
    tile = (stage.person * len(MATERIALS) + stage.material)[face]
    colour = tiles.reshape(-1, 3)[(tile * TILE + row) * TILE + column]
    facing = -(normals @ camera.R[2].astype(np.float32))
    shades = np.empty((len(face), 4), np.uint8)
    shades[:, :3] = np.clip(lit(colour, normals, facing, light) * 255, 0, 255)
    shades[:, 3] = 255
    return shades


def _maps(stage: _Stage, fragments: Fragments, shape: tuple[int, int], corner: tuple[int, int]) -> Layer:
    depth = np.full(shape[0] * shape[1], np.inf, np.float32)
    part = np.full(shape[0] * shape[1], -1, np.int16)
    person = np.full(shape[0] * shape[1], -1, np.int16)
    depth[fragments.pixel] = fragments.depth
    part[fragments.pixel] = stage.part[fragments.face]
    person[fragments.pixel] = np.where(stage.part[fragments.face] == PROP_PART, -1, stage.person[fragments.face])
    blank = np.zeros((0, 0, 4), np.uint8)
    return Layer(blank, corner, depth.reshape(shape), part.reshape(shape), person.reshape(shape))


def background(scene: Scene, frame: int) -> Image:
    """The background as the frame's camera sees it (H, W, 3)."""
    if len(scene.cameras) == 1:
        return scene.backdrop.copy()
    camera, canvas = scene.camera(frame), scene.canvas
    warp = canvas.K @ canvas.R @ camera.R.T @ np.linalg.inv(camera.K)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(scene.backdrop, warp, scene.size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.uint8)


def cast_shadows(image: Image, actors: Sequence[Actor], scene: Scene, frame: int) -> Image:
    """Darken the ground where people keep the lamp's light off it; changes and returns `image`."""
    camera, lamp = scene.camera(frame), scene.light.direction.astype(np.float64)
    mask = np.zeros(image.shape[:2], np.uint8)
    for actor, offset in zip(actors, scene.offsets, strict=True):
        nodes = actor.motion.posed.positions[frame] + offset
        tip = actor.motion.head_top[frame] + offset
        points = np.concatenate([nodes, tip[None]])
        ground = points - lamp * (points[:, 1:2] / lamp[1])
        depth = camera.to_camera(ground)[:, 2]
        spots = camera.project(ground)
        if depth.min() < 0.4 or np.abs(spots).max() > 4000:
            continue
        scale = camera.K[0, 0] * actor.body.height / depth
        for node, parent in [*enumerate(PARENTS), (len(nodes), NODE["head"])]:
            if parent < 0:
                continue
            wide = 0.13 if parent in (0, 1) and node in (1, 2) else 0.065
            ends = [tuple(int(v) for v in np.round(spots[k])) for k in (node, parent)]
            cv2.line(mask, ends[0], ends[1], 255, max(1, int(wide * scale[parent])))
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0:
        return image
    area = (slice(max(y - 8, 0), y + height + 8), slice(max(x - 8, 0), x + width + 8))
    soft = cv2.GaussianBlur(mask[area], (0, 0), 1.0 + 0.008 * max(image.shape[:2]))
    keep = 1 - np.float32(scene.light.shadow / 255) * soft.astype(np.float32)
    image[area] = (image[area] * keep[:, :, None]).astype(np.uint8)
    return image


def overlaid(image: Image, layer: Layer) -> Image:
    """Lay the people over the background; changes and returns `image`."""
    x, y = layer.corner
    height, width = layer.colour.shape[:2]
    below = image[y : y + height, x : x + width]
    clear = (255 - layer.colour[:, :, 3:]).astype(np.uint16)
    below[:] = layer.colour[:, :, :3] + ((below * clear + 127) // 255).astype(np.uint8)
    return image
