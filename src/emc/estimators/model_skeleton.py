"""The skeleton of a trainable model: in its card, and another one whose joints it shall have from now on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emc.errors import InputError, WeightsError
from emc.pose.skeletons import COCO17, SKELETONS, Skeleton, skeleton_from_toml, skeleton_text

NAME, TEXT = "skeleton", "skeleton_toml"


def skeleton_entries(skeleton: Skeleton) -> dict[str, str]:
    """Return what a model's card says of its skeleton: the name, and the whole of one that is not built in."""
    if SKELETONS.get(skeleton.name) == skeleton:
        return {NAME: skeleton.name}
    return {NAME: skeleton.name, TEXT: skeleton_text(skeleton)}


def skeleton_in_card(card: Mapping[str, Any], origin: str) -> Skeleton:
    """Return the skeleton that a card tells, COCO-17 where it tells none; raises `WeightsError` naming `origin`."""
    name = card.get(NAME) or COCO17.name
    if TEXT in card:
        try:
            return skeleton_from_toml(str(card[TEXT]), origin)
        except InputError as error:
            raise WeightsError(f"{error} (entry {TEXT})") from error
    if name not in SKELETONS:
        raise WeightsError(f"{origin} has the skeleton {name!r}, which is not built in: save the model again")
    return SKELETONS[name]


def grown_rows(rows: Tensor, start: np.ndarray, per_joint: int = 1) -> Tensor:
    """Return the output channels of a last layer for other joints.

    rows : (S x per_joint, ...) weights or bias, `per_joint` channels behind each other for every joint. start : (T, S)
    shares of `emc.pose.skeletons.channel_start`. Returns (T x per_joint, ...): a joint with a single share of 1
    has its channels copied bit by bit, any other the weighted mean. A channel of mean weights gives the mean of the
    maps, so a new joint starts where the joints are that it is next to.
    """
    grouped = rows.reshape(start.shape[1], per_joint, *rows.shape[1:])
    shares = torch.as_tensor(start, dtype=torch.float64)
    mixed = torch.tensordot(shares, grouped.double(), dims=1).to(rows.dtype)
    for joint, row in enumerate(start):
        used = np.flatnonzero(row)
        if len(used) == 1 and row[used[0]] == 1:
            mixed[joint] = grouped[int(used[0])]
    return mixed.reshape(len(start) * per_joint, *rows.shape[1:]).contiguous()


def grown_table(table: Mapping[str, Any] | None, start: np.ndarray) -> dict[str, Any] | None:
    """Return a card's table from peaks to P(right) for other joints: the mean of the rows a joint starts from."""
    if not table:
        return None
    rows = np.asarray(table["right"], dtype=np.float64)
    return {**table, "right": (start @ rows).round(6).tolist()}
