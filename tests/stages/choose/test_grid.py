from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from emc.errors import ShapeMismatch, UsageError
from emc.pose.records import Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17
from emc.stages.choose.grid import CELL, GAP, LINE, TOP, GridColumn, draw_grid, hardest_samples

SEEN = np.full(17, 2)


def sample(clip: str, frame: int = 0) -> Sample:
    xy = np.stack([np.linspace(20, 80, 17), np.linspace(10, 90, 17)], axis=1)
    return Sample(
        np.full((100, 100, 3), 200, np.uint8), xy, SEEN, np.array([10.0, 10, 80, 80]), clip, clip, frame, head=10.0
    )


def prediction(one: Sample, away: float, joints: int = 17) -> Prediction:
    xy = one.xy.copy()
    xy[:joints, 0] += away
    confidence = np.ones(17, np.float32)
    return Prediction(one.frame, 0, xy.astype(np.float32), confidence, confidence, one.box.astype(np.float32))


def test_hardest_first_and_each_clip_before_any_twice() -> None:
    samples = [sample("a", 0), sample("a", 1), sample("b"), sample("c")]
    found = [prediction(s, away) for s, away in zip(samples, (15, 12, 8, 2), strict=True)]
    assert hardest_samples(found, samples, COCO17, "head_segment", 4) == [0, 2, 3, 1]
    assert hardest_samples(found, samples, COCO17, "head_segment", 2) == [0, 2]


def test_one_stray_joint_does_not_make_a_frame_hard() -> None:
    samples = [sample("a"), sample("b")]
    found = [prediction(samples[0], 5000, joints=1), prediction(samples[1], 5)]
    # Mean error in head sizes: 2 / 17 of the capped stray joint against 0.5.
    assert hardest_samples(found, samples, COCO17, "head_segment", 1) == [1]


def test_people_without_labels_are_left_out() -> None:
    samples = [replace(sample("a"), visibility=np.zeros(17)), replace(sample("b"), head=float("nan")), sample("c")]
    assert hardest_samples([prediction(s, 5) for s in samples], samples, COCO17, "head_segment") == [2]


def test_the_picture_has_a_row_per_frame_and_a_cross_per_wrong_joint() -> None:
    samples = [sample("a"), sample("b", 7)]
    bad, good = [prediction(s, 10) for s in samples], [prediction(s, 0) for s in samples]
    columns = [GridColumn("base", bad), GridColumn("step 5 (chosen)", good, True), GridColumn("labels", None)]
    wrong = {"base": np.zeros((2, 17)), "step 5 (chosen)": np.ones((2, 17))}
    page = np.asarray(Image.open(io.BytesIO(draw_grid(samples, columns, wrong, COCO17))).convert("RGB")).astype(int)
    assert page.shape == (TOP + 2 * (CELL + LINE + GAP), GAP + 3 * (CELL + GAP), 3)

    def red(column: int) -> int:
        left = GAP + column * (CELL + GAP)
        cell = page[TOP : TOP + CELL, left : left + CELL]
        return int(((cell[..., 0] > 200) & (cell[..., 1] < 60) & (cell[..., 2] < 80)).sum())

    assert red(0) > 17 * 10
    assert red(1) == 0
    assert red(2) == 0
    # The chosen column has a frame around its cells, the others none.
    chosen = GAP + CELL + GAP
    assert tuple(page[TOP - 1, chosen + 50]) == (0, 96, 159)
    assert tuple(page[TOP - 1, GAP + 50]) == (255, 255, 255)


def test_joints_far_outside_and_lost_ones_are_no_error() -> None:
    one = sample("a")
    far = prediction(one, 1e7, joints=3)
    far.xy[5] = np.nan
    assert draw_grid([one], [GridColumn("base", [far])], {"base": np.zeros((1, 17))}, COCO17).startswith(b"\x89PNG")


def test_misuse_is_told() -> None:
    with pytest.raises(UsageError, match="nothing|no frame"):
        draw_grid([], [GridColumn("base", [])], {}, COCO17)
    with pytest.raises(ShapeMismatch, match="column base has 0 predictions for 1 frames"):
        draw_grid([sample("a")], [GridColumn("base", [])], {}, COCO17)
