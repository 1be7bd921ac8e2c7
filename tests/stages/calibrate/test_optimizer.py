import pytest
import torch

from emc.config import CalibrateSettings
from emc.errors import UsageError
from emc.estimators.nano.estimator import NanoEstimator
from emc.estimators.vitpose.estimator import VitPoseEstimator
from emc.stages.calibrate.optimizer import build_optimizer, layer_factors, set_rate


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
