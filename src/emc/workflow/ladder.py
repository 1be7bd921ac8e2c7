"""Train, keep and score every checkpoint, choose one: resumable in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from emc.config import Settings
from emc.interfaces import Progress, Trainable
from emc.pose.records import Sample
from emc.stages.calibrate import LadderStep, Progressed, SavePoint, borrowed_weights, sampler_of, train
from emc.stages.choose import Choice
from emc.stages.evaluate import PopulationScores, before_after
from emc.workflow.files import read_json, write_bytes, write_json
from emc.workflow.judging import Judge, choice_of, describe_row
from emc.workflow.scoring import score_samples

LADDER = "ladder.json"
STATE = "state.pt"


@dataclass(frozen=True, slots=True)
class Populations:
    """Labelled samples of both populations, split: train, validation (chooses), test (measures once, may be empty)."""

    train_target: Sequence[Sample]
    train_common: Sequence[Sample]
    validation_target: Sequence[Sample]
    validation_common: Sequence[Sample]
    test_target: Sequence[Sample] = ()
    test_common: Sequence[Sample] = ()


def run_ladder(
    estimator: Trainable, data: Populations, settings: Settings, folder: Path, progress: Progress
) -> dict[str, Any]:
    """Calibrate `estimator` on `data` and return the ladder's document; what is in `folder` already is not done again.

    The folder gets ``state.pt`` (resume point), ``ladder.json``, ``step_N/`` (each checkpoint as a saved model) and
    ``chosen/``. After ``kill -9`` the same call goes on and ends with the same numbers.
    """
    document = read_json(folder / LADDER) or {"ladder": [], "finished": False, "loss": []}
    if document["finished"]:
        return document
    base = {name: value.detach().clone() for name, value in estimator.module.state_dict().items()}
    judge = Judge.of_base(estimator, data.validation_target, data.validation_common, settings)
    if not document["ladder"]:
        document["ladder"].append(judge.base_row())
        write_json(folder / LADDER, document)
    trainee = untrained(estimator, settings) if settings.calibrate.strategy == "initial" else estimator
    _climb(trainee, base, data, replace(judge, estimator=trainee), folder, document, progress)
    choice = choice_of(document["ladder"], settings)
    _finish(trainee, base, data, settings, folder, document, choice, progress)
    return document


def untrained(estimator: Trainable, settings: Settings) -> Trainable:
    """Return an estimator of the same kind with fresh weights, for the strategy ``initial``."""
    from emc.errors import NotTrainable

    maker = getattr(type(estimator), "untrained", None)
    if maker is None:
        name = estimator.describe().name
        raise NotTrainable(f"estimator {name} cannot start from scratch: use --strategy calibration or finetune")
    return maker(settings.calibrate.seed)


def _climb(
    estimator: Trainable,
    base: Mapping[str, torch.Tensor],
    data: Populations,
    judge: Judge,
    folder: Path,
    document: dict[str, Any],
    progress: Progress,
) -> None:
    settings = judge.settings
    state_file = folder / STATE
    state = state_file.read_bytes() if state_file.is_file() else None
    start = int(document.get("saved_step", 0)) if state else 0
    progress.start("calibrate", settings.calibrate.steps)
    progress.advance(start)
    for event in train(estimator, data.train_target, data.train_common, settings.calibrate, state):
        match event:
            case Progressed(step=step, loss=loss):
                document["loss"] = [*[row for row in document["loss"] if row[0] < step], [step, round(loss, 6)]]
                progress.advance(note=f"loss {loss:.4f}")
            case LadderStep(step=step, weights=weights):
                shares = candidates(base, weights, settings)
                row = judge.row(step, shares)
                with borrowed_weights(estimator, shares[row["share"]]):
                    estimator.save(folder / f"step_{step}", {"ladder_step": step, "tuned_share": row["share"]})
                document["ladder"] = [*[r for r in document["ladder"] if r["step"] < step], row]
                progress.say(describe_row(row))
            case SavePoint(step=step, state=saved):
                # The ladder goes first: a kill between the two files repeats a few steps, the other order would lose
                # what was told of them, and the checkpoint scored at one of them.
                write_json(folder / LADDER, document | {"saved_step": step})
                write_bytes(state_file, saved)
    progress.finish()


def candidates(
    base: Mapping[str, torch.Tensor], tuned: Mapping[str, torch.Tensor], settings: Settings
) -> dict[float, dict[str, torch.Tensor]]:
    """Return share -> weights between the base and a checkpoint: (1 - share) x base + share x tuned.

    Source: WiSE-FT (Wortsman et al., CVPR 2022). A model trained from scratch has no base to be drawn back to.
    """
    shares = (1.0,) if settings.calibrate.strategy == "initial" else sorted(settings.calibrate.shares)
    return {
        share: {
            name: base[name].lerp(value, share) if value.is_floating_point() else value for name, value in tuned.items()
        }
        for share in shares
    }


def _finish(
    estimator: Trainable,
    base: Mapping[str, torch.Tensor],
    data: Populations,
    settings: Settings,
    folder: Path,
    document: dict[str, Any],
    choice: Choice,
    progress: Progress,
) -> None:
    """Measure every checkpoint on the held-out data, save the chosen one and close the document."""
    tested = bool(data.test_target)
    target = data.test_target if tested else data.validation_target
    common = data.test_common if tested else data.validation_common
    scores: dict[int, tuple[PopulationScores | None, PopulationScores | None]] = {}
    progress.start("measure", len(document["ladder"]))
    for row in document["ladder"]:
        step = int(row["step"])
        with borrowed_weights(estimator, base if step == 0 else step_weights(estimator, folder, step)):
            scores[step] = (
                score_samples(estimator, target, settings.evaluate),
                score_samples(estimator, common, settings.evaluate),
            )
            if step == choice.step:
                estimator.save(folder / "chosen", {"ladder_step": step, "scores": _short(scores[step])})
        row["target"], row["common"] = (s.document if s else None for s in scores[step])
        row["summary"] = _short(scores[step])
        progress.advance()
    progress.finish()
    (t0, c0), (t1, c1) = scores[0], scores[choice.step]
    sampler = sampler_of(len(data.train_target), len(data.train_common), settings.calibrate)
    document |= {
        "scored_on": "test" if tested else "validation",
        "chosen": {"step": choice.step, "rule": choice.rule, "why": _why(choice, document), "trusted": choice.trusted},
        "served": sampler.served(settings.calibrate.steps),
        "settings": settings.model_dump(mode="json"),
        "finished": True,
    }
    if t0 is not None and t1 is not None:
        pair = (c0, c1) if c0 is not None and c1 is not None else None
        document["before_after"] = before_after((t0, t1), pair, settings.evaluate.bootstrap, settings.evaluate.seed)
    write_json(folder / LADDER, document)
    (folder / STATE).unlink(missing_ok=True)


def _why(choice: Choice, document: Mapping[str, Any]) -> str:
    """Return the reason with what the steps alone do not say: how far the chosen weights were drawn back."""
    shares = {row["step"]: row.get("share", 1.0) for row in document["ladder"]}
    share = shares[choice.step]
    return choice.why if choice.step == 0 or share == 1 else f"{choice.why}; {share:.0%} tuned, the rest base weights"


def step_weights(estimator: Trainable, folder: Path, step: int) -> dict[str, torch.Tensor]:
    """Return the weights of a saved checkpoint, leaving the estimator as it is."""
    own = {name: value.detach().clone() for name, value in estimator.module.state_dict().items()}
    estimator.load(folder / f"step_{step}")
    weights = {name: value.detach().clone() for name, value in estimator.module.state_dict().items()}
    estimator.module.load_state_dict(own)
    return weights


def _short(scores: tuple[PopulationScores | None, PopulationScores | None]) -> dict[str, Any]:
    """Return the two figures that name a checkpoint: total PCKh on target and common."""
    return {
        name: s.document["pckh"]["total"]["value"] if s else None  # pyright: ignore[reportIndexIssue]
        for name, s in zip(("target", "common"), scores, strict=True)
    }
