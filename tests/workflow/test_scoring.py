from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emc.pose.records import Clip, Pose, Prediction, Role
from emc.workflow.samples.cut import cut_sample
from emc.workflow.samples.extras import LabelExtra
from emc.workflow.scoring import in_original_pixels

CLIP = Clip("c", "c.mp4", Role.COMMON, "c", frames=3, width=2000, height=1600)


@pytest.mark.parametrize(("left", "side"), [(120.0, 90.0), (700.0, 800.0), (-30.0, 300.0)])
def test_whoever_was_cut_out_lies_where_they_were(left: float, side: float) -> None:
    xy = np.linspace([left, 200], [left + side, 200 + side], 17).astype(np.float32)
    pose = Pose(1, 0, xy, np.full(17, 2, np.int8), np.full(17, 2, np.int8))
    extra = LabelExtra(head=40.0, area=1234.0, box=(left, 200.0, side, side))
    sample = cut_sample(np.zeros((1600, 2000, 3), np.uint8), pose, CLIP, extra)
    sure = np.ones(17, np.float32)
    back, found = in_original_pixels(sample, Prediction(1, 0, sample.xy, sure, sure, sample.box))
    assert_allclose(back.xy, xy, atol=1e-3)
    assert_allclose(found.xy, xy, atol=1e-3)
    assert_allclose(back.box, [left, 200, side, side], atol=1e-3)
    assert_allclose((back.head, back.area, back.scale), (40, 1234, 1), rtol=1e-9)
