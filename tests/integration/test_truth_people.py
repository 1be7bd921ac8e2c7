"""People on the frames: nobody twice, nobody lost, and whoever does not belong there can be taken out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.conftest import Cli
from tests.people_clips import PeopleClip, couple, crossing, ghosts, plant_boxes, squatter

from emc.workflow.project.folder import open_project


@pytest.fixture(scope="module")
def squat(tmp_path_factory: pytest.TempPathFactory) -> PeopleClip:
    return squatter(tmp_path_factory.mktemp("clips"))


def found_people(cli: Cli, folder: Path, clip: PeopleClip, people: list[np.ndarray], *words: str) -> dict[str, Any]:
    """Predict a clip in which the detector finds `people`; returns the run's row."""
    assert cli("new", folder).exit_code == 0
    assert cli("add", clip.video, "--project", f"{folder}.emc").exit_code == 0
    with open_project(folder.with_suffix(".emc")) as store:
        plant_boxes(store, clip.video.stem, people, [0.9] * len(people))
    done = cli("predict", "--project", f"{folder}.emc", "--estimator", "nano", "--json", *words)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)["runs"][0]


@pytest.mark.parametrize("kind", ["jitter", "upper", "lower", "large"])
def test_one_woman_who_squats_is_one_person_though_found_twice_on_all_frames(
    cli: Cli, tmp_path: Path, squat: PeopleClip, kind: str
) -> None:
    own = squat.boxes[:, 0]
    row = found_people(cli, tmp_path / "p", squat, [own, ghosts(own, kind)])
    assert (row["persons"], row["doubles"], row["frames"]) == (1, 1, 24)


def test_two_who_dance_as_a_couple_and_two_who_cross_stay_two(cli: Cli, tmp_path: Path) -> None:
    for make in (couple, crossing):
        clip = make(tmp_path)
        row = found_people(cli, tmp_path / make.__name__, clip, [clip.boxes[:, 0], clip.boxes[:, 1]])
        assert (row["persons"], row["doubles"]) == (2, 0)


def test_nobody_on_24_frames_looked_at_is_said_so(cli: Cli, tmp_path: Path, squat: PeopleClip) -> None:
    row = found_people(cli, tmp_path / "p", squat, [np.full((24, 4), np.nan)])
    assert (row["persons"], row["looked"]) == (0, 24)
    said = cli("predict", "--project", tmp_path / "p.emc", "--estimator", "nano")
    assert "0 persons on 24 frames looked at" in " ".join(said.stdout.split())
