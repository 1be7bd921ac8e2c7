"""`emc alerts` on a project whose clips are not all predicted."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from emc.cli.main import app
from emc.errors import UsageError
from emc.pose.records import Alert, AlertReason, Clip, FrameAlerts, Role
from emc.store.sql import SqlStore
from emc.workflow.predict.alerts import list_alerts


def with_clips(folder: Path, predicted: str) -> SqlStore:
    store = SqlStore.create(folder)
    for name in ("a", "b", "c"):
        store.add_clip(Clip(name, f"/media/{name}.mp4", Role.TARGET, "ana", 100, 640, 480))
        if name in predicted:
            run = store.start_run(name, "nano", "coco17", {}).id
            store.write_alerts(run, [Alert(name, 0, 3, 5, 6, AlertReason.LOST, 0.9)], [FrameAlerts(5, 1, 0)])
            store.finish_run(run)
    return store


def test_clips_without_predictions_are_named_and_the_others_shown(tmp_path: Path) -> None:
    with with_clips(tmp_path / "p.emc", "b") as store:
        document = list_alerts(store, [], 5)
        assert [clip["clip"] for clip in document["clips"]] == ["b"]
        assert document["without"] == ["a", "c"]
        with pytest.raises(UsageError, match="clip c has no predictions yet: run `emc predict --clip c` first"):
            list_alerts(store, ["b", "c"], 5)
    shown = CliRunner().invoke(app, ["alerts", "--by", "joints", "--project", str(tmp_path / "p.emc")])
    assert shown.exit_code == 0
    assert "frames 5-6" in shown.output
    assert "without predictions: a, c" in shown.output


def test_a_project_without_any_predictions_says_so(tmp_path: Path) -> None:
    with with_clips(tmp_path / "p.emc", "") as store, pytest.raises(UsageError, match="run `emc predict` first"):
        list_alerts(store, [], 5)
