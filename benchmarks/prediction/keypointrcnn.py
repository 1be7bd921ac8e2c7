"""Compare Keypoint R-CNN with torchvision's, same weights: `python keypointrcnn.py [--quick] [--json]`.

The weights are random (frozen norms with random statistics, heads scaled so that persons are "found"), the same on
both sides; the pictures too. Printed: the largest differences of found boxes, of joints (pixels of the picture) and of
scores (logits), from torchvision's own `keypointrcnn_resnet50_fpn` and from a ResNet-101 put together with its parts,
and the CPU time of both. `same_peak` is the share of joints where both sides chose the same pixel of the enlarged map:
where two neighbours tie to the last digit the choice is a matter of rounding.

torchvision's compiled operators do not load beside PyTorch's CPU build; then its suppression of duplicates is defined
here by its definition, its ROIAlign is its own Python one, and `operators` says so. Where torchvision is missing:
`pip install --no-deps --target FOLDER torchvision` and `PYTHONPATH=FOLDER`, since one that cannot load beside the rest
also keeps transformers from loading.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")

from emc.estimators.keypoint_rcnn import KeypointRcnnEstimator
from emc.estimators.keypoint_rcnn.network import RESNET50, RESNET101, KeypointRcnnNetwork, freeze  # noqa: E402
from emc.estimators.keypoint_rcnn.recipe import TORCHVISION  # noqa: E402

SEED = 11


def nms(boxes: Tensor, scores: Tensor, limit: float) -> Tensor:
    """Non-maximum suppression by its definition: take the best that is left, drop what overlaps it by more."""
    left = scores.argsort(descending=True, stable=True)
    kept: list[int] = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        low = torch.maximum(boxes[best, :2], boxes[left, :2])
        high = torch.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
        left = left[shared / (area[best] + area[left] - shared) <= limit]
    return torch.tensor(kept, dtype=torch.int64)


def load_torchvision() -> tuple[Any, str]:
    """Return torchvision and which operators it runs on."""
    try:
        return importlib.import_module("torchvision"), "its own, compiled"
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    load_torchvision.kept = library  # type: ignore[attr-defined]  # the names live as long as this object
    vision = importlib.import_module("torchvision")
    vision.ops.boxes.nms = nms
    return vision, "plain Python: suppression defined here, ROIAlign torchvision's own in Python"


def their_model(vision: Any, blocks: tuple[int, ...], limits: dict[str, int]) -> torch.nn.Module:
    """Keypoint R-CNN of torchvision on a ResNet-50 or -101, untrained."""
    detection = importlib.import_module("torchvision.models.detection")
    if blocks == RESNET50.blocks:
        return detection.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None, **limits).eval()
    parts = importlib.import_module("torchvision.models.detection.backbone_utils")
    trunk = vision.models.resnet101(weights=None)
    backbone = parts._resnet_fpn_extractor(trunk, 5)
    return detection.KeypointRCNN(backbone, 2, num_keypoints=17, **limits).eval()


def randomised(network: KeypointRcnnNetwork) -> KeypointRcnnNetwork:
    """Give a network weights under which features keep their size, persons are found and maps have clear peaks."""
    state = network.state_dict()
    generator = torch.Generator().manual_seed(SEED)
    for name, value in state.items():
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith("running_var"):
            value.copy_(1 + 0.5 * noise.abs())
        elif value.ndim == 1 and ".bn" in name and name.endswith("weight"):
            value.copy_((0.25 if ".bn3." in name else 1.0) * (1 + 0.1 * noise))
        elif value.ndim == 1:
            value.copy_(0.1 * noise)
        else:
            fan = value[0].numel() if "kps_score" not in name else value.shape[0] * 4
            value.copy_(noise * (2.0 / fan) ** 0.5)
    state["roi_heads.box_predictor.bbox_pred.weight"] *= 0.1
    state["rpn.head.bbox_pred.weight"] *= 0.1
    state["roi_heads.keypoint_predictor.kps_score_lowres.weight"] *= 4
    return network


def pictures(count: int, sizes: list[tuple[int, int]]) -> list[np.ndarray]:
    """Smooth random pictures: noise on a coarse grid, enlarged."""
    rng = np.random.default_rng(SEED)
    coarse = [rng.integers(0, 256, (h // 12, w // 12, 3), dtype=np.uint8) for h, w in sizes[:count]]
    return [np.ascontiguousarray(c.repeat(12, axis=0).repeat(12, axis=1)) for c in coarse]


def compared(vision: Any, name: str, side: tuple[int, int], proposals: int, count: int) -> dict[str, Any]:
    """Return the largest differences between torchvision's model and ours, found persons and given boxes."""
    shape = RESNET50 if name == "resnet50" else RESNET101
    ours = KeypointRcnnEstimator()
    recipe = replace(TORCHVISION, short_side=side[0], long_side=side[1])
    network = randomised(KeypointRcnnNetwork(shape, recipe))
    freeze(network)
    ours._network = network.eval()
    ours.limits = replace(ours.limits, per_level=2 * proposals, proposals=proposals, persons=12)
    limits = {
        "min_size": side[0], "max_size": side[1], "rpn_pre_nms_top_n_test": 2 * proposals,
        "rpn_post_nms_top_n_test": proposals, "box_detections_per_img": 12,
    }  # fmt: skip
    theirs = their_model(vision, shape.blocks, limits)
    missing, unexpected = theirs.load_state_dict(network.state_dict(), strict=False)
    if unexpected or any(not key.endswith("num_batches_tracked") for key in missing):
        raise SystemExit(f"names differ: missing {missing[:3]}, unexpected {unexpected[:3]}")
    images = pictures(count, [(240, 360), (360, 240), (240, 360)])
    began = time.process_time()
    with torch.inference_mode():
        given = [theirs([torch.from_numpy(i).permute(2, 0, 1).float() / 255])[0] for i in images]
    middle = time.process_time()
    boxes = ours.detect(images, list(range(count)))
    poses = ours.predict(images, boxes)
    ended = time.process_time()
    return differences(given, boxes, poses) | {
        "torchvision_s": round(middle - began, 2), "emc_s": round(ended - middle, 2),
    }  # fmt: skip


def differences(given: list[dict[str, Tensor]], boxes: list[list[Any]], poses: list[Any]) -> dict[str, Any]:
    persons = [len(listed) for listed in boxes]
    if persons != [len(one["boxes"]) for one in given]:
        raise SystemExit(f"found {persons} persons, torchvision {[len(one['boxes']) for one in given]}")
    corners = np.concatenate([one["boxes"].numpy() for one in given])
    own = np.array([box.xywh for listed in boxes for box in listed])
    own = np.concatenate([own[:, :2], own[:, :2] + own[:, 2:]], axis=1)
    scores = np.concatenate([one["scores"].numpy() for one in given])
    xy = np.concatenate([one["keypoints"].numpy()[..., :2] for one in given])
    logits = np.concatenate([one["keypoints_scores"].numpy() for one in given])
    apart = np.abs(np.stack([pose.xy for pose in poses]) - xy).max(axis=-1)
    # Two neighbouring pixels of the enlarged map are two thirds of a picture's pixel apart or more.
    same = apart < 0.25
    return {
        "persons": sum(persons),
        "box_px": float(np.abs(own - corners).max()),
        "box_score": float(np.abs(np.array([b.score for listed in boxes for b in listed]) - scores).max()),
        "joint_px": float(apart[same].max()),
        "same_peak": float(same.mean()),
        "joint_px_any": float(apart.max()),
        "joint_score": float(np.abs(np.stack([pose.score for pose in poses]) - logits).max()),
        "score_range": [float(logits.min()), float(logits.max())],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="ResNet-50 alone, smaller pictures")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    torch.set_num_threads(1)
    try:
        vision, operators = load_torchvision()
    except ImportError:
        print("torchvision is not installed: `pip install --no-deps torchvision` (see this file's first lines)")
        return 1
    side, proposals, count = ((192, 288), 40, 2) if options.quick else ((320, 480), 100, 3)
    names = ["resnet50"] if options.quick else ["resnet50", "resnet101"]
    document: dict[str, Any] = {"torchvision": vision.__version__, "operators": operators}
    document |= {name: compared(vision, name, side, proposals, count) for name in names}
    if options.json:
        print(json.dumps(document))
        return 0
    print(f"torchvision {vision.__version__}; operators: {operators}")
    for name in names:
        print(name)
        for key, value in document[name].items():
            print(f"  {key:15} {value if not isinstance(value, float) else format(value, '.3g')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
