from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from emc.estimators.keypoint_rcnn.heatmaps import cross_entropy, decode, encode, with_teacher_targets

CELLS = 56


def bump(x: int, y: int, height: float) -> torch.Tensor:
    maps = torch.zeros(1, 1, CELLS, CELLS)
    maps[0, 0, y, x] = height
    return maps


def test_a_peak_lies_in_the_middle_of_its_pixel() -> None:
    # A box as large as the map: enlarging changes nothing. Cell (10, 20) is pixel 10..11, 20..21 of the box.
    found = decode(bump(10, 20, 8.0), torch.tensor([[100.0, 200, 156, 256]]))
    assert found.xy[0, 0].tolist() == [110.5, 220.5]
    assert found.logit[0, 0] == pytest.approx(8.0)


def test_a_box_of_broken_sides_is_enlarged_to_whole_pixels_and_drawn_back() -> None:
    # 55.2 wide: 56 pixels, each 55.2 / 56 wide.
    found = decode(bump(10, 20, 8.0), torch.tensor([[0.0, 0, 55.2, 56]]))
    assert found.xy[0, 0].tolist() == pytest.approx([10.5 * 55.2 / 56, 20.5])


def test_enlarging_is_bicubic() -> None:
    # Four times as large: the cell's middle is at 4 * 10.5 = 42, between pixels 41 and 42; the first one is taken.
    found = decode(bump(10, 20, 8.0), torch.tensor([[0.0, 0, 224, 224]]))
    assert np.abs(found.xy[0, 0] - [42, 82]).max() <= 0.5
    # Bicubic (a = -0.75) at an eighth of a cell: (1.25 t^3 - 2.25 t^2 + 1) for t = 1/8, on both axes.
    along = 1.25 / 512 - 2.25 / 64 + 1
    assert found.logit[0, 0] == pytest.approx(8.0 * along**2, rel=1e-5)


def test_scores_of_both_codes() -> None:
    found = decode(bump(10, 20, 5.0), torch.tensor([[0.0, 0, 56, 56]]))
    total = math.exp(5) + CELLS**2 - 1
    assert found.logit[0, 0] == pytest.approx(5.0)
    assert found.softmax[0, 0] == pytest.approx(math.exp(5) / total, rel=1e-5)
    # Seven by seven cells around the peak.
    assert found.confidence[0, 0] == pytest.approx((math.exp(5) + 48) / total, rel=1e-5)
    assert found.features.shape == (1, 1, 4)
    assert found.features[0, 0, 2] == pytest.approx(1 / total, rel=1e-4)


def test_a_shift_of_all_logits_changes_the_logit_but_not_what_is_believed() -> None:
    box = torch.tensor([[0.0, 0, 56, 56]])
    plain, raised = decode(bump(3, 4, 6.0), box), decode(bump(3, 4, 6.0) + 100, box)
    assert raised.logit[0, 0] == pytest.approx(plain.logit[0, 0] + 100)
    assert raised.confidence[0, 0] == pytest.approx(plain.confidence[0, 0], rel=1e-3)
    assert raised.softmax[0, 0] == pytest.approx(plain.softmax[0, 0], rel=1e-3)


def test_confidence_is_a_probability_for_any_logits() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(3, 17, CELLS, CELLS, generator=generator) * torch.tensor([0.1, 10, 300])[:, None, None, None]
    boxes = torch.tensor([[0.0, 0, 30, 90], [5, 5, 6, 6], [0, 0, 56, 56]])
    found = decode(maps, boxes)
    assert np.isfinite(found.xy).all()
    assert (found.confidence >= 0).all()
    assert (found.confidence <= 1).all()
    assert found.confidence[0].max() < 0.1
    assert found.confidence[2].min() > 0.5


def test_targets_by_hand() -> None:
    boxes = torch.tensor([[10.0, 20, 122, 76]])
    # Cells are 2 wide, 1 high. Inside; on the near corner; on the far corner; beyond; unknown.
    xy = torch.tensor([[[15.0, 23.9], [10, 20], [122, 76], [9.9, 30], [float("nan"), 3]]])
    target, weight = encode(xy, torch.tensor([[1.0, 0.5, 1, 1, 1]]), boxes, CELLS)
    assert target.shape == (1, 5, CELLS, CELLS)
    assert weight.tolist() == [[1.0, 0.5, 1.0, 0.0, 0.0]]
    assert target[0].sum(dim=(1, 2)).tolist() == [1, 1, 1, 0, 0]
    assert target[0, 0, 3, 2] == 1
    assert target[0, 1, 0, 0] == 1
    assert target[0, 2, 55, 55] == 1


def test_a_decoded_target_lies_within_half_a_cell() -> None:
    box = torch.tensor([[3.0, 7, 115, 119]])
    xy = torch.tensor([[[40.3, 90.8]]])
    target, _ = encode(xy, torch.ones(1, 1), box, CELLS)
    assert np.abs(decode(target * 20, box).xy - xy.numpy()).max() <= 1.5


def test_loss_by_hand() -> None:
    target, weight = encode(
        torch.tensor([[[10.0, 10], [20, 20]]]), torch.ones(1, 2), torch.tensor([[0.0, 0, 56, 56]]), 56
    )
    flat = torch.zeros(1, 2, CELLS, CELLS)
    assert cross_entropy(flat, target, weight).item() == pytest.approx(math.log(CELLS**2), rel=1e-5)
    sure = target * 50
    assert cross_entropy(sure, target, weight).item() == pytest.approx(0.0, abs=1e-4)
    # A joint of weight 0 does not count, one of weight 3 counts three times.
    mixed = torch.cat([sure[:, :1], flat[:, 1:]], dim=1)
    assert cross_entropy(mixed, target, torch.tensor([[1.0, 0]])).item() == pytest.approx(0.0, abs=1e-4)
    assert cross_entropy(mixed, target, torch.tensor([[1.0, 3]])).item() == pytest.approx(
        0.75 * math.log(CELLS**2), rel=1e-4
    )


def test_no_label_at_all_costs_nothing_and_pulls_nowhere() -> None:
    maps = torch.zeros(1, 2, CELLS, CELLS, requires_grad=True)
    loss = cross_entropy(maps, torch.zeros(1, 2, CELLS, CELLS), torch.zeros(1, 2))
    loss.backward()
    assert loss.item() == 0
    assert maps.grad is not None
    assert torch.all(maps.grad == 0)


class Flat(torch.nn.Module):
    """A teacher that finds every joint equally likely everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.zero = torch.nn.Parameter(torch.zeros(1))

    def forward(self, image: torch.Tensor, regions: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(regions), 3, CELLS, CELLS)


def batch_of_two() -> dict[str, torch.Tensor]:
    """Two persons with two boxes each; joints: in the box, labelled but outside of it, not labelled."""
    xy = torch.tensor([[[10.0, 10], [70, 10], [float("nan"), 0]]]).repeat(4, 1, 1)
    labelled = torch.tensor([[1.0, 1, 0]]).repeat(4, 1)
    maps, weight = encode(xy, labelled, torch.tensor([[0.0, 0, 56, 56]]).repeat(4, 1), CELLS)
    regions = torch.tensor([[0.0, 0, 0, 56, 56]] * 2 + [[1.0, 0, 0, 56, 56]] * 2)
    return {"image": torch.zeros(2, 3, 64, 64), "regions": regions, "maps": maps, "weight": weight} | {
        "labelled": labelled > 0
    }


def test_a_teacher_softens_common_labels_and_fills_what_nobody_labelled() -> None:
    batch = batch_of_two()
    told = with_teacher_targets(batch, Flat(), torch.tensor([False, True]), distil=0.25, fill=0.1)
    even = 1 / CELLS**2
    assert told["weight"][0].tolist() == pytest.approx([1.0, 0.0, 0.1])
    assert told["weight"][2].tolist() == pytest.approx([1.0, 0.0, 0.25])
    assert told["maps"][0, 0, 10, 10] == 1
    assert told["maps"][3, 0, 10, 10] == pytest.approx(0.75 + 0.25 * even)
    assert told["maps"][1, 2].flatten().tolist() == pytest.approx([even] * CELLS**2)
    assert batch["maps"][3, 0, 10, 10] == 1


def test_without_a_share_the_batch_stays_as_it_is() -> None:
    batch = batch_of_two()
    assert with_teacher_targets(batch, Flat(), torch.tensor([False, True]), 0.0, 0.0) is batch
