"""The ViTPose network of transformers as a plain module: crops in, heatmaps out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from emc.errors import PluginError, WeightsError
from emc.weights.hub import INSTALL


class VitPoseNetwork(nn.Module):
    """(B, 3, H, W) normalised RGB in, (B, joints, h, w) heatmaps out, each a bump of height 1 where it is sure.

    model : a `transformers.VitPoseForPoseEstimation` without experts (see `weights.fold_experts`). The size of
    the input, that of the heatmaps and the number of joints follow from its configuration.

    Batch-norm statistics (the classic head has some) stay those that were loaded while training: a few hundred steps
    on another population would move them without any gradient having asked for it. `live_statistics` lets them learn.
    """

    def __init__(self, model: nn.Module, live_statistics: bool = False) -> None:
        super().__init__()
        self.model = model
        self.live_statistics = live_statistics

    @property
    def config(self) -> Any:
        """The transformers configuration."""
        return self.model.config

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the input, pixels."""
        height, width = self.config.backbone_config.image_size
        return int(height), int(width)

    @property
    def grid(self) -> tuple[int, int]:
        """(height, width) of the heatmaps, cells."""
        down, right = self.config.backbone_config.patch_size
        finer = int(self.config.scale_factor) if self.config.use_simple_decoder else 4
        return self.size[0] // down * finer, self.size[1] // right * finer

    @property
    def joints(self) -> int:
        """Number of heatmaps."""
        return int(self.config.num_labels)

    def forward(self, image: Tensor) -> Tensor:
        """Return the heatmaps of crops."""
        return self.model(image).heatmaps

    def train(self, mode: bool = True) -> VitPoseNetwork:
        """Switch to training mode; batch-norm statistics stay frozen unless `live_statistics`."""
        super().train(mode)
        if mode and not self.live_statistics:
            for part in self.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        return self

    def written_config(self) -> dict[str, Any]:
        """Return the configuration as it stands in ``config.json``: enough to build the network again."""
        return cast(dict[str, Any], json.loads(self.config.to_json_string(use_diff=True)))

    def parameter_depths(self) -> dict[str, int]:
        """Return parameter name -> depth: 0 = patch and place embeddings, i + 1 = block i, the largest = norm and head.

        Source: the layers of the official ViTPose optimizer (after BEiT, Bao et al., ICLR 2022).
        """
        top = int(self.config.backbone_config.num_hidden_layers) + 1
        return {name: _depth(name, top) for name, _ in self.named_parameters()}


def _depth(name: str, top: int) -> int:
    if ".embeddings." in name:
        return 0
    _, block, rest = name.partition(".encoder.layer.")
    return int(rest.split(".")[0]) + 1 if block else top


def build_network(config: Mapping[str, Any], origin: str) -> VitPoseNetwork:
    """Return a network with random weights, in evaluation mode.

    config : as in ``config.json``. origin : where it came from, for the error. Raises `PluginError` where transformers
    is missing, `WeightsError` where the configuration describes no network.
    """
    library = load_transformers()
    try:
        parsed = library.VitPoseConfig.from_dict(dict(config))
        model = library.VitPoseForPoseEstimation(parsed)
    except Exception as error:  # noqa: BLE001  # transformers checks each field with exceptions of its own
        raise WeightsError(
            f"{origin} does not describe a ViTPose network ({type(error).__name__}: {_first_line(error)}): "
            "take config.json from the model's own folder"
        ) from error
    return VitPoseNetwork(model).eval()


def with_joints(config: Mapping[str, Any], joints: Sequence[str]) -> dict[str, Any]:
    """Return a configuration with one heatmap for each of `joints`."""
    told = {name: value for name, value in config.items() if name != "num_labels"}
    names = dict(enumerate(joints))
    return told | {"id2label": names, "label2id": {joint: i for i, joint in names.items()}}


def empty_network(config: Mapping[str, Any], origin: str) -> VitPoseNetwork:
    """Return a network without memory behind its weights, to be filled by ``load_state_dict(state, assign=True)``."""
    with torch.device("meta"):
        return build_network(config, origin)


def load_transformers() -> Any:
    """Return the module `transformers`; raises `PluginError` that says how to get it."""
    try:
        import transformers

        # transformers imports its classes when they are asked for: a broken companion package shows only then.
        transformers.VitPoseForPoseEstimation  # noqa: B018
    except (ImportError, RuntimeError, AttributeError) as error:
        raise PluginError(f"ViTPose needs the package transformers ({_first_line(error)}): {INSTALL}") from error
    return transformers


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
