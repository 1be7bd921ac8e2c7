"""Networks that can be calibrated, in PyTorch and in an engine: `python benchmarks/prediction/engines.py [--json]`.

For each network (published weights where they are on this machine, else random ones) in turn, PyTorch and the engine
interleaved, on one thread, in processor seconds, so that other work on the machine counts little:

- whole: `predict` on crops of drawn people, milliseconds per person, in the batch that each uses (the mirrored second
  reading included where the estimator makes one); network: the network alone on tensors;
- maps, places: how far the engine is from PyTorch, as a share of the maps' range and in pixels of the crop;
- open_s: graph at hand, weights filled in, opened; check_s: comparing it with PyTorch on four persons; export_s
  (`--export`): making the graph, which the package or the cache usually holds;
- pays_from: persons from which on opening and checking costs less than it saves.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from emc.engines.check import difference, drawn_people
from emc.engines.export import weightless_graph
from emc.engines.free import POSE
from emc.engines.graphs import graph_example
from emc.engines.network import graph_of, opened
from emc.errors import WeightsError
from emc.estimators.movenet import MoveNetLightning, MoveNetThunder
from emc.estimators.nano import NanoEstimator
from emc.estimators.vitpose import VitPoseS

NETWORKS = {
    "nano": NanoEstimator,
    "movenet-lightning": MoveNetLightning,
    "movenet-thunder": MoveNetThunder,
    "vitpose-s": VitPoseS,
}
PERSONS = 32


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def made(name: str) -> tuple[Any, str]:
    if name.startswith("vitpose"):
        return NETWORKS[name].untrained(0), "random"
    estimator = NETWORKS[name]()
    try:
        estimator.module  # noqa: B018 - loads the weights
    except WeightsError:
        return NETWORKS[name].untrained(0), "random"
    return estimator, "published"


def measured(name: str, rounds: int, engine: str, export: bool) -> dict[str, Any]:
    estimator, weights = made(name)
    size = estimator.describe().input_size
    export_s = (
        seconds(lambda: weightless_graph(estimator.module, graph_example(size, POSE), POSE))[0] if export else None
    )
    graph = graph_of(estimator.module, size, POSE)
    open_s, forward = seconds(lambda: opened(estimator.module, size, POSE, graph, engine))
    check_s, away = seconds(lambda: difference(estimator, forward))
    fast = estimator.clone()
    fast.forward = forward
    images, boxes = drawn_people(size)
    images, boxes = images * (PERSONS // len(images)), boxes * (PERSONS // len(boxes))
    crops = torch.randn(forward.persons_at_once, 3, size[1], size[0])
    with torch.inference_mode():
        contestants: dict[str, tuple[Callable[[], Any], int]] = {
            "whole_torch": (lambda: estimator.predict(images, boxes), PERSONS),
            "whole_engine": (lambda: fast.predict(images, boxes), PERSONS),
            "network_torch": (lambda: estimator.module(crops), len(crops)),
            "network_engine": (lambda: forward(crops), len(crops)),
        }
        times: dict[str, list[float]] = {key: [] for key in contestants}
        for _ in range(rounds + 1):
            for key, (call, persons) in contestants.items():
                times[key].append(1000 * seconds(call)[0] / persons)
    ms = {key: sorted(values[1:])[rounds // 2] for key, values in times.items()}
    saved = (ms["whole_torch"] - ms["whole_engine"]) / 1000
    return {
        "network": name, "weights": weights, "engine": forward.engine.name, "maps": away.maps, "places_px": away.places,
        **{key: round(value, 2) for key, value in ms.items()},
        "faster_whole": ms["whole_torch"] / ms["whole_engine"],
        "faster_network": ms["network_torch"] / ms["network_engine"],
        "open_s": open_s, "check_s": check_s, "export_s": export_s, "graph_kb": len(graph) / 1000,
        "pays_from": (open_s + check_s) / saved if saved > 0 else None,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="*", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--engines", nargs="*", default=["onnxruntime", "openvino"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--export", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in asked.networks:
        for number, engine in enumerate(asked.engines):
            row = measured(name, asked.rounds, engine, asked.export and number == 0)
            rows.append(row)
            if not asked.json:
                shown = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in row.items()}
                print(" ".join(f"{key}={value}" for key, value in shown.items()), flush=True)
    if asked.json:
        print(json.dumps(rows, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
