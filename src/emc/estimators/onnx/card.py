"""The card of an ONNX pose model: a small TOML beside the file that says how it is fed and how it is read.

Places inside a crop are told as shares of it: 0 = its left (top) edge, 1 = its right (bottom) edge, so that no reader
needs the size that the network happens to see.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from emc.errors import InputError, WeightsError
from emc.pose.skeletons import SKELETONS, Skeleton, read_skeleton

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


Card = TypeVar("Card", bound=BaseModel)


class CardPart(BaseModel):
    """Base of all parts: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InputPart(CardPart):
    """What the network's input holds: (N, 3, height, width) float32, ``(value - mean) / std`` per channel.

    `size` is (width, height) in pixels. `mean` and `std` are in the order of `channels`, for values 0 to 255. `name`
    is the graph's input ("": its only one).
    """

    size: tuple[int, int]
    channels: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    name: str = ""

    @model_validator(mode="after")
    def _usable(self) -> InputPart:
        if min(self.size) < 1 or min(self.std) <= 0:
            raise ValueError("size and std must be positive")
        return self


class BoxPart(CardPart):
    """How a person box becomes a crop: widened by `padding`, then to the input's aspect ratio around its centre.

    `pixels`: the crop's outer pixel ``edges`` lie on the widened box (OpenMMLab, rtmlib), or the ``centres`` of its
    outermost pixels do ("unbiased data processing"). `border` is the grey level beyond the image's edge.
    """

    padding: float = Field(1.25, gt=0, le=10)
    pixels: Literal["edges", "centres"] = "edges"
    border: float = Field(0.0, ge=0, le=255)


class SimccOutput(CardPart):
    """Two 1D classifications per joint (SimCC, Li et al., ECCV 2022): `x` (N, K, split W) and `y` (N, K, split H).

    `score`: mean (rtmlib) or min (OpenMMLab's own code) of the two maxima. `refine` = gaussian reads the place
    between two bins off a Gaussian curve, as `emc export onnx` draws it; none takes the highest bin.
    """

    x: str = "simcc_x"
    y: str = "simcc_y"
    split: float = Field(2.0, gt=0)
    score: Literal["mean", "min"] = "mean"
    refine: Literal["none", "gaussian"] = "none"


class HeatmapOutput(CardPart):
    """One (N, K, h, w) map per joint; the highest cell is the place, its value the score.

    `cells`: cell c of w lies at the share c / w of the crop (``edges``) or c / (w - 1) (``centres``, "unbiased").
    `refine`: quarter (a quarter cell towards the higher neighbour), dark (Zhang et al., CVPR 2020, after a Gaussian
    blur of `kernel` cells), or none. `activation` is applied first.
    """

    heatmaps: str
    cells: Literal["edges", "centres"] = "edges"
    refine: Literal["none", "quarter", "dark"] = "none"
    kernel: int = Field(11, ge=1, le=101)
    activation: Literal["none", "sigmoid"] = "none"

    @model_validator(mode="after")
    def _usable(self) -> HeatmapOutput:
        if self.kernel % 2 == 0:
            raise ValueError("kernel must be odd")
        return self


class MovenetOutput(CardPart):
    """Heatmaps, a person centre, and per cell where the joints lie: MoveNet's four outputs.

    `decode` = centre starts from the centre's cell, so that other people in the crop are left alone; maxima takes the
    highest cell of each heatmap. `offsets` place a joint inside its cell; "" puts it in the middle.
    """

    heatmaps: str = "heatmaps"
    centre: str = "center"
    regression: str = "regression"
    offsets: str = "offsets"
    decode: Literal["centre", "maxima"] = "centre"


class ConfidencePart(CardPart):
    """Scores to P(the joint is right): rising `score` knots, and one row of `right` shares per joint."""

    score: tuple[float, ...] = Field(min_length=2)
    right: tuple[tuple[float, ...], ...]

    @model_validator(mode="after")
    def _usable(self) -> ConfidencePart:
        if list(self.score) != sorted(self.score) or any(len(row) != len(self.score) for row in self.right):
            raise ValueError("score must rise, and each row of right must be as long as it")
        return self


class AboutPart(CardPart):
    """What `emc models` and a run's name say of the model."""

    licence: str = "unknown: see where the file came from"
    notes: str = ""
    source: str = ""


class OnnxCard(CardPart):
    """All that is needed to use a model file; `output` is of the kind that `family` names."""

    family: Literal["simcc", "heatmap", "movenet"]
    skeleton: str = "coco17"
    input: InputPart
    box: BoxPart = BoxPart()  # pyright: ignore[reportCallIssue]
    output: SimccOutput | HeatmapOutput | MovenetOutput
    confidence: ConfidencePart | None = None
    about: AboutPart = AboutPart()

    @model_validator(mode="before")
    @classmethod
    def _output_of_family(cls, values: Any) -> Any:
        kinds = {"simcc": SimccOutput, "heatmap": HeatmapOutput, "movenet": MovenetOutput}
        if not isinstance(values, Mapping) or values.get("family") not in kinds:
            return values
        output = values.get("output", {})
        kind = kinds[values["family"]]
        return {**values, "output": output if isinstance(output, kind) else kind.model_validate(output)}


def card_path(model: Path) -> Path:
    """Return where the card of a model file lies: the same name, ``.toml``."""
    return model.with_suffix(".toml")


def read_card(path: Path) -> OnnxCard:
    """Read a card; raises `WeightsError` that names the file, the entry and its value."""
    return read_card_as(OnnxCard, path, "docs/onnx.md")


def read_card_as(kind: type[Card], path: Path, page: str) -> Card:
    """Read a card of any kind; raises `WeightsError` that names file, entry, value, and the `page` that explains it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(f"{path} is missing: this model needs its card, see {page}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): correct it, see {page}") from error
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "family"
        raise WeightsError(
            f"{path} has an unusable {where} = {first['input']!r:.60} ({first['msg']}): see {page}"
        ) from error


def write_card(path: Path, card: OnnxCard) -> None:
    """Write a card as TOML, all at once."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(card_text(card), encoding="utf-8")
    temporary.replace(path)


def card_text(card: OnnxCard) -> str:
    """Return a card as TOML that `read_card` reads back to the same card."""
    values = card.model_dump(exclude_none=True)
    lines = [f"{name} = {_toml(value)}" for name, value in values.items() if not isinstance(value, dict)]
    for name, part in values.items():
        if isinstance(part, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in part.items())]
    return "\n".join(lines) + "\n"


def card_skeleton(name: str, folder: Path, page: str = "docs/onnx.md") -> Skeleton:
    """Return the skeleton that a card names: a built-in one, or a TOML file relative to the card's folder.

    Raises `InputError` naming what exists.
    """
    if name in SKELETONS:
        return SKELETONS[name]
    path = folder / name
    if path.suffix == ".toml":
        return read_skeleton(path)
    raise InputError(
        f"the card of a model in {folder} names the skeleton '{name}': use one of {', '.join(SKELETONS)}, or a TOML "
        f"file beside it ({page})"
    )


def _toml(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    return repr(value)
