"""Triangle meshes bound to the rig: the shapes that figures are put together from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emc.synth.body.rig import NODE, Array, PosedRig, Rig

HAIR_PART = 18
PROP_PART = 19
Binding = tuple[NDArray[np.intp], NDArray[np.intp], Array]


@dataclass(frozen=True)
class Mesh:
    """Vertices at rest, each bound to two nodes, and the triangles between them.

    Parameters
    ----------
    vertices, normals : ndarray (V, 3)
        Rest position (metres) and outward unit normal.
    uv : ndarray (V, 2)
        Texture coordinates; 1 is one tile. u runs around a shape (0.25 = front), v along it.
    first, second : ndarray (V,)
        The two nodes that carry a vertex.
    weight : ndarray (V,)
        Share of the second node, 0 to 1.
    faces : ndarray (F, 3)
        Vertex indices.
    material, part : ndarray (F,)
        Texture tile and body part (node index, `HAIR_PART` or `PROP_PART`) of every face.
    """

    vertices: Array
    normals: Array
    uv: Array
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    weight: Array
    faces: NDArray[np.intp]
    material: NDArray[np.intp]
    part: NDArray[np.intp]


def joined(pieces: Sequence[Mesh]) -> Mesh:
    """One mesh from several."""
    starts = np.cumsum([0] + [len(piece.vertices) for piece in pieces[:-1]])
    return Mesh(
        vertices=np.concatenate([p.vertices for p in pieces]),
        normals=np.concatenate([p.normals for p in pieces]),
        uv=np.concatenate([p.uv for p in pieces]),
        first=np.concatenate([p.first for p in pieces]),
        second=np.concatenate([p.second for p in pieces]),
        weight=np.concatenate([p.weight for p in pieces]),
        faces=np.concatenate([p.faces + s for p, s in zip(pieces, starts, strict=True)]),
        material=np.concatenate([p.material for p in pieces]),
        part=np.concatenate([p.part for p in pieces]),
    )


def skinned(mesh: Mesh, rig: Rig, posed: PosedRig, frame: int) -> tuple[Array, Array]:
    """World positions and normals (V, 3) of a mesh in one frame (linear blend skinning)."""
    turn = posed.rotations[frame]
    shift = posed.positions[frame] - np.einsum("nij,nj->ni", turn, rig.rest)
    affine = np.concatenate([turn, shift[:, :, None]], axis=2)
    blend = affine[mesh.first]
    mixed = np.flatnonzero(mesh.weight > 0)
    share = mesh.weight[mixed, None, None]
    blend[mixed] += share * (affine[mesh.second[mixed]] - blend[mixed])
    vertices = np.einsum("vij,vj->vi", blend[:, :, :3], mesh.vertices) + blend[:, :, 3]
    return vertices, np.einsum("vij,vj->vi", blend[:, :, :3], mesh.normals)


def rigid(node: str, count: int) -> Binding:
    """Bind `count` vertices to one node."""
    index = np.full(count, NODE[node], np.intp)
    return index, index, np.zeros(count)


def chain(nodes: Sequence[str], positions: Array, joints: Sequence[float], soft: float) -> Binding:
    """Bind along a chain of nodes: node k takes over from node k - 1 at `joints[k - 1]`.

    Parameters
    ----------
    nodes : sequence of str
        Node names, in order of rising position.
    positions : ndarray (N,)
        Position of every vertex along the chain, metres.
    joints : sequence of float
        Where one node hands over to the next, metres, rising.
    soft : float
        Half width of the zone in which two nodes share a vertex, metres.
    """
    stage = np.zeros(len(positions))
    for joint in joints:
        ramp = np.clip((positions - joint + soft) / (2 * soft), 0.0, 1.0)
        stage += ramp * ramp * (3 - 2 * ramp)
    low = np.minimum(stage.astype(np.intp), len(nodes) - 1)
    high = np.minimum(low + 1, len(nodes) - 1)
    index = np.array([NODE[name] for name in nodes], np.intp)
    return index[low], index[high], stage - low


def grid_points(rings: Array, segments: int, box: float = 1.0) -> Array:
    """Points (R, segments + 1, 3) on rings ``(x, y, z, radius x, radius z)``; first = last column.

    `box` < 1 makes the rings squarer. Column 0 is at +x, a quarter of the way round is +z (front).
    """
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    cosine, sine = np.cos(angle), np.sin(angle)
    if box != 1.0:
        cosine = np.sign(cosine) * np.abs(cosine) ** box
        sine = np.sign(sine) * np.abs(sine) ** box
    x = rings[:, 0, None] + rings[:, 3, None] * cosine
    z = rings[:, 2, None] + rings[:, 4, None] * sine
    y = np.broadcast_to(rings[:, 1, None], x.shape)
    return np.stack([x, y, z], axis=-1)


def grid_mesh(
    points: Array,
    binding: Binding,
    material: int | Sequence[int],
    part: int | None = None,
    tiles: tuple[float, float] = (1.0, 1.0),
    keep: NDArray[np.bool_] | None = None,
) -> Mesh:
    """A closed-around grid of points as a mesh.

    Parameters
    ----------
    points : ndarray (R, S + 1, 3)
        Rings of points; the last column repeats the first.
    binding : tuple of ndarray
        First node, second node, share of the second, each (R * (S + 1),).
    material : int or sequence of int
        Texture tile of the whole grid, or of every band between two rings (R - 1).
    part : int, optional
        Body part; by default the heavier node of each face.
    tiles : (float, float)
        How often the texture repeats around and along.
    keep : ndarray (R - 1, S), optional
        Which quads to keep.
    """
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    normals, outward = _grid_normals(points)
    quads = np.stack([a, b, c, b, d, c], -1) if outward else np.stack([a, c, b, b, c, d], -1)
    bands = np.broadcast_to(np.atleast_1d(material), (rows - 1,))
    painted = np.broadcast_to(bands[:, None], (rows - 1, columns - 1))
    if keep is not None:
        quads, painted = quads[keep], painted[keep]
    faces = quads.reshape(-1, 3)
    first, second, weight = binding
    if part is None:
        heavier = np.where(weight > 0.5, second, first)
        parts = heavier[faces[:, 0]]
    else:
        parts = np.full(len(faces), part, np.intp)
    across = np.linspace(0, tiles[0], columns)
    along = np.linspace(0, tiles[1], rows)
    uv = np.stack(np.broadcast_arrays(across[None, :], along[:, None]), -1).reshape(-1, 2)
    return Mesh(
        vertices=points.reshape(-1, 3),
        normals=normals.reshape(-1, 3),
        uv=uv,
        first=first,
        second=second,
        weight=weight,
        faces=faces,
        material=np.repeat(painted.reshape(-1), 2).astype(np.intp),
        part=parts.astype(np.intp),
    )


def _grid_normals(points: Array) -> tuple[Array, bool]:
    """Unit normals of a grid that point out of it, and whether its raw winding did so too."""
    around = np.empty_like(points)
    around[:, 1:-1] = points[:, 2:] - points[:, :-2]
    around[:, 0] = around[:, -1] = points[:, 1] - points[:, -2]
    along = np.empty_like(points)
    along[1:-1] = points[2:] - points[:-2]
    along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    normals = _cross(around, along)
    out = points - points.mean(axis=1, keepdims=True)
    outward = float((normals * out).sum()) > 0
    if not outward:
        normals = -normals
    length = np.sqrt(np.einsum("rck,rck->rc", normals, normals))
    if (length < 1e-9).any():
        poles = points - points.mean(axis=(0, 1))
        normals = np.where(length[..., None] > 1e-9, normals, poles)
        length = np.sqrt(np.einsum("rck,rck->rc", normals, normals))
    return normals / np.maximum(length, 1e-9)[..., None], outward


def _cross(a: Array, b: Array) -> Array:
    # np.cross spends most of its time on generality that these small arrays do not need.
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)


class Blob(NamedTuple):
    """An ellipsoid around a rest position; where two nodes carry it they share it equally."""

    centre: Sequence[float] | Array
    radii: Sequence[float]
    nodes: tuple[str, ...]
    material: int
    part: int | None = None


def ellipsoids(blobs: Sequence[Blob], segments: tuple[int, int] = (8, 6)) -> Mesh:
    """Many ellipsoids as one mesh, with a number of segments around and along each."""
    angle = np.linspace(0, np.pi, segments[1] + 1)
    sine = np.sin(angle)
    rings = np.stack([0 * sine, np.cos(angle), 0 * sine, sine, sine], axis=-1)
    unit = grid_points(rings, segments[0])
    count = unit.shape[0] * unit.shape[1]
    one = grid_mesh(unit, rigid("pelvis", count), 0)
    radii = np.array([blob.radii for blob in blobs])[:, None]
    centres = np.array([blob.centre for blob in blobs])[:, None]
    normals = unit.reshape(1, -1, 3) / radii
    normals /= np.sqrt((normals**2).sum(axis=-1, keepdims=True))
    first = np.array([NODE[blob.nodes[0]] for blob in blobs], np.intp)
    second = np.array([NODE[blob.nodes[-1]] for blob in blobs], np.intp)
    own = [NODE[blob.nodes[0]] if blob.part is None else blob.part for blob in blobs]
    number = np.arange(len(blobs))[:, None, None]
    faces = len(one.faces)
    return Mesh(
        vertices=(unit.reshape(1, -1, 3) * radii + centres).reshape(-1, 3),
        normals=normals.reshape(-1, 3),
        uv=np.tile(one.uv, (len(blobs), 1)),
        first=np.repeat(first, count),
        second=np.repeat(second, count),
        weight=np.repeat(np.where(first != second, 0.5, 0.0), count),
        faces=(one.faces[None] + number * count).reshape(-1, 3),
        material=np.repeat(np.array([blob.material for blob in blobs], np.intp), faces),
        part=np.repeat(np.array(own, np.intp), faces),
    )
