"""The whole loop through the command line, on little data: every arrow really runs; no score is promised."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.integration.conftest import Cli
from tests.integration.editor_command import is_editor, started

from emc.stages.video import probe
from emc.workflow.samples.rendered import ClipFiles


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from typer.testing import CliRunner

    from emc.cli.main import app

    out = tmp_path_factory.mktemp("demo")
    done = CliRunner().invoke(app, ["demo", "--quick", "--out", str(out), "--set", "evaluate.bootstrap=50", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["emc"]
    assert "project: " in done.output  # What the demo tells, and nothing of each of its own files.
    assert "boxes of" not in done.output
    return out


def test_demo_writes_report_and_project(demo: Path) -> None:
    report = json.loads((demo / "report.json").read_text())
    assert [row["step"] for row in report["ladder"]] == [0, 12, 24]
    assert report["data"]["leaks"] == 0
    assert report["data"]["mix"]["asked"] == [8, 2]
    served = report["data"]["mix"]["served"]
    assert served[0] == pytest.approx(0.8, abs=1 / (24 * 32))
    assert set(report["before_after"]) >= {"leg_errors_removed", "total_errors_removed", "common_total_change"}
    assert report["three_d"]["before"]["mpjpe"]["value"] > 0
    assert report["effort"]["simulated"] is True
    for row in report["ladder"]:
        assert set(row["target"]["pckh"]) == {"hip", "knee", "ankle", "leg", "shoulder", "elbow", "wrist", "total"}
        assert row["target"]["head_size"] == "head_segment"
    page = (demo / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert (demo / "demo.emc").is_dir()


def test_test_clips_never_train(demo: Path) -> None:
    splits = json.loads((demo / "report.json").read_text())["card"]["splits"]
    assert not set(splits["test"]) & (set(splits["train"]) | set(splits["validation"]))
    assert not set(splits["train"]) & set(splits["validation"])


def test_a_second_demo_goes_on_with_what_is_there(demo: Path, cli: Cli) -> None:
    before = json.loads((demo / "report.json").read_text())
    done = cli("demo", "--quick", "--out", demo, "--set", "evaluate.bootstrap=50", "--json")
    assert done.exit_code == 0
    after = json.loads((demo / "report.json").read_text())
    assert after["ladder"] == before["ladder"]


def test_demo_serve_ends_in_the_editor_of_its_project(demo: Path) -> None:
    words = ("demo", "--quick", "--out", demo, "--set", "evaluate.bootstrap=50", "--serve", "--no-browser")
    with started(*words) as (address, before):
        assert is_editor(address)
    assert before[-1].endswith("demo.emc")


def test_commands_on_the_demo_project(demo: Path, cli: Cli, tmp_path: Path) -> None:
    project = demo / "demo.emc"
    status = json.loads(cli("status", "--project", project, "--json").stdout)
    assert len(status["clips"]) == 20
    watched = next(clip["id"] for clip in status["clips"] if clip["runs"])
    alerts = json.loads(cli("alerts", "--project", project, "--clip", watched, "--json").stdout)
    worst = [(row["lost"], row["low"]) for row in alerts["clips"][0]["frames"]]
    assert worst == sorted(worst, reverse=True)
    scores = json.loads(cli("evaluate", "--project", project, "--set", "evaluate.bootstrap=0", "--json").stdout)
    assert scores["scope"].startswith("held-out")
    assert 0 <= scores["target"]["pckh"]["total"]["value"] <= 1
    lifted = json.loads(cli("lift", "--project", project, "--clip", watched, "--json").stdout)
    with np.load(lifted["lifted"][0]["file"]) as arrays:
        assert arrays["0_xyz"].shape[1:] == (17, 3)
    assert cli("report", "--project", project, "--out", tmp_path).exit_code == 0
    assert (tmp_path / "report.html").stat().st_size > 50_000
    models = json.loads(cli("models", "--project", project, "--json").stdout)
    assert {row["name"] for row in models["models"]} >= {"nano", "embedded", "temporal-small"}
    assert len(models["calibrated"]) == 1


def test_run_writes_overlay_and_labels(rendered: list[ClipFiles], tmp_path: Path, cli: Cli) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    done = cli("run", rendered[0].video, broken, "--no-edit", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert len(document["failed"]) == 1
    assert "broken.mp4" in document["failed"][0]
    name = rendered[0].order.name
    assert probe(tmp_path / "out" / f"overlay_{name}.mp4").frames == 8
    coco = json.loads((tmp_path / "out" / f"coco_{name}.json").read_text())
    assert [image["id"] for image in coco["images"]] == list(range(8))
    assert all(len(row["keypoints"]) == 51 for row in coco["annotations"])


def test_boxes_from_a_file_are_used(rendered: list[ClipFiles], tmp_path: Path, cli: Cli) -> None:
    name = rendered[0].order.name
    done = cli("run", rendered[0].video, "--boxes", rendered[0].labels, "--no-edit", "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    labels = {row["image_id"]: row["bbox"] for row in json.loads(rendered[0].labels.read_text())["annotations"]}
    found = json.loads((tmp_path / f"coco_{name}.json").read_text())["annotations"]
    assert found
    for row in found:
        np.testing.assert_allclose(row["bbox"], labels[row["image_id"]], atol=0.51)


def test_import_then_export_keeps_labels(rendered: list[ClipFiles], project: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "labels.json"
    assert cli("export", "coco", out, "--only", "human", "--project", project).exit_code == 0
    given = {row["image_id"]: row for row in json.loads(rendered[0].labels.read_text())["annotations"]}
    back = {row["image_id"]: row for row in json.loads(out.read_text())["annotations"]}
    assert set(back) == set(given)
    for frame, row in given.items():
        a, b = (np.array(r["keypoints"]).reshape(17, 3) for r in (row, back[frame]))
        np.testing.assert_array_equal(a[:, 2], b[:, 2])
        np.testing.assert_allclose(a[a[:, 2] > 0, :2], b[b[:, 2] > 0, :2], atol=0.01)
