"""`nano` as a graph that decodes itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emc.estimators.nano.estimator import NanoEstimator


@pytest.mark.parametrize("mirror", [True, False])
def test_it_reads_crops_as_the_estimator_does(mirror: bool) -> None:
    estimator = NanoEstimator()
    estimator.mirror = mirror
    crops = torch.from_numpy(np.random.default_rng(2).normal(0, 1, (3, 3, 128, 128)).astype(np.float32))
    with torch.inference_mode():
        places, score = estimator.export_form().head(crops)
    expected = estimator.decode_crops(crops)
    np.testing.assert_allclose(places.numpy(), expected.xy, atol=1e-4)
    np.testing.assert_allclose(score.numpy(), expected.peak, atol=1e-6)


def test_its_form_says_how_crops_are_made() -> None:
    form = NanoEstimator().export_form()
    assert (form.size, form.padding, form.border, form.pixels, form.skeleton) == (
        (128, 128),
        1.25,
        114.0,
        "centres",
        "coco17",
    )
    assert form.confidence is not None
    assert len(form.confidence["right"]) == 17
    assert NanoEstimator.untrained(1).export_form().confidence is None
