"""Checkpoints in the format of Pavllo et al., against a second implementation: plain NumPy, a loop over frames."""

import json
import pickle
from math import prod

import numpy as np
import pytest
import torch

from emc.errors import PluginError, ShapeMismatch, UsageError, WeightsError
from emc.interfaces import Lifter
from emc.lifters.layouts import h36m_from_coco_2d
from emc.lifters.temporal import save_network
from emc.lifters.temporal_network import TemporalNetwork
from emc.lifters.videopose import TemporalLifter
from emc.lifters.videopose_checkpoint import read_checkpoint
from emc.plugins import lifter_for
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.stages.lift.sequence import Placing

SIZE = (1000, 1002)
COCO_LEFT, COCO_RIGHT = [1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]
H36M_LEFT, H36M_RIGHT = [4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]


def seeded_state(rng, joints_in=17, joints_out=17, widths=(3, 3, 3), channels=12):
    """Weights under the names of the published files, in NumPy: what a user's checkpoint holds."""
    state = {"expand_conv.weight": rng.normal(0, 0.15, (channels, joints_in * 2, widths[0]))}
    norms = ["expand_bn"]
    for block, width in enumerate(widths[1:]):
        state[f"layers_conv.{2 * block}.weight"] = rng.normal(0, 0.15, (channels, channels, width))
        state[f"layers_conv.{2 * block + 1}.weight"] = rng.normal(0, 0.3, (channels, channels, 1))
        norms += [f"layers_bn.{2 * block}", f"layers_bn.{2 * block + 1}"]
    for name in norms:
        state |= {
            f"{name}.weight": rng.uniform(0.5, 1.5, channels),
            f"{name}.bias": rng.normal(0, 0.2, channels),
            f"{name}.running_mean": rng.normal(0, 0.2, channels),
            f"{name}.running_var": rng.uniform(0.5, 2.0, channels),
            f"{name}.num_batches_tracked": np.array(7),
        }
    state["shrink.weight"] = rng.normal(0, 0.1, (joints_out * 3, channels, 1))
    state["shrink.bias"] = rng.normal(0, 0.3, joints_out * 3)
    return state


def as_tensors(state):
    return {k: torch.tensor(v, dtype=torch.int64 if v.ndim == 0 else torch.float32) for k, v in state.items()}


def write(path, seed=0, extra=None, trajectory=True, **shape):
    rng = np.random.default_rng(seed)
    states = {"model_pos": seeded_state(rng, **shape)}
    if trajectory:
        states["model_traj"] = seeded_state(rng, joints_out=1, **shape)
    document = {"epoch": 80, "lr": 1e-4, **{k: as_tensors(v) for k, v in states.items()}, **(extra or {})}
    torch.save(document, path)
    return states


def second_implementation(state, values, left, right, out_left, out_right, causal=False):
    """Flip-averaged output (T, J, 3) of normalised joints (T, 17, 2), one frame after the other."""
    flipped = values.copy()
    flipped[..., 0] *= -1
    flipped[:, left + right] = flipped[:, right + left]
    straight = np.stack([one_frame(state, values, t, causal) for t in range(len(values))])
    back = np.stack([one_frame(state, flipped, t, causal) for t in range(len(values))])
    back[..., 0] *= -1
    back[:, out_left + out_right] = back[:, out_right + out_left]
    return (straight + back) / 2


def one_frame(state, values, frame, causal):
    """Output (J, 3) of one frame: values of every layer asked for by time, with the border frames repeated."""
    blocks = sum(key.startswith("layers_conv") for key in state) // 2
    widths = [
        state["expand_conv.weight"].shape[2],
        *(state[f"layers_conv.{2 * b}.weight"].shape[2] for b in range(blocks)),
    ]

    def taps(width, step):
        offsets = range(-(width - 1), 1) if causal else range(-(width // 2), width // 2 + 1)
        return [step * o for o in offsets]

    def norm(name, x):
        scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + 1e-5)
        return np.maximum((x - state[f"{name}.running_mean"]) * scale + state[f"{name}.bias"], 0)

    def layer(block, t):
        if block < 0:
            kernel = state["expand_conv.weight"]
            clamped = [values[min(max(t + o, 0), len(values) - 1)].reshape(-1) for o in taps(widths[0], 1)]
            return norm("expand_bn", sum(kernel[:, :, k] @ x for k, x in enumerate(clamped)))
        kernel = state[f"layers_conv.{2 * block}.weight"]
        step = prod(widths[: block + 1])
        inner = sum(kernel[:, :, k] @ layer(block - 1, t + o) for k, o in enumerate(taps(widths[block + 1], step)))
        inner = norm(f"layers_bn.{2 * block}", inner)
        inner = norm(f"layers_bn.{2 * block + 1}", state[f"layers_conv.{2 * block + 1}.weight"][:, :, 0] @ inner)
        return layer(block - 1, t) + inner

    return (state["shrink.weight"][:, :, 0] @ layer(blocks - 1, frame) + state["shrink.bias"]).reshape(-1, 3)


def walk(frames=33, seed=1):
    return np.random.default_rng(seed).uniform(0, 1000, (frames, 17, 2))


def normalised(xy):
    """x / w * 2 - 1 and y / w * 2 - h / w, pixel by pixel."""
    width, height = SIZE
    return np.stack([xy[..., 0] / width * 2 - 1, xy[..., 1] / width * 2 - height / width], axis=-1)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("layout", ["coco17", "h36m17"])
def test_output_equals_a_second_implementation(tmp_path, layout, causal):
    states = write(tmp_path / "made.bin")
    lifter = TemporalLifter(tmp_path / "made.bin", input=layout, causal=causal)
    left, right = (COCO_LEFT, COCO_RIGHT) if layout == "coco17" else (H36M_LEFT, H36M_RIGHT)
    xy = walk()
    expected = second_implementation(
        states["model_pos"], normalised(xy), left, right, H36M_LEFT, H36M_RIGHT, causal=causal
    )
    assert 0.1 < expected.std() < 5
    np.testing.assert_allclose(lifter.positions(xy, SIZE), expected, atol=1e-5)
    path = second_implementation(states["model_traj"], normalised(xy), left, right, [], [], causal=causal)
    np.testing.assert_allclose(lifter.trajectory(xy, SIZE), path[:, 0], atol=1e-5)


def test_receptive_fields_of_27_81_and_243_come_from_the_file(tmp_path):
    for blocks, field in ((3, 27), (4, 81), (5, 243)):
        states = write(tmp_path / "made.bin", widths=(3,) * blocks, channels=4, trajectory=False)
        lifter = TemporalLifter(tmp_path / "made.bin")
        assert lifter.describe().extra["receptive_field"] == field
        xy = walk(frames=5)
        expected = second_implementation(
            states["model_pos"], normalised(xy), COCO_LEFT, COCO_RIGHT, H36M_LEFT, H36M_RIGHT
        )
        np.testing.assert_allclose(lifter.positions(xy, SIZE), expected, atol=1e-5)


def test_lift_roots_the_pelvis_and_bridges_gaps(tmp_path):
    write(tmp_path / "made_coco.bin", trajectory=False)
    lifter = TemporalLifter(tmp_path / "made_coco.bin")
    assert isinstance(lifter, Lifter)
    assert lifter.layout is COCO17
    xy = np.repeat(walk(1), 40, axis=0)
    raw = lifter.positions(xy, SIZE)
    holes = xy.copy()
    holes[10:14, 9] = np.nan
    lifted = lifter.lift(holes, np.ones((40, 17)), SIZE)
    assert lifted.dtype == np.float32 and (lifted[:, 0] == 0).all()
    np.testing.assert_allclose(lifted, raw - raw[:, :1], atol=1e-5)
    assert np.isnan(lifter.lift(np.full((3, 17, 2), np.nan), np.zeros((3, 17)), SIZE)).all()
    assert lifter.lift(np.zeros((0, 17, 2)), np.zeros((0, 17)), SIZE).shape == (0, 17, 3)


def test_a_network_on_human36m_joints_gets_them_from_coco(tmp_path):
    write(tmp_path / "pretrained_h36m_cpn.bin", trajectory=False)
    lifter = TemporalLifter(tmp_path / "pretrained_h36m_cpn.bin")
    assert lifter.layout is H36M17
    xy = walk(30)
    h36m = np.full((30, 17, 2), np.nan)
    for name in ("left_hip", "right_hip", "left_knee", "right_wrist"):
        h36m[:, H36M17.index(name)] = xy[:, COCO17.index(name)]
    h36m[:, 0] = (xy[:, 11] + xy[:, 12]) / 2
    given = []
    lifter.positions = lambda points, size: given.append(points) or np.zeros((30, 17, 3), np.float32)
    lifter.lift(xy, np.ones((30, 17)), SIZE)
    known = np.isfinite(h36m)
    np.testing.assert_allclose(given[0][known], h36m[known])
    assert np.isfinite(given[0]).all()


def test_random_states_of_old_files_are_passed_over(tmp_path):
    write(tmp_path / "made.bin", extra={"random_state": np.random.RandomState(3), "optimizer": {"state": {}}})
    assert TemporalLifter(tmp_path / "made.bin").describe().extra["trajectory"] is True


class _OldState:
    """Pickles as a RandomState did before NumPy 1.17."""

    def __reduce__(self):
        return getattr(np.random, "__RandomState_ctor"), (), ("MT19937", np.arange(624, dtype=np.uint32), 5, 0, 0.0)


def test_random_states_of_very_old_files_are_passed_over(tmp_path):
    if not hasattr(np.random, "__RandomState_ctor"):
        pytest.skip("this NumPy no longer has the old constructor to write such a file with")
    write(tmp_path / "made.bin", extra={"random_state": _OldState()})
    torch.save({"random_state": _OldState()}, tmp_path / "other.bin", _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / "made.bin").epochs == 80
    with pytest.raises(WeightsError, match="no 'model_pos'"):
        read_checkpoint(tmp_path / "other.bin")


class _Harmful:
    def __reduce__(self):
        import os

        return os.mkdir, ("harm",)


def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "made.bin", extra={"surprise": _Harmful()})
    with pytest.raises(WeightsError, match=r"made.bin holds more than weights.*posix.mkdir"):
        TemporalLifter(tmp_path / "made.bin")
    assert not (tmp_path / "harm").exists()


def test_faults_name_the_file_and_the_remedy(tmp_path):
    with pytest.raises(WeightsError, match="no weights of its own"):
        TemporalLifter()
    with pytest.raises(WeightsError, match="nowhere.bin: give the path"):
        TemporalLifter(tmp_path / "nowhere.bin")
    (tmp_path / "text.bin").write_text("no checkpoint")
    with pytest.raises(WeightsError, match="text.bin"):
        TemporalLifter(tmp_path / "text.bin")
    write(tmp_path / "made.bin")
    (tmp_path / "half.bin").write_bytes((tmp_path / "made.bin").read_bytes()[:2000])
    with pytest.raises(WeightsError, match="half.bin is not a readable checkpoint"):
        TemporalLifter(tmp_path / "half.bin")
    torch.save({"state_dict": {}}, tmp_path / "other.bin")
    with pytest.raises(WeightsError, match="holds state_dict, but no 'model_pos'"):
        TemporalLifter(tmp_path / "other.bin")
    torch.save([1, 2], tmp_path / "list.bin")
    with pytest.raises(WeightsError, match="holds a list"):
        TemporalLifter(tmp_path / "list.bin")
    with pytest.raises(UsageError, match="unknown lifter input 'mpii'"):
        TemporalLifter(tmp_path / "made.bin", input="mpii")
    (tmp_path / "pickle.bin").write_bytes(pickle.dumps({"model_pos": 1}))
    with pytest.raises(WeightsError, match="pickle.bin"):
        TemporalLifter(tmp_path / "pickle.bin")


def test_weights_that_do_not_fit_are_named(tmp_path):
    state = as_tensors(seeded_state(np.random.default_rng(0)))
    for change, reason in (
        ({"layers_bn.3.weight": torch.zeros(5)}, "layers_bn.3.weight"),
        ({"shrink.bias": None}, "shrink.bias"),
        ({"surplus.weight": torch.zeros(1)}, "surplus.weight"),
        ({"expand_conv.weight": None}, "expand_conv.weight"),
        ({"shrink.bias": torch.full((51,), float("nan"))}, "not finite"),
    ):
        broken = {k: v for k, v in {**state, **change}.items() if v is not None}
        torch.save({"model_pos": broken}, tmp_path / "broken.bin")
        with pytest.raises(WeightsError, match=f"model_pos.*{reason}"):
            TemporalLifter(tmp_path / "broken.bin")
    write(tmp_path / "few.bin", joints_in=14, trajectory=False)
    with pytest.raises(WeightsError, match="lifts 14 joints to 17"):
        TemporalLifter(tmp_path / "few.bin")


@pytest.mark.parametrize("layout", ["coco17", "h36m17"])
def test_the_trajectory_head_places_the_person_in_a_clip(tmp_path, layout):
    write(tmp_path / "made.bin")
    lifter = TemporalLifter(tmp_path / "made.bin", input=layout)
    xy, sure = walk(), np.ones((len(walk()), 17))
    inside = xy if layout == "coco17" else h36m_from_coco_2d(xy, sure)[0]
    np.testing.assert_allclose(lifter.pelvis(xy, sure, SIZE), lifter.trajectory(inside, SIZE), atol=1e-6)
    assert lifter.pelvis(np.full_like(xy, np.nan), sure, SIZE) is None
    assert isinstance(lifter, Placing)


def test_no_trajectory_head_and_wrong_shapes_are_told(tmp_path):
    write(tmp_path / "made.bin", trajectory=False)
    lifter = TemporalLifter(tmp_path / "made.bin")
    assert lifter.pelvis(walk(), np.ones((len(walk()), 17)), SIZE) is None
    with pytest.raises(UsageError, match="no trajectory head"):
        lifter.trajectory(walk(), SIZE)
    with pytest.raises(ShapeMismatch, match=r"\(5, 14, 2\)"):
        lifter.lift(np.zeros((5, 14, 2)), np.zeros((5, 14)), SIZE)


def test_folders_name_their_checkpoint(tmp_path):
    with pytest.raises(WeightsError, match="must hold one checkpoint.*none"):
        TemporalLifter(tmp_path)
    write(tmp_path / "a.bin")
    assert TemporalLifter(tmp_path).layout is COCO17
    write(tmp_path / "b.bin", seed=1)
    with pytest.raises(WeightsError, match=r"a.bin, b.bin: name the file"):
        TemporalLifter(tmp_path)
    told = {"lifter": "temporal", "checkpoint": "b.bin", "input": "h36m17", "causal": True}
    (tmp_path / "emc.json").write_text(json.dumps(told))
    info = TemporalLifter(tmp_path).describe()
    assert (info.skeleton, info.extra["causal"], info.weights) == ("h36m17", True, str(tmp_path / "b.bin"))
    assert TemporalLifter(tmp_path, input="coco17").layout is COCO17
    (tmp_path / "emc.json").write_text("[]")
    with pytest.raises(WeightsError, match="does not name a checkpoint"):
        TemporalLifter(tmp_path)


def test_a_told_focal_length_puts_joints_where_the_trained_cameras_would_see_them(tmp_path):
    write(tmp_path / "made.bin")
    xyz = np.random.default_rng(3).uniform(-0.8, 0.8, (12, 17, 3)) + [0.4, -0.2, 4.0]
    rays = xyz[..., :2] / xyz[..., 2:]
    # The same place before a Human3.6M camera (1,147 pixels on 1,000) and before one of half the focal length on 1,280.
    trained = TemporalLifter(tmp_path / "made.bin").positions(rays * 1147 + 500, (1000, 1000))
    wide = TemporalLifter(tmp_path / "made.bin", focal=700.0)
    np.testing.assert_allclose(wide.positions(rays * 700 + [640, 360], (1280, 720)), trained, atol=1e-4)
    root = TemporalLifter(tmp_path / "made.bin").trajectory(rays * 1147 + 500, (1000, 1000))
    np.testing.assert_allclose(wide.trajectory(rays * 700 + [640, 360], (1280, 720)), root, atol=1e-4)
    unknown = TemporalLifter(tmp_path / "made.bin").positions(rays * 700 + [640, 360], (1280, 720))
    assert np.abs(unknown - trained).max() > 0.05
    with pytest.raises(UsageError, match="focal length -1.0 px"):
        TemporalLifter(tmp_path / "made.bin", focal=-1.0)


def test_long_clips_are_lifted_in_pieces_without_seams(tmp_path, monkeypatch):
    write(tmp_path / "made.bin")
    lifter = TemporalLifter(tmp_path / "made.bin")
    whole = lifter.positions(walk(50), SIZE)
    monkeypatch.setattr("emc.lifters.videopose.PIECE", 7)
    np.testing.assert_allclose(lifter.positions(walk(50), SIZE), whole, atol=1e-5)


def test_without_flip_averaging_mirror_images_are_not_averaged(tmp_path):
    write(tmp_path / "made.bin")
    plain = TemporalLifter(tmp_path / "made.bin", flip=False).positions(walk(), SIZE)
    assert np.abs(plain - TemporalLifter(tmp_path / "made.bin").positions(walk(), SIZE)).max() > 0.01


def test_settings_name_a_lifter_by_name_file_or_folder(tmp_path):
    write(tmp_path / "made.bin")
    assert lifter_for("temporal-small").describe().name == "temporal-small"
    by_file = lifter_for(str(tmp_path / "made.bin"), input="h36m17", causal=True)
    assert (by_file.layout, by_file.network.causal) == (H36M17, True)
    assert lifter_for(str(tmp_path)).layout is COCO17
    assert lifter_for(str(tmp_path), focal=900.0).focal == 900 and lifter_for(str(tmp_path)).focal is None
    small = tmp_path / "small"
    save_network(TemporalNetwork(features=3, filter_widths=(3, 3), channels=8), small)
    assert lifter_for(str(small)).describe().name == "temporal-small"
    with pytest.raises(WeightsError, match=r"none.bin: give the path"):
        lifter_for(str(tmp_path / "none.bin"))
    with pytest.raises(PluginError, match="unknown lifter 'other': use one of temporal, temporal-small"):
        lifter_for("other")
