import json

import numpy as np
import pytest
from tests.embedded_models import EMBEDDED
from typer.testing import CliRunner

from emc.cli.main import app
from emc.config import read_settings
from emc.errors import InputError, WeightsError
from emc.formats.motion.h36m import KEPT
from emc.formats.motion.h36m_cameras import read_h36m_cameras
from emc.lifters.virtual_camera import coco_from_h36m
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import generate_motion
from emc.workflow.bench.h36m import bench_h36m, is_h36m


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The package's own walking and kicking in the files of Human3.6M: two subjects, one camera."""
    folder = tmp_path_factory.mktemp("h36m")
    camera = {
        "id": "54138969", "orientation": [np.sqrt(0.5), -np.sqrt(0.5), 0, 0], "translation": [0, -5000, 1000],
        "focal_length": [1145, 1144], "center": [512, 515], "res_w": 1000, "res_h": 1002,
    }  # fmt: skip
    (folder / "cameras.json").write_text(json.dumps({"S9": [camera], "S11": [camera]}))
    (view,) = read_h36m_cameras(folder / "cameras.json")["S9"]
    world, h36m_2d, coco_2d = {}, {}, {}
    for seed, subject in enumerate(("S9", "S11")):
        for action, motion in (("Walking", "walk"), ("Walking 1", "run"), ("Greeting", "wave")):
            rng = np.random.default_rng([3, seed, len(motion)])
            points = generate_motion(motion, 1.0, 50.0, sample_body(rng), rng).h36m
            z_up = np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
            captured = np.zeros((len(points), 32, 3))
            captured[:, KEPT] = z_up
            world.setdefault(subject, {})[action] = captured
            h36m_2d.setdefault(subject, {})[action] = [view.project(z_up)]
            coco_2d.setdefault(subject, {})[action] = [view.project(coco_from_h36m(z_up))]
    np.savez(folder / "data_3d_h36m.npz", positions_3d=world)
    np.savez(folder / "data_2d_h36m_gt.npz", positions_2d=h36m_2d, metadata={"layout_name": "h36m"})
    np.savez(folder / "data_2d_h36m_made_coco.npz", positions_2d=coco_2d, metadata={"layout_name": "coco"})
    return folder


def quick(**lift):
    return read_settings(None, EMBEDDED, predict={"threads": 1}, evaluate={"bootstrap": 20}, lift=lift)


def test_action_means_over_both_subjects(data):
    assert is_h36m(data)
    document = bench_h36m(data, "gt", quick())
    assert document["input"] == "h36m17"
    rows = document["scores"]["per_action"]
    assert set(rows) == {"Walking", "Greeting"}
    assert document["summary"]["mpjpe"] == pytest.approx(
        (rows["Walking"]["mpjpe"] + rows["Greeting"]["mpjpe"]) / 2, abs=1e-3
    )
    assert 10 < document["summary"]["mpjpe"] < 150
    coco = bench_h36m(data, "made_coco", quick())
    assert coco["input"] == "coco17"
    assert coco["summary"]["p_mpjpe"] != document["summary"]["p_mpjpe"]


def test_the_command_finds_the_kind_of_folder(data):
    done = CliRunner().invoke(app, ["bench", "lift", "--data", str(data), "--keypoints", "made_coco"])
    assert done.exit_code == 0 and "Greeting" in done.stdout and "mean" in done.stdout


def test_what_is_missing_is_named(data, tmp_path):
    with pytest.raises(InputError, match="no data_2d_h36m_cpn.npz .it has data_2d_h36m_gt.npz, data_2d_h36m_made_coco"):
        bench_h36m(data, "cpn", quick())
    with pytest.raises(WeightsError, match="none.bin"):
        bench_h36m(data, "gt", quick(lifter=str(tmp_path / "none.bin")))
