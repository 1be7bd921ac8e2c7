"""Confidence learned from corrections: fitted on a project's labelled people, used wherever its model predicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import emc.old_names as old_names
import emc.plugins as plugins
from emc.config import EngineName, EvaluateSettings, PredictSettings, Settings
from emc.errors import UsageError
from emc.interfaces import Estimator, Progress, Store
from emc.pose.records import TEST_TAG, Prediction, Role, Sample
from emc.stages.confidence import ConfidenceModel, FittedConfidence, fit_confidence
from emc.stages.evaluate import compare_confidence, joint_hits, score_confidence
from emc.workflow.compute import set_threads
from emc.workflow.files import write_json
from emc.workflow.predict import (
    CONFIDENCE_FILE,
    CONFIDENCE_KIND,
    ConfidenceByRole,
    confidence_from,
    find_run_alerts,
    model_key,
)
from emc.workflow.progress import Silent
from emc.workflow.project import estimator_in, with_models
from emc.workflow.samples import load_samples
from emc.workflow.scoring import head_name, in_original_pixels, predict_samples

WHOLE = 0.5
"""Persons count where at least this share of their joints has a label: who mends wrong joints alone, and leaves the
right ones unconfirmed, would teach that nearly all joints are wrong."""
MOST = 600
"""People of one role that a fit looks at, drawn by a seed: beyond a few hundred it no longer gets better, and each of
them has to be predicted (`benchmarks/calibration/confidence.py`)."""
CHUNK = 2000


def fit_project_confidence(store: Store, settings: Settings, progress: Progress | None = None) -> dict[str, Any]:
    """Fit the confidence of the settings' estimator on the project's corrected people, and use it from now on.

    Target and common clips are fitted apart; clips with the tag ``split=test`` take no part. The document (fits, and
    scores before and after by cross-fitting over groups) is kept in the project; stored predictions of the model get
    the new confidence, and their alerts are found again. Raises `UsageError` where too little is labelled on the
    target clips.
    """
    progress = progress or Silent()
    set_threads(settings.predict)
    settings = with_models(store, settings, progress)
    estimator = estimator_in(store, settings.predict.estimator)
    clips = [clip for clip in store.clips() if clip.tags.get(TEST_TAG[0]) != TEST_TAG[1]]
    samples = {role: load_samples(store, [clip for clip in clips if clip.role is role], progress) for role in Role}
    document = fitted_document(estimator, samples, settings.evaluate, settings.predict.engine)
    if str(Role.TARGET) not in document["roles"]:
        raise UsageError(f"the confidence cannot be fitted on {store.folder}: {document['left_out']['target']}")
    store_fit(store, document, estimator, settings, progress)
    return document


def fit_after_calibration(
    store: Store, folder: Path, held: Mapping[Role, Sequence[Sample]], base: Mapping[str, Any] | None,
    settings: Settings, progress: Progress,
) -> dict[str, Any] | None:  # fmt: skip
    """Fit the confidence of a calibrated model on people that it was not trained on, near its base's where few.

    folder : of the calibration; ``chosen/`` gets the document as ``confidence.json``, the project as well. held : the
    validation people by role. base : the base's document. Returns None, and says why, where too few are labelled.
    """
    chosen = folder / "chosen"
    estimator = plugins.estimator_for(str(chosen))
    document = fitted_document(estimator, held, settings.evaluate, settings.predict.engine, base)
    if not document["roles"]:
        progress.say(f"note: confidence of the calibrated model not fitted: {document['left_out']['target']}")
        return None
    write_json(chosen / CONFIDENCE_FILE, document)
    store_fit(store, document, estimator, settings, progress)
    return document


def fit_base(
    store: Store, samples: Mapping[Role, Sequence[Sample]], settings: Settings, progress: Progress
) -> dict[str, Any] | None:
    """Fit the base's confidence on all people who may train or choose; None, saying why, where too few are labelled."""
    try:
        estimator = estimator_in(store, settings.predict.estimator)
    except UsageError as error:
        # A base that knows none of the project's joints (a robot's) has nothing to be sure of.
        progress.say(f"note: confidence of the base not fitted: {error}")
        return None
    document = fitted_document(estimator, samples, settings.evaluate, settings.predict.engine)
    if not document["roles"]:
        progress.say(f"note: confidence of the base not fitted: {document['left_out']['target']}")
        return None
    store_fit(store, document, estimator, settings, progress)
    return document


def fitted_document(
    estimator: Estimator,
    samples: Mapping[Role, Sequence[Sample]],
    settings: EvaluateSettings,
    engine: EngineName,
    base: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the document: ``model``, ``roles`` (fits), ``scores`` before and after, ``left_out`` role -> reason."""
    model = model_key(estimator)
    document: dict[str, Any] = {"model": model, "roles": {}, "scores": {}, "left_out": {}}
    prior = confidence_from(base, "confidence of the base") if base is not None else ConfidenceByRole()
    for role, people in samples.items():
        whole = random_subset(
            [s for s in people if int((s.visibility > 0).sum()) >= WHOLE * len(s.visibility)], settings.seed
        )
        try:
            fit, scores = fit_samples(estimator, whole, settings, engine, prior.roles.get(role))
        except UsageError as error:
            document["left_out"][str(role)] = str(error)
            continue
        document["roles"][str(role)] = replace(fit.model, about=scores["about"] | {"model": model}).as_json()
        document["scores"][str(role)] = scores
    return document


def random_subset(people: Sequence[Sample], seed: int) -> list[Sample]:
    """Return at most `MOST` of the people, drawn by a seed, in their order."""
    if len(people) <= MOST:
        return list(people)
    chosen = np.sort(np.random.default_rng([seed, 23]).permutation(len(people))[:MOST])
    return [people[i] for i in chosen]


def fit_samples(
    estimator: Estimator,
    samples: Sequence[Sample],
    settings: EvaluateSettings,
    engine: EngineName,
    prior: ConfidenceModel | None = None,
) -> tuple[FittedConfidence, dict[str, Any]]:
    """Fit on labelled people and score it by cross-fitting: the people's groups are the folds."""
    if not samples:
        raise UsageError("no person with at least half of the joints labelled: correct or confirm whole persons")
    people, predicted = original_pixels(samples, predict_samples(estimator, samples, engine))
    skeleton = estimator.skeleton
    head = head_name(samples, settings, skeleton)
    hits = joint_hits(predicted, people, skeleton, head, settings.alpha)
    fit = fit_confidence(predicted, hits, [s.group for s in people], skeleton, prior, seed=settings.seed)
    after = [replace(p, confidence=c.astype(np.float32)) for p, c in zip(predicted, fit.cross_fitted, strict=True)]
    how = (head, settings.alpha, 15, settings.bootstrap, settings.seed)
    about = {
        "persons": len(people),
        "groups": len({s.group for s in people}),
        "joints": int(np.isfinite(hits).sum()),
        "head_size": head,
        "alpha": settings.alpha,
        "signals": fit.model.kind,
        "log_loss": {name: round(value, 5) for name, value in fit.log_loss.items()},
        "crossed_by": fit.crossed_by,
        "near": "" if prior is None else str(prior.about.get("model", "base")),
    }
    return fit, {
        "about": about,
        "before": score_confidence(predicted, people, skeleton, *how),
        "after": score_confidence(after, people, skeleton, *how),
        "change": compare_confidence(predicted, after, people, skeleton, *how),
    }


def original_pixels(
    samples: Iterable[Sample], predicted: Iterable[Prediction]
) -> tuple[list[Sample], list[Prediction]]:
    """Return both in pixels of the original frames, in which stored predictions are."""
    pairs = [in_original_pixels(s, p) for s, p in zip(samples, predicted, strict=True)]
    return [s for s, _ in pairs], [p for _, p in pairs]


def store_fit(
    store: Store, document: Mapping[str, Any], estimator: Estimator, settings: Settings, progress: Progress
) -> None:
    """Store a fit, and give the model's stored predictions its confidence and new alerts.

    The fit reads signals and places, never an earlier confidence: a crash in between is mended by fitting again.
    """
    store.put_document(CONFIDENCE_KIND, document["model"], document)
    if settings.predict.confidence == "raw":
        return
    fitted = confidence_from(document, "confidence")
    renewed = 0
    for clip in store.clips():
        for run in store.runs(clip.id):
            if run.model != document["model"] or clip.role not in fitted.roles:
                continue
            for first in range(0, clip.frames, CHUNK):
                found = list(store.raw_predictions(run.id, first, first + CHUNK - 1))
                store.write_predictions(run.id, fitted.apply(found, clip.role, estimator.skeleton))
            if run.complete:
                find_run_alerts(store, run, clip, estimator, settings)
                renewed += 1
    if renewed:
        progress.say(f"{renewed} prediction runs of {document['model']} have the fitted confidence and new alerts")


def shown_confidence(store: Store, settings: PredictSettings) -> dict[str, Any]:
    """Return the project's fitted confidences: model -> its scores and what they were fitted on."""
    found = {name: store.document(CONFIDENCE_KIND, name) or {} for name in store.documents(CONFIDENCE_KIND)}
    return {
        "used": settings.confidence,
        "fits": [
            {
                "model": old_names.model_name(name),
                "scores": document.get("scores", {}),
                "left_out": document.get("left_out", {}),
            }
            for name, document in found.items()
        ],
    }
