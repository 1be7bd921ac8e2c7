"""What is read off the page becomes records."""

from __future__ import annotations

from emc.study.scripted.sight import SeenTile, run_of, sight_of


def test_the_words_of_a_run_tell_its_frames() -> None:
    assert run_of("frames 12–17, 2 of 6 done") == (12, 17)
    assert run_of("frame 4") == (4, 4)
    assert run_of("") is None


def test_a_place_in_a_tile_lies_where_the_cut_shows_it() -> None:
    tile = SeenTile(7, None, (100.0, 50.0), 40.0, (200.0, 300.0, 160.0, 160.0))
    assert tile.zoom == 4.0
    assert tile.on_screen((100.0, 50.0)) == (280.0, 380.0)
    assert tile.on_screen((110.0, 50.0)) == (320.0, 380.0)


def test_a_page_is_read_as_it_is_shown() -> None:
    joints = [
        {"xy": [3.0, 4.0], "provenance": 2, "flagged": False},
        {"xy": [], "provenance": 0, "flagged": True},
    ]
    tile = {"frame": 9, "middle": [5.0, 6.0], "side": 80, "placed": False, "box": [1, 2, 3, 4]}
    seen = sight_of(
        {"frame": 5, "frames": 90, "joint": 1, "armed": True, "view": [2.0, 10.0, 20.0],
         "room": [0.0, 0.0, 100.0, 50.0], "joints": joints,
         "run": "frame 5", "candidates": [["1", [7.0, 8.0]], ["2", []]], "tiles": [tile],
         "sheet": "left wrist", "heard": "left wrist, lost", "said": "5 0 1"}
    )  # fmt: skip
    assert seen.on_screen((3.0, 4.0)) == (16.0, 28.0)
    assert seen.shows((3.0, 4.0))
    assert not seen.shows((3.0, 16.0))
    assert [joint.xy for joint in seen.joints] == [(3.0, 4.0), None]
    assert seen.candidates == (("1", (7.0, 8.0)),)
    assert seen.tiles is not None
    assert seen.tiles[0].xy is None
    assert seen.run == (5, 5)
