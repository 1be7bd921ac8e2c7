from dataclasses import replace

import numpy as np
import torch
from tests.stages.calibrate.test_train import spots

from emc.estimators.nano.heatmaps import encode
from emc.stages.calibrate.labels import with_spread


def test_occluded_joints_get_a_wider_target_and_visible_ones_do_not():
    sample = replace(spots(1, 0)[0], visibility=np.array([2, 1]))
    assert with_spread([sample], 2.5)[0].spread.tolist() == [1.0, 2.5]
    own = replace(sample, spread=np.array([1.5, 2.0]))
    assert with_spread([own], 2.0)[0].spread.tolist() == [1.5, 4.0]


def test_a_factor_of_one_leaves_the_samples_themselves():
    samples = spots(2, 0)
    assert with_spread(samples, 1.0) is samples


def test_a_map_of_nano_is_as_wide_as_asked():
    xy = np.full((1, 2, 2), 64.0)
    maps, _ = encode(xy, np.ones((1, 2)), np.array([[1.0, 2.0]]))
    axis = torch.arange(32)
    widths = []
    for share in maps[0].sum(dim=1):
        mean = (share * axis).sum()
        widths.append(float((share * (axis - mean) ** 2).sum().sqrt()))
    np.testing.assert_allclose(widths, [1.25, 2.5], rtol=1e-3)
