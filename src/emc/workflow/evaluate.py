"""Score a model on a project's labelled clips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emc.config import Settings
from emc.errors import UsageError
from emc.interfaces import Progress, Store
from emc.pose.records import TEST_TAG, Clip, Role
from emc.workflow.compute import set_threads
from emc.workflow.predict import model_key
from emc.workflow.progress import Silent
from emc.workflow.project import estimator_in, selected_clips
from emc.workflow.samples import load_samples
from emc.workflow.scoring import score_samples


def evaluate_project(
    store: Store, settings: Settings, clips: Sequence[str] = (), progress: Progress | None = None
) -> dict[str, Any]:
    """Score the estimator of the settings on labelled persons, target and common apart.

    clips : ids; default: the clips held out by the tag ``split=test``, else all labelled ones, which the document then
    says (``scope``), since a calibration may have trained on them. Raises `UsageError` where nothing is labelled.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    estimator = estimator_in(store, settings.predict.estimator)
    chosen, scope = _scope(store, clips)
    document: dict[str, Any] = {"model": model_key(estimator), "scope": scope, "clips": [clip.id for clip in chosen]}
    for role in Role:
        samples = load_samples(store, [clip for clip in chosen if clip.role is role], progress)
        scores = score_samples(estimator, samples, settings.evaluate)
        document[str(role)] = scores.document if scores else None
    if document["target"] is None and document["common"] is None:
        raise UsageError(
            f"no labelled person on clips {', '.join(document['clips'])}: correct some frames, or import labels with "
            "`emc import coco FILE --clip CLIP`"
        )
    return document


def _scope(store: Store, names: Sequence[str]) -> tuple[list[Clip], str]:
    if names:
        return selected_clips(store, names), "the named clips"
    clips = selected_clips(store, ())
    held_out = [clip for clip in clips if clip.tags.get(TEST_TAG[0]) == TEST_TAG[1]]
    if held_out:
        return held_out, "held-out clips (split=test)"
    return clips, "all labelled clips; a calibration may have trained on them"
