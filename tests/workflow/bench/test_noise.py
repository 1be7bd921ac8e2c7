import json

import numpy as np
from typer.testing import CliRunner

from emc.cli.main import app
from emc.estimators.nano.estimator import NanoEstimator
from emc.lifters.measured_noise import read_noise
from emc.lifters.noise_fit import PredictedClip
from emc.workflow.bench.noise import FRAMES, NoiseClip, noise_clips, noise_summary, watch_clip


def test_clips_are_of_both_kinds_and_of_different_people():
    clips = noise_clips(8)
    assert [clip.kind for clip in clips] == ["common"] * 8 + ["uncommon"] * 8
    assert len({clip.seed for clip in clips}) == 16
    assert {clip.motion for clip in clips[8:14]} == {
        "front_kick", "side_kick", "spinning_kick", "cartwheel", "arabesque", "deep_dance",
    }  # fmt: skip


def test_a_clip_is_watched_on_consecutive_frames():
    watched = watch_clip(NoiseClip("common", "walk", 700_001), NanoEstimator())
    assert watched.predicted.shape == (FRAMES, 17, 2)
    # An everyday walk: most joints are found, and the truth moves little from frame to frame.
    off = np.linalg.norm(watched.predicted - watched.truth, axis=-1)
    assert np.median(off) < 8
    assert np.abs(np.diff(watched.truth, axis=0)).max() < 25


def test_summary_by_hand():
    truth = np.zeros((2, 17, 2))
    rng = np.random.default_rng(0)
    truth[:] = rng.uniform(0, 400, (17, 2))
    clip = PredictedClip(truth.copy(), np.ones((2, 17)), truth, np.ones((2, 17), dtype=bool))
    clip.predicted[0, 3] = np.nan
    row = noise_summary([clip])
    assert (row["frames"], row["mean_mm"], row["swapped_frames"], row["beyond_200_mm"]) == (2, 0.0, 0.0, 0.0)
    assert row["dropped_joints"] == round(1 / 34, 4)


def test_the_command_writes_a_model_that_can_be_read(tmp_path):
    done = CliRunner().invoke(app, ["bench", "noise", "--clips", "2", "--out", str(tmp_path / "n.json"), "--json"])
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["estimator"].startswith("nano-") and document["summary"]["uncommon"]["mean_mm"] > 10
    assert set(read_noise(tmp_path / "n.json")) == {"common", "uncommon"}
