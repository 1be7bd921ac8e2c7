"""Targets, losses and lessons of MoveNet."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emc.estimators.movenet.decode import cell_pixels, read_places
from emc.estimators.movenet.network import split
from emc.estimators.movenet.training import around, encode, focal, joint_losses, with_teacher_targets

GRID = 48
CELL = cell_pixels(GRID)
XY = np.array([[[10.5 * CELL, 20.25 * CELL], [np.nan, np.nan], [-3.0, 5.0]]])
ONES = np.ones((1, 3))


def test_targets_are_bumps_at_the_joints_cell() -> None:
    target, place, known = encode(XY, ONES > 0, ONES, GRID)
    assert known.tolist() == [[1.0, 0.0, 0.0]]  # seen; missing; outside of the crop
    np.testing.assert_allclose(place[0, 0].numpy(), [20.25, 10.5], rtol=1e-6)
    assert target[0, 0, 20, 10].item() == 1.0
    # Two cells beside it: exp(-4 / (2 x 1.2 ** 2)).
    assert target[0, 0, 20, 12].item() == pytest.approx(np.exp(-4 / 2.88), rel=1e-5)
    assert target[0, 1:].abs().sum().item() == 0.0


def test_a_wider_label_gets_a_wider_bump() -> None:
    target, _, _ = encode(XY, ONES > 0, 2 * ONES, GRID)
    assert target[0, 0, 20, 12].item() == pytest.approx(np.exp(-4 / (2 * 2.4**2)), rel=1e-5)


def test_focal_by_hand() -> None:
    logits = torch.tensor([0.0, 2.0, -1.0]).view(1, 1, 1, 3)
    target = torch.tensor([1.0, 0.5, 0.0]).view(1, 1, 1, 3)
    p = 1 / (1 + np.exp(-np.array([0.0, 2.0, -1.0])))
    expected = -(0.5**2) * np.log(0.5) - 0.5**4 * p[1] ** 2 * np.log(1 - p[1]) - p[2] ** 2 * np.log(1 - p[2])
    assert focal(logits, target).item() == pytest.approx(expected, rel=1e-5)


def perfect(xy: np.ndarray) -> torch.Tensor:
    """Return maps (1, 5 J + 1, G, G) that say exactly where (J, 2) joints, in cells x, y, are."""
    joints = len(xy)
    heat = torch.full((joints, GRID, GRID), -30.0)
    rows, columns = torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="ij")
    center = torch.full((1, GRID, GRID), -30.0)
    center[0, 24, 24] = 30.0
    way = []
    for joint, (x, y) in enumerate(xy):
        heat[joint, int(y), int(x)] = 30.0
        way += [y - rows, x - columns]
    ways = torch.stack(way).float()
    return torch.cat([heat, center, ways, ways])[None]


def test_maps_that_are_right_have_no_loss_and_wrong_offsets_cost_half_their_distance() -> None:
    xy = np.array([[10.5, 20.25], [30.75, 8.0]])
    target, place, known = encode(xy[None] * CELL, np.ones((1, 2)) > 0, np.ones((1, 2)), GRID)
    batch = {"target": target, "place": place, "weight": known}
    maps = perfect(xy)
    np.testing.assert_allclose(read_places(split(maps), torch.tensor([1.8])).xy[0].numpy(), xy * CELL, rtol=1e-5)
    np.testing.assert_allclose(joint_losses(maps, batch).numpy(), 0, atol=1e-5)
    maps[:, 2 + 1 + 4] += 3.0  # dy of the first joint's offset: smooth L1 of 3 is 2.5
    np.testing.assert_allclose(joint_losses(maps, batch).numpy(), [[0.5 * 2.5, 0]], atol=1e-5)
    maps[:, 2 + 1 + 3] += 3.0  # dx of the second joint's regression
    np.testing.assert_allclose(joint_losses(maps, batch).numpy(), [[1.25, 0.1 * 2.5]], atol=1e-5)


def test_what_lies_around_a_cell_at_the_corner() -> None:
    vectors = torch.arange(2 * 9.0).view(1, 1, 2, 3, 3)
    found, at = around(vectors, torch.tensor([[0]]))
    assert at[0, 0].T.tolist()[0] == [0.0, 0.0]
    assert at[0, 0].T.tolist()[-1] == [1.0, 1.0]
    assert found[0, 0, 0].tolist() == [0, 0, 1, 0, 0, 1, 3, 3, 4]


class Teacher(torch.nn.Module):
    """Gives the same maps for any picture."""

    def __init__(self, maps: torch.Tensor) -> None:
        super().__init__()
        self.maps = torch.nn.Parameter(maps, requires_grad=False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.maps.expand(len(image), -1, -1, -1)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    xy = np.array([[10.5, 20.25], [np.nan, np.nan]])
    target, place, known = encode(np.stack([xy, xy]) * CELL, np.ones((2, 2)) > 0, np.ones((2, 2)), GRID)
    return {"image": torch.zeros(2, 3, 192, 192), "target": target, "place": place, "weight": known}


COMMON = torch.tensor([True, False])


def test_a_lesson_takes_its_share_of_the_loss(batch: dict[str, torch.Tensor]) -> None:
    there, here = perfect(np.array([[40.5, 40.5], [30.0, 8.0]])), perfect(np.array([[10.5, 20.25], [30.0, 8.0]]))
    learnt = with_teacher_targets(batch, Teacher(there), COMMON, distil=0.25, fill=0.5)
    # Row 0 is replay: labels share with the teacher, the joint without a label is the teacher's with weight 0.25.
    assert learnt["lesson_share"].tolist() == [[0.25, 1.0], [0.0, 1.0]]
    assert learnt["weight"].tolist() == [[1.0, 0.25], [1.0, 0.5]]
    output = here.expand(2, -1, -1, -1)
    plain, mixed = joint_losses(output, batch), joint_losses(output, learnt)
    assert plain[1, 0].item() == pytest.approx(mixed[1, 0].item(), abs=1e-4)
    # The labels are met and the teacher is elsewhere: two wrong cells of 30 nats and more each, a quarter of them.
    assert mixed[0, 0].item() > 0.25 * 60
    np.testing.assert_allclose(mixed[:, 1].numpy(), 0, atol=1e-4)


def test_agreeing_with_an_unsure_teacher_costs_nothing(batch: dict[str, torch.Tensor]) -> None:
    maps = torch.randn(1, 11, GRID, GRID, generator=torch.Generator().manual_seed(0))
    learnt = with_teacher_targets(batch, Teacher(maps), COMMON, distil=1.0, fill=0.0)
    np.testing.assert_allclose(joint_losses(maps.expand(2, -1, -1, -1), learnt)[0].numpy(), 0, atol=1e-4)


def test_no_share_leaves_the_batch_as_it_is(batch: dict[str, torch.Tensor]) -> None:
    assert with_teacher_targets(batch, Teacher(perfect(np.array([[1.0, 1.0]] * 2))), COMMON, 0.0, 0.0) is batch
