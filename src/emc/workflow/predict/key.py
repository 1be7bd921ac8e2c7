"""The name of a model that changes with its weights."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from emc.interfaces import Estimator, Trainable
from emc.workflow.project import MappedEstimator

if TYPE_CHECKING:
    pass


def model_key(estimator: Estimator) -> str:
    """Return a name that changes with the weights: the model's name and the start of their hash."""
    if isinstance(estimator, MappedEstimator):
        return f"{model_key(estimator.inner)}-{estimator.skeleton.name}"
    name = estimator.describe().name
    if not isinstance(estimator, Trainable):
        return name
    digest = hashlib.sha256()
    for key, tensor in sorted(estimator.module.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return f"{name}-{digest.hexdigest()[:12]}"
