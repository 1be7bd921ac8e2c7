import pytest
import torch

from emc.config import CalibrateSettings
from emc.errors import UsageError
from emc.estimators.movenet import MoveNetLightning
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.rotation import rotation_ensemble
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.stages.calibrate.optimizer import LEAST, build_optimizer, layer_factors, set_rate, size_of


class Flat:
    """A trainable estimator that knows nothing of depth."""

    skeleton = predict = collate = loss = save = load = None
    module = torch.nn.Linear(2, 1)

    def describe(self):
        from emc.interfaces import ModelInfo

        return ModelInfo("flat", "estimator", "spots", (1, 1), "none", True)


def test_the_head_learns_at_the_full_rate_and_the_stem_slowest():
    factors = layer_factors(NanoEstimator.untrained(0), 0.5)
    assert factors["head.weight"] == factors["merge2.reduce.0.weight"] == 1.0
    assert factors["stage4.0.0.weight"] == 0.5
    assert factors["stem.0.0.weight"] == 0.5**5
    assert set(factors) == {name for name, _ in NanoEstimator.untrained(0).module.named_parameters()}


def test_every_parameter_is_in_one_group_and_only_kernels_decay():
    estimator = NanoEstimator.untrained(0)
    optimizer = build_optimizer(estimator, CalibrateSettings(layer_decay=0.5, weight_decay=0.1))
    grouped = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in estimator.module.parameters())
    for group in optimizer.param_groups:
        assert {p.ndim > 1 for p in group["params"]} == {group["weight_decay"] == 0.1}
    set_rate(optimizer, 0.01)
    assert sorted({group["lr"] for group in optimizer.param_groups}) == pytest.approx(
        [0.01 * 0.5**k for k in (5, 4, 3, 2, 1, 0)]
    )


def test_without_layer_decay_all_learn_alike_and_depths_are_not_asked_for():
    optimizer = build_optimizer(Flat(), CalibrateSettings())
    assert {group["factor"] for group in optimizer.param_groups} == {1.0}


def test_an_estimator_without_depths_is_told_by_name():
    with pytest.raises(UsageError, match=r"flat .* layer_decay = 1"):
        build_optimizer(Flat(), CalibrateSettings(layer_decay=0.8))


def test_norms_biases_and_places_of_a_vision_transformer_do_not_decay():
    estimator = VitPoseEstimator.untrained(0)
    optimizer = build_optimizer(estimator, CalibrateSettings(weight_decay=0.1))
    decays = {id(p): group["weight_decay"] > 0 for group in optimizer.param_groups for p in group["params"]}
    told = {name: decays[id(p)] for name, p in estimator.module.named_parameters()}
    places = [name for name in told if "position_embeddings" in name]
    assert len(places) == 1
    assert dict(estimator.module.named_parameters())[places[0]].ndim == 3
    assert not told[places[0]]
    assert not any(decay for name, decay in told.items() if "norm" in name or name.endswith("bias"))
    assert any(decay for name, decay in told.items() if "attention" in name and name.endswith("weight"))


def test_a_module_says_what_else_does_not_decay():
    class Own(torch.nn.Linear):
        def no_weight_decay(self):
            return {"weight"}

    class OwnFlat(Flat):
        module = Own(2, 1)

    groups = build_optimizer(OwnFlat(), CalibrateSettings(weight_decay=0.1)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.0]


class Uneven(Flat):
    """A network whose layers differ in size by four orders of magnitude, as where normalisation is folded in."""

    relative_step = 0.5
    predict = collate = loss = save = load = Flat.describe

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.module = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Linear(5, 4), torch.nn.Linear(4, 3))
        with torch.no_grad():
            for layer, size in zip(self.module, (1e-3, 1.0, 10.0), strict=True):
                layer.weight.copy_(size * torch.randn(layer.weight.shape, generator=generator))
                layer.bias.zero_()


def test_a_folded_network_moves_each_tensor_in_proportion_to_its_size():
    uneven = Uneven()
    optimizer = build_optimizer(uneven, CalibrateSettings(weight_decay=0.1))
    rate, sizes = 2e-3, [size_of(p) for p in uneven.module.parameters()]
    generator = torch.Generator().manual_seed(1)
    moved = []
    for _ in range(30):
        before = [p.detach().clone() for p in uneven.module.parameters()]
        set_rate(optimizer, rate)
        optimizer.zero_grad()
        uneven.module(torch.randn(8, 6, generator=generator)).square().sum().backward()
        optimizer.step()
        now = zip(uneven.module.parameters(), before, sizes, strict=True)
        moved.append([float((p.detach() - old).abs().max()) / (0.5 * rate * size) for p, old, size in now])
    shares = torch.tensor(moved)
    assert shares.max() < 2.4
    # In proportion, and not merely little: the largest and the smallest layer go as far for their size.
    assert torch.allclose(shares[0], torch.ones(6), atol=0.05)
    assert sizes[::2] == pytest.approx([1e-3, 1.0, 10.0], rel=0.5)
    assert sizes[1::2] == [LEAST] * 3


def test_the_share_follows_the_rate_and_the_layers():
    folded = MoveNetLightning.untrained(0)
    plain, layered = (build_optimizer(folded, CalibrateSettings(layer_decay=d)).param_groups for d in (1.0, 0.5))
    depths = folded.parameter_depths()
    top = max(depths.values())
    for (name, p), one, other in zip(folded.module.named_parameters(), plain, layered, strict=True):
        assert one["params"][0] is p
        assert one["factor"] == pytest.approx(0.5 * size_of(p))
        assert other["factor"] == pytest.approx(one["factor"] * 0.5 ** (top - depths[name]))
        assert one["weight_decay"] == 0
        assert one["betas"] == (0.9, 0.99)


def test_a_rotation_ensemble_of_a_folded_network_moves_as_that_network():
    inner = MoveNetLightning.untrained(0)
    alone = build_optimizer(inner, CalibrateSettings()).param_groups
    within = build_optimizer(rotation_ensemble(inner=inner), CalibrateSettings()).param_groups
    assert [group["factor"] for group in within] == [group["factor"] for group in alone]
    assert len(within) > 100


def test_other_networks_and_fresh_weights_learn_at_one_rate():
    fresh = build_optimizer(MoveNetLightning.untrained(0), CalibrateSettings(strategy="initial"))
    for optimizer in (fresh, build_optimizer(NanoEstimator.untrained(0), CalibrateSettings())):
        assert {group["factor"] for group in optimizer.param_groups} == {1.0}
        assert {group["betas"] for group in optimizer.param_groups} == {(0.9, 0.999)}


def test_a_tensor_of_zeros_can_move():
    assert size_of(torch.zeros(3, 3)) == LEAST
    assert size_of(torch.full((3, 3), 1e-3)) == pytest.approx(1e-3)
    assert size_of(torch.full((3,), 1e-3)) == LEAST
