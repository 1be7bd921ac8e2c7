"""The head: skull, face and hair, laid out in head sizes from the base of the neck upwards."""

from __future__ import annotations

import numpy as np

from emc.synth.body.look import MATERIAL, Look
from emc.synth.body.mesh import (
    HAIR_PART,
    Blob,
    Mesh,
    chain,
    ellipsoids,
    grid_mesh,
    grid_points,
    rigid,
)
from emc.synth.body.rig import NODE, Array, BodyShape, Rig

_SKULL = np.array([
    # height, z of the centre, half width, half depth; all in head sizes
    [1.000, 0.000, 0.010, 0.012], [0.985, 0.000, 0.095, 0.120], [0.94, 0.000, 0.175, 0.225],
    [0.86, 0.008, 0.235, 0.300], [0.76, 0.018, 0.262, 0.335], [0.66, 0.026, 0.268, 0.338],
    [0.56, 0.036, 0.262, 0.326], [0.47, 0.060, 0.250, 0.290], [0.38, 0.095, 0.225, 0.245],
    [0.30, 0.125, 0.185, 0.205], [0.235, 0.150, 0.120, 0.150], [0.21, 0.150, 0.02, 0.03],
])  # fmt: skip


def build_head(body: BodyShape, rig: Rig, look: Look) -> list[Mesh]:
    """Skull, neck, face and hair of one figure at rest."""
    size = 0.168 * body.head * body.height
    base = np.array([0.0, rig.rest[NODE["neck"], 1], 0.0])
    rings = np.zeros((len(_SKULL), 5))
    rings[:, 1:] = _SKULL * size
    rings[:, 1] += base[1]
    points = grid_points(rings, 14)
    chin = MATERIAL["hair"] if look.beard else MATERIAL["skin"]
    bands = [MATERIAL["skin"]] * 8 + [chin] * 3
    pieces = [grid_mesh(points, rigid("head", points.shape[0] * points.shape[1]), bands)]
    pieces.append(_neck(body, rig))
    pieces.extend(_face(base, size, look))
    pieces.extend(_hair(base, size, rings, look))
    return pieces


def _neck(body: BodyShape, rig: Rig) -> Mesh:
    low, high = rig.rest[NODE["neck"], 1], rig.rest[NODE["head"], 1]
    radius = body.height * (0.029 if body.gender == "f" else 0.035) * body.limbs
    top, bottom = high + 0.018 * body.height, low - 0.02 * body.height
    y = np.linspace(bottom, top, 6)
    rings = np.stack([0 * y, y, 0.004 + 0 * y, radius * np.linspace(1.12, 0.98, 6)], -1)
    rings = np.column_stack([rings, rings[:, 3]])
    points = grid_points(rings, 10)
    bound = chain(["spine", "neck", "head"], points[..., 1].ravel(), [low, high], 0.02)
    return grid_mesh(points, bound, MATERIAL["skin"], part=NODE["neck"])


def _face(base: Array, size: float, look: Look) -> list[Mesh]:
    """Eyes, brows, nose, mouth, ears: the only marks that tell where the face joints are."""
    shapes: list[tuple[tuple[float, float, float], tuple[float, float, float], str]] = [
        ((0.0, 0.555, 0.362), (0.036, 0.090, 0.050), "skin"),
        ((0.0, 0.495, 0.388), (0.052, 0.042, 0.048), "blush"),
        ((0.0, 0.365, 0.322), (0.088, 0.022, 0.030), "lips"),
    ]
    for side in (1.0, -1.0):
        shapes += [
            ((side * 0.120, 0.615, 0.312), (0.064, 0.036, 0.028), "eye_white"),
            ((side * 0.120, 0.615, 0.326), (0.032, 0.034, 0.022), "pupil"),
            ((side * 0.122, 0.692, 0.312), (0.076, 0.017, 0.034), "brow"),
            ((side * 0.272, 0.545, 0.0), (0.028, 0.098, 0.062), "blush"),
        ]
    if look.glasses:
        for side in (1.0, -1.0):
            shapes.append(((side * 0.120, 0.610, 0.350), (0.090, 0.066, 0.006), "accessory"))
            shapes.append(((side * 0.120, 0.610, 0.354), (0.074, 0.052, 0.006), "eye_white"))
            shapes.append(((side * 0.120, 0.615, 0.360), (0.032, 0.034, 0.006), "pupil"))
    blobs = [
        Blob(base + np.array(at) * size, [r * size for r in radii], ("head",), MATERIAL[paint])
        for at, radii, paint in shapes
    ]
    return [ellipsoids(blobs)]


def _hair(base: Array, size: float, skull: Array, look: Look) -> list[Mesh]:
    style = look.hair_style
    if style == "bald":
        return []
    grow = {"afro": 1.42, "short": 1.07, "cap": 1.10}.get(style, 1.10)
    paint = "accessory" if style == "cap" else "hair"
    low = {"short": 0.40, "afro": 0.36, "cap": 0.60}.get(style, 0.30)
    front = {"cap": 0.76, "afro": 0.82}.get(style, 0.79)
    pieces = [_scalp(base, size, skull, grow, low, front, MATERIAL[paint])]
    extras: list[tuple[tuple[float, float, float], tuple[float, float, float]]] = []
    if style == "bun":
        extras.append(((0.0, 0.93, -0.26), (0.15, 0.14, 0.15)))
    elif style == "ponytail":
        extras.append(((0.0, 0.76, -0.40), (0.09, 0.09, 0.10)))
        extras.append(((0.0, 0.48, -0.46), (0.095, 0.36, 0.085)))
    elif style == "bob":
        extras.append(((0.0, 0.50, -0.10), (0.325, 0.30, 0.235)))
    elif style == "long":
        extras.append(((0.0, 0.50, -0.10), (0.325, 0.32, 0.235)))
        extras.append(((0.0, 0.12, -0.24), (0.29, 0.52, 0.12)))
    blobs = [
        Blob(base + np.array(at) * size, [r * size for r in radii], ("head",), MATERIAL["hair"],
             HAIR_PART)
        for at, radii in extras
    ]  # fmt: skip
    if blobs:
        pieces.append(ellipsoids(blobs, (12, 8)))
    if style == "cap":
        brim = base + np.array([0.0, 0.775, 0.40]) * size
        radii = [0.23 * size, 0.018 * size, 0.20 * size]
        pieces.append(ellipsoids([Blob(brim, radii, ("head",), MATERIAL["accessory"], HAIR_PART)]))
        pieces.append(_scalp(base, size, skull, 1.05, 0.42, 1.2, MATERIAL["hair"]))
    return pieces


def _scalp(base: Array, size: float, skull: Array, grow: float, low: float, front: float, paint: int) -> Mesh:
    """A shell over the skull that leaves the face free: it ends at `low` behind, `front` ahead."""
    rings = skull.copy()
    rings[:, 3:] *= grow
    crown = base[1] + 0.62 * size
    rings[:, 1] = crown + (rings[:, 1] - crown) * (1 + 0.9 * (grow - 1))
    rings = np.column_stack([np.interp(np.linspace(0, 1, 16), np.linspace(0, 1, len(rings)), c) for c in rings.T])
    segments = 16
    points = grid_points(rings, segments)
    frontness = np.sin((np.arange(segments) + 0.5) * 2 * np.pi / segments)
    ramp = np.clip((frontness + 0.15) / 0.55, 0, 1)
    hairline = low + (front - low) * ramp * ramp * (3 - 2 * ramp)
    height = (rings[:-1, 1] + rings[1:, 1]) / 2
    keep = ((height - base[1]) / size)[:, None] > hairline[None, :]
    bound = rigid("head", points.shape[0] * points.shape[1])
    return grid_mesh(points, bound, paint, part=HAIR_PART, tiles=(3.0, 1.0), keep=keep)
