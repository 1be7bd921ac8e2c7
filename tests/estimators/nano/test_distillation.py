import numpy as np
import pytest
import torch

from emc.estimators.nano.estimator import NanoEstimator
from emc.interfaces import Distillable, Layered

GRID = 32


class Constant(torch.nn.Module):
    """A teacher that is sure of one cell."""

    def forward(self, image):
        logits = torch.full((len(image), 17, GRID, GRID), -100.0)
        logits[:, :, 3, 4] = 100.0
        return logits


@pytest.fixture
def batch():
    target = torch.zeros(2, 17, GRID, GRID)
    target[:, :, 10, 10] = 1.0
    weight = torch.ones(2, 17)
    weight[:, 0] = 0.0  # nobody labelled the nose
    target[:, 0] = 1.0 / GRID**2
    return {"image": torch.zeros(2, 3, 128, 128), "target": target, "weight": weight}


COMMON = torch.tensor([True, False])


def test_nano_is_layered_and_teachable():
    estimator = NanoEstimator.untrained(0)
    assert isinstance(estimator, Layered)
    assert isinstance(estimator, Distillable)


def test_replay_mixes_label_and_teacher_and_takes_the_teacher_where_there_is_no_label(batch):
    taught = NanoEstimator.untrained(0).with_teacher_targets(batch, Constant(), COMMON, distil=0.25, fill=0.0)
    assert taught["target"][0, 5, 10, 10].item() == pytest.approx(0.75)
    assert taught["target"][0, 5, 3, 4].item() == pytest.approx(0.25)
    assert taught["target"][0, 0, 3, 4].item() == pytest.approx(1.0)
    assert taught["weight"][0, :2].tolist() == [0.25, 1.0]
    for name in ("target", "weight"):  # the user's own row stays
        torch.testing.assert_close(taught[name][1], batch[name][1])
    assert batch["target"][0, 5, 10, 10].item() == 1.0


def test_filling_touches_only_what_nobody_labelled_on_target_rows(batch):
    taught = NanoEstimator.untrained(0).with_teacher_targets(batch, Constant(), COMMON, distil=0.0, fill=0.5)
    torch.testing.assert_close(taught["target"][0], batch["target"][0])
    torch.testing.assert_close(taught["target"][1, 1:], batch["target"][1, 1:])
    assert taught["target"][1, 0, 3, 4].item() == pytest.approx(1.0)
    assert taught["weight"].tolist() == [[0.0] + [1.0] * 16, [0.5] + [1.0] * 16]


def test_no_share_leaves_the_batch_as_it_is(batch):
    assert NanoEstimator.untrained(0).with_teacher_targets(batch, Constant(), COMMON, 0.0, 0.0) is batch


def test_every_map_still_sums_to_one(batch):
    taught = NanoEstimator.untrained(0).with_teacher_targets(batch, Constant(), COMMON, 0.3, 0.6)
    np.testing.assert_allclose(taught["target"].sum(dim=(2, 3)).numpy(), 1.0, rtol=1e-5)
