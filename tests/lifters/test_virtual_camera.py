import numpy as np
import pytest

from emc.errors import ShapeMismatch
from emc.lifters.virtual_camera import (
    coco_from_h36m,
    detector_noise,
    random_camera,
    rooted,
    standard_scale,
    view,
    with_bones,
)
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.synth.body.rig import BodyShape
from emc.synth.motion.motions import generate_motion


@pytest.fixture(scope="module")
def walk():
    return generate_motion("walk", 2.0, 30.0, BodyShape(height=1.7), np.random.default_rng(5))


def test_camera_sees_the_person_upright_and_in_front(walk):
    for seed in range(8):
        camera = random_camera(walk.h36m, np.random.default_rng(seed))
        seen = view(walk.h36m, walk.coco, camera)
        assert np.linalg.det(camera.rotation) == pytest.approx(1.0)
        assert (seen.pelvis[:, 2] > 1.0).all()
        assert (seen.xyz[:, H36M17.index("head_top"), 1] < -0.3).all()
        assert (seen.xyz[:, 0] == 0).all()


def test_view_is_not_mirrored(walk):
    seen = view(walk.h36m, walk.coco, random_camera(walk.h36m, np.random.default_rng(0)))
    h36m, xyz = walk.h36m[0], seen.xyz[0]
    frame = [H36M17.index(name) for name in ("left_hip", "thorax", "left_knee")]
    before = np.linalg.det(h36m[frame] - h36m[0])
    assert np.linalg.det(xyz[frame]) == pytest.approx(before)


def test_coco_limbs_are_copied_and_the_face_looks_ahead(walk):
    coco = coco_from_h36m(walk.h36m)
    for joint in ("left_wrist", "right_ankle", "left_hip"):
        np.testing.assert_allclose(coco[:, COCO17.index(joint)], walk.h36m[:, H36M17.index(joint)])
    assert np.linalg.norm(coco[:, :5] - walk.coco[:, :5], axis=-1).mean() < 0.03


def test_head_turns_to_the_left(walk):
    turned = coco_from_h36m(walk.h36m, np.full(len(walk), np.pi / 2))
    left = walk.h36m[:, H36M17.index("left_shoulder")] - walk.h36m[:, H36M17.index("right_shoulder")]
    ears = (turned[:, 3] + turned[:, 4]) / 2
    assert (((turned[:, 0] - ears) * left).sum(-1) > 0).all()


def test_other_bones_keep_directions(walk):
    lengths = np.linspace(0.1, 0.5, 17)
    out = with_bones(walk.h36m, lengths)
    assert np.linalg.norm(out[:, 2] - out[:, 1], axis=-1) == pytest.approx([lengths[2]] * len(out))
    before, after = (p[:, 16] - p[:, 15] for p in (walk.h36m, out))
    cosine = (before * after).sum(-1) / np.linalg.norm(before, axis=-1) / lengths[16]
    assert cosine == pytest.approx([1.0] * len(out))


def test_standard_scale_brings_a_figure_to_170_centimetres(walk):
    assert standard_scale(walk.coco) == pytest.approx(1.0, abs=0.03)
    assert standard_scale(walk.coco * 2) == pytest.approx(0.5, abs=0.015)


def test_pelvis_moves_between_the_hips():
    points = np.zeros((1, 17, 3))
    points[0, 1], points[0, 4], points[0, 0] = [-1, 0, 0], [3, 2, 0], [9, 9, 9]
    assert rooted(points)[0, 0].tolist() == [1, 1, 0]


def test_detector_noise_has_the_asked_size_and_says_where_it_lost_a_joint(walk):
    seen = view(walk.h36m, walk.coco, random_camera(walk.h36m, np.random.default_rng(2)))
    span = np.median(np.ptp(seen.xy, axis=1).max(axis=-1))
    xy, confidence = detector_noise(seen.xy, 0.02, np.random.default_rng(3))
    error = np.linalg.norm(xy - seen.xy, axis=-1) / span
    assert 0.012 < np.nanmedian(error) < 0.04
    assert ((confidence == 0) == np.isnan(error)).all()
    assert np.isnan(error).any()
    found = np.isfinite(error)
    assert np.corrcoef(error[found], confidence[found])[0, 1] < -0.5


def test_other_skeletons_are_refused():
    with pytest.raises(ShapeMismatch, match=r"\(4, 14, 3\)"):
        coco_from_h36m(np.zeros((4, 14, 3)))
