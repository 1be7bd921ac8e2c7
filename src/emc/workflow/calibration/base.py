"""The estimator that a calibration starts from."""

from __future__ import annotations

import emc.plugins as plugins
from emc.config import Settings
from emc.errors import NotTrainable
from emc.interfaces import Trainable


def trainable_estimator(settings: Settings) -> Trainable:
    """Return the estimator of the settings; raises `NotTrainable` where it can only predict."""
    estimator = plugins.estimator_for(settings.predict.estimator)
    if not isinstance(estimator, Trainable):
        raise NotTrainable(
            f"estimator '{settings.predict.estimator}' can only predict: choose one that `emc models` lists as "
            "calibrating, such as nano"
        )
    return estimator
