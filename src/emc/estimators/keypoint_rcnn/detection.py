"""Persons' boxes by Keypoint R-CNN itself: proposals on the pyramid, then a verdict on each (Ren et al., 2015)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from emc.estimators.keypoint_rcnn.boxes import (
    ANCHOR_SIDES,
    clipped,
    grid_anchors,
    moved,
    suppressed,
    suppressed_in_groups,
)
from emc.estimators.keypoint_rcnn.network import KeypointRcnnNetwork


@dataclass(frozen=True, slots=True)
class Limits:
    """How many boxes are looked at, and which are dropped; the published values.

    per_level : best anchors of each level. proposals : of an image. proposal_overlap, overlap : duplicates overlap by
    more. score : persons of less are dropped. persons : at most this many on an image.
    """

    per_level: int = 1000
    proposals: int = 1000
    proposal_overlap: float = 0.7
    score: float = 0.05
    overlap: float = 0.5
    persons: int = 100


def find_persons(
    network: KeypointRcnnNetwork,
    pyramid: list[Tensor],
    padded: tuple[int, int],
    sizes: list[tuple[int, int]],
    limits: Limits | None = None,
) -> list[tuple[Tensor, Tensor]]:
    """Return for each image the (N, 4) boxes of its persons, input pixels, and their (N,) scores, best first.

    pyramid : of the network, five levels. padded : (height, width) of its input. sizes : of each image without padding.
    """
    limits = limits or Limits()
    found = find_proposals(network, pyramid, padded, sizes, limits)
    return [_selected(network, pyramid, image, boxes, size, limits) for image, (boxes, size) in enumerate(found)]


def find_proposals(
    network: KeypointRcnnNetwork,
    pyramid: list[Tensor],
    padded: tuple[int, int],
    sizes: list[tuple[int, int]],
    limits: Limits,
) -> list[tuple[Tensor, tuple[int, int]]]:
    """Return for each image the boxes that may hold a person, best first, and the image's size."""
    # Detectron2 and torchvision round anchors differently: with the other's rule published weights find the same people
    # up to half a pixel off.
    whole = network.recipe.whole_anchors
    levels: list[tuple[Tensor, Tensor, Tensor]] = []
    for features, side in zip(pyramid, ANCHOR_SIDES, strict=True):
        rows, columns = (int(cells) for cells in features.shape[2:])
        anchors = grid_anchors((rows, columns), (padded[0] // rows, padded[1] // columns), side, whole)
        logits, offsets = network.proposals(features)
        levels.append((anchors.to(features.device), logits.float(), offsets.float()))
    return [(_proposed(levels, image, size, limits), size) for image, size in enumerate(sizes)]


def _proposed(levels: list[tuple[Tensor, Tensor, Tensor]], image: int, size: tuple[int, int], limits: Limits) -> Tensor:
    boxes: list[Tensor] = []
    scores: list[Tensor] = []
    groups: list[Tensor] = []
    count = 0
    for anchors, logits, offsets in levels:
        best = logits[image].topk(min(limits.per_level, logits.shape[1])).indices
        moved_boxes = clipped(moved(anchors[best], offsets[image][best], (1.0, 1.0, 1.0, 1.0)), size)
        # After clipping: a box that lay outside has no size left, and its area of 0 would divide in the overlap.
        usable = ((moved_boxes[:, 2:] - moved_boxes[:, :2]) >= 1e-3).all(dim=1)
        boxes.append(moved_boxes[usable])
        scores.append(logits[image][best][usable])
        groups.append(torch.arange(count, count + len(boxes[-1]), device=best.device))
        count += len(boxes[-1])
    joined = torch.cat(boxes)
    # Level by level, as trained: a small person in front of a large one overlaps them, and comes from another level.
    kept = suppressed_in_groups(joined, torch.cat(scores), groups, limits.proposal_overlap)
    return joined[kept[: limits.proposals]]


def _selected(
    network: KeypointRcnnNetwork,
    pyramid: list[Tensor],
    image: int,
    proposals: Tensor,
    size: tuple[int, int],
    limits: Limits,
) -> tuple[Tensor, Tensor]:
    regions = torch.cat([proposals.new_full((len(proposals), 1), image), proposals], dim=1)
    logits, offsets = network.boxes(pyramid, regions)
    # Single precision before the exponential: in bfloat16 scores fall on steps of 0.4 %, and ties then decide who is
    # suppressed.
    scores = logits.float().softmax(dim=1)[:, 1]
    # The weights of offsets that the head was trained with; those of the proposals above are 1.
    boxes = clipped(moved(proposals, offsets.float(), (10.0, 10.0, 5.0, 5.0)), size)
    usable = (scores > limits.score) & ((boxes[:, 2:] - boxes[:, :2]) >= 1e-2).all(dim=1)
    boxes, scores = boxes[usable], scores[usable]
    kept = suppressed(boxes, scores, limits.overlap)[: limits.persons]
    return boxes[kept], scores[kept]
