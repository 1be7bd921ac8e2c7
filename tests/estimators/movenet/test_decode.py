"""Maps to places, with maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from emc.estimators.movenet.decode import REFERENCE, SOFT, cell_pixels, centre_cells, crowded, read_places
from emc.estimators.movenet.network import Maps

GRID = 48


def empty(people: int = 1) -> Maps:
    """Maps that say nothing: no person, no joint, no way."""
    return Maps(
        heat=torch.full((people, 17, GRID, GRID), -20.0),
        center=torch.full((people, GRID, GRID), -20.0),
        regress=torch.zeros(people, 17, 2, GRID, GRID),
        offset=torch.zeros(people, 17, 2, GRID, GRID),
    )


def test_a_joint_is_its_peak_and_the_offset_there() -> None:
    maps = empty()
    maps.center[0, 24, 24] = 5.0
    maps.regress[0, 3, :, 24, 24] = torch.tensor([-4.0, 6.0])  # row 20, column 30
    maps.heat[0, 3, 20, 30] = 2.0
    maps.offset[0, 3, :, 20, 30] = torch.tensor([0.25, 0.5])
    found = read_places(maps, torch.tensor([REFERENCE]))
    # x = 30.5 cells, y = 20.25 cells of 191 / 48 pixels each.
    np.testing.assert_allclose(found.xy[0, 3].numpy(), [30.5 * 191 / 48, 20.25 * 191 / 48], rtol=1e-6)
    assert found.score[0, 3].item() == pytest.approx(1 / (1 + np.exp(-2.0)))
    peak, second, apart, centre = found.features[0, 3].tolist()
    assert (peak, second) == (pytest.approx(found.score[0, 3].item()), pytest.approx(0.0, abs=1e-6))
    assert apart == pytest.approx(0.0)
    assert centre == pytest.approx(1 / (1 + np.exp(-5.0)))


def test_the_person_nearest_to_the_middle_is_taken() -> None:
    maps = empty(2)
    for row in range(2):
        maps.center[row, 24, 26] = 1.0
        maps.center[row, 24, 44] = 1.5
    maps.center[1, 24, 44] = 20.0  # 0.73 x 1 / 3.8 beside 1.0 x 1 / 21.8: nearness still wins
    assert [divmod(int(cell), GRID) for cell in centre_cells(maps)] == [(24, 26), (24, 26)]


def test_near_peaks_win_by_the_reference_and_high_ones_more_softly() -> None:
    maps = empty()
    maps.center[0, 24, 24] = 5.0
    maps.heat[0, 0, 24, 24] = torch.logit(torch.tensor(0.4))
    maps.heat[0, 0, 24, 34] = torch.logit(torch.tensor(0.8))
    # Ten cells away: 0.4 / 1.8 against 0.8 / 11.8, and 0.4 / 7.2 against 0.8 / 17.2.
    for pull in (REFERENCE, SOFT):
        assert read_places(maps, torch.tensor([pull])).xy[0, 0, 0].item() == pytest.approx(24 * cell_pixels(GRID))
    maps.heat[0, 0, 24, 34] = torch.logit(torch.tensor(0.98))  # 0.083 against 0.222; 0.057 against 0.0556
    places = [read_places(maps, torch.tensor([pull])).xy[0, 0, 0].item() for pull in (REFERENCE, SOFT)]
    assert places == [pytest.approx(24 * cell_pixels(GRID)), pytest.approx(34 * cell_pixels(GRID))]


def test_each_crop_is_read_by_its_own_pull() -> None:
    maps = empty(2)
    maps.center[:, 24, 24] = 5.0
    maps.heat[:, 0, 24, 24] = torch.logit(torch.tensor(0.4))
    maps.heat[:, 0, 24, 34] = torch.logit(torch.tensor(0.98))
    x = read_places(maps, torch.tensor([SOFT, REFERENCE])).xy[:, 0, 0] / cell_pixels(GRID)
    assert x.tolist() == [pytest.approx(34), pytest.approx(24)]


@pytest.mark.parametrize(
    ("others", "shared"),
    [
        ([], False),
        ([(300, 0, 50, 100)], False),  # beyond the crop, which reaches from 62.5 to 187.5
        ([(170, 100, 40, 100)], True),
        ([(80, 52, 98, 97)], False),  # another box around the same person
        ([(186, 100, 40, 10)], False),  # 15 of the crop's 15,625 pixels
    ],
)
def test_a_crop_is_crowded_where_another_persons_box_reaches_into_it(others: list, shared: bool) -> None:
    boxes = np.array([(75, 50, 100, 100), *others], dtype=float)
    assert crowded(boxes, 1.25)[0] == shared


def test_nobody_is_nobodys_neighbour() -> None:
    assert crowded(np.zeros((0, 4)), 1.25).shape == (0,)
