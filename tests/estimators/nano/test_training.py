"""The script that remakes `nano`: exact resume, its schedule, its scores and confidence table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from emc.pose.records import Sample
from emc.pose.skeletons.skeleton import COCO17


@pytest.fixture
def training_modules(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "training"))
    import nano_loop
    import nano_score

    return nano_loop, nano_score


def pool(count: int) -> list[Sample]:
    rng = np.random.default_rng(0)
    return [
        Sample(
            rng.integers(0, 255, (60, 60, 3), dtype=np.uint8),
            rng.uniform(5, 55, (17, 2)),
            np.full(17, 2),
            np.array([5.0, 5, 50, 50]),
            "c",
            "g",
            i,
        )
        for i in range(count)
    ]


def test_a_stopped_run_goes_on_exactly(training_modules: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    loop, _ = training_modules
    recipe = replace(loop.Recipe(), steps=4, decay=2, warmup=1, batch=3, bfloat16=False)
    samples = pool(5)

    def pools(step: int) -> Sequence[tuple[Sequence[Sample], int]]:
        return [(samples, recipe.batch)]

    straight = loop.begin(recipe)
    loop.run(straight, recipe, pools, tmp_path / "a.pt", 4, lambda state, line: None)

    class Killed(Exception):
        pass

    def kill(state: object, line: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        loop.run(loop.begin(recipe), recipe, pools, tmp_path / "b.pt", 2, kill)
    again = loop.resume(recipe, tmp_path / "b.pt")
    assert again.step == 2
    loop.run(again, recipe, pools, tmp_path / "b.pt", 2, lambda state, line: None)
    assert again.step == 4
    for name, value in straight.mean.items():
        assert torch.equal(value, again.mean[name]), name


def test_the_rate_rises_stays_and_falls(training_modules: tuple[ModuleType, ModuleType]) -> None:
    loop, _ = training_modules
    recipe = replace(loop.Recipe(), steps=100, warmup=10, decay=20)
    shares = [loop.rate_share(step, recipe) for step in (0, 9, 50, 80, 90, 100)]
    assert shares == pytest.approx([0.1, 1.0, 1.0, 1.0, 0.5, 0.0])


def test_every_sample_comes_once_per_epoch(training_modules: tuple[ModuleType, ModuleType]) -> None:
    loop, _ = training_modules
    drawn = [loop.epoch_index(1, position, 7) for position in range(14)]
    assert sorted(drawn[:7]) == list(range(7))
    assert sorted(drawn[7:]) == list(range(7))
    assert drawn[:7] != drawn[7:]


def test_shares_right_by_hand(training_modules: tuple[ModuleType, ModuleType]) -> None:
    _, score = training_modules
    knee = COCO17.index("left_knee")
    distance = np.full((4, 17), np.nan)
    distance[:, knee] = [1.9, 2.0, 2.1, 0.0]
    found = score.share_right(distance, np.array([10.0, 10.0, 10.0, np.nan]), 0.2)
    assert found == (pytest.approx(2 / 3), 3)


def test_rising_fit_pools_what_falls(training_modules: tuple[ModuleType, ModuleType]) -> None:
    _, score = training_modules
    found = score.rising_fit(np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0]))
    np.testing.assert_allclose(found, [0.0, 1 / 3, 1 / 3, 1 / 3, 1.0, 1.0])
