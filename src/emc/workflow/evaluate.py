"""Score a model on a project's labelled clips."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emc.config import Settings
from emc.errors import UsageError
from emc.interfaces import Progress, Store
from emc.pose.records import TEST_TAG, Clip, Role
from emc.workflow.compute import set_threads
from emc.workflow.found import Found, ignored_on, results_on, run_on, score_found
from emc.workflow.labels import count_labels, refuse_unconfirmed
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.project import estimator_in, selected_clips, with_models
from emc.workflow.samples import load_samples
from emc.workflow.scoring import score_samples


def evaluate_project(
    store: Store,
    settings: Settings,
    clips: Sequence[str] = (),
    progress: Progress | None = None,
    results: Path | None = None,
    run: str = "",
) -> dict[str, Any]:
    """Score the estimator of the settings on labelled persons, target and common apart.

    clips : ids; default: the clips held out by the tag ``split=test``, else all labelled ones, which the document then
    says (``scope``), since a calibration may have trained on them. results : score this COCO results file, run : or
    this run of the project (``imported``, its id or its model), in place of the estimator; no model runs then. The
    document counts the labels that nobody confirmed (``labels``). Raises `UsageError` where nothing is labelled, and
    where nearly all labels are where a model put them.
    """
    progress = progress or Silent()
    if results and run:
        raise UsageError("--results and --run are two answers to what to score: give one")
    chosen, scope = _scope(store, clips)
    counts = count_labels(store, chosen)
    refuse_unconfirmed(counts, "a score")
    if counts.say():
        progress.say(f"note: {counts.say()}")
    document: dict[str, Any] = {"scope": scope, "clips": [clip.id for clip in chosen], "labels": counts.as_json()}
    if results or run:
        found = results_on(store, chosen, results) if results else run_on(store, chosen, run)
        document |= _scored_found(store, chosen, found, settings, progress)
    else:
        document |= _scored_model(store, chosen, settings, progress)
    if document["target"] is None and document["common"] is None:
        hint = f" ({counts.say()})" if counts.say() else ""
        raise UsageError(
            f"no labelled person on clips {', '.join(document['clips'])}{hint}: correct some frames, or import labels "
            "with `emc import coco FILE --clip CLIP`"
        )
    return document


def _scored_model(store: Store, clips: Sequence[Clip], settings: Settings, progress: Progress) -> dict[str, Any]:
    set_threads(settings.predict)
    settings = with_models(store, settings, progress)
    estimator = estimator_in(store, settings.predict.estimator)
    document: dict[str, Any] = {"model": model_key(estimator)}
    for role in Role:
        mine = [clip for clip in clips if clip.role is role]
        samples = load_samples(store, mine, progress)
        scores = score_samples(estimator, samples, settings.evaluate, ignored_on(store, mine), settings.predict.engine)
        document[str(role)] = scores.document if scores else None
    return document


def _scored_found(
    store: Store, clips: Sequence[Clip], found: Found, settings: Settings, progress: Progress
) -> dict[str, Any]:
    document: dict[str, Any] = {"model": found.model}
    for role in Role:
        mine = [clip for clip in clips if clip.role is role]
        scores, said = score_found(store, mine, found, settings.evaluate)
        document[str(role)] = scores.document if scores else None
        for line in said:
            progress.say(f"note: {role}: {line}")
    return document


def _scope(store: Store, names: Sequence[str]) -> tuple[list[Clip], str]:
    if names:
        return selected_clips(store, names), "the named clips"
    clips = selected_clips(store, ())
    held_out = [clip for clip in clips if clip.tags.get(TEST_TAG[0]) == TEST_TAG[1]]
    if held_out:
        return held_out, "held-out clips (split=test)"
    return clips, "all labelled clips; a calibration may have trained on them"
