"""The report's document: its fields, checked when it is built. `report.json` is exactly this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from emc.errors import InputError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", allow_inf_nan=False)


class Figure(_Strict):
    """A figure: `value` is None where there was nothing to count; `ci95` None where there are too few units."""

    value: float | None
    ci95: tuple[float, float] | None
    n: int = Field(ge=0)


class Parts(_Strict):
    """One figure per body part; leg = hip, knee and ankle pooled, total = all labelled joints pooled.

    A project's own skeleton may add parts of its own, each a figure too.
    """

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Figure] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]

    hip: Figure
    knee: Figure
    ankle: Figure
    leg: Figure
    shoulder: Figure
    elbow: Figure
    wrist: Figure
    total: Figure


class Curve(_Strict):
    """PCKh over alpha: `pckh` part -> shares at `alphas`; `area` under each."""

    alphas: list[float]
    pckh: dict[str, list[float]]
    area: Parts

    @model_validator(mode="after")
    def _equally_long(self) -> Curve:
        for part, values in self.pckh.items():
            if len(values) != len(self.alphas):
                raise ValueError(f"curve of {part} has {len(values)} values for {len(self.alphas)} alphas")
        return self


class Population(_Strict):
    """Scores of one population, as `emc.stages.evaluate.score_population` returns them."""

    pckh: Parts
    head_size: str
    alpha: float
    pck_torso_02: Parts | None = None
    curve: Curve | None = None
    ap: Figure | None = None
    ap50: Figure | None = None
    ap75: Figure | None = None
    apm: Figure | None = None
    apl: Figure | None = None
    ar: Figure | None = None
    boxes: str | None = None
    left_out: int = 0
    estimated: int = 0
    persons: int | None = None
    unit: Literal["clip", "frame"] | None = None
    units: int | None = None


class LadderStep(_Strict):
    """One checkpoint, scored on both populations; step 0 is the base."""

    step: int = Field(ge=0)
    target: Population
    common: Population | None = None


class Chosen(_Open):
    """Which step was picked, the rule in words and the reason in figures; `budget` in points, `parts` that decide.

    refused : step -> why the rule refused it, on the data that chose; None where that is not known. chosen_on : the
    persons that chose; their scores stand in `why`, and are not those of the tables where these are of test clips.
    """

    step: int
    rule: str
    why: str
    budget: float | None = None
    parts: list[str] | None = None
    trusted: bool | None = None
    refused: dict[str, str] | None = None
    chosen_on: str | None = None


class BeforeAfter(_Strict):
    """What calibration changed on the same persons: shares removed, changes in points."""

    leg_errors_removed: Figure | None = None
    total_errors_removed: Figure | None = None
    target_leg_change: Figure | None = None
    target_total_change: Figure | None = None
    common_total_change: Figure | None = None
    common_ap_change: Figure | None = None
    unit: Literal["clip", "frame"] | None = None
    common_unit: Literal["clip", "frame"] | None = None


class Scores3D(_Open):
    """Errors in mm (`mpjve`: mm per frame), as `emc.stages.evaluate.score_3d` returns them."""

    mpjpe: Figure
    p_mpjpe: Figure
    n_mpjpe: Figure | None = None
    mpjve: Figure | None = None


class ThreeD(_Strict):
    """Before and after in three dimensions; `sequence` names the medium that the viewer shows."""

    before: Scores3D | None = None
    after: Scores3D | None = None
    sequence: str | None = None


class Role(_Open):
    """Counts of one population; tags: tag -> value -> share or count.

    rendered : share of the clips whose people the package rendered.
    """

    clips: int
    frames: int
    persons: int
    rendered: float = Field(default=0.0, ge=0, le=1)
    tags: dict[str, Any] = Field(default_factory=dict)


class Mix(_Open):
    """Target : common, as asked and as training served it (shares)."""

    asked: tuple[float, float]
    served: tuple[float, float] | None = None


class Data(_Open):
    """What the calibration was made of."""

    target: Role
    common: Role | None = None
    mix: Mix | None = None
    leaks: int = 0


class Recorded(_Strict):
    """The part of the effort that a person spent in the editor."""

    actions: int
    seconds: float
    joints_changed: int


class Effort(_Open):
    """What correcting took: actions, seconds without idle time, joints that changed.

    simulated : a program gave labels and the keystroke-level model their time; `how` says whether of all or of a part,
    `recorded` holds what a person did in the editor. joints_imported : labels from files, whose time is unknown.
    """

    actions: int
    seconds: float
    joints_changed: int
    simulated: bool = False
    how: Literal["recorded", "simulated", "partly simulated"] | None = None
    recorded: Recorded | None = None
    joints_imported: int = 0


class SkeletonDrawing(_Strict):
    """What is needed to draw the 2D skeletons of `Example`."""

    name: str
    joints: list[str]
    limbs: list[tuple[int, int]]


class Example(_Strict):
    """One person before and after; `image` names a medium, coordinates are pixels of it, None = not found."""

    kind: Literal["best", "worst"]
    clip: str
    frame: int
    person: int = 0
    image: str
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    before: list[tuple[float, float] | None]
    after: list[tuple[float, float] | None]
    truth: list[tuple[float, float] | None]
    wrong_before: list[int]
    wrong_after: list[int]
    labelled: int


class GridModel(_Strict):
    """One column of the picture of checkpoints: its name, and its wrong joints over all shown frames."""

    name: str
    wrong: int


class CheckpointGrid(_Strict):
    """The same hard frames drawn by the base and each checkpoint; `image` names a medium (PNG)."""

    image: str
    columns: list[GridModel]
    frames: list[dict[str, Any]]


class Report(_Strict):
    """The whole report; design section 6 names the fields that every reader may rely on."""

    emc: str
    created: str
    title: str | None = None
    strategy: str | None = None
    scored_on: str | None = None
    environment: dict[str, Any]
    seeds: dict[str, int]
    data: Data
    ladder: list[LadderStep] = Field(min_length=1)
    chosen: Chosen
    before_after: BeforeAfter
    three_d: ThreeD | None = None
    effort: Effort | None = None
    confidence: dict[str, dict[str, Any]] | None = None
    skeleton: SkeletonDrawing | None = None
    examples: list[Example] | None = None
    checkpoint_grid: CheckpointGrid | None = None
    card: dict[str, Any] | None = None
    notes: list[str] | None = None

    @model_validator(mode="after")
    def _chosen_is_on_the_ladder(self) -> Report:
        steps = [entry.step for entry in self.ladder]
        if self.chosen.step not in steps:
            raise ValueError(f"chosen step {self.chosen.step} is not on the ladder {steps}")
        if self.examples and self.skeleton is None:
            raise ValueError("examples need a skeleton to be drawn with")
        return self


def build_report(
    *,
    version: str,
    created: str,
    environment: Mapping[str, Any],
    seeds: Mapping[str, int],
    data: Mapping[str, Any],
    ladder: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, Any],
    before_after: Mapping[str, Any],
    three_d: Mapping[str, Any] | None = None,
    effort: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Build and check the report.

    The arguments are the report's fields (design section 6). `more` : the optional fields ``title``, ``strategy``,
    ``scored_on`` (a sentence), ``confidence`` (``before`` and ``after`` of `score_confidence`), ``skeleton``,
    ``examples``, ``card`` (the calibration set's), ``notes``; None is left out.
    Returns a document that ``json.dumps`` takes. Raises `InputError` naming the first field that does not fit.
    """
    given: dict[str, Any] = {
        "emc": version,
        "created": created,
        "environment": environment,
        "seeds": seeds,
        "data": data,
        "ladder": list(ladder),
        "chosen": chosen,
        "before_after": before_after,
        "three_d": three_d,
        "effort": effort,
        **more,
    }
    return check_report({name: value for name, value in given.items() if value is not None})


def check_report(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document if it is a report; raises `InputError` naming the first field that does not fit."""
    return _checked(document).model_dump(mode="json", exclude_unset=True)


def full_report(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with None for every field that was left out; raises as `check_report`."""
    return _checked(document).model_dump(mode="json")


def report_schema() -> dict[str, Any]:
    """Return the JSON Schema of `report.json`."""
    return Report.model_json_schema()


def _checked(document: Mapping[str, Any]) -> Report:
    try:
        return Report.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise InputError(
            f"report field {where} does not fit ({first['msg']}): build it from the stages' results"
        ) from error
