from __future__ import annotations

import pytest

from emc.config import LiftSettings
from emc.errors import PluginError
from emc.lifters.temporal import TemporalSmallLifter
from emc.workflow.lifting.lifters import lifter_of


def test_settings_name_the_lifter_and_the_camera() -> None:
    lifter = lifter_of(LiftSettings(focal=950.0))
    assert isinstance(lifter, TemporalSmallLifter) and lifter.focal == 950
    unknown = lifter_of(LiftSettings())
    assert isinstance(unknown, TemporalSmallLifter) and unknown.focal is None
    with pytest.raises(PluginError, match="unknown lifter 'none'"):
        lifter_of(LiftSettings(lifter="none"))
