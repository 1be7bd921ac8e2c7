"""`emc models`: what it tells of every model."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from emc.cli.commands.models import _print as print_models  # pyright: ignore[reportPrivateUsage]
from emc.cli.commands.models import described
from emc.cli.main import app
from emc.plugins import plugin_names
from emc.weights.published import local


@pytest.fixture(scope="module")
def document() -> dict:
    done = CliRunner().invoke(app, ["models", "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_every_plug_in_is_listed_with_licence_source_and_how_to_get_it(document: dict) -> None:
    rows = document["models"]
    for group in ("estimators", "detectors", "lifters"):
        listed = {row["name"] for row in rows if row["kind"] == group.removesuffix("s")}
        assert listed == set(plugin_names(group)) - {"auto"}
    for row in rows:
        assert row["licence"] or not row["usable"], row["name"]
        assert row["here"] or row["get"], row["name"]
        assert row["ap"] is None or row["ap_source"], row["name"]


def test_figures_that_are_known(document: dict) -> None:
    by_name = {(row["kind"], row["name"]): row for row in document["models"]}
    nano = by_name["estimator", "nano"]
    assert (nano["here"], nano["trainable"], nano["get"], nano["ap"]) == (True, True, "", None)
    vitpose = by_name["estimator", "vitpose-plus-b"]
    assert (vitpose["ap"], vitpose["megabytes"], vitpose["trainable"]) == (77.0, 502, True)
    dfine = by_name["detector", "dfine-m"]
    assert (dfine["ap"], dfine["licence"]) == (52.3, "Apache-2.0")
    assert by_name["estimator", "onnx"]["here"] is None


def test_brackets_of_an_extra_are_not_swallowed(tmp_path: Path) -> None:
    row = {
        "name": "m", "kind": "estimator", "skeleton": "coco17", "parameters": 1000, "megabytes": 3, "trainable": False,
        "here": False, "ap": 70.1, "ap_source": "somewhere", "licence": "MIT", "weights": "",
        "get": "pip install 'emc-pose[vitpose]'", "notes": "",
    }  # fmt: skip
    out = io.StringIO()
    print_models(Console(file=out, soft_wrap=True), {"models": [row], "calibrated": [], "auto": "auto: nano"})
    assert "get it: pip install 'emc-pose[vitpose]'" in out.getvalue()
    assert described(row)[0] == "m (estimator, coco17, 1,000 parameters, 3 MB, predicts only): not here"


def test_get_fetches_nothing_where_one_name_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["models", "get", "movenet-lightning", "movenet-storm"])
    assert done.exit_code == 2
    assert "'movenet-storm'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_get_says_where_weights_are_or_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "movenet-lightning"
    folder = local(name)
    if folder is not None:
        done = CliRunner().invoke(app, ["models", "get", name, "--json"])
        assert json.loads(done.stdout)["models"][0]["folder"] == str(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("EMC_MODELS", str(tmp_path / "mine"))
    monkeypatch.setenv("EMC_OFFLINE", "1")
    done = CliRunner().invoke(app, ["models", "get", name])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "downloads are switched off" in done.stderr
