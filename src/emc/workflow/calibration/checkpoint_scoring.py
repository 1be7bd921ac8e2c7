"""Score sets of weights on the validation data: what chooses a checkpoint, and how far it is drawn back to the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from emc.config import Settings
from emc.errors import UsageError
from emc.interfaces import Trainable
from emc.pose.metrics import MIN_JOINTS
from emc.pose.records import Ignored, Interval, Sample
from emc.stages.calibrate import borrowed_weights
from emc.stages.choose import CheckpointChoice, LadderEntry, choose_checkpoint, pooled_score, refused_checkpoints
from emc.stages.evaluate import PopulationScores, ap_non_inferiority_chance, before_after, non_inferiority_chance
from emc.workflow.scoring import score_samples

Weights = Mapping[str, torch.Tensor]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one set of weights on both populations; None where a population has no labelled person."""

    target: PopulationScores | None
    common: PopulationScores | None

    def document(self) -> dict[str, Any]:
        """Return both populations as the ladder holds them."""
        return {name: s.document if s else None for name, s in (("target", self.target), ("common", self.common))}


@dataclass(frozen=True, slots=True)
class CheckpointScorer:
    """Scores weights on the validation samples and compares them, person by person, with the base."""

    estimator: Trainable
    target: Sequence[Sample]
    common: Sequence[Sample]
    settings: Settings
    base: Scores
    ignored: Sequence[Ignored] = ()

    @classmethod
    def of_base(
        cls,
        estimator: Trainable,
        target: Sequence[Sample],
        common: Sequence[Sample],
        settings: Settings,
        ignored: Sequence[Ignored] = (),
    ) -> CheckpointScorer:
        """Return a scorer for which the estimator's present weights are the base.

        ignored : as `score_samples` takes them.
        Raises `UsageError` where the target persons have no labelled joint that could decide, or a part is unknown.
        """
        scores = _scores(estimator, target, common, settings, ignored)
        _check_labelled(scores, settings.calibrate.parts)
        if settings.calibrate.guard != "pckh" and scores.common is not None and scores.common.matches is None:
            raise UsageError(
                f"calibrate.guard = '{settings.calibrate.guard}' needs AP, which the common validation persons do not "
                "have (an area and a skeleton with OKS sigmas): use calibrate.guard = 'pckh'"
            )
        return cls(estimator, target, common, settings, scores, ignored)

    def base_row(self) -> Row:
        """Return the ladder's row of the base."""
        return {"step": 0, "validation": self.base.document()}

    def row(self, step: int, weights: Mapping[float, Weights]) -> Row:
        """Score a checkpoint at shares of the tuned weights and return its row, at the share of the ladder's rule.

        weights : share -> weights. The more of the tuned weights, the more is learned and the more forgotten: the
        largest share within the margin is found by bisection, so that eight shares cost three or four scorings. Where
        the rule refuses every share the smallest is kept, so that the ladder shows how it was refused. ``shares`` of
        the row lists all that were scored.
        """
        shares = sorted(weights)
        found: dict[float, Row] = {}
        low, high = 0, len(shares)
        while low < high:
            middle = (low + high) // 2
            share = shares[middle]
            found[share] = self._scored(step, weights[share])
            # Bisection takes refusal to be monotone in the share. It is not always; then the share found is still one
            # that passed, only perhaps not the largest.
            low, high = (low, middle) if self._refused(found[share]) else (middle + 1, high)
        best = self._best(found)
        told = [{"share": share, **_short(found[share], self.settings)} for share in sorted(found)]
        return found[best] | {"share": best, "shares": told}

    def _refused(self, row: Row) -> bool:
        options = self.settings.calibrate
        entries = [ladder_entry(self.base_row()), ladder_entry(row)]
        return bool(refused_checkpoints(entries, options.budget, certainty=options.certainty))

    def _best(self, found: Mapping[float, Row]) -> float:
        shares = sorted(found)
        numbered = [self.base_row(), *(found[share] | {"step": n} for n, share in enumerate(shares, start=1))]
        # Among those that passed the best on the target, by the ladder's own rule: the largest share is not always the
        # best, and two rules would choose against each other.
        return shares[max(choice_of(numbered, self.settings).step - 1, 0)]

    def _scored(self, step: int, weights: Weights) -> Row:
        # Borrowed and given back: training goes on with the tuned weights afterwards, and would otherwise go on from
        # the interpolated ones.
        with borrowed_weights(self.estimator, weights):
            scores = _scores(self.estimator, self.target, self.common, self.settings, self.ignored)
        row: Row = {"step": step, "validation": scores.document()}
        if self.base.target is None or scores.target is None:
            return row
        options = self.settings.evaluate
        pair = (self.base.common, scores.common) if self.base.common and scores.common else None
        row["change"] = before_after((self.base.target, scores.target), pair, options.bootstrap, options.seed)
        if pair:
            row |= self._kept(*pair)
        return row

    def _kept(self, before: PopulationScores, after: PopulationScores) -> Row:
        """Return the row's ``kept``; of two guarded scores the smaller, since each must stay within the margin."""
        options, resamples = self.settings.calibrate, self.settings.evaluate
        tests = {"pckh": non_inferiority_chance, "ap": ap_non_inferiority_chance}
        asked = tests if options.guard == "both" else {options.guard: tests[options.guard]}
        chances = {
            name: test(before, after, options.budget, resamples.bootstrap, resamples.seed)
            for name, test in asked.items()
        }
        # The smaller, and not the product: each is the level of its own test, and a product would ask for more the more
        # scores are guarded.
        kept: Row = {"kept": min(chances.values())}
        return kept if options.guard == "pckh" else kept | {"kept_by": chances}


def _check_labelled(base: Scores, parts: Sequence[str]) -> None:
    """Raise `UsageError` where nothing that decides is labelled: hours of training would end without a choice."""
    labelled: list[str] = []
    if base.target is not None:
        entry = ladder_entry({"step": 0, "validation": base.document()})
        if pooled_score(entry, parts).n > 0:
            return
        labelled = [part for part, figure in entry.target.items() if figure.n > 0 and part != "total"]
    instead = f', or choose by labelled ones, such as calibrate.parts = ["{labelled[0]}"]' if labelled else ""
    raise UsageError(
        f"no joint of {', '.join(parts)} is labelled on the held-out target persons, and calibrate.parts chooses a "
        f"checkpoint by them: correct some of these joints{instead}"
    )


def choice_of(rows: Sequence[Mapping[str, Any]], settings: Settings) -> CheckpointChoice:
    """Return the choice among a ladder's rows by the rule of the settings."""
    options = settings.calibrate
    choice = choose_checkpoint(
        [ladder_entry(row) for row in rows], options.parts, options.budget, certainty=options.certainty
    )
    guarded = {"pckh": "", "ap": "; the fall is that of OKS-AP", "both": "; the fall of PCKh and that of OKS-AP, each"}
    return replace(choice, rule=choice.rule + guarded[options.guard])


def out_of_patience(rows: Sequence[Mapping[str, Any]], settings: Settings) -> bool:
    """Return whether the last ``calibrate.patience`` checkpoints brought no better choice than those before them.

    rows : of the ladder so far, with the base. A patience of 0 never ends.
    """
    patience = settings.calibrate.patience
    if patience == 0 or len(rows) <= patience:
        return False
    return choice_of(rows, settings).step <= int(rows[-patience - 1]["step"])


def ladder_entry(row: Mapping[str, Any]) -> LadderEntry:
    """Return a ladder's row as `choose` reads it: scores on validation."""
    validation, step = row["validation"], int(row["step"])
    target = {part: _interval(figure) for part, figure in validation["target"]["pckh"].items()}
    common = validation["common"]
    if common is None:
        # Without common data nothing can be said of forgetting; the choice then rests on the target alone.
        return LadderEntry(step, target, Interval(0.0, None, 0))
    ap = _interval(common["ap"]) if common.get("ap") else None
    return LadderEntry(step, target, _interval(common["pckh"]["total"]), ap, row.get("kept"))


def describe_row(row: Mapping[str, Any]) -> str:
    """Return one line on a checkpoint's validation scores."""
    entry = ladder_entry(row)
    legs = entry.target.get("leg") or entry.target["total"]
    total = entry.target["total"]
    share = f" (share {row['share']:g})" if "share" in row else ""
    chance = "" if entry.kept is None else f", within the margin with a probability of {entry.kept:.0%}"
    return (
        f"step {entry.step}{share}: target legs {_said(legs)}, total {_said(total)}; "
        f"common total {_said(entry.common)}{chance} (PCKh, validation)"
    )


def _said(score: Interval) -> str:
    return f"{100 * score.value:.1f}" if score.n >= MIN_JOINTS else "of too few joints" if score.n else "unknown"


def _scores(
    estimator: Trainable,
    target: Sequence[Sample],
    common: Sequence[Sample],
    settings: Settings,
    ignored: Sequence[Ignored],
) -> Scores:
    engine = settings.predict.engine
    return Scores(
        score_samples(estimator, target, settings.evaluate, ignored, engine),
        score_samples(estimator, common, settings.evaluate, ignored, engine),
    )


def _short(row: Row, settings: Settings) -> dict[str, Any]:
    """Return the few figures by which shares are compared."""
    target = row["validation"]["target"]["pckh"]
    figures: dict[str, Any] = {part: target[part]["value"] for part in (*settings.calibrate.parts, "total")}
    common = row["validation"]["common"]
    return figures | {"common": common["pckh"]["total"]["value"] if common else None, "kept": row.get("kept")}


def _interval(figure: Mapping[str, Any]) -> Interval:
    ci95 = figure["ci95"]
    value = float("nan") if figure["value"] is None else float(figure["value"])
    return Interval(value, (ci95[0], ci95[1]) if ci95 else None, int(figure["n"]))
