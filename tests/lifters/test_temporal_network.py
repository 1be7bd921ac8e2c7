import numpy as np
import pytest
import torch

from emc.errors import ShapeMismatch, UsageError
from emc.lifters.temporal_network import (
    AveragedNetwork,
    FoldedNetwork,
    TemporalNetwork,
    lift_sequence,
    pad_edges,
    screen_coordinates,
)


def seeded_network(widths=(3, 3, 3), channels=16, joints=5, causal=False):
    torch.manual_seed(3)
    network = TemporalNetwork(joints, 2, joints, widths, channels, causal=causal)
    for norm in (network.expand_bn, *network.layers_bn):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        norm.running_mean.uniform_(-0.3, 0.3)
        norm.running_var.uniform_(0.5, 2.0)
    return network.eval()


def normalised(norm, vector):
    return (vector - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps) * norm.weight + norm.bias


def one_frame_by_hand(network, window):
    """The network as a tree of dot products over one window of exactly the receptive field: no convolution at all."""
    frames = [frame.flatten() for frame in window]
    kernel = network.expand_conv.weight
    frames = [
        torch.relu(normalised(network.expand_bn, sum(kernel[:, :, k] @ frames[t + k] for k in range(3))))
        for t in range(0, len(frames), 3)
    ]
    for block in range(len(network.filter_widths) - 1):
        wide, narrow = network.layers_conv[2 * block].weight, network.layers_conv[2 * block + 1].weight
        norms = network.layers_bn[2 * block], network.layers_bn[2 * block + 1]
        merged = []
        for t in range(0, len(frames), 3):
            inner = torch.relu(normalised(norms[0], sum(wide[:, :, k] @ frames[t + k] for k in range(3))))
            merged.append(frames[t + 1] + torch.relu(normalised(norms[1], narrow[:, :, 0] @ inner)))
        frames = merged
    (last,) = frames
    return (network.shrink.weight[:, :, 0] @ last + network.shrink.bias).reshape(-1, 3)


def test_the_papers_largest_network_has_its_parameter_count():
    network = TemporalNetwork(17, 2, 17, (3, 3, 3, 3, 3), 1024)
    assert sum(p.numel() for p in network.parameters()) == 16_952_371
    assert network.receptive_field == 243


def test_parameter_names_are_those_of_published_checkpoints():
    names = set(TemporalNetwork(17, 2, 17, (3, 3, 3, 3, 3), 8).state_dict())
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"expand_conv.weight", "shrink.weight", "shrink.bias", *(f"expand_bn.{part}" for part in norm)}
    expected |= {f"layers_conv.{i}.weight" for i in range(8)}
    expected |= {f"layers_bn.{i}.{part}" for i in range(8) for part in norm}
    assert names == expected


def test_full_sequence_form_equals_a_frame_by_frame_computation():
    network = seeded_network()
    torch.manual_seed(4)
    sequence = torch.randn(40, 5, 2)
    with torch.no_grad():
        whole = network(sequence[None])[0]
        single = torch.stack([one_frame_by_hand(network, sequence[t : t + 27]) for t in range(14)])
    assert whole.shape == (14, 5, 3)
    assert single.std() > 0.01
    torch.testing.assert_close(whole, single, atol=1e-5, rtol=0)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 5, 1, 3)])
def test_strided_training_form_equals_the_dilated_form(widths, causal):
    network = seeded_network(widths=widths, causal=causal)
    torch.manual_seed(5)
    field = network.receptive_field
    sequence = torch.randn(field + 9, 5, 2)
    windows = torch.stack([sequence[t : t + field] for t in range(10)])
    with torch.no_grad():
        dilated, strided = network(sequence[None])[0], network.lift_windows(windows)
    assert strided.shape == (10, 5, 3) and strided.std() > 0.01
    torch.testing.assert_close(strided, dilated, atol=1e-5, rtol=0)


@pytest.mark.parametrize("widths", [(3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3, 3)])
def test_receptive_fields_of_27_81_and_243(widths):
    network = seeded_network(widths=widths, channels=6)
    assert network.receptive_field == {3: 27, 4: 81, 5: 243}[len(widths)]
    windows = torch.randn(2, network.receptive_field, 5, 2)
    with torch.no_grad():
        torch.testing.assert_close(network(windows)[:, 0], network.lift_windows(windows), atol=1e-5, rtol=0)


def test_a_causal_network_sees_nothing_of_the_future():
    network = seeded_network(causal=True)
    assert network.padding == (26, 0)
    torch.manual_seed(6)
    sequence = torch.randn(40, 5, 2).numpy()
    changed = sequence.copy()
    changed[20] += 1
    both = [lift_sequence(FoldedNetwork(network), one, piece=9) for one in (sequence, changed)]
    assert both[0].shape == both[1].shape == (40, 5, 3)
    differs = np.abs(both[0] - both[1]).max(axis=(1, 2)) > 1e-6
    assert not differs[:20].any()
    assert differs[20:40].all()


@pytest.mark.parametrize("causal", [False, True])
def test_folding_the_normalisation_changes_nothing(causal):
    network = seeded_network(widths=(3, 5, 3), causal=causal)
    sequence = torch.randn(2, 60, 5, 2)
    with torch.no_grad():
        folded, plain = FoldedNetwork(network)(sequence), network(sequence)
        torch.testing.assert_close(folded, plain, atol=1e-5, rtol=0)
    # Answers of zero would agree as well.
    assert plain.abs().mean() > 0.01


@pytest.mark.parametrize("causal", [False, True])
def test_flip_averaging_in_the_weights_is_the_mean_of_both_answers(causal):
    network = seeded_network(widths=(3, 5, 3), causal=causal)
    flip = [1, 0, 2, 4, 3]
    sequence = torch.randn(1, 60, 5, 2)
    with torch.no_grad():
        mirrored = network(sequence[:, :, flip] * torch.tensor([-1.0, 1.0]))
        back = mirrored[:, :, flip] * torch.tensor([-1.0, 1.0, 1.0])
        wanted = (network(sequence) + back) / 2
        assert (wanted - network(sequence)).abs().max() > 0.01
        torch.testing.assert_close(AveragedNetwork(network, flip, flip)(sequence), wanted, atol=1e-5, rtol=0)


def test_strided_and_dilated_forms_train_the_same_parameters():
    network = seeded_network()
    windows = torch.randn(3, 27, 5, 2)
    network.lift_windows(windows).square().mean().backward()
    strided = {name: p.grad.clone() for name, p in network.named_parameters()}
    assert all(gradient.abs().max() > 1e-6 for gradient in strided.values())
    network.zero_grad()
    network(windows).square().mean().backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(strided[name], parameter.grad, atol=1e-5, rtol=1e-4)


def test_windows_of_another_length_are_named():
    with pytest.raises(ShapeMismatch, match=r"\(2, 26, 5, 2\)"):
        seeded_network().lift_windows(torch.zeros(2, 26, 5, 2))


def test_the_trajectory_head_is_a_network_with_one_joint():
    network = TemporalNetwork(17, 2, 1, (3, 3), 8).eval()
    assert network(torch.zeros(1, 12, 17, 2)).shape == (1, 4, 1, 3)


def test_too_short_or_wrong_input_is_named():
    network = seeded_network()
    with pytest.raises(ShapeMismatch, match=r"\(1, 26, 5, 2\).*T >= 27"):
        network(torch.zeros(1, 26, 5, 2))
    with pytest.raises(ShapeMismatch):
        network(torch.zeros(1, 40, 5, 3))


@pytest.mark.parametrize("widths", [(), (2, 3), (3, -1)])
def test_even_or_missing_widths_are_refused(widths):
    with pytest.raises(UsageError, match="odd"):
        TemporalNetwork(filter_widths=widths)


def test_edges_are_repeated():
    assert pad_edges(np.array([[1.0], [2.0]]), 2, 1).ravel().tolist() == [1, 1, 1, 2, 2]


def test_screen_coordinates_keep_the_aspect():
    corners = np.array([[0.0, 0.0], [1000.0, 500.0], [500.0, 250.0]])
    assert screen_coordinates(corners, (1000, 500)).tolist() == [[-1, -0.5], [1, 0.5], [0, 0]]
