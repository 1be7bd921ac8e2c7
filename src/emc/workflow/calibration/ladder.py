"""Train, keep and score every checkpoint, choose one: resumable in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

import emc.old_names as old_names
from emc.config import Settings
from emc.errors import NotTrainable, StorageError, UsageError
from emc.interfaces import Progress, Trainable
from emc.stages.calibrate import LadderStep, Processes, Progressed, SavePoint, borrowed_weights, sampler_of, train
from emc.stages.choose import CheckpointChoice
from emc.stages.evaluate import PopulationScores, before_after
from emc.workflow.calibration.checkpoint_scoring import CheckpointScorer, choice_of, describe_row, out_of_patience
from emc.workflow.calibration.data import Populations
from emc.workflow.calibration.rotation import describe_rotations, try_rotations, with_recorded_rotations
from emc.workflow.files import read_json, write_bytes, write_json
from emc.workflow.scoring import score_samples

LADDER_FILE = "ladder.json"
STATE_FILE = "state.pt"


@dataclass(frozen=True, slots=True)
class Start:
    """What the first process tells the others: the resume point, and the rotation ensemble."""

    finished: bool
    state: bytes | None = None
    rotations: Mapping[str, Any] = field(default_factory=lambda: {"taken": 1})


FINISHED = Start(True)


def run_ladder(
    estimator: Trainable,
    data: Populations,
    settings: Settings,
    folder: Path,
    progress: Progress,
    processes: Processes | None = None,
) -> dict[str, Any]:
    """Calibrate `estimator` on `data` and return the ladder's document; what is in `folder` already is not done again.

    The folder gets ``state.pt`` (resume point), ``ladder.json``, ``step_N/`` (each checkpoint as a saved model) and
    ``chosen/``. After ``kill -9`` the same call goes on and ends with the same numbers. With ``calibrate.patience`` it
    ends early where checkpoints no longer get better; the document's ``stopped`` then says at which step.
    processes : where several train together, this one among them; the first of them calls this function, the others
    `follow_ladder`.
    """
    world = processes or Processes()
    stored = read_json(folder / LADDER_FILE) or {"ladder": [], "finished": False, "loss": []}
    document = old_names.renamed_ladder(stored)
    if document["finished"]:
        world.broadcast(FINISHED)
        return document
    if not data.validation_target:
        raise UsageError(
            "no target person is held out to choose a checkpoint by: correct frames of a second clip or athlete"
        )
    # A copy, before anything trains: `state_dict` holds the living tensors, and interpolating with those would
    # interpolate the checkpoint with itself.
    base = {name: value.detach().clone() for name, value in estimator.module.state_dict().items()}
    scorer = CheckpointScorer.of_base(estimator, data.validation_target, data.validation_common, settings, data.ignored)
    if not document["ladder"]:
        document["ladder"].append(scorer.base_row())
        write_json(folder / LADDER_FILE, document)
    if "rotations" not in document:
        document["rotations"] = try_rotations(estimator, scorer)
        write_json(folder / LADDER_FILE, document)
        if document["rotations"]["taken"] > 1:
            progress.say(f"{describe_rotations(document['rotations'])}: {document['rotations']['why']}")
    trainee = untrained(estimator, settings) if settings.calibrate.strategy == "initial" else estimator
    trainee = with_recorded_rotations(trainee, document["rotations"])
    _climb(trainee, base, data, replace(scorer, estimator=trainee), folder, document, progress, world)
    choice = choice_of(document["ladder"], settings)
    _finish((estimator, trainee), base, data, settings, folder, document, choice, progress)
    return document


def follow_ladder(estimator: Trainable, data: Populations, settings: Settings, processes: Processes) -> None:
    """Train along with the process that runs `run_ladder` on the same data: nothing is scored, nothing written."""
    start: Start = processes.broadcast(None)
    if start.finished:
        return
    trainee = untrained(estimator, settings) if settings.calibrate.strategy == "initial" else estimator
    trainee = with_recorded_rotations(trainee, start.rotations)
    events = train(trainee, data.train_target, data.train_common, settings.calibrate, start.state, processes)
    for event in events:
        if isinstance(event, LadderStep) and processes.broadcast(None):
            return


def untrained(estimator: Trainable, settings: Settings) -> Trainable:
    """Return an estimator of the same kind with fresh weights, for the strategy ``initial``."""
    # An architecture of several sizes says which of them this estimator is.
    reinitialised = getattr(estimator, "reinitialised", None)
    if reinitialised is not None:
        return reinitialised(settings.calibrate.seed)
    maker = getattr(type(estimator), "untrained", None)
    if maker is None:
        name = estimator.describe().name
        raise NotTrainable(f"estimator {name} cannot start from scratch: use --strategy calibration or finetune")
    return maker(settings.calibrate.seed)


def _climb(
    estimator: Trainable,
    base: Mapping[str, torch.Tensor],
    data: Populations,
    scorer: CheckpointScorer,
    folder: Path,
    document: dict[str, Any],
    progress: Progress,
    world: Processes,
) -> None:
    settings = scorer.settings
    if "stopped" in document:
        world.broadcast(FINISHED)
        return
    state_file = folder / STATE_FILE
    state = state_file.read_bytes() if state_file.is_file() else None
    start = int(document.get("saved_step", 0)) if state else 0
    world.broadcast(Start(False, state, document["rotations"]))
    # The ladder may be some steps ahead of the resume point after a kill: these steps come again, and would stand twice
    # in the curve.
    document["loss"] = [row for row in document["loss"] if row[0] <= start]
    progress.start("calibrate", settings.calibrate.steps)
    progress.advance(start)
    for event in train(estimator, data.train_target, data.train_common, settings.calibrate, state, world):
        match event:
            case Progressed(step=step, loss=loss):
                # The ladder may be a step ahead of the resume point: what is done again is told once.
                while document["loss"] and document["loss"][-1][0] >= step:
                    document["loss"].pop()
                document["loss"].append([step, round(loss, 6)])
                progress.advance(note=f"loss {loss:.4f}")
            case LadderStep(step=step, weights=weights):
                shares = candidates(base, weights, settings)
                if document["rotations"]["taken"] > 1:
                    # The base's rotation ensemble is a candidate too: better than the base, and nothing forgotten.
                    shares[0.0] = dict(base)
                row = scorer.row(step, shares)
                with borrowed_weights(estimator, shares[row["share"]]):
                    save_model(estimator, folder / f"step_{step}", {"ladder_step": step, "tuned_share": row["share"]})
                document["ladder"] = [*[r for r in document["ladder"] if r["step"] < step], row]
                progress.say(describe_row(row))
                if world.broadcast(_stopped(document, step, settings, progress)):
                    write_json(folder / LADDER_FILE, document)
                    break
            case SavePoint(step=step, state=saved):
                # The ladder goes first: a kill between the two files repeats a few steps, the other order would lose
                # what was told of them, and the checkpoint scored at one of them.
                write_json(folder / LADDER_FILE, document | {"saved_step": step})
                write_bytes(state_file, saved)
    progress.finish()


def save_model(estimator: Trainable, folder: Path, extra: Mapping[str, Any]) -> None:
    """Save a model into `folder`; raises `StorageError` that names it where it cannot be written."""
    try:
        estimator.save(folder, extra)
    except OSError as error:
        raise StorageError(
            f"cannot write {folder} ({error.strerror or error}): free space or choose another folder, then run the "
            "command again"
        ) from error


def _stopped(document: dict[str, Any], step: int, settings: Settings, progress: Progress) -> bool:
    """Return whether the ladder ends before its last step, and note it in the document."""
    if step >= settings.calibrate.steps or not out_of_patience(document["ladder"], settings):
        return False
    document["stopped"] = {"step": step, "of": settings.calibrate.steps, "patience": settings.calibrate.patience}
    progress.say(
        f"stopped at step {step} of {settings.calibrate.steps}: no better checkpoint in the last "
        f"{settings.calibrate.patience} (calibrate.patience)"
    )
    return True


def candidates(
    base: Mapping[str, torch.Tensor], tuned: Mapping[str, torch.Tensor], settings: Settings
) -> dict[float, dict[str, torch.Tensor]]:
    """Return share -> weights between the base and a checkpoint: (1 - share) x base + share x tuned.

    Source: WiSE-FT (Wortsman et al., CVPR 2022). A model trained from scratch has no base to be drawn back to.
    """
    shares = (1.0,) if settings.calibrate.strategy == "initial" else sorted(settings.calibrate.shares)
    return {
        share: {
            # Integer buffers (batch counters) cannot be interpolated, and mean nothing in evaluation.
            name: base[name].lerp(value, share) if value.is_floating_point() else value
            for name, value in tuned.items()
        }
        for share in shares
    }


def _finish(
    readers: tuple[Trainable, Trainable],
    base: Mapping[str, torch.Tensor],
    data: Populations,
    settings: Settings,
    folder: Path,
    document: dict[str, Any],
    choice: CheckpointChoice,
    progress: Progress,
) -> None:
    """Measure every checkpoint on the held-out data, save the chosen one and close the document.

    readers : what reads with the base's weights, what with a checkpoint's.
    """
    tested = bool(data.test_target)
    target = data.test_target if tested else data.validation_target
    common = data.test_common if tested else data.validation_common
    scores: dict[int, tuple[PopulationScores | None, PopulationScores | None]] = {}
    progress.start("measure", len(document["ladder"]))
    for row in document["ladder"]:
        step = int(row["step"])
        estimator = readers[step > 0]
        with borrowed_weights(estimator, base if step == 0 else step_weights(estimator, folder, step)):
            scores[step] = (
                score_samples(estimator, target, settings.evaluate, data.ignored, settings.predict.engine),
                score_samples(estimator, common, settings.evaluate, data.ignored, settings.predict.engine),
            )
            if step == choice.step:
                save_model(estimator, folder / "chosen", {"ladder_step": step, "scores": _short(scores[step])})
        row["target"], row["common"] = (s.document if s else None for s in scores[step])
        row["summary"] = _short(scores[step])
        progress.advance()
    progress.finish()
    (t0, c0), (t1, c1) = scores[0], scores[choice.step]
    sampler = sampler_of(len(data.train_target), len(data.train_common), settings.calibrate)
    document |= {
        "scored_on": "test" if tested else "validation",
        "chosen": {"step": choice.step, "rule": choice.rule, "why": _why(choice, document), "trusted": choice.trusted},
        "served": sampler.served(int(document.get("stopped", {}).get("step", settings.calibrate.steps))),
        "settings": settings.model_dump(mode="json"),
        "finished": True,
    }
    if t0 is not None and t1 is not None:
        pair = (c0, c1) if c0 is not None and c1 is not None else None
        document["before_after"] = before_after((t0, t1), pair, settings.evaluate.bootstrap, settings.evaluate.seed)
    write_json(folder / LADDER_FILE, document)
    # Last: killed before the document is written, the same command goes on from the resume point instead of training
    # again.
    (folder / STATE_FILE).unlink(missing_ok=True)


def _why(choice: CheckpointChoice, document: Mapping[str, Any]) -> str:
    """Return the reason with what the steps alone do not say: how far the chosen weights were drawn back."""
    rows = {row["step"]: row for row in document["ladder"]}
    share = rows[choice.step].get("share", 1.0)
    if choice.step == 0:
        return choice.why
    drawn = "base weights" if share == 0 else f"{share:.0%} tuned, the rest base weights" if share < 1 else ""
    return "; ".join(part for part in (choice.why, drawn, describe_rotations(document["rotations"])) if part)


def step_weights(estimator: Trainable, folder: Path, step: int) -> dict[str, torch.Tensor]:
    """Return the weights of a saved checkpoint, leaving the estimator as it is."""
    # `load` also reads the saved model's card; only the weights are wanted, so the network gets its own back.
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
