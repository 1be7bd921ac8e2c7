"""What a report says is so: each test is a fault that was seen, and holds what stands in its place."""

from __future__ import annotations

import copy
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import Cli

from emc.stages.report import render_html

CHEAP = ("calibrate.ensemble_rotations=1", "calibrate.shares=[1.0]", "evaluate.bootstrap=50")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demo's folder, and what the command said: its people are rendered, its corrections simulated."""
    from typer.testing import CliRunner

    from emc.cli.main import app

    out = tmp_path_factory.mktemp("truth")
    settings = [word for text in CHEAP for word in ("--set", text)]
    done = CliRunner().invoke(app, ["demo", "--quick", "--out", str(out), *settings])
    assert done.exit_code == 0, done.output
    return out, done.stdout


@pytest.fixture(scope="module")
def document(demo: tuple[Path, str]) -> dict[str, Any]:
    return json.loads((demo[0] / "report.json").read_text())


@pytest.fixture(scope="module")
def page(demo: tuple[Path, str]) -> str:
    return words((demo[0] / "report.html").read_text())


def words(page: str) -> str:
    """Return the text of a page as one line."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def rendered(document: Mapping[str, Any]) -> str:
    """Return the words of the page of a changed document; what needs pictures is left out."""
    plain = {k: v for k, v in document.items() if k not in ("examples", "checkpoint_grid", "three_d", "skeleton")}
    return words(render_html(plain, {}))


def test_simulated_work_is_called_simulated_wherever_its_number_stands(
    demo: tuple[Path, str], document: dict[str, Any], page: str, cli: Cli, tmp_path: Path
) -> None:
    effort = document["effort"]
    assert (effort["simulated"], effort["how"], effort["recorded"]["actions"]) == (True, "simulated", 0)
    section = page[page.index("Actions, simulated") : page.index("Set-up EMC")]
    for name in ("Actions", "Time", "Joints changed", "Per joint"):
        assert f"{name}, simulated" in section
    assert "idle time left out" not in section
    assert "nobody was timed" in section
    assert "on corrected (simulated) frames" in page
    assert f"effort: {effort['actions']} actions" in demo[1]
    assert "(simulated: a program gave the labels, nobody was timed)" in demo[1]
    done = cli("report", "--project", demo[0] / "demo.emc", "--out", tmp_path)
    assert "(simulated: a program gave the labels, nobody was timed)" in done.stdout


def test_a_forecast_from_simulated_minutes_says_so(demo: tuple[Path, str], cli: Cli) -> None:
    done = cli("forecast", "--project", demo[0] / "demo.emc")
    assert "seconds per joint, simulated: a program gave the labels, nobody was timed" in done.stdout


def test_calibrate_says_what_it_learned_from(demo: tuple[Path, str], cli: Cli) -> None:
    settings = [word for text in (*CHEAP, "calibrate.steps=24", "calibrate.ladder=2") for word in ("--set", text)]
    settings += ["--set", "calibrate.save_every=10"]
    done = cli("calibrate", "--project", demo[0] / "demo.emc", "--estimator", "nano", *settings)
    assert done.exit_code == 0, done.output
    assert "s per joint, simulated; a program gave labels, for which nobody was timed" in done.stdout
    assert "target: 100 % of the persons are rendered, not filmed" in done.stdout


def test_rendered_people_are_never_your_motion(demo: tuple[Path, str], document: dict[str, Any], page: str) -> None:
    assert (document["data"]["target"]["rendered"], document["data"]["common"]["rendered"]) == (1.0, 1.0)
    assert "your motion" not in page
    assert "Target: rendered people" in page
    assert "Common: everyday poses of rendered people" in page
    assert "All people here are rendered by EMC" in page
    assert "target: rendered people; common: everyday poses of rendered people" in demo[1]
    filmed = copy.deepcopy(document)
    for role in ("target", "common"):
        filmed["data"][role]["rendered"] = 0.0
    assert "Target: your motion" in rendered(filmed)
    assert "rendered people" not in rendered(filmed)


def test_the_chosen_line_says_that_it_is_from_validation_and_the_table_that_it_is_from_test(
    demo: tuple[Path, str], document: dict[str, Any], page: str
) -> None:
    assert document["chosen"]["chosen_on"] == "validation"
    assert "on validation" in document["chosen"]["why"]
    assert "These scores are of the validation persons" in page
    assert "Picture and tables: scored on held-out clips (split=test)" in page
    assert "scores on held-out test clips, base -> chosen:" in demo[1]
    assert "(the scores above are of held-out test clips, which chose nothing)" in demo[1]
    table = (demo[0] / "scores.md").read_text()
    assert "Scored on held-out test clips." in table


def test_nothing_is_drawn_on_an_axis_of_a_rounding_error(document: dict[str, Any]) -> None:
    same = copy.deepcopy(document)
    for number, row in enumerate(same["ladder"]):
        for role in ("target", "common"):
            for part in row[role]["pckh"]:
                row[role]["pckh"][part] = {"value": 0.9 + number * 1e-13, "ci95": None, "n": 400}
    same["chosen"]["budget"] = None
    text = rendered(same)
    ladder = text[text.index("Checkpoints by common score") : text.index("common: total,")]
    ticks = [float(number) for number in re.findall(r"\b\d+\.\d+\b", ladder)]
    assert ticks
    assert all(len(str(tick).partition(".")[2]) <= 1 for tick in ticks)
    assert min(ticks) < 89.8
    assert max(ticks) > 90.2


def test_a_score_on_one_joint_is_no_score(document: dict[str, Any]) -> None:
    one = copy.deepcopy(document)
    for row in one["ladder"]:
        row["target"]["pckh"] = {p: {"value": 1.0, "ci95": None, "n": 1} for p in row["target"]["pckh"]}
    one["chosen"]["step"] = one["ladder"][-1]["step"]
    text = rendered(one)
    table = text[text.index("Target: rendered people") : text.index("Common: everyday poses of")]
    assert "too few joints" in table
    assert " 100.0 " not in table.partition("PCK torso")[0]
    assert "too few joints for a score, so no ladder is drawn" in text
    assert "too few errors" in text
    assert "too few to say what share was removed" in text


def test_a_picture_that_was_not_written_is_not_announced(demo: tuple[Path, str], cli: Cli, tmp_path: Path) -> None:
    project = demo[0] / "demo.emc"
    done = cli("report", "--project", project, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    announced = re.search(r"wrote (.*)", done.stdout)
    assert announced is not None
    assert all(Path(name).is_file() for name in announced[1].split(", "))
    assert "checkpoints.png" in announced[1]
    # Without the test clips there is no frame to draw: the older report's picture goes with it.
    status = json.loads(cli("status", "--project", project, "--json").stdout)
    tested = [c["id"] for c in status["clips"] if c["tags"].get("split") == "test" and c["role"] == "target"]
    assert cli("remove", *tested, "--project", project).exit_code == 0
    done = cli("report", "--project", project, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "checkpoints.png" not in done.stdout
    assert not (tmp_path / "checkpoints.png").exists()


def test_a_model_that_is_not_there_is_not_listed(demo: tuple[Path, str], cli: Cli) -> None:
    project = demo[0] / "demo.emc"
    listed = json.loads(cli("models", "--project", project, "--json").stdout)["calibrated"]
    assert [row["scored_on"] for row in listed] == ["test"] * len(listed)
    assert "PCKh total on test clips: target" in cli("models", "--project", project).stdout
    for row in listed:
        Path(row["folder"]).rename(Path(row["folder"]).with_name("elsewhere"))
    assert json.loads(cli("models", "--project", project, "--json").stdout)["calibrated"] == []
