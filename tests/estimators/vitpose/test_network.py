"""The network's module: sizes, depths of parameters, frozen statistics, and what is said where it cannot be built."""

from __future__ import annotations

import importlib.util
import sys

import pytest
import torch

from emc.errors import PluginError, UsageError, WeightsError
from emc.estimators.vitpose.estimator import TINY
from emc.estimators.vitpose.network import build_network, empty_network, load_transformers
from emc.estimators.vitpose.variants import VITPOSE_VARIANTS, configuration, variant_named

needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None,
    reason="ViTPose needs transformers: pip install 'emc-pose[vitpose]'",
)


@needs_transformers
@pytest.mark.parametrize("name", sorted(VITPOSE_VARIANTS))
def test_published_shapes_have_their_published_size(name: str) -> None:
    network = empty_network(VITPOSE_VARIANTS[name].configuration(), name)
    assert sum(p.numel() for p in network.parameters()) == VITPOSE_VARIANTS[name].parameters
    assert (network.size, network.grid, network.joints) == ((256, 192), (64, 48), 17)


@needs_transformers
@pytest.mark.parametrize("simple", [True, False])
def test_heatmaps_have_the_grids_size(simple: bool) -> None:
    network = build_network(configuration(24, 1, 2, simple, (128, 96)), "here")
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 128, 96)).shape == (2, 17, *network.grid)
    assert network.grid == (32, 24)


@needs_transformers
def test_depths_rise_from_the_input_to_the_head() -> None:
    network = build_network(TINY, "here")
    depths = network.parameter_depths()
    assert list(depths) == [name for name, _ in network.named_parameters()]
    assert {depth for name, depth in depths.items() if ".embeddings." in name} == {0}
    assert depths["model.backbone.encoder.layer.2.mlp.fc1.weight"] == 3
    assert depths["model.backbone.layernorm.weight"] == depths["model.head.conv.bias"] == 5
    assert sorted(set(depths.values())) == [0, 1, 2, 3, 4, 5]


@needs_transformers
def test_statistics_stay_while_training_unless_asked() -> None:
    network = build_network(configuration(24, 1, 2, size=(64, 48)), "here")
    mean = network.model.head.batchnorm1.running_mean
    network.train()
    network(torch.randn(2, 3, 64, 48))
    assert mean.abs().max() == 0
    network.live_statistics = True
    network.train()
    network(torch.randn(2, 3, 64, 48))
    assert mean.abs().max() > 0


@needs_transformers
def test_a_configuration_of_something_else_is_refused() -> None:
    with pytest.raises(WeightsError, match=r"config\.json does not describe a ViTPose network"):
        build_network({"model_type": "vitpose", "backbone_config": {"model_type": "no_such_thing"}}, "config.json")


def test_without_transformers_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(PluginError, match=r"pip install 'emc-pose\[vitpose\]'"):
        load_transformers()


def test_revisions_are_commits() -> None:
    on_hub = [variant for variant in VITPOSE_VARIANTS.values() if variant.repository]
    assert len(on_hub) == 6
    assert all(len(variant.revision) == 40 and int(variant.revision, 16) for variant in on_hub)


def test_unknown_names_list_what_exists() -> None:
    with pytest.raises(UsageError, match="unknown ViTPose 'vitpose-xl': use one of vitpose-s"):
        variant_named("vitpose-xl")
