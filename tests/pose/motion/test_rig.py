import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emc.pose.motion.motion import Motion3D
from emc.pose.motion.rig import RIG_NODES, euler_zxy, quaternions, rig_motion, rig_positions, shortest_rotation
from emc.synth.body.rig import BodyShape
from emc.synth.motion.motions import generate_motion


@pytest.mark.parametrize("name", ["cartwheel", "spinning_kick", "deep_dance"])
def test_joints_of_a_body_with_constant_bones_are_met_exactly(name):
    points = generate_motion(name, 1.0, 20.0, BodyShape(), np.random.default_rng(0)).h36m
    # The package's spine and neck are chords of a bending trunk; give them constant lengths as refined bones have.
    from emc.lifters.virtual_camera import with_bones
    from emc.pose.skeletons.spatial import STANDARD_LENGTHS

    xyz = with_bones(points, STANDARD_LENGTHS)
    frames = np.arange(len(xyz))
    rig = rig_motion(Motion3D("p0", 20.0, frames / 20, frames, xyz))
    assert rig_positions(rig) == pytest.approx(xyz, abs=1e-9)
    assert np.linalg.det(rig.rotations) == pytest.approx(1)


def test_the_rest_pose_stands_with_hanging_arms():
    names = [node.name for node in RIG_NODES]
    assert len(set(names)) == len(names)
    assert all(node.parent < index for index, node in enumerate(RIG_NODES))
    xyz = np.zeros((1, 17, 3))
    for node in RIG_NODES[1:]:
        if node.rest != (0, 0, 0):
            xyz[0, node.joint] = xyz[0, RIG_NODES[node.parent].joint] + 0.3 * np.array(node.rest)
    rig = rig_motion(Motion3D("p0", 20.0, np.zeros(1), np.zeros(1, dtype=np.int64), xyz))
    assert rig.rotations == pytest.approx(np.broadcast_to(np.eye(3), rig.rotations.shape), abs=1e-12)


def test_shortest_rotations_take_one_direction_to_the_other():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    b[0], b[1] = 2 * a[0], -a[1]
    turned = np.einsum("nij,nj->ni", shortest_rotation(a, b), a)
    ratio = np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert turned == pytest.approx(b * ratio[:, None])
    assert np.linalg.det(shortest_rotation(a, b)) == pytest.approx(1)


def test_angles_and_quaternions_agree_with_scipy():
    rotations = Rotation.random(50, random_state=0)
    matrices = rotations.as_matrix()
    assert euler_zxy(matrices) == pytest.approx(rotations.as_euler("ZXY"))
    ours, theirs = quaternions(matrices), rotations.as_quat()
    assert np.abs((ours * theirs).sum(axis=1)) == pytest.approx(1)
    assert ((ours[1:] * ours[:-1]).sum(axis=1) >= 0).all()
