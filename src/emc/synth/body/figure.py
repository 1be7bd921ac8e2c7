"""The figure: a dressed body as one mesh, built from a body shape and a look."""

from __future__ import annotations

import numpy as np

from emc.synth.body.head import build_head
from emc.synth.body.look import MATERIAL, Look, sample_look
from emc.synth.body.mesh import (
    Blob,
    Mesh,
    chain,
    ellipsoids,
    grid_mesh,
    grid_points,
    joined,
    rigid,
)
from emc.synth.body.rig import NODE, Array, BodyShape, Rig, build_rig, sample_body

__all__ = ["BodyShape", "Look", "build_figure", "sample_body", "sample_look"]

# share of the way from hip to neck, half width, half depth, z of the centre (body heights)
_TRUNK = np.array([
    [1.03, 0.030, 0.032, -0.002], [0.975, 0.058, 0.042, -0.005], [0.93, 0.088, 0.052, -0.006],
    [0.85, 0.103, 0.062, -0.002], [0.74, 0.101, 0.068, 0.002], [0.60, 0.091, 0.063, 0.003],
    [0.45, 0.081, 0.057, 0.003], [0.30, 0.083, 0.058, 0.003], [0.15, 0.092, 0.064, 0.000],
    [0.00, 0.099, 0.068, -0.004], [-0.12, 0.095, 0.066, -0.004], [-0.24, 0.050, 0.042, 0.000],
])  # fmt: skip
_LEG = np.array([
    [-0.06, 0.046], [0.0, 0.053], [0.12, 0.052], [0.28, 0.046], [0.42, 0.038], [0.50, 0.034],
    [0.56, 0.0325], [0.66, 0.0340], [0.80, 0.0255], [0.93, 0.0200], [1.0, 0.0195],
])  # fmt: skip
_ARM = np.array([
    [-0.03, 0.024], [0.04, 0.030], [0.15, 0.029], [0.30, 0.0265], [0.46, 0.0228], [0.53, 0.0222],
    [0.62, 0.0238], [0.76, 0.0200], [0.92, 0.0155], [1.0, 0.0145],
])  # fmt: skip

# towards the toes, half width, height of the centre, half height
_FOOT = np.array([
    [-0.039, 0.0005, 0.016, 0.0005], [-0.036, 0.012, 0.017, 0.012], [-0.018, 0.019, 0.024, 0.024],
    [0.004, 0.020, 0.026, 0.026], [0.030, 0.021, 0.022, 0.022], [0.060, 0.026, 0.015, 0.015],
    [0.085, 0.027, 0.012, 0.012], [0.104, 0.021, 0.010, 0.009], [0.113, 0.0005, 0.009, 0.0005],
])  # fmt: skip


def build_figure(body: BodyShape, look: Look) -> tuple[Rig, Mesh]:
    """Rig and mesh (at rest) of one dressed person."""
    rig = build_rig(body)
    pieces = [_trunk(body, rig, look), *build_head(body, rig, look)]
    small: list[Blob] = []
    large: list[Blob] = []
    for side in ("l", "r"):
        pieces += [_arm(body, rig, look, side), _leg(body, rig, look, side)]
        pieces += _foot(body, rig, look, side)
        small += _hand(body, rig, look, side)
        small.append(_ankle(body, rig, look, side))
        large += _arm_joints(body, rig, look, side) + _leg_joints(body, rig, look, side)
    pieces += [ellipsoids(small), ellipsoids(large, (12, 8))]
    if look.skirt > 0 or look.jacket > 0:
        pieces.append(_hem(body, rig, look))
    if look.belted:
        pieces.extend(_belt(body, rig, look))
    return rig, joined(pieces)


def _trunk_rings(body: BodyShape, rig: Rig, off: float) -> Array:
    """Rings of the trunk, `off` body heights away from the skin."""
    share, wide, deep, z = _TRUNK.T
    hip, neck = rig.rest[NODE["pelvis"], 1], rig.rest[NODE["neck"], 1]
    upper = np.clip((share - 0.3) / 0.5, 0, 1)
    wide = wide * (body.hips * (1 - upper) + body.shoulders * upper) * body.girth
    deep = deep * body.girth
    scale = body.height
    return np.column_stack([
        0 * share, hip + share * (neck - hip), z * scale, (wide + off) * scale, (deep + off) * scale,
    ])  # fmt: skip


def _trunk(body: BodyShape, rig: Rig, look: Look) -> Mesh:
    waist = 7 if look.outfit not in ("leotard", "dress") and look.jacket == 0 else 9
    rings = _trunk_rings(body, rig, 0.004)
    rings[1 : waist + 1, 3:] += look.width * 0.6 * body.height
    points = grid_points(rings, 18, box=0.86)
    share = _TRUNK[:, 0, None]
    angle = np.linspace(0, 2 * np.pi, 19)[None, :]
    front, side = np.sin(angle), np.abs(np.cos(angle))
    bust = np.exp(-(((share - 0.70) / 0.10) ** 2)) * np.exp(-(((side - 0.5) / 0.3) ** 2))
    belly = np.exp(-(((share - 0.32) / 0.22) ** 2))
    seat = np.exp(-(((share + 0.05) / 0.14) ** 2)) * np.exp(-(((side - 0.5) / 0.35) ** 2))
    bulge = (front > 0.2) * (0.020 * body.bust * bust + 0.035 * body.belly * belly)
    points[..., 2] += body.height * (bulge - (front < -0.2) * 0.016 * seat)
    hip, spine, neck = (rig.rest[NODE[n], 1] for n in ("pelvis", "spine", "neck"))
    low = "top" if look.outfit == "leotard" else "trousers"
    if look.skirt > 0 or look.outfit == "dress":
        low = "top" if look.outfit == "dress" else "trousers"
    bands = [MATERIAL["skin"] if look.outfit in ("sport", "leotard", "dress") else MATERIAL["top"]]
    bands += [MATERIAL["top"]] * waist + [MATERIAL[low]] * (len(rings) - 2 - waist)
    bound = chain(
        ["pelvis", "spine", "neck"], points[..., 1].ravel(), [spine - 0.15 * (spine - hip), neck],
        0.45 * (spine - hip),
    )  # fmt: skip
    return grid_mesh(points, bound, bands)


def _limb_rings(
    profile: Array, body: BodyShape, start: float, end: float, cover: float, off: float, flare: float
) -> tuple[Array, list[bool]]:
    """Heights and radii of a limb's rings, and which bands are cloth.

    `cover` is the share of the limb under cloth, `off` and `flare` how far the cloth stands off.
    """
    share = profile[:, 0]
    if 0 < cover < 0.99:
        share = np.sort(np.concatenate([share[np.abs(share - cover) > 0.02], [cover, cover + 0.004]]))
    radius = np.interp(share, profile[:, 0], profile[:, 1]) * body.limbs
    cloth = (share <= cover) & (cover > 0)
    fall = np.clip(share / max(cover, 0.05), 0, 1)
    radius = np.where(cloth, radius + 0.002 + off + flare * fall**2, radius)
    heights = start + share * (end - start)
    return np.column_stack([heights, radius * body.height]), list(cloth[1:] | cloth[:-1])


def _arm(body: BodyShape, rig: Rig, look: Look, side: str) -> Mesh:
    shoulder, elbow, wrist = (rig.rest[NODE[f"{side}_{n}"]] for n in ("shoulder", "elbow", "wrist"))
    table, cloth = _limb_rings(_ARM, body, shoulder[1], wrist[1], look.sleeve, look.width * 0.7, look.flare)
    rings = np.zeros((len(table), 5))
    rings[:, 0], rings[:, 1], rings[:, 2] = shoulder[0], table[:, 0], shoulder[2]
    rings[:, 3] = rings[:, 4] = table[:, 1]
    points = grid_points(rings, 10)
    nodes = [f"{side}_{n}" for n in ("shoulder", "elbow", "wrist")]
    bound = chain(nodes, -points[..., 1].ravel(), [-elbow[1], -wrist[1] + 0.01], 0.028 * body.height)
    bands = [MATERIAL["sleeve"] if c else MATERIAL["skin"] for c in cloth]
    return grid_mesh(points, bound, bands, tiles=(0.5, 1.0))


def _arm_joints(body: BodyShape, rig: Rig, look: Look, side: str) -> list[Blob]:
    """Shoulder and elbow: they keep the arm round where it bends."""
    shoulder, elbow = rig.rest[NODE[f"{side}_shoulder"]], rig.rest[NODE[f"{side}_elbow"]]
    bare = "skin" if look.outfit in ("leotard", "sport", "dress") else "top"
    paint = "sleeve" if look.sleeve > 0.05 else bare
    long = look.sleeve > 0.6
    scale = body.height * body.limbs
    ball = (0.0300 + 0.45 * look.width) * scale
    bend = (0.0218 + (0.6 * look.width if long else 0)) * scale
    upper = f"{side}_shoulder"
    return [
        Blob(shoulder - [0, 0.004 * body.height, 0], [ball, ball * 1.12, ball],
             (f"{side}_clavicle", upper), MATERIAL[paint]),
        Blob(elbow, [bend] * 3, (upper, f"{side}_elbow"), MATERIAL["sleeve" if long else "skin"]),
    ]  # fmt: skip


def _hand(body: BodyShape, rig: Rig, look: Look, side: str) -> list[Blob]:
    wrist = rig.rest[NODE[f"{side}_wrist"]]
    tall, inward = body.height, -1.0 if side == "l" else 1.0
    skin, node = MATERIAL["skin"], f"{side}_wrist"
    if look.fists:
        shapes = [((0, -0.034, 0.002), (0.021, 0.030, 0.026)), ((0, -0.03, 0.02), (0.011, 0.02, 0.012))]
    else:
        shapes = [
            ((0, -0.026, 0.002), (0.0125, 0.030, 0.0235)),
            ((inward * 0.004, -0.072, 0.002), (0.0095, 0.034, 0.020)),
            ((inward * 0.006, -0.036, 0.026), (0.008, 0.026, 0.009)),
        ]
    return [Blob(wrist + np.array(at) * tall, [r * tall for r in radii], (node,), skin) for at, radii in shapes]


def _leg(body: BodyShape, rig: Rig, look: Look, side: str) -> Mesh:
    hip, knee, ankle = (rig.rest[NODE[f"{side}_{n}"]] for n in ("hip", "knee", "ankle"))
    table, cloth = _limb_rings(_LEG, body, hip[1], ankle[1], look.trousers, look.width, look.flare)
    rings = np.zeros((len(table), 5))
    share = (hip[1] - table[:, 0]) / (hip[1] - ankle[1])
    calf = -0.008 * body.height * np.exp(-(((share - 0.66) / 0.12) ** 2))
    rings[:, 0], rings[:, 1], rings[:, 2] = hip[0], table[:, 0], hip[2] + calf
    rings[:, 3] = rings[:, 4] = table[:, 1]
    points = grid_points(rings, 12)
    height = -points[..., 1].ravel()
    nodes = [f"{side}_{n}" for n in ("hip", "knee", "ankle")]
    bound = chain(nodes, height, [-knee[1], -ankle[1] + 0.01], 0.035 * body.height)
    bare = MATERIAL["sock"] if look.socks and look.shoes else MATERIAL["skin"]
    bands = [MATERIAL["trousers"] if c else (bare if share[i] > 0.8 else MATERIAL["skin"]) for i, c in enumerate(cloth)]
    return grid_mesh(points, bound, bands, tiles=(0.5, 1.0))


def _leg_joints(body: BodyShape, rig: Rig, look: Look, side: str) -> list[Blob]:
    """Hip and knee: they keep the leg round where it bends."""
    hip, knee = rig.rest[NODE[f"{side}_hip"]], rig.rest[NODE[f"{side}_knee"]]
    seat = "top" if look.outfit in ("leotard", "dress") else "trousers"
    covered = look.trousers > 0.55
    tall, scale = body.height, body.height * body.limbs
    ball = (0.053 + 0.5 * look.width) * scale
    cap = (0.0312 + (0.7 * look.width if covered else 0)) * scale
    thigh = f"{side}_hip"
    return [
        Blob(hip + [0, 0.004 * tall, -0.002 * tall], [ball, ball * 1.05, ball * 1.1],
             ("pelvis", thigh), MATERIAL[seat]),
        Blob(knee - [0, 0, 0.003 * tall], [cap] * 3, (thigh, f"{side}_knee"),
             MATERIAL["trousers" if covered else "skin"]),
    ]  # fmt: skip


def _foot(body: BodyShape, rig: Rig, look: Look, side: str) -> list[Mesh]:
    """A foot from heel to toes; a shoe is the same, larger and on a sole."""
    ankle, tall, node = rig.rest[NODE[f"{side}_ankle"]], body.height, f"{side}_ankle"
    grow = 1.12 if look.shoes else 1.0
    paint = MATERIAL["shoe"] if look.shoes else MATERIAL["skin"]
    floor = np.array([ankle[0], 0.0, ankle[2]])
    shapes = [(_FOOT, paint)]
    if look.shoes:
        sole = _FOOT * [1.02, 1.12, 0.0, 0.0] + [0.0, 0.0, 0.006, 0.008]
        shapes.append((sole, MATERIAL["sole"]))
    pieces = []
    for table, material in shapes:
        forward, half, middle, tallness = table.T * tall * grow
        rings = np.stack([0 * half, forward, middle, half, tallness], axis=-1)
        # Rings lie flat; a foot's stand upright, so height and depth change places.
        points = grid_points(rings, 8, box=0.9)[..., [0, 2, 1]] + floor
        count = points.shape[0] * points.shape[1]
        pieces.append(grid_mesh(points, rigid(node, count), material))
    return pieces


def _ankle(body: BodyShape, rig: Rig, look: Look, side: str) -> Blob:
    """What joins shin and foot."""
    ankle, tall = rig.rest[NODE[f"{side}_ankle"]], body.height
    bare = "sock" if look.socks and look.shoes else "skin"
    return Blob(ankle, [0.0195 * tall, 0.020 * tall, 0.022 * tall], (f"{side}_ankle",),
                MATERIAL[bare])  # fmt: skip


def _hem(body: BodyShape, rig: Rig, look: Look) -> Mesh:
    """A skirt or the lower edge of a jacket: hangs from the waist and follows both thighs."""
    rings = _trunk_rings(body, rig, 0.010 + look.width)
    waist, hips = rings[7], rings[9]
    length = max(look.skirt, look.jacket) * body.height
    flare = (0.02 + 0.22 * max(look.skirt, look.jacket)) * body.height * (1 if look.skirt else 0.4)
    y = np.concatenate([[waist[1], (waist[1] + hips[1]) / 2], np.linspace(hips[1], hips[1] - length, 6)])
    fall = np.clip((hips[1] - y) / length, 0, 1)
    sheet = np.zeros((len(y), 5))
    sheet[:, 1] = y
    for axis in (3, 4):
        slim = np.interp(-y, [-waist[1], -hips[1]], [waist[axis], hips[axis]])
        sheet[:, axis] = slim + flare * fall
    points = grid_points(sheet, 20, box=0.9)
    side = points[..., 0] / sheet[:, None, 3]
    lower = np.broadcast_to(fall[:, None] > 0.01, side.shape).ravel()
    right = np.where(lower, np.clip(0.5 - 0.9 * side.ravel(), 0, 1), 0.0)
    first = np.where(lower, NODE["l_hip"], NODE["pelvis"])
    second = np.where(lower, NODE["r_hip"], NODE["pelvis"])
    paint = MATERIAL["trousers"] if look.skirt and look.outfit == "casual" else MATERIAL["hem"]
    return grid_mesh(points, (first, second, right), paint, part=NODE["pelvis"], tiles=(2.0, 0.4))


def _belt(body: BodyShape, rig: Rig, look: Look) -> list[Mesh]:
    rings = _trunk_rings(body, rig, 0.013 + look.width)
    middle = (rings[7] * 0.6 + rings[8] * 0.4)[None].repeat(2, axis=0)
    middle[:, 1] += np.array([0.011, -0.011]) * body.height
    points = grid_points(middle, 18, box=0.86)
    bound = chain(["pelvis", "spine"], points[..., 1].ravel(), [rig.rest[NODE["spine"], 1]], 0.02)
    pieces = [grid_mesh(points, bound, MATERIAL["belt"])]
    if look.outfit != "uniform":
        return pieces
    knot = np.array([0.0, middle[0, 1] - 0.01 * body.height, middle[0, 2] + middle[0, 4]])
    blobs = []
    for x, drop in ((0.0, 0.0), (0.014, -0.05), (-0.016, -0.045)):
        radii = [0.014, 0.014, 0.012] if drop == 0 else [0.009, 0.05, 0.006]
        at = knot + np.array([x, drop, 0.004]) * body.height
        blobs.append(Blob(at, [r * body.height for r in radii], ("pelvis",), MATERIAL["belt"]))
    return [*pieces, ellipsoids(blobs)]
