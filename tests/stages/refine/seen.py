"""People of the package's motion before a known camera, for the tests of refinement."""

from __future__ import annotations

import numpy as np

from emc.stages.refine import gather_evidence
from emc.synth.body.rig import BodyShape
from emc.synth.motion.motions import generate_motion
from emc.synth.scene.camera import look_at

SIZE = (800, 600)
FOCAL = 900.0


class Seen:
    """xyz (T, 17, 3) true joints around the pelvis in camera axes, root (T, 3), xy (T, 17, 2) pixels, floor (4,)."""

    def __init__(self, name="walk", seconds=2.0, fps=30.0, eye=(1.0, 1.4, 5.0), height=1.70, seed=0):
        motion = generate_motion(name, seconds, fps, BodyShape(height=height), np.random.default_rng(seed))
        camera = look_at(eye, (0.0, 0.9, 0.0), FOCAL, SIZE)
        points = camera.to_camera(motion.h36m)
        self.fps = fps
        self.root = points[:, 0]
        self.xyz = points - points[:, :1]
        self.xy = camera.project(motion.coco)
        self.confidence = np.ones(self.xy.shape[:2])
        normal = camera.R @ np.array([0.0, 1.0, 0.0])
        self.floor = np.append(normal, -normal @ camera.t)

    def evidence(self, xyz=None, xy=None, confidence=None):
        """Return evidence with the truth where nothing else is given."""
        return gather_evidence(
            self.xyz if xyz is None else xyz,
            self.xy if xy is None else xy,
            self.confidence if confidence is None else confidence,
            SIZE,
            self.fps,
            FOCAL,
        )


def mm(a, b):
    """Return the mean distance of joints in millimetres."""
    return float(np.linalg.norm(a - b, axis=-1).mean() * 1000)
