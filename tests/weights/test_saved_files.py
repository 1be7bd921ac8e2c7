"""The files of saved models: what comes back, and how each damage is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from emc.errors import WeightsError
from emc.weights.saved_files import (
    CARD_FILE,
    WEIGHTS_FILE,
    check_fits,
    read_card,
    read_json,
    read_weights,
    write_model,
    write_weights,
)


def test_a_model_comes_back_with_its_documents(tmp_path: Path) -> None:
    shared = torch.arange(6.0)
    state = {"a": shared[:3], "b": shared.reshape(2, 3).T, "steps": torch.tensor(7)}
    write_model(tmp_path / "new" / "model", state, {"config.json": {"size": 3}, CARD_FILE: {"estimator": "mine"}})
    folder = tmp_path / "new" / "model"
    found = read_weights(folder / WEIGHTS_FILE)
    assert found["a"].tolist() == [0, 1, 2]
    assert found["b"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["steps"].dtype == torch.int64
    assert read_card(folder / CARD_FILE, "mine") == {"estimator": "mine"}
    assert read_json(folder / "config.json") == {"size": 3}
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", CARD_FILE, WEIGHTS_FILE]


def test_half_precision_stays_in_the_file_and_is_read_as_single(tmp_path: Path) -> None:
    write_weights({"a": torch.ones(2, dtype=torch.float16)}, tmp_path / WEIGHTS_FILE)
    assert load_file(tmp_path / WEIGHTS_FILE)["a"].dtype == torch.float16
    assert read_weights(tmp_path / WEIGHTS_FILE)["a"].dtype == torch.float32


def test_what_was_read_outlives_its_file(tmp_path: Path) -> None:
    write_weights({"a": torch.ones(1000)}, tmp_path / WEIGHTS_FILE)
    found = read_weights(tmp_path / WEIGHTS_FILE)
    (tmp_path / WEIGHTS_FILE).write_bytes(b"")
    assert float(found["a"].sum()) == 1000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, r"emc\.json is missing: a model's folder needs model\.safetensors and emc\.json"),
        ("{", r"emc\.json cannot be read"),
        ("[1]", r"emc\.json holds no JSON object"),
        ("{}", "belongs to estimator None, not 'mine'"),
        (json.dumps({"estimator": "other"}), "belongs to estimator 'other', not 'mine'"),
    ],
)
def test_a_damaged_card_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    if content is not None:
        (tmp_path / CARD_FILE).write_text(content)
    with pytest.raises(WeightsError, match=says):
        read_card(tmp_path / CARD_FILE, "mine")


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is missing: .* and config\.json"):
        read_weights(tmp_path / WEIGHTS_FILE, "config.json")
    (tmp_path / WEIGHTS_FILE).write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        read_weights(tmp_path / WEIGHTS_FILE)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"b": torch.zeros(2)}, r"does not fit it: 1 tensors missing, 1 unknown \(a\): do this"),
        ({"a": torch.zeros(3)}, r"has a of shape \(3,\), it needs \(2,\): do this"),
        ({"a": torch.tensor([0.0, float("inf")])}, "not finite in a"),
    ],
)
def test_weights_that_do_not_fit_are_named(state: dict[str, torch.Tensor], says: str) -> None:
    own = {"a": torch.zeros(2)}
    check_fits(own, {"a": torch.ones(2)}, Path("file"), "it", "do this")
    with pytest.raises(WeightsError, match=says):
        check_fits(own, state, Path("file"), "it", "do this")
