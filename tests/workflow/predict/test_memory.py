"""What prediction does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.estimators.onnx.onnx_models import simcc_model

from emc.workflow.samples.rendered import ClipRequest, render_file

PREDICTED = """
import sys
from pathlib import Path
from emc.config import read_settings
from emc.pose.records import Role
from emc.workflow.predict import predict_clips
from emc.workflow.project import new_project
from emc.workflow.project.clips import add_clips
folder, video = Path(sys.argv[1]), Path(sys.argv[2])
settings = read_settings(None, {}, predict={"estimator": str(folder / "m.onnx"), "threads": 2})
with new_project(folder / "p") as store:
    add_clips(store, [video], Role.TARGET)
    (done,) = predict_clips(store, store.clips(), settings, folder / "boxes.csv")
print(done.frames, *sorted(sys.modules))
"""


def test_an_onnx_file_predicts_given_boxes_without_pytorch(tmp_path: Path) -> None:
    request = ClipRequest("walk", 5, 6, seconds=0.21, size=(160, 160), folder=str(tmp_path))
    video = render_file(request).video
    simcc_model(tmp_path / "m.onnx")
    rows = "".join(f"{frame},40,20,60,120\n" for frame in range(6))
    (tmp_path / "boxes.csv").write_text("frame,x,y,w,h\n" + rows)
    done = subprocess.run(
        [sys.executable, "-c", PREDICTED, str(tmp_path), str(video)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    frames, *loaded = done.stdout.split()
    assert frames == "6"
    assert "onnxruntime" in loaded
    assert "torch" not in loaded
