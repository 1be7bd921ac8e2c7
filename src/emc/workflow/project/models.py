"""The models of a project: what `auto` chose when it began, or what it was predicted with since."""

from __future__ import annotations

from pathlib import Path

import emc.plugins as plugins
from emc.config import AUTO, KEPT, PredictSettings, Settings
from emc.interfaces import Progress, Store
from emc.workflow.files import write_bytes

_NOTE = "# the models of this project: used where no others are asked for; delete this file to choose again\n"
_PLAIN = "nano"
"""Who asks for this estimator by name asked for one that needs no download."""


def with_models(store: Store, settings: Settings, progress: Progress) -> Settings:
    """Return settings that name an estimator and a detector in place of ``auto``; what is chosen is kept, told once."""
    from emc.estimators.auto import choose, people_detector

    predict = settings.predict
    estimator, detector = predict.estimator, predict.detector
    word, _, place = estimator.partition(":")
    if word == AUTO:
        chosen = choose(place != "here", predict.fast or place == "fast", progress)
        progress.say(chosen.line)
        estimator = chosen.estimator
        detector = chosen.detector if detector == AUTO else detector
        _keep(store.folder / KEPT, estimator, chosen.detector, predict.fast)
    if detector == AUTO:
        asked_for = estimator.removesuffix(plugins.ADAPTIVE).rpartition(":")[2]
        detector = _detector_so_far(store) or people_detector(asked_for != _PLAIN, progress)
    named = PredictSettings.model_validate(predict.model_dump() | {"estimator": estimator, "detector": detector})
    return settings.model_copy(update={"predict": named})


def keep_models(store: Store, predict: PredictSettings) -> None:
    """Let the estimator and detector of a prediction be the project's, so that the same estimator is calibrated.

    Files and folders of saved models never become the project's: calibrations start from what they came from.
    """
    if plugins.is_named_estimator(predict.estimator):
        _keep(store.folder / KEPT, predict.estimator, predict.detector, predict.fast)


def _detector_so_far(store: Store) -> str:
    """Return the detector of the project's newest run that has one, "" where none has."""
    found = [str(run.settings.get("detector", "")) for run in store.runs()]
    return next((name for name in reversed(found) if name in plugins.plugin_names("detectors")), "")


def _keep(file: Path, estimator: str, detector: str, fast: bool) -> None:
    models = f'estimator = "{estimator}"\ndetector = "{detector}"\n'
    if not file.is_file() or models not in file.read_text(encoding="utf-8"):
        write_bytes(file, (_NOTE + models + ("fast = true\n" if fast else "")).encode())
