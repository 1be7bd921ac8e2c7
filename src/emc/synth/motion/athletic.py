"""Uncommon motion: kicks, a cartwheel, an arabesque and deep dance poses.

The kicks are written for the right leg, with the left leg ahead; `emc.synth.motion.motions` mirrors them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emc.synth.body import Array
from emc.synth.motion.keyframes import Curves, Pose, both, jittered, keyed, pose

_LEGS = {
    "l_hip_flex": 20.0, "l_hip_abd": 14.0, "l_knee": 22.0, "l_ankle": -6.0,
    "r_hip_flex": -12.0, "r_hip_abd": 12.0, "r_knee": 20.0, "r_ankle": 4.0, "r_hip_twist": 15.0,
}  # fmt: skip


def _guard(rng: np.random.Generator) -> dict[str, float]:
    """A fighting stance; the arms differ from person to person."""
    kind = int(rng.integers(3))
    if kind == 0:
        arms = both(arm_flex=rng.uniform(25, 45), arm_abd=10.0, arm_twist=-25.0, elbow=120.0)
    elif kind == 1:
        arms = both(arm_flex=rng.uniform(10, 25), arm_abd=16.0, arm_twist=-30.0, elbow=75.0)
        arms["l_arm_flex"] = rng.uniform(35, 65)
    else:
        arms = both(arm_flex=8.0, arm_abd=rng.uniform(14, 30), elbow=rng.uniform(20, 50))
    return pose(_LEGS, arms, yaw=-40.0, tilt_bend=4.0, neck_turn=30.0)


def _paced(rng: np.random.Generator, times: Array, keys: Sequence[tuple[float, Pose]]) -> Curves:
    """Repeat a movement over the clip, faster or slower, with its key times shaken."""
    span = float(max(times[-1], 0.4))
    length = keys[-1][0] * rng.uniform(0.85, 1.3)
    passes = max(1, int(span // length))
    scale = span / (passes * keys[-1][0])
    moments = np.array([moment for moment, _ in keys])
    gaps = np.diff(moments) * rng.uniform(0.85, 1.18, len(moments) - 1)
    shaken = np.concatenate([[0.0], np.cumsum(gaps)])
    shaken *= moments[-1] / shaken[-1] * scale
    stances = [stance for _, stance in keys]
    period = float(shaken[-1]) * (1 + 1e-9)
    return keyed(times, list(zip(shaken.tolist(), stances, strict=True)), period)


def front_kick(rng: np.random.Generator, times: Array) -> Curves:
    """Knee up, leg straight ahead at belt to head height, back."""
    guard, high = _guard(rng), rng.uniform(108, 142)
    back = -0.35 * (high - 85)
    chamber = pose(
        guard, yaw=-12.0, r_hip_flex=rng.uniform(88, 108), r_knee=rng.uniform(100, 125),
        r_hip_abd=4.0, r_ankle=-8.0, l_knee=14.0, l_hip_flex=6.0, l_hip_abd=0.0, tilt_bend=back / 2,
    )  # fmt: skip
    swing = rng.uniform(-25, 25)
    kick = pose(
        chamber, yaw=12.0, r_hip_flex=high, r_knee=rng.uniform(2, 14), r_ankle=rng.uniform(-5, 40),
        l_knee=10.0, l_ankle=rng.uniform(-4, 12), tilt_bend=back, spine_bend=rng.uniform(-4, 12),
        r_arm_flex=guard["r_arm_flex"] + swing, l_arm_abd=rng.uniform(10, 45), neck_turn=0.0,
        neck_bend=-back * 0.6,
    )  # fmt: skip
    again = {**chamber, "yaw": -5.0, "r_hip_flex": chamber["r_hip_flex"] - 12}
    keys = [(0.0, guard), (0.12, guard), (0.40, chamber), (0.56, kick), (0.62, kick),
            (0.80, again), (1.15, guard), (1.35, guard)]  # fmt: skip
    return _paced(rng, times, keys)


def side_kick(rng: np.random.Generator, times: Array) -> Curves:
    """Turn the side to the target and push the heel out, trunk leaning away."""
    guard, high = _guard(rng), rng.uniform(98, 130)
    lean = -0.55 * (high - 50)
    chamber = pose(
        guard, yaw=45.0, r_hip_flex=82.0, r_hip_abd=rng.uniform(22, 45), r_knee=122.0,
        l_knee=16.0, l_hip_flex=5.0, l_hip_abd=2.0, tilt_side=lean / 2, neck_turn=-30.0,
    )  # fmt: skip
    kick = pose(
        chamber, yaw=rng.uniform(85, 115), r_hip_flex=rng.uniform(-5, 22), r_hip_abd=high,
        r_hip_twist=rng.uniform(-50, -10), r_knee=rng.uniform(2, 12), r_ankle=-8.0, l_knee=9.0,
        tilt_side=lean, spine_side=rng.uniform(-6, 18), r_arm_abd=rng.uniform(15, 70),
        r_arm_flex=5.0, r_elbow=rng.uniform(10, 70), neck_turn=-55.0, l_hip_twist=20.0,
    )  # fmt: skip
    back = {**chamber, "yaw": 55.0}
    keys = [(0.0, guard), (0.10, guard), (0.42, chamber), (0.60, kick), (0.68, kick),
            (0.88, back), (1.25, guard), (1.45, guard)]  # fmt: skip
    return _paced(rng, times, keys)


def spinning_kick(rng: np.random.Generator, times: Array) -> Curves:
    """Turn backwards and sweep the leg round at chest to head height; one full turn."""
    guard, high = _guard(rng), rng.uniform(98, 128)
    lean = -0.5 * (high - 55)
    coil = pose(
        guard, both(knee=32.0), yaw=-160.0, r_hip_flex=14.0, l_hip_flex=14.0, spine_turn=-25.0,
        neck_turn=-50.0, tilt_bend=10.0,
    )  # fmt: skip
    chamber = pose(
        coil, yaw=-225.0, r_hip_flex=52.0, r_hip_abd=42.0, r_knee=100.0, l_knee=16.0,
        l_hip_flex=4.0, l_hip_abd=0.0, tilt_side=lean / 2, r_arm_abd=35.0, l_arm_abd=30.0,
    )  # fmt: skip
    kick = pose(
        chamber, yaw=-290.0, r_hip_flex=rng.uniform(-15, 15), r_hip_abd=high, r_knee=6.0,
        r_hip_twist=-25.0, r_ankle=15.0, tilt_side=lean, tilt_bend=rng.uniform(0, 20), l_knee=10.0,
        r_arm_abd=rng.uniform(30, 80), l_arm_abd=rng.uniform(20, 70),
    )  # fmt: skip
    sweep = pose(
        kick, yaw=-345.0, r_hip_abd=high - 16, r_hip_flex=12.0, r_knee=rng.uniform(15, 65),
        tilt_side=lean * 0.7, neck_turn=0.0,
    )  # fmt: skip
    end = {**guard, "yaw": guard["yaw"] - 360.0}
    keys = [(0.0, guard), (0.10, guard), (0.36, coil), (0.54, chamber), (0.70, kick),
            (0.84, sweep), (1.25, end), (1.40, end)]  # fmt: skip
    curves = _paced(rng, times, keys)
    if rng.random() < 0.3:
        # A jumped kick leaves the ground while the leg is out.
        raised = np.clip((curves["r_hip_abd"] - 35.0) / (high - 35.0), 0, 1)
        curves["lift"] = rng.uniform(0.1, 0.3) * raised
    return curves


def cartwheel(rng: np.random.Generator, times: Array) -> Curves:
    """Over both hands, sideways, through upside down."""
    spread, arms = rng.uniform(38, 62), rng.uniform(155, 172)
    up = both(arm_abd=arms, elbow=rng.uniform(2, 12), shrug=14.0)
    ready = pose(up, r_hip_abd=6.0, l_hip_flex=rng.uniform(15, 40), l_hip_abd=12.0, l_knee=20.0)
    lunge = pose(
        up, l_hip_flex=18.0, l_hip_abd=32.0, l_knee=rng.uniform(30, 48), l_ankle=-8.0,
        r_hip_abd=26.0, roll=-28.0,
    )  # fmt: skip
    bent = rng.uniform(0, 25)
    low = pose(up, l_hip_abd=30.0, l_knee=18.0, r_hip_abd=spread, roll=-95.0)
    over = pose(up, both(hip_abd=spread, knee=bent, ankle=25.0), roll=-180.0)
    down = pose(up, l_hip_abd=spread, r_hip_abd=34.0, r_knee=18.0, roll=-268.0)
    land = pose(up, r_hip_abd=24.0, l_hip_abd=22.0, r_knee=26.0, r_hip_flex=10.0, roll=-330.0)
    end = pose(up, both(hip_abd=7.0), roll=-360.0)
    for stance in (low, over, down):
        stance["neck_bend"] = rng.uniform(-35, -10)
    span = float(max(times[-1], 0.4))
    length = min(rng.uniform(1.3, 2.0), span)
    start = rng.uniform(0, span - length) if span > length else 0.0
    marks = np.array([0.0, 0.20, 0.38, 0.55, 0.72, 0.86, 1.0]) * length + start
    return keyed(times, list(zip(marks, [ready, lunge, low, over, down, land, end], strict=True)))


def arabesque(rng: np.random.Generator, times: Array) -> Curves:
    """On one leg, the other raised straight behind; held, then lowered."""
    high = rng.uniform(70, 110)
    lean = 0.55 * (high - 20)
    if rng.random() < 0.3:
        high, lean = rng.uniform(110, 150), rng.uniform(70, 95)
    arms = {
        "l_arm_flex": rng.uniform(80, 150), "l_arm_abd": 10.0, "l_elbow": 8.0,
        "r_arm_abd": rng.uniform(70, 105), "r_arm_flex": rng.uniform(-25, 20), "r_elbow": 10.0,
    }  # fmt: skip
    first = pose(both(hip_twist=25.0, knee=2.0, arm_abd=28.0, elbow=30.0))
    way = pose(first, arms, r_hip_flex=-25.0, r_ankle=40.0, tilt_bend=8.0)
    top = pose(
        arms, l_hip_twist=25.0, l_knee=2.0, l_ankle=rng.choice([0.0, 0.0, 35.0]), r_knee=rng.uniform(0, 12),
        r_hip_flex=-high, r_hip_abd=rng.uniform(-6, 14), r_ankle=45.0, r_hip_twist=25.0,
        tilt_bend=lean, spine_bend=-rng.uniform(18, 38), neck_bend=-rng.uniform(10, 25),
        l_hip_abd=-3.0,
    )  # fmt: skip
    span = float(max(times[-1], 0.5))
    marks = np.array([0.0, 0.15, 0.42, 0.74, 0.9, 1.0]) * span
    held = jittered(top, rng, 1.5)
    return keyed(times, list(zip(marks, [first, way, top, held, way, first], strict=True)))


def deep_dance(rng: np.random.Generator, times: Array) -> Curves:
    """Moves between deep plies, lunges, arches, kicks and crouches with large arms."""
    span = float(max(times[-1], 0.5))
    count = max(2, round(span / rng.uniform(0.6, 1.0)))
    marks = np.linspace(0, span, count + 1)
    gap = span / count
    marks[1:-1] += rng.uniform(-0.2, 0.2, count - 1) * gap
    keys: list[tuple[float, Pose]] = []
    yaw = 0.0
    for mark in marks:
        yaw += rng.normal(0, 50)
        stance = {**jittered(_dance_pose(rng), rng, 5.0), "yaw": yaw}
        keys.append((float(mark), stance))
        if rng.random() < 0.5 and mark < span:
            keys.append((float(mark) + 0.25 * gap, jittered(stance, rng, 2.0)))
    return keyed(times, keys)


def _dance_pose(rng: np.random.Generator) -> dict[str, float]:
    arms = {}
    for side in "lr":
        arms[f"{side}_arm_flex"] = rng.uniform(-40, 150)
        arms[f"{side}_arm_abd"] = rng.uniform(10, 120)
        arms[f"{side}_arm_twist"] = rng.uniform(-40, 70)
        arms[f"{side}_elbow"] = rng.choice([5.0, 20.0, 60.0, 100.0])
    trunk = {"spine_side": rng.uniform(-25, 25), "spine_turn": rng.uniform(-35, 35),
             "neck_turn": rng.uniform(-40, 40), "neck_bend": rng.uniform(-30, 25)}  # fmt: skip
    a, b = ("l", "r") if rng.random() < 0.5 else ("r", "l")
    deep = rng.uniform(0.6, 1.0)
    legs: tuple[dict[str, float], ...] = (
        both(hip_flex=62 * deep, hip_abd=58 * deep, knee=115 * deep, hip_twist=55.0),
        {f"{a}_hip_flex": 45 * deep, f"{a}_hip_abd": 45.0, f"{a}_knee": 105 * deep,
         f"{b}_hip_abd": 62 * deep, f"{b}_knee": 4.0},
        {f"{a}_hip_flex": 88 * deep, f"{a}_knee": 92 * deep, f"{b}_hip_flex": -58 * deep,
         f"{b}_knee": 12.0, f"{b}_ankle": 35.0},
        {f"{a}_hip_abd": rng.uniform(80, 135), f"{a}_hip_flex": rng.uniform(-10, 60),
         f"{a}_knee": 6.0, f"{a}_ankle": 40.0, "tilt_side": -25.0 if a == "r" else 25.0},
        {f"{a}_hip_flex": 108.0, f"{a}_knee": 130.0, f"{b}_hip_flex": 30.0, f"{b}_knee": 125.0,
         f"{b}_ankle": 40.0, "tilt_bend": 20.0},
        {**both(hip_flex=-12.0, knee=38.0, ankle=12.0), "spine_bend": -45.0, "tilt_bend": -18.0},
        {f"{a}_hip_flex": rng.uniform(80, 130), f"{a}_knee": rng.choice([5.0, 100.0]),
         f"{a}_ankle": 40.0, "tilt_bend": -10.0},
    )  # fmt: skip
    return pose(trunk, arms, legs[int(rng.integers(len(legs)))])
