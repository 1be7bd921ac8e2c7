from __future__ import annotations

import pytest
from pydantic import ValidationError

from emc.pose.metrics.pck import SCORE_PARTS
from emc.stages.report.document import Parts

FIGURE = {"value": 0.5, "ci95": None, "n": 4}


def test_a_skeletons_own_parts_are_figures_too() -> None:
    told = Parts.model_validate({part: FIGURE for part in (*SCORE_PARTS, "tail")})
    assert told.model_dump()["tail"]["value"] == 0.5
    with pytest.raises(ValidationError, match="tail"):
        Parts.model_validate({part: FIGURE for part in SCORE_PARTS} | {"tail": {"value": "much"}})
    with pytest.raises(ValidationError, match="leg"):
        Parts.model_validate({part: FIGURE for part in SCORE_PARTS if part != "leg"})
