"""Typed, frozen settings, read once by the command line and passed in from there.

A value comes from, first to last: the built-in default, ``emc.toml`` in the project folder, an environment variable
``EMC_<SECTION>__<NAME>`` (such as ``EMC_CALIBRATE__STEPS=500``), a command-line option.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import emc.old_names as old_names
from emc.errors import UsageError
from emc.untrusted import card_text, one_line, shown

AUTO = "auto"
"""The estimator and the detector that stand for the best at hand."""
EngineName = Literal["auto", "torch", "onnx"]
KEPT = "auto.toml"
"""File of a project that keeps its estimator and detector: what ``auto`` was at first, or what was asked for since."""


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VideoSettings(Section):
    """How frames are taken from clips."""

    sample: Literal["every", "fps", "uniform", "motion"] = Field(
        "every", description="how frames are chosen: every k-th, at a rate, evenly spread, or more where things move"
    )
    every: int = Field(1, ge=1, description="with sample = every: take every k-th frame")
    fps: float = Field(5.0, gt=0, description="with sample = fps: frames per second")
    count: int = Field(200, ge=1, description="with sample = uniform or motion: frames per clip")
    max_frames: int = Field(0, ge=0, description="stop after this many frames of a clip; 0 = all")
    max_pixels: int = Field(8192 * 8192, ge=1, description="refuse frames with more pixels than this")


class PredictSettings(Section):
    """How persons are found and predicted."""

    estimator: str = Field(
        "auto",
        description="estimator: a name from `emc models`, the folder of a saved model, or an ONNX file; auto: that of "
        "the project, at first movenet-thunder, fetched once, else nano; auto:here: the same without downloads",
    )
    detector: str = Field(
        "auto",
        description="person detector: a name from `emc models`; auto: that of the project, at first "
        "movenet-multipose, fetched once, else embedded",
    )
    fast: bool = Field(False, description="with estimator = auto: movenet-lightning, smaller and faster")
    batch: int = Field(32, ge=1, description="persons per network call")
    max_persons: int = Field(6, ge=1, description="at most this many persons per frame")
    min_box_score: float = Field(0.3, ge=0, le=1, description="drop boxes with a lower detector score")
    doubles: Literal["merge", "keep"] = Field(
        "merge",
        description="merge: two numbers that follow one person, in boxes and poses over time, become one; keep: all "
        "that the detector found",
    )
    detect_every: int = Field(
        1, ge=1, description="look for persons on every k-th of the frames; in between, boxes move on straight lines"
    )
    executor: Literal["local", "ray"] = Field(
        "local", description="where to predict: this machine, or the workers of a Ray cluster (docs/speed.md)"
    )
    workers: int = Field(0, ge=0, description="with executor = ray: workers; 0 = one per GPU, else one per machine")
    threads: int = Field(0, ge=0, description="compute threads; 0 = one per core")
    engine: EngineName = Field(
        "auto",
        description="what computes the networks that can be calibrated; auto: ONNX Runtime (or OpenVINO) where it is "
        "faster and exact, else PyTorch (docs/engines.md)",
    )
    confidence: Literal["fitted", "raw"] = Field(
        "fitted", description="fitted: P(right) learned from corrections, where the model has a fit; raw: its own"
    )


class AlertSettings(Section):
    """When a joint is recommended for correction."""

    low: float = Field(0.5, ge=0, le=1, description="confidence below which a joint counts as low (n)")
    lost: float = Field(0.15, ge=0, le=1, description="confidence below which a joint counts as lost (m)")
    gap: int = Field(2, ge=0, description="flagged runs of one joint at most this many frames apart are one alert")
    jump: float = Field(
        0.35, ge=0, description="flag a joint that leaves its own path by more than this share of the box's longer side"
    )
    residual: float = Field(
        0.05,
        ge=0,
        description="after lifting, flag a joint further from the 3D motion than this share of stature; 0 = never",
    )


class CalibrateSettings(Section):
    """How a model is calibrated on corrected target data mixed with common data."""

    strategy: Literal["calibration", "finetune", "initial"] = Field(
        "calibration",
        description="calibration: from the base, target and common together; finetune: from the base, target alone; "
        "initial: from scratch, target alone",
    )
    mix: tuple[int, int] = Field((8, 2), description="target : common persons in every window of batches")
    steps: int = Field(1000, ge=1, description="training steps")
    batch: int = Field(32, ge=1, description="persons per step")
    ladder: int = Field(3, ge=1, description="checkpoints, evenly spaced, beside the base")
    lr: float = Field(
        2e-3,
        gt=0,
        description="peak learning rate (AdamW); MoveNet's steps are relative: half of this, times each tensor's RMS",
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay; none with relative steps")
    clip_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    ema: float = Field(0.99, ge=0, lt=1, description="decay of the running average of the weights; 0 = none")
    layer_decay: float = Field(
        1.0, gt=0, le=1, description="layer-wise learning rate decay: factor per layer away from the output; 1 = none"
    )
    pull: float = Field(0.0, ge=0, description="weight decay towards the base (L2-SP), per learning rate")
    distil: float = Field(
        0.0, ge=0, le=1, description="distillation: share of the base's outputs in the targets of common images"
    )
    fill: float = Field(
        0.0, ge=0, le=1, description="weight of the base's outputs as targets of unlabelled joints of target persons"
    )
    shares: tuple[float, ...] = Field(
        (0.15, 0.3, 0.5, 0.65, 0.75, 0.85, 0.92),
        min_length=1,
        description="candidate shares of the tuned weights for each checkpoint, interpolated with the base (WiSE-FT); "
        "validation selects one by bisection",
    )
    ensemble_rotations: int = Field(
        8,
        ge=1,
        le=36,
        description="rotations of the image in the rotation ensemble (test-time augmentation for people upside down); "
        "used where validation shows that it removes errors, since each rotation costs a prediction pass; 1 = never",
    )
    ensemble_zooms: int = Field(
        3,
        ge=0,
        le=36,
        description="with the rotation ensemble: number of the most confident rotations that get two more, zoomed "
        "passes; 0 = none",
    )
    warmup: float = Field(0.05, ge=0, le=1, description="share of the steps over which the learning rate rises")
    validation: float = Field(
        0.2, gt=0, lt=1, description="share of the target's groups held out to choose the checkpoint"
    )
    validation_common: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="share of the common groups held out to measure forgetting: replay needs few, the test many",
    )
    budget: float = Field(
        0.5,
        ge=0,
        description="non-inferiority margin: points by which the common score of a chosen checkpoint may fall",
    )
    certainty: float = Field(
        0.66,
        gt=0,
        lt=1,
        description="confidence level of the one-sided non-inferiority test (paired bootstrap) that a checkpoint must "
        "pass to be chosen: 0.5 as likely as not, 0.66 two to one, 0.95 the usual level",
    )
    parts: tuple[str, ...] = Field(("leg",), description="body parts whose target PCKh chooses the checkpoint")
    guard: Literal["pckh", "ap", "both"] = Field(
        "pckh",
        description="common score that the non-inferiority test uses: total PCKh, OKS-AP on given boxes, or both",
    )
    patience: int = Field(
        0,
        ge=0,
        description="early stopping: checkpoints in a row without a better qualified target score; 0 = never",
    )
    hard_joints: int = Field(
        0, ge=0, description="number of each person's hardest joints that get a loss term of their own; 0 = none"
    )
    hard_share: float = Field(
        0.5, gt=0, le=1, description="with hard_joints: share of the loss that comes from the hardest joints"
    )
    occluded_sigma: float = Field(
        1.0, ge=1, le=4, description="factor on the width of the target of a joint that is occluded but placed"
    )
    rotation: float | None = Field(
        None,
        ge=0,
        le=180,
        description="augmentation: random rotation of target persons by up to this many degrees each way; not set = "
        "the model's own",
    )
    flip: float | None = Field(
        None, ge=0, le=1, description="augmentation: probability of a horizontal flip; not set = the model's own"
    )
    cutout: float | None = Field(
        None, ge=0, le=1, description="augmentation: probability of a cut-out patch; not set = the model's own"
    )
    workers: int = Field(
        0, ge=0, description="threads that make batches; 0 = by the cores that the network leaves free"
    )
    cache: Literal["auto", "disk", "memory"] = Field(
        "auto",
        description="where cut-out persons are kept: in a file of the project, decoded once and mapped into memory, or "
        "in memory; auto: in a file from 2,000 persons on",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="number format of the forward pass; auto: bfloat16 where the processor computes in it"
    )
    save_every: int = Field(50, ge=1, description="steps between resume points")
    seed: int = Field(0, ge=0, description="seed of splits, sampling and augmentation")


class EvaluateSettings(Section):
    """How predictions are scored."""

    head: Literal["head_segment", "ears", "face_box", "torso", "bbox"] = Field(
        "head_segment", description="the head size that PCKh is relative to, printed with every score"
    )
    alpha: float = Field(0.5, gt=0, description="a joint is right within alpha x head size")
    bootstrap: int = Field(1000, ge=0, description="resamples for the 95 % intervals")
    seed: int = Field(0, ge=0, description="seed of the bootstrap")


class LiftSettings(Section):
    """How 2D sequences are lifted to 3D."""

    lifter: str = Field(
        "temporal-small",
        description="lifter: a name from `emc models`, or the path of a lifter's checkpoint (.bin) or folder",
    )
    input: Literal["auto", "coco17", "h36m17"] = Field(
        "auto", description="2D joints that a checkpoint was trained on; auto: by its file name or folder, else COCO-17"
    )
    causal: bool = Field(False, description="the checkpoint was trained to see the past alone")
    refine: tuple[Literal["root", "bones", "limits", "fit", "smooth", "contacts", "savgol", "butterworth"], ...] = (
        Field(
            ("root", "bones", "fit", "smooth", "contacts"),
            description="what is done after the lifter, see docs/refinement.md; [] = the lifter's raw output",
        )
    )
    height: float = Field(0.0, ge=0, lt=3, description="the person's stature in metres; 0 = unknown, metres are rough")
    focal: float = Field(
        0.0, ge=0, description="the camera's focal length in pixels; 0 = unknown, the longer side of the frame is taken"
    )


class Settings(Section):
    """All settings, one section per arrow."""

    video: VideoSettings = VideoSettings()  # pyright: ignore[reportCallIssue]
    predict: PredictSettings = PredictSettings()  # pyright: ignore[reportCallIssue]
    alerts: AlertSettings = AlertSettings()  # pyright: ignore[reportCallIssue]
    calibrate: CalibrateSettings = CalibrateSettings()  # pyright: ignore[reportCallIssue]
    evaluate: EvaluateSettings = EvaluateSettings()  # pyright: ignore[reportCallIssue]
    lift: LiftSettings = LiftSettings()  # pyright: ignore[reportCallIssue]


@one_line("see docs/settings.md", UsageError)
def read_settings(project: Path | None, environ: dict[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings of a project.

    project : folder that may hold ``emc.toml``. environ : environment (default: the process's).
    overrides : ``section={name: value}``; None values are left out.
    Raises `UsageError` that names the file or variable, the value and what is allowed.
    """
    values: dict[str, dict[str, Any]] = {}
    origin = "options"
    if project is not None and (project / "emc.toml").is_file():
        origin = str(project / "emc.toml")
        try:
            values = _renamed(tomllib.loads(card_text(project / "emc.toml")))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{origin} is not valid TOML ({error}): correct the line it names") from error
    variables: dict[str, dict[str, Any]] = {}
    for key, value in sorted((dict(os.environ) if environ is None else environ).items()):
        section, _, name = key.removeprefix("EMC_").lower().partition("__")
        if key.startswith("EMC_") and name and section in Settings.model_fields:
            variables.setdefault(section, {})[name] = _parsed(value)
    options = {section: {k: v for k, v in chosen.items() if v is not None} for section, chosen in overrides.items()}
    for section, chosen in [*_renamed(variables).items(), *_renamed(options).items()]:
        if not isinstance(values.get(section, {}), Mapping):
            raise UsageError(f"{origin} has {section} = {shown(values[section])}: write a table [{section}]")
        values.setdefault(section, {}).update(chosen)
    if project is not None:
        _keep_choice(project, values)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"setting {where} = {first['input']!r} is not usable ({first['msg']}): see docs/settings.md ({origin})"
        ) from error


def _keep_choice(project: Path, values: dict[str, dict[str, Any]]) -> None:
    """Let ``auto`` stand for the estimator and the detector of the project, if it has them."""
    section = values.get("predict", {})
    if not isinstance(section, dict):
        return
    try:
        kept = tomllib.loads(card_text(project / KEPT))
        name = kept["estimator"]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise UsageError(f"{project / KEPT} does not name an estimator ({error!r}): delete it") from error
    # Whoever now asks for the fast one, and did not when the project began, wants another estimator.
    asked = not section.get("fast") or bool(kept.get("fast"))
    if asked and str(section.get("estimator", AUTO)).partition(":")[0] == AUTO:
        section = section | {"estimator": name}
    if section.get("detector", AUTO) == AUTO:
        section = section | {"detector": kept.get("detector", AUTO)}
    values["predict"] = section


def stored_settings(document: Mapping[str, Any]) -> Settings:
    """Return the settings that a finished run was stored with, also by another version.

    Names that this version does not know are left out, names that it did not know then have their defaults.
    Raises `UsageError` for a value that this version cannot use.
    """
    sections = Settings().model_dump()
    known = {
        section: {name: value for name, value in values.items() if name in sections[section]}
        for section, values in _renamed(document).items()
        if section in sections
    }
    return read_settings(None, {}, **known)


def _renamed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return sections with settings under their present names; what is no section is left for validation to refuse."""
    return {
        section: old_names.renamed_settings(section, dict(values)) if isinstance(values, Mapping) else values
        for section, values in document.items()
    }


def _parsed(value: str) -> Any:
    try:
        return tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return value
