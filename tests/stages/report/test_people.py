from __future__ import annotations

from typing import Any

import pytest

from emc.stages.report.people import corrections_note, effort_line, effort_tiles, people_line, rendered_note, whose

RECORDED: dict[str, Any] = {"actions": 12, "seconds": 90.0, "joints_changed": 30, "simulated": False}
SIMULATED: dict[str, Any] = {"actions": 631, "seconds": 970.0, "joints_changed": 631, "simulated": True}
PARTLY: dict[str, Any] = SIMULATED | {"how": "partly simulated", "recorded": RECORDED}


def data(target: float, common: float | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"target": {"rendered": target}}
    return found if common is None else found | {"common": {"rendered": common}}


@pytest.mark.parametrize(
    ("target", "common", "words"),
    [
        (0.0, 0.0, ("your motion", "everyday poses")),
        (1.0, 1.0, ("rendered people", "everyday poses of rendered people")),
        (0.25, 0.5, ("your motion, 25 % of the clips rendered", "everyday poses, 50 % of the clips rendered")),
    ],
)
def test_motion_is_yours_only_where_it_is_not_rendered(target: float, common: float, words: tuple[str, str]) -> None:
    given = data(target, common)
    assert (whose(given, "target"), whose(given, "common")) == words
    assert people_line(given) == f"target: {words[0]}; common: {words[1]}"


def test_what_is_rendered_is_said_in_a_sentence() -> None:
    assert rendered_note(data(0.0, 0.0)) == ""
    assert rendered_note(data(1.0, 1.0)).startswith("All people here are rendered by EMC")
    assert rendered_note(data(0.0, 1.0)) == "The people of the common data are rendered by EMC, not filmed."
    assert rendered_note(data(0.25)) == "25 % of the target clips are rendered by EMC, not filmed."


def test_recorded_effort_is_that_of_the_editor() -> None:
    assert [tile[0] for tile in effort_tiles(RECORDED)] == ["Actions", "Time", "Joints changed", "Per joint"]
    assert effort_tiles(RECORDED)[0] == ("Actions", "12", "", "in the editor")
    assert effort_line(RECORDED) == "effort: 12 actions, 90 s, 30 joints changed (in the editor, idle time left out)"
    assert corrections_note(RECORDED) == corrections_note(None) == ""


def test_every_simulated_figure_is_called_so() -> None:
    assert all(name.endswith(", simulated") for name, _, _, _ in effort_tiles(SIMULATED))
    assert not any("in the editor" in note and "not in" not in note for _, _, _, note in effort_tiles(SIMULATED))
    assert effort_line(SIMULATED).endswith("(simulated: a program gave the labels, nobody was timed)")
    assert corrections_note(SIMULATED) == " (simulated)"


def test_partly_simulated_effort_tells_what_a_person_did() -> None:
    assert effort_tiles(PARTLY)[0] == ("Actions, partly simulated", "631", "", "12 of them in the editor")
    assert effort_line(PARTLY).endswith("(partly simulated: 12 actions and 90 s of it in the editor)")


def test_imported_labels_are_no_work_in_the_editor() -> None:
    imported = {"actions": 0, "seconds": 0.0, "joints_changed": 0, "simulated": False, "joints_imported": 340}
    assert [tile[:2] for tile in effort_tiles(imported)] == [("Joints imported", "340")]
    assert effort_line(imported) == "effort: 340 joints imported, their time unknown"
