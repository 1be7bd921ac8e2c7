"""What a logged action costs a person: the keystroke-level model with pointing times by Fitts' law.

The figures, the rules for where a thought goes, and their sources are in ``klm.toml`` beside this file, frozen before
any two ways of working were compared. Whatever is computed here is *simulated*: nobody was timed. The model's authors
report a root-mean-square error of 21 % of a task's time; `sensitivity` shows what that, and other constants of
Fitts' law, do to a comparison.

Sources: Card, Moran, Newell, Communications of the ACM 23(7), 1980 (operators, rules); Card, English, Burr, Ergonomics
21, 1978; MacKenzie, Sellen, Buxton, CHI 1991, and MacKenzie, Human-Computer Interaction 7, 1992 (pointing, dragging,
effective width); Soukoreff, MacKenzie, International Journal of Human-Computer Studies 61, 2004 (throughput).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from emc.errors import InputError, UsageError
from emc.study.scripted.actions import Action, Move

LABEL = "simulated"
"""Every figure of this model is shown with this word."""
MODEL_ERROR = 0.21
"""Root-mean-square error of the keystroke-level model, as a share of the time (Card, Moran and Newell 1980)."""
EFFECTIVE_WIDTH = 4.133
"""Standard deviations of end points that make up the width of a target (MacKenzie 1992)."""
QUICKEST = 0.1
"""Seconds below which no movement is put: the line of Fitts' law meets zero before its targets do."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """Seconds of an aimed movement, ``a + b x index of difficulty``; `point` and `drag` are (a, b).

    form : ``shannon``, log2(D / W + 1), or ``welford``, log2(D / W + 1/2).
    """

    name: str
    form: str
    point: tuple[float, float]
    drag: tuple[float, float]

    def seconds(self, move: Move) -> float:
        """Return the seconds of one movement; raises `UsageError` where its target has no width."""
        if not move.width > 0 or not move.distance >= 0:
            raise UsageError(f"a movement of {move.distance} px to a target of {move.width} px: give D >= 0 and W > 0")
        ratio = move.distance / move.width
        difficulty = math.log2(ratio + 1.0) if self.form == "shannon" else max(math.log2(ratio + 0.5), 0.0)
        a, b = self.drag if move.held else self.point
        return max(a + b * difficulty, QUICKEST)


@dataclass(frozen=True, slots=True)
class CostModel:
    """Seconds per operator, thoughts per kind of action, and how pointing is timed."""

    keystroke: float
    press: float
    homing: float
    think: float
    glance: float
    thinks: Mapping[str, int]
    pointing: Pointing

    def parts(self, action: Action) -> dict[str, float]:
        """Return the seconds of an action by operator; raises `UsageError` for a kind without a rule."""
        if action.kind not in self.thinks:
            raise UsageError(f"no rule for actions of kind '{action.kind}': klm.toml knows {', '.join(self.thinks)}")
        return {
            "think": self.thinks[action.kind] * self.think,
            "look": action.glances * self.glance,
            "point": sum(self.pointing.seconds(move) for move in action.moves),
            "press": action.presses * self.press,
            "key": action.keys * self.keystroke,
            "home": action.homings * self.homing,
        }

    def seconds(self, action: Action) -> float:
        """Return the simulated seconds of one action."""
        return sum(self.parts(action).values())

    def total(self, actions: Iterable[Action]) -> float:
        """Return the simulated seconds of a whole log."""
        return sum(self.seconds(action) for action in actions)


@dataclass(frozen=True, slots=True)
class Person:
    """What the scripted user is like; see ``klm.toml``."""

    placement: float
    occluded: float
    hand_pixels: float
    limit: float
    miss: float
    miss_in_frame: float
    false_alarm: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The frozen file: since when, the models (one for each way of timing pointing, the first is used), the person."""

    frozen: str
    models: tuple[CostModel, ...]
    person: Person

    @property
    def model(self) -> CostModel:
        """The cost model that figures are computed with."""
        return self.models[0]


def read_rules(text: str | None = None) -> Rules:
    """Read the frozen rules of the package (or another text); raises `InputError` that names what is wrong."""
    try:
        raw = tomllib.loads(files("emc.study").joinpath("klm.toml").read_text("utf-8") if text is None else text)
        operators: dict[str, float] = raw["operators"]
        ways = [_pointing(row) for row in raw["pointing"]]
        models = [CostModel(**operators, thinks=dict(raw["thinks"]), pointing=way) for way in ways]
        return Rules(str(raw["frozen"]), tuple(models), Person(**raw["person"]))
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(f"klm.toml cannot be used ({error}): restore it from the package") from error


def _pointing(row: Mapping[str, Any]) -> Pointing:
    point, drag = row["point"], row["drag"]
    return Pointing(row["name"], row["form"], (point[0], point[1]), (drag[0], drag[1]))


def by_step(model: CostModel, actions: Sequence[Action]) -> dict[str, dict[str, float]]:
    """Return, for each kind of action, how often it was done, its seconds, and these by operator, costliest first."""
    found: dict[str, dict[str, float]] = {}
    for action in actions:
        row = found.setdefault(action.kind, {"actions": 0.0, "seconds": 0.0})
        row["actions"] += 1
        for operator, seconds in model.parts(action).items():
            row["seconds"] += seconds
            row[operator] = row.get(operator, 0.0) + seconds
    return dict(sorted(found.items(), key=lambda item: -item[1]["seconds"]))


def sensitivity(rules: Rules, ours: Sequence[Action], theirs: Sequence[Action]) -> dict[str, Any]:
    """Return the ratio of our time to theirs, and how far it moves when the model is wrong.

    ``model_error``: both times off by 21 % in opposite directions, the worst that the model's published error allows.
    ``pointing``: the ratio under each set of Fitts constants. ``glance`` and ``think``: with these times 21 % lower and
    higher.
    """
    model = rules.model
    ratio = model.total(ours) / model.total(theirs)

    def with_change(**change: float) -> float:
        other = replace(model, **change)
        return other.total(ours) / other.total(theirs)

    low, high = 1 - MODEL_ERROR, 1 + MODEL_ERROR
    return {
        "label": LABEL,
        "ratio": ratio,
        "model_error": [ratio * low / high, ratio * high / low],
        "pointing": {other.pointing.name: other.total(ours) / other.total(theirs) for other in rules.models},
        "glance": [with_change(glance=model.glance * share) for share in (low, high)],
        "think": [with_change(think=model.think * share) for share in (low, high)],
    }
