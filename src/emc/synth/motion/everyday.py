"""Common motion: what people are mostly photographed doing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from emc.synth.body import Array
from emc.synth.motion.keyframes import CHANNELS, Curves, both, jittered, keyed, monotone_cubic, pose, pulse

Choreography = Callable[[np.random.Generator, Array], Curves]


def walk(rng: np.random.Generator, times: Array) -> Curves:
    """Walk at 0.75 to 1.15 cycles a second."""
    return _gait(rng, times, rate=rng.uniform(0.75, 1.15), stride=rng.uniform(17, 28), running=False)


def run(rng: np.random.Generator, times: Array) -> Curves:
    """Run at 1.2 to 1.6 cycles a second."""
    return _gait(rng, times, rate=rng.uniform(1.2, 1.6), stride=rng.uniform(30, 44), running=True)


def _gait(rng: np.random.Generator, times: Array, rate: float, stride: float, running: bool) -> Curves:
    base = pose()
    curves: Curves = {name: np.full(len(times), base[name]) for name in CHANNELS}
    start = rng.random()
    arm, elbow = rng.uniform(0.5, 1.1) * stride, rng.uniform(70, 105) if running else 18.0
    swing_knee = rng.uniform(75, 105) if running else rng.uniform(50, 64)
    for side, shift in (("l", 0.0), ("r", 0.5)):
        phase = times * rate + start + shift
        cycle = np.cos(2 * np.pi * phase)
        curves[f"{side}_hip_flex"] = (14 if running else 4) + stride * _hip_swing(phase, running)
        soft = (22 if running else 12) * pulse(phase, 0.14, 0.09)
        curves[f"{side}_knee"] = 5 + soft + swing_knee * pulse(phase, 0.70, 0.13)
        curves[f"{side}_ankle"] = _rolling_ankle(phase, curves, side, running)
        curves[f"{side}_hip_abd"] = np.full(len(times), 2.0)
        curves[f"{side}_arm_flex"] = (8 if running else 0) - arm * cycle
        curves[f"{side}_elbow"] = elbow + 10 * (1 - cycle)
        curves[f"{side}_arm_twist"] = np.full(len(times), -18.0 if running else -5.0)
        if running:
            curves[f"{side}_arm_abd"] = np.full(len(times), 14.0)
    beat = np.cos(2 * np.pi * (times * rate + start))
    curves["tilt_turn"] = -0.16 * stride * beat
    curves["spine_turn"] = 0.3 * stride * beat
    curves["tilt_side"] = 2.5 * np.sin(2 * np.pi * (times * rate + start))
    lean = rng.uniform(6, 14) if running else rng.uniform(0, 5)
    curves["tilt_bend"] = np.full(len(times), lean)
    curves["neck_bend"] = np.full(len(times), -lean + rng.uniform(-5, 10))
    if running:
        hop = pulse(times * rate * 2 + 2 * start, 0.90, 0.16)
        curves["lift"] = rng.uniform(0.03, 0.07) * hop
    curves["yaw"] = rng.uniform(-12, 12) * times
    return curves


def _hip_swing(phase: Array, running: bool) -> Array:
    """How far the thigh is ahead (1) or behind (-1): even while the foot bears, faster through the air."""
    if running:
        keys = [[0, 0.8], [0.1, 0.42], [0.25, -0.25], [0.38, -0.8], [0.5, -1], [0.74, 0.4], [0.92, 1], [1, 0.8]]
    else:
        keys = [[0, 0.92], [0.1, 0.62], [0.3, -0.05], [0.5, -0.72], [0.6, -1], [0.76, 0.3], [0.92, 1], [1, 0.92]]
    table = np.array(keys)
    return monotone_cubic(table[:, 0], table[:, 1:], np.mod(phase, 1.0))[:, 0]


def _rolling_ankle(phase: Array, curves: Curves, side: str, running: bool) -> Array:
    """The ankle of a step: heel first, the sole flat while it bears, then off over the toes."""
    middle, half, off = (0.16, 0.17, 0.38) if running else (0.24, 0.22, 0.56)
    distance = np.mod(phase - middle + 0.5, 1.0) - 0.5
    bears = np.exp(-((distance / half) ** 4))
    flat = curves[f"{side}_hip_flex"] - curves[f"{side}_knee"]
    return np.clip(bears * flat - 4 * (1 - bears) + 26 * pulse(phase, off, 0.09), -28, 42)


def sit(rng: np.random.Generator, times: Array) -> Curves:
    """Sit down on something of a chair's height, and get up again."""
    knees, thighs = rng.uniform(78, 98), rng.uniform(78, 92)
    hands = both(arm_flex=rng.uniform(18, 38), elbow=rng.uniform(45, 85), arm_twist=-18.0)
    if rng.random() < 0.3:
        hands = both(arm_flex=30.0, elbow=rng.uniform(95, 125), arm_twist=-45.0)
    apart = rng.uniform(4, 14)
    stand = pose(tilt_bend=2.0)
    lean = pose(
        both(hip_flex=58.0, knee=72.0, arm_flex=45.0, elbow=35.0, hip_abd=apart, ankle=-12.0),
        tilt_bend=38.0, spine_bend=12.0, neck_bend=-18.0,
    )  # fmt: skip
    back = rng.uniform(-8, 14)
    seated = pose(
        both(hip_flex=thighs, knee=knees, hip_abd=apart, ankle=thighs - knees), hands,
        tilt_bend=back, spine_bend=rng.uniform(2, 16), neck_bend=rng.uniform(-8, 22),
        neck_turn=rng.uniform(-30, 30),
    )  # fmt: skip
    other = jittered({**seated, "neck_turn": rng.uniform(-35, 35)}, rng, 1.5)
    for side in "lr":
        other[f"{side}_hip_flex"], other[f"{side}_knee"] = thighs, knees
    span = _span(times)
    marks = [0.0, 0.2, 0.38, 0.64, 0.8, 1.0] * np.array(span)
    return keyed(times, list(zip(marks, [stand, lean, seated, other, lean, stand], strict=True)))


def reach(rng: np.random.Generator, times: Array) -> Curves:
    """Reach for things up high, ahead, aside or near the floor, with one hand or with both."""
    span, keys = _span(times), [(0.0, jittered(pose(), rng, 4.0))]
    count = int(rng.integers(1, 4))
    for index in range(count):
        goal = _reached(rng)
        middle = span * (index + 0.55) / count
        keys.append((middle - 0.12 * span / count, jittered(goal, rng, 2.0)))
        keys.append((middle + 0.12 * span / count, jittered(goal, rng, 3.0)))
    keys.append((span * 1.01 + 0.05, jittered(pose(), rng, 4.0)))
    return keyed(times, keys)


def _reached(rng: np.random.Generator) -> dict[str, float]:
    kind = int(rng.integers(4))
    if kind == 3:
        depth = rng.uniform(0.5, 1.0)
        legs = both(hip_flex=55 * depth, knee=75 * depth, ankle=-18 * depth, arm_flex=65.0)
        return pose(legs, tilt_bend=45 * depth, spine_bend=22 * depth, neck_bend=-15.0)
    flex, aside = ((rng.uniform(130, 172), 8.0), (rng.uniform(60, 100), 10.0),
                   (rng.uniform(10, 40), rng.uniform(70, 110)))[kind]  # fmt: skip
    arm = {"arm_flex": flex, "arm_abd": aside, "elbow": rng.uniform(3, 30),
           "arm_twist": rng.uniform(-20, 20), "shrug": flex / 12}  # fmt: skip
    sides = "lr" if rng.random() < 0.35 else rng.choice(["l", "r"])
    angles = {f"{side}_{name}": value for side in sides for name, value in arm.items()}
    lean = {"spine_side": rng.uniform(-10, 10), "spine_turn": rng.uniform(-15, 15)}
    step = rng.uniform(0, 16)
    legs = {"l_hip_flex": step, "r_hip_flex": -step, "neck_bend": -0.12 * flex + 5}
    return pose(angles, lean, legs, tilt_bend=rng.uniform(-3, 14) if kind == 1 else 0.0)


def jump(rng: np.random.Generator, times: Array) -> Curves:
    """Crouch, jump, land; the arms help."""
    height = rng.uniform(0.15, 0.45)
    air = 2 * np.sqrt(2 * height / 9.81)
    deep, up = rng.uniform(65, 100), rng.uniform(90, 165)
    tuck = rng.uniform(10, 70)
    crouch = pose(
        both(hip_flex=0.8 * deep, knee=deep, ankle=-0.28 * deep, arm_flex=-40.0, elbow=10.0),
        tilt_bend=32.0, neck_bend=-18.0,
    )  # fmt: skip
    spread = rng.uniform(4, 25)
    off = pose(both(ankle=35.0, knee=4.0, arm_flex=up, elbow=15.0, hip_abd=spread * 0.5))
    top = pose(
        both(hip_flex=0.8 * tuck, knee=tuck, ankle=25.0, arm_flex=up, arm_abd=15.0, hip_abd=spread),
    )
    land = pose(crouch, both(arm_flex=45.0, elbow=35.0))
    start = rng.uniform(0.0, max(_span(times) - air - 1.2, 0.05))
    marks = np.array([0, 0.35, 0.55, 0.55 + air / 2, 0.55 + air, 0.75 + air, 1.2 + air]) + start
    curves = keyed(times, list(zip(marks, [pose(), crouch, off, top, off, land, pose()], strict=True)))
    since = times - marks[2]
    curves["lift"] = np.maximum(0.0, 0.5 * 9.81 * since * (air - since))
    return curves


def squat(rng: np.random.Generator, times: Array) -> Curves:
    """One or two squats, arms ahead or at the sides."""
    deep, apart = rng.uniform(70, 115), rng.uniform(6, 18)
    arms = both(arm_flex=rng.uniform(60, 95), elbow=10.0) if rng.random() < 0.6 else both(elbow=90.0)
    low = pose(
        both(hip_flex=0.86 * deep, knee=deep, ankle=-0.2 * deep, hip_abd=apart, hip_twist=20.0), arms,
        tilt_bend=rng.uniform(20, 40), neck_bend=-15.0,
    )  # fmt: skip
    high = pose(both(hip_abd=apart, hip_twist=18.0), arms, tilt_bend=3.0)
    rate = rng.uniform(0.9, 1.8)
    return keyed(times, [(0.0, high), (0.45 * rate, low), (0.55 * rate, low), (rate, high)], rate)


def wave(rng: np.random.Generator, times: Array) -> Curves:
    """Stand and wave with one hand or with both."""
    curves = stand(rng, times)
    rate, start = rng.uniform(1.2, 2.4), rng.random()
    sides = "lr" if rng.random() < 0.25 else str(rng.choice(["l", "r"]))
    high = rng.uniform(60, 120)
    for side in sides:
        swing = np.sin(2 * np.pi * (times * rate + start))
        curves[f"{side}_arm_abd"] = high + 6 * swing
        curves[f"{side}_arm_flex"] = np.full(len(times), rng.uniform(5, 30))
        curves[f"{side}_arm_twist"] = np.full(len(times), rng.uniform(60, 95))
        curves[f"{side}_elbow"] = rng.uniform(45, 85) + 25 * swing
        curves[f"{side}_shrug"] = np.full(len(times), 5.0)
    return curves


def turn(rng: np.random.Generator, times: Array) -> Curves:
    """Turn round on the spot with small steps."""
    curves = stand(rng, times)
    span, angle = _span(times), rng.uniform(90, 360) * rng.choice([-1, 1])
    share = np.clip(times / span, 0, 1)
    curves["yaw"] = angle * share * share * (3 - 2 * share)
    for side, shift in (("l", 0.0), ("r", 0.5)):
        lifted = np.maximum(0, np.sin(2 * np.pi * (times * 1.4 + shift)))
        curves[f"{side}_hip_flex"] = 4 + 22 * lifted
        curves[f"{side}_knee"] = 6 + 38 * lifted
    curves["neck_turn"] = np.full(len(times), 20.0 * np.sign(angle))
    return curves


def stand(rng: np.random.Generator, times: Array) -> Curves:
    """Stand: arms hang, rest on the hips, are crossed or hold something; the weight shifts."""
    arms = (
        both(),
        both(arm_abd=42.0, arm_flex=-16.0, arm_twist=-38.0, elbow=98.0),
        both(arm_flex=22.0, arm_abd=4.0, arm_twist=-62.0, elbow=100.0),
        both(arm_flex=28.0, arm_twist=-30.0, elbow=108.0),
        {"r_arm_flex": 25.0, "r_elbow": 120.0, "r_arm_twist": -20.0},
        both(arm_flex=-18.0, arm_twist=-30.0, elbow=35.0),
    )[int(rng.integers(6))]
    apart = rng.uniform(2, 14)
    ease = {"l_knee": rng.uniform(3, 25), "l_hip_flex": rng.uniform(0, 12)}
    first = pose(
        both(hip_abd=apart), arms, ease, tilt_side=rng.uniform(-5, 5), tilt_bend=rng.uniform(-2, 8),
        spine_side=rng.uniform(-5, 5), spine_turn=rng.uniform(-12, 12),
        neck_turn=rng.uniform(-40, 40), neck_bend=rng.uniform(-12, 28),
    )  # fmt: skip
    second = jittered({**first, "neck_turn": rng.uniform(-40, 40)}, rng, 3.0)
    return keyed(times, [(0.0, first), (_span(times) + 0.1, second)])


def _span(times: Array) -> float:
    return float(max(times[-1], 0.5))
