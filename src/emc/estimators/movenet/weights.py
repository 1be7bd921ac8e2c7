"""Reading MoveNet's weights: as published, or as a calibration saved them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emc.estimators.model_skeleton import skeleton_entries, skeleton_in_card
from emc.estimators.movenet.network import PoseNetwork, build_network
from emc.estimators.movenet.training import BORDER, PADDING
from emc.estimators.movenet.variants import Variant
from emc.networks.movenet import GAIN, SHIFT, STRIDE, from_graph
from emc.pose.skeletons import COCO17, Skeleton
from emc.weights.published import published_named, read_published
from emc.weights.saved_files import CARD_FILE, WEIGHTS_FILE, check_fits, read_card, read_weights

LICENCE = "Apache-2.0 (MoveNet, Google; the npm package with its weights: MIT)"
NOTES = "Google's MoveNet for one person; trained on COCO and fitness pictures; its card is in docs/models.md"
_REMEDY = "load weights that this network saved"


def load_published(variant: Variant) -> tuple[PoseNetwork, str]:
    """Return the published network, fetched where need be, and where it is; raises as `read_published` does."""
    form = variant.form(len(COCO17))
    graph, folder = read_published(variant.name)
    network = build_network(form)
    network.load_state_dict(from_graph(graph, form, str(folder)))
    return network, str(folder)


def load_folder(
    folder: Path, variant: Variant, old: PoseNetwork | None
) -> tuple[PoseNetwork, Skeleton, dict[str, Any]]:
    """Return the network, joints and card of a folder that `MoveNetEstimator.save` wrote.

    old : the network so far; one of the same joints is filled in place, so that whoever trains or scores it keeps what
    they hold. Raises `WeightsError` that names the file, and leaves `old` as it was.
    """
    card = read_card(folder / CARD_FILE, variant.name)
    skeleton = skeleton_in_card(card, str(folder / CARD_FILE))
    state = read_weights(folder / WEIGHTS_FILE)
    network = old if old is not None and old.joints == len(skeleton) else build_network(variant.form(len(skeleton)))
    check_fits(network.state_dict(), state, folder / WEIGHTS_FILE, variant.name, _REMEDY)
    network.load_state_dict(state)
    if old is not None:
        network.to(next(old.parameters()).device)
    return network.eval(), skeleton, card


def card_of(variant: Variant, card: Mapping[str, Any], skeleton: Skeleton) -> dict[str, Any]:
    """Return what a saved model says of itself: what its `card` said, and how to use it again."""
    kept = {name: value for name, value in card.items() if name != "skeleton_toml"}
    return {
        "base": published_named(variant.name).source,
        "licence": LICENCE,
        **kept,
        **skeleton_entries(skeleton),
        "estimator": variant.name,
        "preprocessing": {
            "input": [variant.side, variant.side],
            "grid": [variant.side // STRIDE] * 2,
            "colour": "RGB",
            "mean": SHIFT / GAIN,
            "spread": 1 / GAIN,
            "padding": PADDING,
            "border": BORDER,
        },
    }
