"""What a trainable estimator can do beyond `Trainable`, also where another estimator stands in front of it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from emc.errors import UsageError
from emc.interfaces import Trainable


def innermost(estimator: Trainable) -> Trainable:
    """Return the estimator whose network is trained: one that reads with another holds that one as ``inner``."""
    inner = getattr(estimator, "inner", None)
    return estimator if inner is None else innermost(cast(Trainable, inner))


def with_augmentation(estimator: Trainable, changes: Mapping[str, float]) -> Trainable:
    """Return an estimator that shares the network of `estimator` and changes training crops in other measure.

    changes : field of its ``augmentation`` (a dataclass) -> value, such as ``rotation`` in degrees. Raises `UsageError`
    where the estimator has no such field.
    """
    if not changes:
        return estimator
    twin = copy.copy(estimator)
    inner = getattr(estimator, "inner", None)
    if inner is not None:
        cast(Any, twin).inner = with_augmentation(cast(Trainable, inner), changes)
        return twin
    own = getattr(estimator, "augmentation", None)
    fields = {field.name for field in dataclasses.fields(own)} if own is not None else set[str]()
    unknown = sorted(changes.keys() - fields)
    if unknown:
        raise UsageError(
            f"estimator {estimator.describe().name} has no augmentation {', '.join(unknown)}: leave "
            f"{' and '.join('calibrate.' + name for name in unknown)} unset"
        )
    cast(Any, twin).augmentation = dataclasses.replace(cast(Any, own), **changes)
    return twin


def augments(estimator: Trainable, field: str) -> bool:
    """Return whether an estimator, or the one it reads with, has a field of its augmentation."""
    inner = getattr(estimator, "inner", None)
    return hasattr(getattr(estimator if inner is None else inner, "augmentation", None), field)
