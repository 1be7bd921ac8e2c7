"""What `emc calibrate` says beside its table."""

from __future__ import annotations

from typing import Any

from emc.cli.commands.calibrate import chosen_line, learned_from

CHOSEN: dict[str, Any] = {"step": 9, "why": "step 9, on validation: target 80.0 -> 90.0"}


def test_the_chosen_line_tells_its_scores_from_those_of_the_table() -> None:
    assert chosen_line(CHOSEN, "validation") == f"chosen: {CHOSEN['why']}"
    assert chosen_line(CHOSEN, "test") == (
        f"chosen: {CHOSEN['why']} (the scores above are of held-out test clips, which chose nothing)"
    )


def test_rendered_people_and_simulated_corrections_are_told() -> None:
    done = {"persons": 40, "joints": 520, "seconds_per_joint": 1.5, "simulated": True, "how": "simulated"}
    card = {
        "corrected": done,
        "tags": {"target": {"source": {"rendered": 0.5, "": 0.5}}},
        "common_source": "rendered by the package (360 persons)",
    }
    assert learned_from(card) == [
        "learned from: 40 corrected persons, 520 joints; 1.50 s per joint, simulated; a program gave labels, for which "
        "nobody was timed",
        "target: 50 % of the persons are rendered, not filmed",
        "common: rendered by the package (360 persons)",
    ]
    filmed = {"corrected": done | {"simulated": False, "how": "recorded"}, "tags": {}, "common_source": "the clips"}
    assert learned_from(filmed) == ["learned from: 40 corrected persons, 520 joints; 1.50 s per joint, recorded"]
