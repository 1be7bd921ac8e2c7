"""The loop for something that is no person: a robot's arm, whose joints no model knows, from a TOML to predictions."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.integration.conftest import Cli

from emc.formats.poses.coco import CocoFormat
from emc.pose.labels import LabelledImage, LabelledPerson, LabelSet
from emc.pose.skeletons.file import skeleton_from_toml
from emc.stages.overlay.drawing import write_video
from emc.workflow.project.folder import open_project

ROBOT = """
name = "arm"
joints = ["base", "elbow", "grip"]
limbs = [["base", "elbow"], ["elbow", "grip"]]
sigmas = [0.05, 0.05, 0.05]
"""
FRAMES = 12
SIZE = (128, 96)
COLOURS = ((20, 20, 20), (240, 240, 240), (200, 30, 30))


def arm(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames of an arm of two parts that turns, and where its joints are, (frames, 3, 2)."""
    rng = np.random.default_rng(seed)
    angles = np.cumsum(rng.normal(0, 0.15, (FRAMES, 2)), axis=0) + rng.uniform(-2, -1, 2)
    steps = 26 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    base = np.tile(np.array([64.0, 80.0]), (FRAMES, 1))
    joints = np.stack([base, base + steps[:, 0], base + steps.sum(axis=1)], axis=1)
    ground = rng.integers(90, 120, (*SIZE[::-1], 3), dtype=np.uint8)
    frames = []
    for points in joints:
        frame = ground.copy()
        cv2.polylines(frame, [points.round().astype(np.int32)], False, (230, 140, 20), 7)
        for point, colour in zip(points.round().astype(int).tolist(), COLOURS, strict=True):
            cv2.circle(frame, point, 5, colour, -1)
        frames.append(frame)
    return frames, joints


def labelled(path: Path, joints: np.ndarray) -> Path:
    images = tuple(LabelledImage(i, f"{i}.png", *SIZE) for i in range(FRAMES))
    persons = []
    for i, points in enumerate(joints):
        low, high = points.min(axis=0) - 10, points.max(axis=0) + 10
        box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
        persons.append(LabelledPerson(image=i, id=i + 1, xy=points, visibility=np.full(3, 2, np.int8), box=box))
    CocoFormat().write(path, LabelSet(skeleton_from_toml(ROBOT), images, tuple(persons)))
    return path


@pytest.fixture
def arms(tmp_path: Path, cli: Cli) -> Path:
    (tmp_path / "arm.toml").write_text(ROBOT)
    folder = tmp_path / "arms.emc"
    assert cli("new", tmp_path / "arms", "--skeleton", tmp_path / "arm.toml").exit_code == 0
    for seed in range(3):
        frames, joints = arm(seed)
        write_video(tmp_path / f"arm_{seed}.mp4", iter(frames), fps=10)
        assert cli("add", tmp_path / f"arm_{seed}.mp4", "--project", folder).exit_code == 0
        labels = labelled(tmp_path / f"arm_{seed}.json", joints)
        done = cli("import", "coco", labels, "--clip", f"arm_{seed}", "--project", folder)
        assert done.exit_code == 0, done.output
    return folder


def test_a_robot_from_a_toml_to_its_own_model(arms: Path, tmp_path: Path, cli: Cli) -> None:
    refused = cli("predict", "--estimator", "nano", "--project", arms)
    assert refused.exit_code == 2
    assert "has no joint of skeleton arm" in refused.output
    quick = ("--set", "calibrate.steps=60", "--set", "calibrate.batch=8", "--set", "calibrate.ladder=1",
             "--set", "calibrate.shares=[1.0]", "--set", "evaluate.bootstrap=20", "--set", "calibrate.lr=0.003",
             "--estimator", "nano", "--project", arms, "--json")  # fmt: skip
    common = cli("calibrate", *quick)
    assert common.exit_code == 2
    assert "label clips of everyday poses" in common.output
    done = cli("calibrate", "--set", "calibrate.strategy=finetune", *quick)
    assert done.exit_code == 0, done.output
    (model,) = sorted(arms.glob("models/*/step_60"))
    boxes = tmp_path / "arm_2.json"
    again = cli("predict", "--clip", "arm_2", "--estimator", model, "--boxes", boxes, "--project", arms, "--json")
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout)["runs"][0]["persons"] == 1
    with open_project(arms) as store:
        run = store.runs("arm_2")[-1]
        found = {p.frame: p.xy for p in store.predictions(run.id)}
    assert run.skeleton == "arm"
    # Every joint of the arm starts from nothing that the base knew: near its place, not at the middle of the crop.
    joints = arm(2)[1]
    apart = np.linalg.norm(np.stack([found[i] for i in range(FRAMES)]) - joints, axis=-1)
    by_mean = np.linalg.norm(joints - joints.mean(axis=(0, 1)), axis=-1)
    assert np.median(apart) < 0.5 * np.median(by_mean)
