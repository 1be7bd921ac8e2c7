"""How sure a label is: an occluded joint was placed by guess, so its target is a wider hill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from emc.pose.records import Sample, Visibility


def with_spread(samples: Sequence[Sample], occluded: float) -> Sequence[Sample]:
    """Return the samples with `Sample.spread` set: `occluded` for joints that are occluded but placed, else 1.

    occluded : factor on the width of a joint's target; 1 gives the samples as they are. A spread that a sample brings
    itself is multiplied.
    """
    if occluded == 1.0:
        return samples
    return [replace(sample, spread=_spread(sample, occluded)) for sample in samples]


def _spread(sample: Sample, occluded: float) -> np.ndarray:
    own = np.ones(len(sample.visibility)) if sample.spread is None else np.asarray(sample.spread)
    hidden = np.asarray(sample.visibility) == Visibility.OCCLUDED
    return np.where(hidden, own * occluded, own).astype(np.float32)
