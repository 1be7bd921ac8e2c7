"""Motion: a named movement of one body as joint positions over time.

World frame: metres, y up, right-handed, the ground is y = 0; a figure with no turn faces +z and
its own left is +x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

import emc.synth.motion.athletic as athletic
import emc.synth.motion.everyday as everyday
from emc.errors import UsageError
from emc.synth.body import (
    COCO_SOURCES,
    H36M_SOURCES,
    MARKER,
    NODE,
    NODES,
    Array,
    BodyShape,
    PosedRig,
    Rig,
    build_rig,
    pick,
    pose_rig,
    rotation,
)
from emc.synth.motion.everyday import Choreography
from emc.synth.motion.keyframes import CHANNELS, Curves, mirrored, smoothed

_CHOREOGRAPHY: Mapping[str, Choreography] = MappingProxyType({
    "walk": everyday.walk, "run": everyday.run, "sit": everyday.sit, "reach": everyday.reach,
    "jump": everyday.jump, "squat": everyday.squat, "wave": everyday.wave, "turn": everyday.turn,
    "stand": everyday.stand, "front_kick": athletic.front_kick, "side_kick": athletic.side_kick,
    "spinning_kick": athletic.spinning_kick, "cartwheel": athletic.cartwheel,
    "arabesque": athletic.arabesque, "deep_dance": athletic.deep_dance,
})  # fmt: skip
COMMON_MOTIONS: tuple[str, ...] = (
    "walk", "run", "sit", "reach", "jump", "squat", "wave", "turn", "stand",
)  # fmt: skip
KICKS: tuple[str, ...] = ("front_kick", "side_kick", "spinning_kick")
UNCOMMON_MOTIONS: tuple[str, ...] = (*KICKS, "cartwheel", "arabesque", "deep_dance")

_ELBOW_RANGE = (0.0, 150.0)
_KNEE_RANGE = (0.0, 145.0)


@dataclass(frozen=True, eq=False)
class Seat:
    """A stool or bench under a seated figure.

    Parameters
    ----------
    centre : (float, float, float)
        Middle of the box, world metres.
    size : (float, float, float)
        Width, height and depth, metres.
    yaw : float
        Turn about the vertical, radians.
    """

    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float


@dataclass(frozen=True, eq=False)
class Motion:
    """A movement of one body.

    Parameters
    ----------
    name : str
        Which movement.
    fps : float
        Frames per second.
    h36m : ndarray (T, 17, 3)
        Human3.6M joints, world metres.
    coco : ndarray (T, 17, 3)
        COCO joints, world metres.
    neck, head_top : ndarray (T, 3)
        Ends of the head segment, world metres.
    posed : PosedRig
        Transforms of all nodes, for the renderer.
    seat : Seat or None
        What the figure sits on.
    """

    name: str
    fps: float
    h36m: Array
    coco: Array
    neck: Array
    head_top: Array
    posed: PosedRig
    seat: Seat | None = None

    def __len__(self) -> int:
        return len(self.h36m)

    def window(self, start: int, stop: int) -> Motion:
        """The frames from `start` up to, not including, `stop`."""
        part = slice(start, stop)
        posed = PosedRig(self.posed.rotations[part], self.posed.positions[part], self.posed.markers[part])
        return replace(
            self,
            h36m=self.h36m[part],
            coco=self.coco[part],
            neck=self.neck[part],
            head_top=self.head_top[part],
            posed=posed,
        )


def generate_motion(name: str, seconds: float, fps: float, body: BodyShape, rng: np.random.Generator) -> Motion:
    """Make one movement; side, facing, timing and reach are drawn from `rng`.

    Parameters
    ----------
    name : str
        One of `COMMON_MOTIONS` or `UNCOMMON_MOTIONS`.
    seconds, fps : float
        Length and frame rate; the motion has ``round(seconds * fps)`` frames, at least one.
    body : BodyShape
        Whose movement.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    Motion
        Standing on the ground y = 0, its path centred on the origin.

    Raises
    ------
    UsageError
        If `name` is unknown, or `seconds` or `fps` is not positive.
    """
    if name not in _CHOREOGRAPHY:
        raise UsageError(f"unknown motion {name!r}: choose one of {', '.join(_CHOREOGRAPHY)}")
    if not (seconds > 0 and fps > 0):
        raise UsageError(f"a motion of {seconds} s at {fps} fps: give a positive length and frame rate")
    times = np.arange(max(1, round(seconds * fps))) / fps
    curves = _CHOREOGRAPHY[name](rng, times)
    if rng.random() < 0.5:
        curves = mirrored(curves)
    _enliven(curves, times, rng)
    curves["yaw"] = curves["yaw"] + rng.uniform(-180, 180)
    rig = build_rig(body)
    root, local = _rotations(curves)
    still = pose_rig(rig, root, local, np.zeros((len(times), 3)))
    if name not in ("walk", "run"):
        _flatten_feet(still, local, curves["lift"])
        still = pose_rig(rig, root, local, np.zeros((len(times), 3)))
    # A wheel of stretched limbs rolls much farther than people do, who fold on their way down.
    travel = 0.6 if name == "cartwheel" else 1.0
    posed = _grounded(rig, still, curves["lift"], travel, round(0.2 * fps) if name in ("walk", "run") else 0)
    seat = _seat(posed, body, curves["yaw"]) if name == "sit" else None
    return Motion(
        name=name,
        fps=fps,
        h36m=pick(posed, H36M_SOURCES),
        coco=pick(posed, COCO_SOURCES),
        neck=posed.positions[:, NODE["neck"]],
        head_top=posed.markers[:, MARKER["head_top"]],
        posed=posed,
        seat=seat,
    )


def _enliven(curves: Curves, times: Array, rng: np.random.Generator) -> None:
    """Add slow, small, personal movement to every angle, and keep hinges in their range."""
    names = [name for name in CHANNELS if name not in ("yaw", "pitch", "roll", "lift")]
    habit = rng.normal(0, 2.2, len(names))
    size = np.abs(rng.normal(0, 1.4, (2, len(names))))
    rate = rng.uniform(0.3, 1.6, (2, len(names)))
    start = rng.uniform(0, 2 * np.pi, (2, len(names)))
    waves = (size * np.sin(2 * np.pi * rate * times[:, None, None] + start)).sum(axis=1)
    for column, name in enumerate(names):
        quiet = 0.4 if "hip" in name or "tilt" in name else 1.0
        curves[name] = curves[name] + quiet * (habit[column] + waves[:, column])
    for side in "lr":
        curves[f"{side}_knee"] = np.clip(curves[f"{side}_knee"], *_KNEE_RANGE)
        curves[f"{side}_elbow"] = np.clip(curves[f"{side}_elbow"], *_ELBOW_RANGE)


def _turns(*columns: Array) -> Array:
    """Rotation matrices from three columns of degrees: a rotation vector each."""
    return rotation(np.radians(np.stack(columns, axis=-1)))


def _rotations(curves: Curves) -> tuple[Array, Array]:
    """Root (T, 3, 3) and local rotations (T, 18, 3, 3) from the curves."""
    zero = np.zeros_like(curves["yaw"])
    root = _turns(zero, curves["yaw"], zero) @ _turns(zero, zero, curves["roll"])
    root = root @ _turns(curves["pitch"], zero, zero)
    local = np.broadcast_to(np.eye(3), (len(zero), len(NODES), 3, 3)).copy()

    def trunk(part: str, share: float = 1.0) -> Array:
        bend, side, turn = (share * curves[f"{part}_{axis}"] for axis in ("bend", "side", "turn"))
        return _turns(bend, turn, side)

    local[:, NODE["pelvis"]] = trunk("tilt")
    local[:, NODE["spine"]] = trunk("spine")
    local[:, NODE["neck"]] = trunk("neck", 0.45)
    local[:, NODE["head"]] = trunk("neck", 0.55)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        angle = {name[2:]: curves[name] for name in CHANNELS if name.startswith(f"{side}_")}
        turned = {key: sign * angle[key] for key in ("shrug", "arm_abd", "arm_twist")}
        local[:, NODE[f"{side}_clavicle"]] = _turns(zero, zero, turned["shrug"])
        swing = _turns(-angle["arm_flex"], zero, turned["arm_abd"])
        local[:, NODE[f"{side}_shoulder"]] = swing @ _turns(zero, turned["arm_twist"], zero)
        local[:, NODE[f"{side}_elbow"]] = _turns(-angle["elbow"], zero, zero)
        local[:, NODE[f"{side}_wrist"]] = _turns(-angle["wrist"], zero, zero)
        swing = _turns(-angle["hip_flex"], zero, sign * angle["hip_abd"])
        local[:, NODE[f"{side}_hip"]] = swing @ _turns(zero, sign * angle["hip_twist"], zero)
        local[:, NODE[f"{side}_knee"]] = _turns(angle["knee"], zero, zero)
        local[:, NODE[f"{side}_ankle"]] = _turns(angle["ankle"], zero, zero)
    return root, local


def _grounded(rig: Rig, still: PosedRig, lift: Array, travel: float, even: int) -> PosedRig:
    """Place the figure so that its lowest point touches the ground and does not slide on it.

    `travel` is the share of the way that rolling on the lowest points alone would take. Speed is
    averaged over `even` frames either way: walkers keep theirs while the weight changes feet.
    """
    tall = float(rig.markers[MARKER["head_top"], 1])
    points = np.concatenate([
        still.markers[:, [MARKER[n] for n in ("l_heel", "l_toe", "r_heel", "r_toe")]],
        still.markers[:, [MARKER["l_hand"], MARKER["r_hand"], MARKER["head_top"]]],
        still.positions[:, [NODE["l_knee"], NODE["r_knee"], NODE["pelvis"]]],
    ], axis=1)  # fmt: skip
    radius = np.array([0, 0, 0, 0, 0.01, 0.01, 0.0, 0.035, 0.035, 0.06]) * tall
    height = points[:, :, 1] - radius
    lowest = height.min(axis=1, keepdims=True)
    share = np.exp(-(height - lowest) / 0.012)
    share /= share.sum(axis=1, keepdims=True)
    move = np.diff(points, axis=0)
    held = (share[:-1] + share[1:]) / 2
    if even:
        # A foot on its way forwards grazes the ground; it must not push the walker back.
        ahead = still.rotations[:-1, NODE["pelvis"], :, 2] * [1.0, 0.0, 1.0]
        held = held * (np.einsum("tpk,tk->tp", move, ahead) < 0) + 1e-9
        held = held / held.sum(axis=1, keepdims=True)
    step = -(held[:, :, None] * move).sum(axis=1)
    step = smoothed(step, even)
    path = np.zeros((len(lift), 3))
    path[1:] = travel * np.cumsum(step, axis=0)
    path -= (path.max(axis=0) + path.min(axis=0)) / 2
    path[:, 1] = lift - lowest[:, 0]
    return PosedRig(still.rotations, still.positions + path[:, None], still.markers + path[:, None])


def _flatten_feet(still: PosedRig, local: Array, lift: Array) -> None:
    """Turn the ankles of feet that carry weight until the soles lie flat; changes `local`."""
    soles = [MARKER[name] for name in ("l_heel", "l_toe", "r_heel", "r_toe", "l_hand", "r_hand")]
    lowest = still.markers[:, soles, 1].min(axis=1)
    for side in "lr":
        node = NODE[f"{side}_ankle"]
        turned = still.rotations[:, node]
        ahead = turned[:, :, 2] * np.array([1.0, 0.0, 1.0])
        length = np.linalg.norm(ahead, axis=1)
        ahead /= np.maximum(length, 1e-6)[:, None]
        across = np.stack([ahead[:, 2], np.zeros(len(ahead)), -ahead[:, 0]], axis=-1)
        up = np.broadcast_to([0.0, 1.0, 0.0], ahead.shape)
        flat = np.stack([across, up, ahead], axis=-1)
        change = np.swapaxes(turned, 1, 2) @ flat
        cosine = np.clip((np.trace(change, axis1=1, axis2=2) - 1) / 2, -1, 1)
        angle = np.arccos(cosine)
        axis = np.stack([
            change[:, 2, 1] - change[:, 1, 2], change[:, 0, 2] - change[:, 2, 0],
            change[:, 1, 0] - change[:, 0, 1],
        ], axis=-1) / (2 * np.maximum(np.sin(angle), 1e-6))[:, None]  # fmt: skip
        heel = still.markers[:, MARKER[f"{side}_heel"], 1]
        toe = still.markers[:, MARKER[f"{side}_toe"], 1]
        above = np.minimum(heel, toe) - lowest
        share = np.clip(1.3 - above / 0.06, 0, 1) * (lift < 0.01) * (length > 0.3)
        share *= np.clip((1.3 - angle) / 0.5, 0, 1)
        local[:, node] = local[:, node] @ rotation(axis * (angle * share)[:, None])


def _seat(posed: PosedRig, body: BodyShape, yaw: Array) -> Seat:
    hips = posed.positions[:, NODE["pelvis"]]
    frame = int(np.argmin(hips[:, 1]))
    top = max(float(hips[frame, 1]) - 0.062 * body.height * body.limbs, 0.1)
    angle = float(np.radians(yaw[frame]))
    size = (0.27 * body.height, top, 0.22 * body.height)
    middle = (float(hips[frame, 0]), top / 2, float(hips[frame, 2]))
    return Seat(centre=middle, size=size, yaw=angle)
