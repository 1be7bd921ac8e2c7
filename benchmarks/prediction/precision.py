"""What bfloat16 does to places and OKS-AP: `python benchmarks/prediction/precision.py [--networks ...] [--json]`.

Each network (published weights) reads the persons of coco-mini in their labelled boxes, in float32 and in bfloat16:
weights and what each layer gives rounded to bfloat16, sums in float32, as processors with bfloat16 do. Told: how far
joints move (pixels of the crop: median, 95th percentile; joints of confidence 0.3 or more beside all), OKS-AP of both,
and whether the rule for bfloat16 by default holds: a median below 0.5 px and an AP within 0.1 points. The processor's
own capabilities are told beside (`flags`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx_models
from torch import Tensor, nn

from emc.estimators.movenet import MoveNetLightning, MoveNetThunder
from emc.estimators.nano import NanoEstimator

NETWORKS = {"nano": NanoEstimator, "movenet-lightning": MoveNetLightning, "movenet-thunder": MoveNetThunder}
MEDIAN_PX, AP_POINTS = 0.5, 0.1
SURE = 0.3


class Rounded:
    """A network whose weights, and what each layer gives, are rounded to bfloat16."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network.bfloat16().float().eval()
        for layer in self._network.modules():
            if not any(True for _ in layer.children()):
                layer.register_forward_hook(lambda _, given, found: rounded(found))

    def __call__(self, crops: Tensor) -> Tensor:
        """Return the maps in float32."""
        return self._network(rounded(crops))


def rounded(values: Tensor) -> Tensor:
    """Return float32 values that bfloat16 holds."""
    return values.bfloat16().float()


def capabilities() -> list[str]:
    """Return what the processor says of bfloat16 and int8."""
    file = Path("/proc/cpuinfo")
    words = set(file.read_text().split()) if file.is_file() else set()
    return sorted(words & {"avx2", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8"})


def measured(name: str, shared: Path) -> dict[str, Any]:
    """Return one network's figures."""
    exact = NETWORKS[name]()
    rough = exact.clone()
    rough.forward = Rounded(rough.clone().module)
    people = onnx_models.coco_people(shared)
    before, after = (onnx_models.read_people(estimator, people) for estimator in (exact, rough))
    side = exact.describe().input_size[0]
    away, sure = [], []
    for one, other in zip(before, after, strict=True):
        per_pixel = side / (1.25 * float(max(one.box[2:])))
        away.append(np.linalg.norm(one.xy - other.xy, axis=-1) * per_pixel)
        sure.append(one.confidence >= SURE)
    moved, trusted = np.concatenate(away), np.concatenate(sure)
    ap, rough_ap = (100 * onnx_models.coco_scores(found, people)["ap"] for found in (before, after))
    return {
        "network": name, "persons": len(before), "median_px": float(np.median(moved)),
        "p95_px": float(np.quantile(moved, 0.95)), "median_sure_px": float(np.median(moved[trusted])),
        "p95_sure_px": float(np.quantile(moved[trusted], 0.95)),
        "ap_float32": ap, "ap_bfloat16": rough_ap,
        "holds": bool(np.median(moved) < MEDIAN_PX and abs(ap - rough_ap) < AP_POINTS),
    }  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.environ.get("EMC_SHARED") or Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--shared", type=Path, default=Path(default))
    parser.add_argument("--networks", nargs="*", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    print(json.dumps({"flags": capabilities()}), flush=True)
    for name in asked.networks:
        print(json.dumps(measured(name, asked.shared), indent=None if not asked.json else 2), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
