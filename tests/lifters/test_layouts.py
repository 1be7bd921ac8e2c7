import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.lifters.layouts import FACE, TRUNK, coco_from_h36m_2d, h36m_from_coco_2d
from emc.lifters.person_frame import person_size
from emc.lifters.temporal import TemporalSmallLifter
from emc.lifters.virtual_camera import random_camera
from emc.pose.metrics.spatial import mean_error, mpjpe_errors
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import generate_motion


def seen(name="run", seed=1):
    rng = np.random.default_rng([77, seed])
    motion = generate_motion(name, 2.0, 30.0, sample_body(rng), rng)
    camera = random_camera(motion.h36m, rng)
    return camera, camera.project(motion.h36m), camera.project(motion.coco), camera.to_camera(motion.h36m)


def test_weights_sum_to_one_so_that_moving_the_person_moves_every_joint():
    for row in (*FACE.values(), *TRUNK.values()):
        assert sum(row) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("change", "source", "target", "most"), [
    (coco_from_h36m_2d, H36M17, COCO17, 0.12), (h36m_from_coco_2d, COCO17, H36M17, 0.04),
])  # fmt: skip
def test_limbs_are_copied_and_the_rest_lies_near(change, source, target, most):
    _, h36m, coco, _ = seen()
    given, truth = (h36m, coco) if source is H36M17 else (coco, h36m)
    confidence = np.tile(np.linspace(0.2, 1.0, 17), (len(given), 1))
    out, known = change(given, confidence)
    for joint in ("left_wrist", "right_ankle", "left_hip", "right_shoulder"):
        np.testing.assert_array_equal(out[:, target.index(joint)], given[:, source.index(joint)])
        np.testing.assert_array_equal(known[:, target.index(joint)], confidence[:, source.index(joint)])
    off = np.linalg.norm(out - truth, axis=-1).mean(axis=0) / person_size(coco).mean()
    assert off.max() < most


def test_mirror_images_map_to_mirror_images():
    _, h36m, coco, _ = seen("side_kick")
    for change, points, source, target in (
        (coco_from_h36m_2d, h36m, H36M17, COCO17),
        (h36m_from_coco_2d, coco, COCO17, H36M17),
    ):
        straight, _ = change(points, np.ones(points.shape[:2]))
        mirrored, _ = change(points[:, list(source.flip)] * [-1, 1], np.ones(points.shape[:2]))
        np.testing.assert_allclose(mirrored[:, list(target.flip)] * [-1, 1], straight, atol=1e-6)


def test_what_hangs_on_a_missing_joint_is_missing():
    _, h36m, coco, _ = seen()
    coco[:, COCO17.index("nose")] = np.nan
    out, known = h36m_from_coco_2d(coco, np.ones(coco.shape[:2]))
    lost = {H36M17.joints[j] for j in np.flatnonzero(np.isnan(out).any(axis=(0, 2)))}
    assert lost == {"spine", "thorax", "neck_nose", "head_top"}
    assert (known[:, H36M17.index("neck_nose")] == 0).all()
    # The pelvis is the middle of the hips and hangs on nothing else.
    np.testing.assert_allclose(out[:, 0], (coco[:, 11] + coco[:, 12]) / 2)
    unsure = np.ones(h36m.shape[:2])
    unsure[:, H36M17.index("head_top")] = 0.6
    _, guessed = coco_from_h36m_2d(h36m, unsure)
    assert (guessed[:, COCO17.index("left_ear")] == 0.6).all() and (guessed[:, COCO17.index("left_wrist")] == 1).all()


def test_the_embedded_lifter_takes_human36m_joints():
    camera, h36m, coco, truth = seen("walk", 3)
    lifter = TemporalSmallLifter()
    truth = truth - truth[:, :1]
    ones = np.ones(coco.shape[:2])
    own = mean_error(mpjpe_errors(lifter.lift(coco, ones, camera.size), truth))
    mapped = mean_error(mpjpe_errors(lifter.lift_h36m(h36m, ones, camera.size), truth))
    assert mapped < 1.5 * own


def test_shapes_are_named():
    with pytest.raises(ShapeMismatch, match=r"coco17 got xy \(3, 14, 2\)"):
        h36m_from_coco_2d(np.zeros((3, 14, 2)), np.zeros((3, 14)))
