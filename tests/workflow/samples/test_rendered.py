from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emc.formats.poses.coco import CocoFormat
from emc.stages.video import open_media
from emc.workflow.samples.rendered import ClipRequest, render_file, sparse_samples, window_start


def test_the_window_surrounds_the_highest_ankle() -> None:
    h36m = np.zeros((40, 17, 3))
    h36m[25, 6, 1] = 1.3
    assert window_start(h36m, 14) == 18
    h36m[2, 3, 1] = 1.5
    assert window_start(h36m, 14) == 0
    h36m[39, 3, 1] = 1.7
    assert window_start(h36m, 14) == 26
    assert window_start(h36m, 60) == 0


def test_files_of_a_kick_agree_with_each_other(tmp_path: Path) -> None:
    order = ClipRequest("side_kick", 5, 6, seconds=1.2, size=(128, 128), folder=str(tmp_path))
    files = render_file(order)
    labels = CocoFormat().read(files.labels)
    with open_media(files.video) as reader, np.load(files.truth) as truth:
        assert reader.info.frames == len(labels.images) == len(truth["xyz"]) == 6
        assert truth["xyz"].shape == (6, 17, 3)
        np.testing.assert_allclose(truth["xyz"][:, 0], 0)
    assert all(person.extra["head_segment"] > 2 for person in labels.persons)
    # An ankle above the other knee: the window holds the kick.
    lowest = truth_lift(files.truth)
    assert lowest > 0.5
    before = files.video.stat().st_mtime_ns
    assert render_file(order) == files
    assert files.video.stat().st_mtime_ns == before
    assert json.loads(files.labels.read_text())["annotations"][0]["image_id"] == 0


def truth_lift(path: Path) -> float:
    """Return by how many metres one ankle rises over the other, at most; camera axes, y down."""
    with np.load(path) as truth:
        return float(np.abs(truth["xyz"][:, 3, 1] - truth["xyz"][:, 6, 1]).max())


@pytest.mark.parametrize("motion", ["walk", "sit"])
def test_sparse_samples_are_cut_around_the_person(motion: str) -> None:
    samples = sparse_samples(ClipRequest(motion, 8, 3))
    assert 1 <= len(samples) <= 3
    for sample in samples:
        x, y, w, h = sample.box
        assert max(sample.image.shape[:2]) <= 1.6 * max(w, h) + 2
        assert np.isfinite(sample.xy[sample.visibility > 0]).all()
        assert sample.head > 0
