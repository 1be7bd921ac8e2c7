import json

import numpy as np
import pytest
import torch

from emc.errors import ShapeMismatch, UsageError, WeightsError
from emc.interfaces import Lifter
from emc.lifters.temporal import TemporalSmallLifter, save_network
from emc.lifters.temporal_network import TemporalNetwork
from emc.lifters.virtual_camera import detector_noise, random_camera, view
from emc.plugins import lifter_for
from emc.pose.metrics.spatial import mean_error, mpjpe_errors
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import COMMON_MOTIONS, KICKS, UNCOMMON_MOTIONS, generate_motion
from emc.synth.scene.camera import look_at

SIZE = (1280, 720)


@pytest.fixture(scope="module")
def lifter():
    torch.set_num_threads(1)
    return TemporalSmallLifter()


def seen_motion(name, seed):
    rng = np.random.default_rng([4242, seed])
    motion = generate_motion(name, 3.0, 30.0, sample_body(rng), rng)
    return view(motion.h36m, motion.coco, random_camera(motion.h36m, rng))


def mean_pose():
    views = [seen_motion(name, 50 + i) for i, name in enumerate(COMMON_MOTIONS + UNCOMMON_MOTIONS)]
    return np.mean([seen.xyz.mean(axis=0) for seen in views], axis=0)


def test_is_a_lifter_and_describes_itself(lifter):
    info = lifter.describe()
    assert isinstance(lifter, Lifter)
    assert (info.name, info.skeleton, info.licence, info.weights) == (
        "temporal-small", "coco17", "Apache-2.0", "embedded",
    )  # fmt: skip
    assert info.extra == {"output_skeleton": "h36m17", "receptive_field": 27}
    assert info.parameters == sum(p.numel() for p in lifter.network.parameters()) > 100_000


@pytest.mark.parametrize(("names", "share"), [(COMMON_MOTIONS, 0.45), (KICKS, 0.45)])
def test_embedded_weights_beat_the_mean_pose(lifter, names, share):
    still = mean_pose()
    ours, baseline = [], []
    for seed, name in enumerate(names):
        seen = seen_motion(name, seed)
        xy, confidence = detector_noise(seen.xy, 0.01, np.random.default_rng(seed))
        ours.append(mean_error(mpjpe_errors(lifter.lift(xy, confidence, seen.camera.size), seen.xyz)))
        baseline.append(mean_error(mpjpe_errors(np.broadcast_to(still, seen.xyz.shape), seen.xyz)))
    assert np.mean(ours) < share * np.mean(baseline)


def test_output_is_rooted_float32_metres_of_the_asked_height(lifter):
    seen = seen_motion("walk", 3)
    xyz = lifter.lift(seen.xy, seen.confidence, seen.camera.size)
    assert xyz.shape == seen.xyz.shape and xyz.dtype == np.float32
    assert (xyz[:, 0] == 0).all()
    tall = TemporalSmallLifter(height=2.04).lift(seen.xy, seen.confidence, seen.camera.size)
    np.testing.assert_allclose(tall, xyz * 1.2, rtol=1e-4, atol=1e-6)


def test_mirrored_video_gives_the_mirrored_pose(lifter):
    seen = seen_motion("side_kick", 1)
    xyz = lifter.lift(seen.xy, seen.confidence, SIZE)
    mirrored_xy = seen.xy[:, list(COCO17.flip)] * [-1, 1] + [SIZE[0] - 1, 0]
    mirrored = lifter.lift(mirrored_xy, seen.confidence[:, list(COCO17.flip)], SIZE)
    np.testing.assert_allclose(mirrored[:, list(H36M17.flip)] * [-1, 1, 1], xyz, atol=2e-4)
    assert np.abs(mirrored - xyz).max() > 0.1


def test_resolution_does_not_matter(lifter):
    seen = seen_motion("run", 2)
    xyz = lifter.lift(seen.xy, seen.confidence, SIZE)
    # Doubling the pixels puts the centre of pixel (x, y) at 2 x + 0.5.
    double = lifter.lift(2 * seen.xy + 0.5, seen.confidence, (2 * SIZE[0], 2 * SIZE[1]))
    np.testing.assert_allclose(double, xyz, atol=1e-4)


def test_a_cut_around_the_person_changes_only_the_viewing_direction(lifter):
    seen = seen_motion("walk", 4)
    xyz = lifter.lift(seen.xy, seen.confidence, SIZE)
    cut = lifter.lift(seen.xy - [300.0, 100.0], seen.confidence, SIZE)
    np.testing.assert_allclose(np.linalg.norm(cut, axis=-1), np.linalg.norm(xyz, axis=-1), atol=1e-4)


def test_known_focal_length_is_used(lifter):
    seen = seen_motion("stand", 4)
    off_centre = seen.xy - seen.xy[:, [11, 12]].mean(axis=1, keepdims=True) + [1200.0, 359.5]
    narrow = TemporalSmallLifter(focal=1e9).lift(off_centre, seen.confidence, SIZE)
    usual = lifter.lift(off_centre, seen.confidence, SIZE)
    cosine = (narrow * usual).sum() / (np.linalg.norm(narrow) * np.linalg.norm(usual))
    assert 0.8 < cosine < 0.999


@pytest.mark.parametrize("frames", [1, 2, 26, 27, 28])
def test_any_length_works(lifter, frames):
    seen = seen_motion("jump", 6)
    xyz = lifter.lift(seen.xy[:frames], seen.confidence[:frames], SIZE)
    assert xyz.shape == (frames, 17, 3) and np.isfinite(xyz).all()


def test_long_clips_are_lifted_in_pieces_without_seams(lifter, monkeypatch):
    seen = seen_motion("wave", 6)
    whole = lifter.lift(seen.xy, seen.confidence, SIZE)
    monkeypatch.setattr("emc.lifters.temporal.PIECE", 7)
    np.testing.assert_allclose(lifter.lift(seen.xy, seen.confidence, SIZE), whole, atol=1e-5)


def test_empty_and_unseen_sequences(lifter):
    empty = lifter.lift(np.zeros((0, 17, 2)), np.zeros((0, 17)), SIZE)
    assert empty.shape == (0, 17, 3)
    nothing = lifter.lift(np.full((3, 17, 2), np.nan), np.zeros((3, 17)), SIZE)
    assert nothing.shape == (3, 17, 3) and np.isnan(nothing).all()


def test_missing_joints_are_bridged(lifter):
    seen = seen_motion("squat", 7)
    holes = seen.xy.copy()
    holes[20:24, 15] = np.nan
    holes[:, 9] = np.nan
    xyz = lifter.lift(holes, seen.confidence, seen.camera.size)
    assert np.isfinite(xyz).all()
    exact = lifter.lift(seen.xy, seen.confidence, seen.camera.size)
    legs = [H36M17.index("right_knee"), H36M17.index("left_knee")]
    assert mean_error(mpjpe_errors(xyz, exact)[:, legs]) < 60


def test_wrong_shapes_are_named(lifter):
    with pytest.raises(ShapeMismatch, match=r"\(5, 14, 2\)"):
        lifter.lift(np.zeros((5, 14, 2)), np.zeros((5, 14)), SIZE)


@pytest.mark.parametrize("options", [{"height": 0.0}, {"height": float("nan")}, {"focal": -1.0}])
def test_impossible_height_or_focal_is_refused(options):
    with pytest.raises(UsageError, match="positive"):
        TemporalSmallLifter(**options)


def test_saved_weights_come_back(tmp_path):
    torch.manual_seed(1)
    network = TemporalNetwork(features=3, filter_widths=(3, 3), channels=8).eval()
    save_network(network, tmp_path, {"training": {"steps": 5}})
    back = TemporalSmallLifter(tmp_path)
    assert back.network.receptive_field == 9
    assert back.describe().weights == str(tmp_path)
    assert json.loads((tmp_path / "emc.json").read_text())["training"] == {"steps": 5}
    values = torch.randn(1, 12, 17, 3)
    with torch.no_grad():
        torch.testing.assert_close(back.network(values), network(values), atol=5e-3, rtol=0)


def test_faults_in_weights_name_the_folder(tmp_path):
    with pytest.raises(WeightsError, match="nowhere.*give a folder"):
        TemporalSmallLifter(tmp_path / "nowhere")
    save_network(TemporalNetwork(features=3, filter_widths=(3, 3), channels=8), tmp_path)
    good = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(good[: len(good) // 2])
    with pytest.raises(WeightsError, match="damaged"):
        TemporalSmallLifter(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(good)
    document = json.loads((tmp_path / "emc.json").read_text())
    (tmp_path / "emc.json").write_text(json.dumps({**document, "channels": 16}))
    with pytest.raises(WeightsError, match="do not fit"):
        TemporalSmallLifter(tmp_path)
    (tmp_path / "emc.json").write_text(json.dumps({**document, "lifter": "other"}))
    with pytest.raises(WeightsError, match="'other'"):
        TemporalSmallLifter(tmp_path)
    (tmp_path / "emc.json").write_text("[1")
    with pytest.raises(WeightsError, match="damaged"):
        TemporalSmallLifter(tmp_path)


def test_embedded_weights_are_small():
    from importlib import resources

    folder = resources.files("emc.assets") / "temporal-small"
    assert len((folder / "model.safetensors").read_bytes()) <= 6_000_000
    assert "MPJPE" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", [20, 80])
def test_a_told_focal_length_turns_people_at_the_frame_s_edge_the_right_way(lifter, field):
    focal = SIZE[0] / (2 * np.tan(np.radians(field) / 2))
    knowing = lifter_for("temporal-small", focal=focal)
    unknown, told = [], []
    for name in ("wave", "walk", "stand", "jump"):
        for azimuth in (0.3, 1.9, 3.5, 5.1):
            xy, truth = seen_aside(name, focal, azimuth)
            for lifting, errors in ((lifter, unknown), (knowing, told)):
                errors.append(mean_error(mpjpe_errors(lifting.lift(xy, np.ones(xy.shape[:2]), SIZE), truth)))
    assert np.mean(told) < 0.9 * np.mean(unknown)


def seen_aside(name, focal, azimuth):
    """2D and 3D of a person about 300 pixels tall and 30 % of the frame's width beside its middle."""
    rng = np.random.default_rng([77, int(azimuth * 10)])
    motion = generate_motion(name, 2.0, 30.0, sample_body(rng), rng)
    pelvis = motion.h36m[:, 0].mean(axis=0)
    towards = np.array([np.sin(azimuth), 0.0, np.cos(azimuth)])
    right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    camera = look_at(
        pelvis + towards * 1.7 * focal / 300 + [0, 0.3, 0], pelvis - right * 0.3 * SIZE[0] * 1.7 / 300, focal, SIZE
    )
    truth = camera.to_camera(motion.h36m)
    return camera.project(motion.coco), truth - truth[:, :1]
