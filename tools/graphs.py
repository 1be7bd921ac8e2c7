"""Write the graphs that the package brings (``src/emc/assets/graphs``): run it after a network's layers changed.

Without them the first prediction exports its network, which takes 10 to 20 seconds and the extra ``onnx``. Graphs hold
no weights: those of untrained networks are those of all.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from emc.detectors.movenet.detector import FORM as PEOPLE
from emc.engines.export import weightless_graph
from emc.engines.free import PICTURE, POSE
from emc.engines.graphs import ANY_SIZE, graph_example, graph_key
from emc.estimators.movenet import MoveNetLightning, MoveNetThunder
from emc.estimators.nano import NanoEstimator
from emc.networks.movenet import build_movenet

FOLDER = Path(__file__).resolve().parent.parent / "src" / "emc" / "assets" / "graphs"
Shipped = tuple[nn.Module, tuple[int, int], Mapping[int, str]]


def shipped() -> dict[str, Shipped]:
    """Return by name: network, size of its input, what of it may vary."""
    pose = [NanoEstimator.untrained(0), MoveNetLightning.untrained(0), MoveNetThunder.untrained(0)]
    made = {one.describe().name: (one.module, one.describe().input_size, POSE) for one in pose}
    return made | {"movenet-multipose": (build_movenet(PEOPLE), ANY_SIZE, PICTURE)}


def main() -> int:
    """Write those that are missing, and remove those that no network has any more."""
    wanted = {f"{name}-{graph_key(*made)}.onnx": made for name, made in shipped().items()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.onnx"):
        if old.name not in wanted:
            old.unlink()
    for file, (network, size, free) in wanted.items():
        if not (FOLDER / file).is_file():
            (FOLDER / file).write_bytes(weightless_graph(network, graph_example(size, free), free))
            sys.stdout.write(f"{file}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
