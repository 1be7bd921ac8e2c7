"""The lifter that settings name."""

from __future__ import annotations

import emc.plugins as plugins
from emc.config import LiftSettings
from emc.interfaces import Lifter


def lifter_of(settings: LiftSettings) -> Lifter:
    """Return the lifter of ``lift.lifter``, told what the other settings say of its file and of the camera.

    Raises `PluginError` for an unknown name, `WeightsError` (from the lifter) for weights that cannot be used.
    """
    return plugins.lifter_for(settings.lifter, settings.input, settings.causal, settings.focal)
