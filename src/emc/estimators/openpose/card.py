"""The card of an ONNX model that gives heatmaps and part affinity fields of a whole picture: a TOML beside the file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from emc.errors import InputError
from emc.estimators.onnx import AboutPart, CardPart, InputPart, card_skeleton, read_card_as
from emc.estimators.openpose.grouping import Grouping
from emc.pose.skeletons import Skeleton

PAGE = "docs/openpose.md"


class PafOutput(CardPart):
    """Where maps and fields are in the outputs, all (1, channels, h, w).

    heatmaps, pafs : names of the outputs; the same name where one output holds both. heatmaps_first, pafs_first : the
    channel that each begins at. Heatmaps are in the order of the skeleton's joints, a background after them is left
    alone. limbs : pairs of joint names, in the order of their two channels (x, y) of the fields. `cells`: cell c of w
    has its middle at the share (c + 0.5) / w of the input (``middles``), or its corner at c / w (``edges``), or the
    outermost cells are the outermost pixels (``centres``).
    """

    heatmaps: str
    pafs: str
    heatmaps_first: int = Field(0, ge=0)
    pafs_first: int = Field(0, ge=0)
    limbs: tuple[tuple[str, str], ...] = Field(min_length=1)
    cells: Literal["middles", "edges", "centres"] = "middles"


class GroupingPart(CardPart):
    """How persons are put together; see `emc.estimators.openpose.grouping.Grouping`."""

    peak: float = Field(0.1, gt=0)
    smooth: float = Field(0.5, ge=0, le=5)
    points: int = Field(10, ge=2, le=100)
    along: float = Field(0.05, ge=0)
    share: float = Field(0.8, ge=0, le=1)
    reach: float = Field(0.5, gt=0)
    joints: int = Field(3, ge=2)
    score: float = Field(0.2, ge=0)

    def grouping(self) -> Grouping:
        """Return the settings as the grouping takes them."""
        return Grouping(**self.model_dump())


class PafCard(CardPart):
    """All that is needed to use such a file."""

    family: Literal["paf"]
    skeleton: str
    input: InputPart
    output: PafOutput
    grouping: GroupingPart = GroupingPart()  # pyright: ignore[reportCallIssue]
    about: AboutPart = AboutPart()

    @model_validator(mode="after")
    def _usable(self) -> PafCard:
        if self.input.size[0] < 8 or self.input.size[1] < 8:
            raise ValueError("input.size must be at least 8 x 8")
        return self


def read_paf_card(path: Path) -> PafCard:
    """Read a card; raises `WeightsError` that names the file, the entry and its value."""
    return read_card_as(PafCard, path, PAGE)


def paf_skeleton(card: PafCard, path: Path) -> tuple[Skeleton, tuple[tuple[int, int], ...]]:
    """Return the skeleton of a card and its limbs as joint indices; raises `InputError` that names the fault.

    path : of the card; a skeleton that is not built in is a TOML file beside it.
    """
    skeleton = card_skeleton(card.skeleton, path.parent, PAGE)
    index = {joint: i for i, joint in enumerate(skeleton.joints)}
    unknown = sorted({joint for limb in card.output.limbs for joint in limb} - index.keys())
    if unknown:
        raise InputError(f"{path} has output.limbs with {unknown}, which skeleton {skeleton.name} lacks: correct them")
    return skeleton, tuple((index[a], index[b]) for a, b in card.output.limbs)
