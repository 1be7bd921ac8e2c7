"""The loop in a project whose skeleton is its own: new joints are labelled, calibrated, scored and exported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.integration.conftest import Cli

from emc.formats.poses.coco import CocoFormat
from emc.pose.labels import LabelSet
from emc.pose.skeletons.file import skeleton_from_toml
from emc.pose.skeletons.skeleton import COCO17
from emc.workflow.project.folder import open_project
from emc.workflow.project.skeletons import declared_skeleton
from emc.workflow.samples.rendered import ClipFiles

LIMBS = [joint for joint in COCO17.joints if joint.endswith(("shoulder", "hip", "knee", "ankle"))]
KICKER = f"""
name = "kicker"
joints = {[*LIMBS, "left_toe", "right_toe"]}
limbs = [["left_ankle", "left_toe"], ["right_ankle", "right_toe"], ["left_hip", "left_knee"]]
[parts]
toe = ["left_toe", "right_toe"]
"""


def labelled_toes(source: Path, path: Path) -> Path:
    """Write a clip's labels in the own skeleton; a toe is below its ankle."""
    labels = CocoFormat().read(source)
    kicker = skeleton_from_toml(KICKER)
    keep = [COCO17.index(joint) for joint in LIMBS]
    ankles = [COCO17.index("left_ankle"), COCO17.index("right_ankle")]
    persons = []
    for person in labels.persons:
        toes = np.minimum(person.xy[ankles] + [0, 3], 159)
        xy = np.concatenate([person.xy[keep], toes])
        seen = np.concatenate([person.visibility[keep], person.visibility[ankles]])
        fields = {name: getattr(person, name) for name in ("image", "id", "box", "area", "extra")}
        persons.append(type(person)(xy=xy, visibility=seen, **fields))
    CocoFormat().write(path, LabelSet(kicker, labels.images, tuple(persons)))
    return path


@pytest.fixture
def kicks(tmp_path: Path, rendered: list[ClipFiles], cli: Cli) -> Path:
    (tmp_path / "kicker.toml").write_text(KICKER)
    folder = tmp_path / "kicks.emc"
    assert cli("new", tmp_path / "kicks", "--skeleton", tmp_path / "kicker.toml").exit_code == 0
    for files, role in zip(rendered, ("target", "target", "common"), strict=True):
        assert cli("add", files.video, "--role", role, "--project", folder).exit_code == 0
        labels = labelled_toes(files.labels, tmp_path / f"{files.order.name}.json")
        done = cli("import", "coco", labels, "--clip", files.order.name, "--project", folder)
        assert done.exit_code == 0, done.output
    return folder


def test_the_whole_loop(kicks: Path, rendered: list[ClipFiles], cli: Cli, tmp_path: Path) -> None:
    clip = rendered[0].order.name
    quick = ("--set", "calibrate.steps=4", "--set", "calibrate.batch=4", "--set", "calibrate.ladder=1",
             "--set", "calibrate.shares=[1.0]", "--set", "evaluate.bootstrap=20", "--set", "calibrate.parts=['toe']",
             "--set", "calibrate.budget=100", "--project", kicks, "--json")  # fmt: skip
    before = cli("predict", "--clip", clip, "--project", kicks, "--json")
    assert before.exit_code == 0, before.output
    assert json.loads(before.stdout)["runs"][0]["model"].endswith("-kicker")
    alerts = json.loads(cli("alerts", "--clip", clip, "--project", kicks, "--json").stdout)
    assert "left_toe" in {row["joint"] for row in alerts["clips"][0]["joints"]}
    done = cli("calibrate", *quick)
    assert done.exit_code == 0, done.output
    with open_project(kicks) as store:
        kicker = declared_skeleton(store)
        names = store.documents("calibration")
    (model,) = [kicks / "models" / name / "step_4" for name in names]
    again = cli("predict", "--clip", clip, "--estimator", model, "--project", kicks, "--json")
    assert again.exit_code == 0, again.output
    with open_project(kicks) as store:
        run = store.runs(clip)[-1]
        found = list(store.predictions(run.id))
        poses = store.poses(clip)
    assert (kicker, run.skeleton) == (skeleton_from_toml(KICKER), "kicker")
    assert found
    assert all(np.isfinite(p.xy).all() and len(p.xy) == len(LIMBS) + 2 for p in found)
    assert all(len(pose.xy) == len(LIMBS) + 2 for pose in poses)
    scores = cli("evaluate", "--estimator", model, "--set", "evaluate.bootstrap=0", "--project", kicks, "--json")
    assert scores.exit_code == 0, scores.output
    target = json.loads(scores.stdout)["target"]
    assert 0 <= target["pckh"]["toe"]["value"] <= 1
    out = tmp_path / "out.json"
    assert cli("export", "coco", out, "--clip", clip, "--project", kicks).exit_code == 0
    assert CocoFormat().read(out).skeleton.joints == skeleton_from_toml(KICKER).joints
    report = cli("report", "--project", kicks, "--out", tmp_path / "report")
    assert report.exit_code == 0, report.output
    drawn = json.loads((tmp_path / "report" / "report.json").read_text()).get("skeleton")
    assert drawn is None or drawn["name"] == "kicker"


def test_the_editor_shows_the_own_joints(kicks: Path, rendered: list[ClipFiles]) -> None:
    from emc.config import AlertSettings
    from emc.server.answers.editing import clip_answer
    from emc.workflow.editing.session import Editing

    with open_project(kicks) as store:
        editing = Editing(store, AlertSettings())  # pyright: ignore[reportCallIssue]
        try:
            held = editing.open_clip(rendered[0].order.name)
            assert editing.skeleton(held).joints[-1] == "right_toe"
            assert clip_answer(editing, held.clip).skeleton == "kicker"
        finally:
            editing.close()
