"""Choose a checkpoint of a ladder by a written rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from emc.errors import UsageError
from emc.pose.metrics import MIN_JOINTS
from emc.pose.records import Direction, Interval

Reference = Literal["base", "best"]


@dataclass(frozen=True, slots=True)
class LadderEntry:
    """One checkpoint's scores, fractions in [0, 1]; step 0 is the base.

    target : part -> score on the target's validation data. common : total score on the common validation data.
    ap : OKS-AP on the common data where it was measured; the reason names it, it decides nothing.
    kept : the probability in [0, 1] that the common score fell by no more than the margin, from a paired bootstrap
    against the base (see `emc.stages.evaluate.non_inferiority_chance`); None where it was not measured, the scores
    alone then decide.
    """

    step: int
    target: Mapping[str, Interval]
    common: Interval
    ap: Interval | None = None
    kept: float | None = None


@dataclass(frozen=True, slots=True)
class CheckpointChoice:
    """The chosen step with the rule in words and the reason in figures.

    `trusted` is False where the user needs a warning: the base was kept, the gain is within its interval, or fewer than
    `emc.pose.metrics.MIN_JOINTS` joints decided. The scores of the reason are those on validation, not those of a
    table on held-out clips: it says so.
    """

    step: int
    rule: str
    why: str
    trusted: bool


def choose_checkpoint(
    ladder: Sequence[LadderEntry],
    parts: Sequence[str],
    budget: float,
    reference: Reference = "base",
    direction: Direction = Direction.HIGHER,
    certainty: float = 0.5,
) -> CheckpointChoice:
    """Choose the checkpoint with the best target score whose common score is not inferior to the reference.

    ladder : with the base (step 0). parts : their scores are pooled, weighted by their numbers of joints. budget :
    the non-inferiority margin in points (100 x difference of fractions). reference : the ``base`` or the ``best``
    common score up to and including the checkpoint (which also refuses a checkpoint after the peak). direction : of
    both scores. certainty : a checkpoint with a known probability `kept` qualifies where it is at least this, the
    confidence level of the one-sided non-inferiority test (0.95: the 5 % level). Ties go to the earlier step. The
    base is chosen where nothing qualifies or nothing is better.
    Raises `UsageError` where the base is missing or an entry lacks an asked part.
    """
    entries = sorted(ladder, key=lambda entry: entry.step)
    if not entries or entries[0].step != 0:
        raise UsageError("the ladder has no base (step 0) to measure against: score the base first")
    base, rest = entries[0], entries[1:]
    scores = {entry.step: pooled_score(entry, parts) for entry in entries}
    falls = {entry.step: _fall(entry, entries, reference, direction) for entry in rest}
    qualified = [entry for entry in rest if _qualifies(entry, falls[entry.step], budget, certainty)]
    best = base
    for entry in qualified:
        # Strictly better, in rising order of steps: of equal checkpoints the earlier one has forgotten less.
        if direction.better(scores[entry.step].value, scores[best.step].value):
            best = entry
    rule = _rule(parts, budget, reference, direction)
    if any(entry.kept is not None for entry in rest):
        rule += f"; common within the margin must have a probability of at least {certainty:.0%} (paired bootstrap)"
    few = _few(scores[0], base.common)
    if best is base:
        return CheckpointChoice(0, rule, _why_base(rest, qualified, scores, falls, budget) + few, False)
    why = _why(best, base, scores, falls, rest, qualified)
    sure = _beyond_interval(scores[best.step], scores[0], direction)
    why += few if sure else "; the gain lies within its 95 % interval" + few
    return CheckpointChoice(best.step, rule, why, sure and not few)


def refused_checkpoints(
    ladder: Sequence[LadderEntry],
    budget: float,
    reference: Reference = "base",
    direction: Direction = Direction.HIGHER,
    certainty: float = 0.5,
) -> dict[int, str]:
    """Return step -> why `choose_checkpoint` does not let it qualify, for the checkpoints that it refuses."""
    entries = sorted(ladder, key=lambda entry: entry.step)
    falls = {entry.step: _fall(entry, entries, reference, direction) for entry in entries[1:]}
    reasons: dict[int, str] = {}
    for entry in entries[1:]:
        if not _qualifies(entry, falls[entry.step], budget, certainty):
            chance = "" if entry.kept is None else f", within {budget:g} with a probability of {entry.kept:.0%}"
            fall = falls[entry.step]
            reasons[entry.step] = f"common {'worse' if fall > 0 else 'better'} by {abs(fall):.2f} points{chance}"
    return reasons


def pooled_score(entry: LadderEntry, parts: Sequence[str]) -> Interval:
    """Return the target score over `parts`, weighted by joints; the interval is kept where there is one part."""
    missing = [part for part in parts if part not in entry.target]
    if missing or not parts:
        asked = ", ".join(missing) or "no part at all"
        raise UsageError(f"step {entry.step} has no target score of {asked}: use {', '.join(entry.target)}")
    figures = [entry.target[part] for part in parts]
    if len(figures) == 1:
        return figures[0]
    n = sum(figure.n for figure in figures)
    if n == 0:
        return Interval(sum(figure.value for figure in figures) / len(figures), None, 0)
    # The score of a part that nobody labelled is NaN, which no weight of 0 makes harmless.
    return Interval(sum(figure.value * figure.n for figure in figures if figure.n) / n, None, n)


def _worsening(new: float, old: float, direction: Direction) -> float:
    """Return by how many points `new` is worse than `old`; negative where it is better."""
    return 100.0 * (old - new if direction is Direction.HIGHER else new - old)


def _fall(entry: LadderEntry, entries: Sequence[LadderEntry], reference: Reference, direction: Direction) -> float:
    earlier = entries[:1] if reference == "base" else [other for other in entries if other.step <= entry.step]
    return max(_worsening(entry.common.value, other.common.value, direction) for other in earlier)


def _qualifies(entry: LadderEntry, fall: float, budget: float, certainty: float) -> bool:
    # NaN compares as False with everything: without this a checkpoint whose common score is unknown would pass a test
    # that was never made.
    if not math.isfinite(fall):
        return False
    # The test alone, even where the plain difference is beyond the margin: over the demo's 45 common clips the 95 %
    # interval is 0.8 points to each side, wider than the margin of 0.5.
    if entry.kept is not None:
        return entry.kept >= certainty
    # A rounding error of one part in a thousand million must not refuse a fall that equals the margin.
    return fall <= budget + 1e-9


def _beyond_interval(new: Interval, old: Interval, direction: Direction) -> bool:
    # Too few units for an interval: said by `_few` where it matters, and not twice.
    if new.ci95 is None:
        return True
    return direction.better(new.ci95[0] if direction is Direction.HIGHER else new.ci95[1], old.value)


def _few(target: Interval, common: Interval) -> str:
    """Return which of the two scores are of too few joints; that nothing is known of one is said elsewhere."""
    few = [
        f"{name} has {score.n} labelled joint{'s' if score.n != 1 else ''}"
        for name, score in (("target", target), ("common", common))
        if score.n < MIN_JOINTS and (name == "target" or score.n > 0)
    ]
    return f"; {' and '.join(few)}: too few joints for a score" if few else ""


def _rule(parts: Sequence[str], budget: float, reference: Reference, direction: Direction) -> str:
    most = "highest" if direction is Direction.HIGHER else "lowest"
    against = "the base" if reference == "base" else "the best checkpoint up to it"
    return (
        f"{most} target score ({' + '.join(parts)}) among checkpoints whose common total score is at most {budget:g} "
        f"points worse than that of {against}; ties to the earlier step; the base where none is better"
    )


def _why(
    best: LadderEntry,
    base: LadderEntry,
    scores: Mapping[int, Interval],
    falls: Mapping[int, float],
    rest: Sequence[LadderEntry],
    qualified: Sequence[LadderEntry],
) -> str:
    why = (
        f"step {best.step}, on validation: target {100 * scores[0].value:.1f} -> {100 * scores[best.step].value:.1f}, "
    )
    if base.common.n == 0 and base.common.ci95 is None:
        why += "nothing known of common poses"
    else:
        why += f"common {100 * base.common.value:.1f} -> {100 * best.common.value:.1f}"
    if best.ap is not None and base.ap is not None:
        why += f", common AP {100 * base.ap.value:.1f} -> {100 * best.ap.value:.1f}"
    if best.kept is not None:
        why += f", common within the margin with a probability of {best.kept:.0%}"
    refused = [entry for entry in rest if entry not in qualified]
    if refused:
        why += "; refused: " + ", ".join(_described(entry, scores, falls) for entry in refused)
    return why


def _described(entry: LadderEntry, scores: Mapping[int, Interval], falls: Mapping[int, float]) -> str:
    described = f"target {100 * scores[entry.step].value:.1f}, common worse by {falls[entry.step]:.1f}"
    chance = "" if entry.kept is None else f", within the margin with a probability of {entry.kept:.0%}"
    return f"step {entry.step} ({described}{chance})"


def _why_base(
    rest: Sequence[LadderEntry],
    qualified: Sequence[LadderEntry],
    scores: Mapping[int, Interval],
    falls: Mapping[int, float],
    budget: float,
) -> str:
    if not rest:
        return "the base is kept: the ladder has no checkpoint"
    described = ", ".join(_described(entry, scores, falls) for entry in rest)
    if not qualified:
        return (
            f"the base is kept, by the scores on validation: every checkpoint lost more than {budget:g} points on "
            f"common data: {described}; use more common data (for training, and for a more powerful non-inferiority "
            "test), a mix with more of it, or a smaller learning rate"
        )
    return (
        f"the base is kept, by the scores on validation: no checkpoint within the margin is better on the target (base "
        f"{100 * scores[0].value:.1f}): {described}; correct more target frames or train longer"
    )
