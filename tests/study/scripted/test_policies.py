"""Ways of working, as far as they need no page."""

from __future__ import annotations

from emc.study.scripted.klm import read_rules
from emc.study.scripted.policies import POLICIES, middle_of_longest


def test_the_middle_of_the_longest_stretch_is_put_right_first() -> None:
    shown = [0, 3, 6, 9, 12, 15, 18]
    assert middle_of_longest(shown, {0, 6, 9, 12, 18}) == 9
    assert middle_of_longest(shown, {3}) == 3
    assert middle_of_longest(shown, {15, 18}) == 18


def test_every_way_has_a_name_of_its_own() -> None:
    names = [policy.name for policy in POLICIES]
    assert len(set(names)) == len(names)
    assert {"click_all", "drag_flagged", "full"} <= set(names)


def test_classic_ways_have_no_repair() -> None:
    assert not any(policy.propagation for policy in POLICIES if policy.name in ("click_all", "drag_flagged"))


def test_what_policies_do_has_a_price() -> None:
    told = read_rules().model.thinks
    used = {"step", "click", "check_frame", "drag", "arrive", "place", "candidate", "fix_tile", "open_sheet", "scan",
            "next_sheet", "confirm"}  # fmt: skip
    assert used <= set(told)
