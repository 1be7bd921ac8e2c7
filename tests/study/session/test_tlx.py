"""Raw NASA-TLX, by hand."""

from __future__ import annotations

import pytest

from emc.errors import UsageError
from emc.study.session.tlx import SCALES, checked_ratings, raw_tlx

RATINGS = {"mental": 70, "physical": 20, "temporal": 55, "performance": 10, "effort": 65, "frustration": 50}


def test_raw_tlx_is_the_mean_of_six():
    assert raw_tlx(RATINGS) == 45.0
    assert raw_tlx(dict.fromkeys(SCALES, 0)) == 0.0
    assert raw_tlx(dict.fromkeys(SCALES, 100)) == 100.0


@pytest.mark.parametrize(
    ("change", "said"),
    [({"mental": 101}, "mental = 101"), ({"effort": 52}, "effort = 52"), ({"joy": 5}, "joy"), ({"temporal": -5}, "-5")],
)
def test_other_ratings_are_refused_by_name(change: dict[str, int], said: str):
    with pytest.raises(UsageError, match=said):
        checked_ratings({**RATINGS, **change})


def test_a_missing_scale_is_named():
    with pytest.raises(UsageError, match="frustration"):
        checked_ratings({name: 50 for name in SCALES if name != "frustration"})
