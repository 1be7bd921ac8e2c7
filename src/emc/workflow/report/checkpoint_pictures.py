"""The same hard frames, drawn by the base and by each checkpoint of a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import emc.plugins as plugins
from emc.config import Settings
from emc.interfaces import Trainable
from emc.pose.records import Prediction, Sample
from emc.stages.choose import GridColumn, draw_grid, hardest_samples
from emc.stages.evaluate import joint_hits
from emc.workflow.calibration import Calibration
from emc.workflow.project import calibrated_skeleton
from emc.workflow.scoring import head_name, predict_samples

PICTURE = "checkpoints.png"
ROWS = 5
MOST_STEPS = 5


def checkpoint_grid(
    done: Calibration, settings: Settings, samples: Sequence[Sample], before: Sequence[Prediction]
) -> tuple[dict[str, Any], bytes] | None:
    """Return the report's ``checkpoint_grid`` and its PNG: the frames that the base misses most, model by model.

    samples, before : the measured target persons and the base's predictions of them. None where there is no person to
    draw, or the estimator cannot load checkpoints.
    """
    base = plugins.estimator_for(settings.predict.estimator)
    if not isinstance(base, Trainable):
        return None
    skeleton = calibrated_skeleton(done.folder)
    head = head_name(samples, settings.evaluate, skeleton)
    rows = hardest_samples(before, samples, skeleton, head, ROWS)
    if not rows:
        return None
    shown = [samples[i] for i in rows]
    chosen = int(done.ladder["chosen"]["step"])
    columns = [GridColumn(_name(0, chosen), [before[i] for i in rows], chosen == 0)]
    for step in shown_steps([int(row["step"]) for row in done.ladder["ladder"]], chosen):
        checkpoint = plugins.estimator_for(str(done.folder / f"step_{step}"))
        found = predict_samples(checkpoint, shown, settings.predict.engine)
        columns.append(GridColumn(_name(step, chosen), found, step == chosen))
    wrong = {
        column.name: joint_hits(column.predictions, shown, skeleton, head, settings.evaluate.alpha)
        for column in columns
        if column.predictions is not None
    }
    entry: dict[str, Any] = {
        "image": PICTURE,
        "columns": [{"name": c.name, "wrong": int((wrong[c.name] == 0).sum())} for c in columns],
        "frames": [{"clip": s.clip, "frame": int(s.frame), "person": int(s.person)} for s in shown],
    }
    return entry, draw_grid(shown, [*columns, GridColumn("labels", None)], wrong, skeleton)


def shown_steps(steps: Sequence[int], chosen: int) -> list[int]:
    """Return at most `MOST_STEPS` checkpoints, evenly spread, the chosen and the last one among them."""
    tuned = sorted(step for step in steps if step > 0)
    if len(tuned) <= MOST_STEPS:
        return tuned
    kept = {chosen, tuned[-1]} & set(tuned)
    spread = [tuned[round(i * (len(tuned) - 1) / (MOST_STEPS - 1))] for i in range(MOST_STEPS)]
    for step in spread:
        if len(kept) < MOST_STEPS:
            kept.add(step)
    return sorted(kept)


def _name(step: int, chosen: int) -> str:
    name = "base" if step == 0 else f"step {step}"
    return f"{name} (chosen)" if step == chosen else name
