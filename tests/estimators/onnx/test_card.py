"""Cards of ONNX models: what they hold, what they refuse, and that they come back as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import InputError, WeightsError
from emc.estimators.onnx.card import (
    HeatmapOutput,
    MovenetOutput,
    OnnxCard,
    SimccOutput,
    card_path,
    card_skeleton,
    read_card,
    write_card,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "model.toml"
    path.write_text(text)
    return path


def test_the_card_lies_beside_the_model() -> None:
    assert card_path(Path("a/rtmpose-m.onnx")) == Path("a/rtmpose-m.toml")


def test_what_is_not_said_has_rtmpose_habits(tmp_path: Path) -> None:
    card = read_card(written(tmp_path, 'family = "simcc"\n[input]\nsize = [192, 256]\n'))
    assert card.input.size == (192, 256)
    assert card.input.channels == "rgb"
    assert (card.box.padding, card.box.pixels, card.box.border) == (1.25, "edges", 0.0)
    assert card.output == SimccOutput(x="simcc_x", y="simcc_y", split=2.0, score="mean", refine="none")
    assert card.confidence is None


def test_output_is_of_the_family(tmp_path: Path) -> None:
    heatmap = read_card(written(tmp_path, 'family="heatmap"\ninput={size=[8,8]}\noutput={heatmaps="h"}\n'))
    movenet = read_card(written(tmp_path, 'family="movenet"\ninput={size=[8,8]}\n'))
    assert heatmap.output == HeatmapOutput(heatmaps="h", cells="edges", refine="none", kernel=11, activation="none")
    assert movenet.output == MovenetOutput(decode="centre")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("family = ", "cannot be read"),
        ('family = "yolo"\n[input]\nsize=[8,8]', "unusable family = 'yolo'"),
        ('family = "simcc"', "unusable input"),
        ('family = "simcc"\n[input]\nsize=[8]', r"unusable input\.size"),
        ('family = "simcc"\n[input]\nsize=[0,8]', "size and std must be positive"),
        ('family = "simcc"\n[input]\nsize=[8,8]\ncolour="rgb"', r"unusable input\.colour"),
        ('family = "simcc"\n[input]\nsize=[8,8]\n[output]\nheatmaps="h"', "unusable .*heatmaps"),
        ('family = "heatmap"\n[input]\nsize=[8,8]\n[output]\nheatmaps="h"\nkernel=4', "kernel must be odd"),
        ('family = "simcc"\n[input]\nsize=[8,8]\n[confidence]\nscore=[0.5,0.1]\nright=[[0,1]]', "score must rise"),
    ],
)
def test_a_faulty_card_is_refused_by_file_entry_and_value(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WeightsError, match=rf"model\.toml.*{said}"):
        read_card(written(tmp_path, text))


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.toml is missing"):
        read_card(tmp_path / "none.toml")


def test_cards_come_back_as_written(tmp_path: Path) -> None:
    card = OnnxCard.model_validate(
        {
            "family": "simcc",
            "input": {"size": (128, 96), "channels": "bgr", "mean": (1.5, 2.0, 3.0), "std": (1.0, 2.0, 4.0)},
            "box": {"padding": 1.1, "pixels": "centres", "border": 114.0},
            "output": {"x": "a", "y": "b", "refine": "gaussian"},
            "confidence": {"score": (0.0, 1.0), "right": ((0.25, 0.75),) * 17},
            "about": {"licence": 'MIT "expat"', "notes": "back\\slash", "source": "two\nlines"},
        }
    )
    write_card(tmp_path / "m.toml", card)
    assert read_card(tmp_path / "m.toml") == card
    assert [path.name for path in tmp_path.iterdir()] == ["m.toml"]


def test_skeletons_by_name_and_by_file(tmp_path: Path) -> None:
    card = OnnxCard.model_validate({"family": "simcc", "skeleton": "lsp14", "input": {"size": (8, 8)}})
    assert card_skeleton(card.skeleton, tmp_path).name == "lsp14"
    (tmp_path / "horse.toml").write_text('name = "horse"\njoints = ["head", "tail"]\nlimbs = [["head", "tail"]]\n')
    own = card.model_copy(update={"skeleton": "horse.toml"})
    assert card_skeleton(own.skeleton, tmp_path).joints == ("head", "tail")
    with pytest.raises(InputError, match="names the skeleton 'cow': use one of coco17"):
        card_skeleton("cow", tmp_path)
