"""The MoveNet family: its shape, the published names, and the published graphs' own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.prediction.tfjs_reference import KEPT, SIDES, fetch, ours, places, squares
from benchmarks.prediction.tfjs_reference import compare as compare_live

from emc.errors import WeightsError
from emc.networks.movenet import (
    MoveNetForm,
    build_movenet,
    depths,
    divisible,
    from_graph,
    graph_names,
    people_heads,
    pose_heads,
    to_input,
)
from emc.weights.published import local

POSE, PEOPLE = MoveNetForm(1.0, pose_heads(17)), MoveNetForm(1.5, people_heads(17))
STORED = Path(__file__).with_name("movenet_reference.npz")


@pytest.mark.parametrize(
    ("width", "heads", "parameters"),
    # Counted in the published files.
    [(1.0, pose_heads(17), 2_317_974), (1.75, pose_heads(17), 6_226_046), (1.5, people_heads(17), 4_723_346)],
)
def test_its_size_is_that_of_the_published_networks(width: float, heads: dict[str, int], parameters: int) -> None:
    network = build_movenet(MoveNetForm(width, heads))
    assert sum(value.numel() for value in network.parameters()) == parameters


def test_channels_are_rounded_as_mobilenet_rounds_them() -> None:
    # The last row of each: widths of the published Thunder (1.75) and multipose (1.5).
    assert [divisible(1.75 * width) for width in (32, 16, 24, 32, 64, 96, 160, 320)] == [
        56, 32, 40, 56, 112, 168, 280, 560,
    ]  # fmt: skip
    assert [divisible(1.5 * width) for width in (24, 96)] == [40, 144]
    assert divisible(0.4 * 24) == 16  # 9.6 would become 8, a sixth less


def test_heads_have_a_quarter_of_the_sides() -> None:
    with torch.inference_mode():
        found = build_movenet(PEOPLE)(torch.zeros(2, 3, 64, 96))
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "center": (2, 1, 16, 24),
        "box_scale": (2, 2, 16, 24),
        "box_offset": (2, 2, 16, 24),
        "kpt_heatmap": (2, 17, 16, 24),
        "kpt_regress": (2, 34, 16, 24),
        "kpt_offset": (2, 34, 16, 24),
    }


def test_grey_levels_become_what_the_network_reads() -> None:
    levels = to_input(torch.tensor([0.0, 127.5, 255.0]).view(1, 3, 1, 1))
    np.testing.assert_allclose(levels.flatten().numpy(), [-1, 0, 1], atol=1e-4)


@pytest.mark.parametrize("form", [POSE, PEOPLE])
def test_every_weight_has_a_name_in_the_published_graph(form: MoveNetForm) -> None:
    network, names = build_movenet(form), graph_names(form)
    own = {f"{name}.{part}" for name, (_, bias) in names.items() for part in ("weight", *(["bias"] if bias else []))}
    assert own == set(network.state_dict())
    published = [name for pair in names.values() for name in pair if name]
    assert len(set(published)) == len(published) == len(own)


def test_weights_are_turned_from_tensorflows_axes() -> None:
    network = build_movenet(POSE)
    state, graph = network.state_dict(), {}
    for own, (weight, bias) in graph_names(POSE).items():
        depthwise = "depthwise" in own
        graph[weight] = state[f"{own}.weight"].permute(*((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))
        if bias:
            graph[bias] = state[f"{own}.bias"]
    back = from_graph(graph, POSE, "here")
    assert all(torch.equal(back[name], state[name]) for name in state)
    del graph["center_0/conv2d_4/BiasAdd/ReadVariableOp"]
    with pytest.raises(WeightsError, match="here lacks center_0/conv2d_4/BiasAdd/ReadVariableOp"):
        from_graph(graph, POSE, "here")


def test_stride_two_pads_right_and_bottom_alone() -> None:
    # One kernel that looks at its top left pixel: without padding there, output (0, 0) is pixel (0, 0).
    stem = build_movenet(POSE).stem
    with torch.no_grad():
        stem.conv.weight.zero_()
        stem.conv.bias.zero_()
        stem.conv.weight[0, 0, 0, 0] = 1.0
        picture = torch.arange(16.0).view(1, 1, 4, 4).expand(1, 3, 4, 4)
        assert stem(picture)[0, 0].tolist() == [[0.0, 2.0], [8.0, 10.0]]


def test_depths_rise_from_the_stem_to_the_heads() -> None:
    found = depths(build_movenet(POSE))
    assert found["stem.conv.weight"] == 0
    assert found["blocks.0.depthwise.conv.weight"] == 1
    assert found["blocks.16.project.conv.bias"] == 17
    assert found["last.conv.weight"] == 18
    assert found["merges.2.pointwise.weight"] == found["laterals.3.bias"] == 19
    assert found["heads.kpt_offset.out.weight"] == 20


@pytest.mark.parametrize("name", SIDES)
def test_it_says_what_the_published_graph_says(name: str) -> None:
    """Against numbers that TensorFlow.js gave: `python benchmarks/prediction/tfjs_reference.py` stores them."""
    if local(name) is None:
        pytest.skip(f"the weights of {name} are not here: run `emc models get {name}`")
    with np.load(STORED) as stored:
        heads = ours(name, squares(SIDES[name]))
        for head, values in heads.items():
            np.testing.assert_allclose(values.reshape(-1)[::KEPT], stored[f"{name}/{head}"], atol=1e-3, err_msg=head)
        if name == "movenet-multipose":
            return
        found, expected = places(heads), stored[f"{name}/poses"]
    np.testing.assert_allclose(found[:, :2] * SIDES[name], expected[:, :2] * SIDES[name], atol=1e-2)
    np.testing.assert_allclose(found[:, 2], expected[:, 2], atol=1e-4)


@pytest.mark.slow
def test_it_says_what_the_reference_runtime_says_now(tmp_path: Path) -> None:
    """Fetches the runtime and the published files: some 30 MB."""
    name = "movenet-lightning"
    if local(name) is None:
        pytest.skip(f"the weights of {name} are not here: run `emc models get {name}`")
    try:
        fetch(tmp_path, [name])
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever the client stumbles over
        pytest.skip(f"the reference runtime cannot be fetched here: {error}")
    _, row = compare_live(tmp_path, name)
    assert max(row["heads"].values()) < 1e-3
    assert row["places_px"] < 1e-2
    assert row["score"] < 1e-4
