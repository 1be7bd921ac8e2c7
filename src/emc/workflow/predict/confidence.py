"""The fitted confidence of a model: where it is stored, and its use on predictions."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import emc.old_names as old_names
from emc.config import PredictSettings
from emc.interfaces import Store
from emc.pose.records import Prediction, Role
from emc.pose.skeletons import Skeleton
from emc.stages.confidence import ConfidenceModel, with_confidence
from emc.workflow.files import read_json

CONFIDENCE_KIND = "confidence"
"""Kind of the project's documents; their name is the model's key, so that other weights never borrow a fit."""
CONFIDENCE_FILE = "confidence.json"
"""The same document in the folder of a saved model, for other projects."""


@dataclass(frozen=True, slots=True)
class ConfidenceByRole:
    """The fitted confidences of one model, by role of the clip; a role that was not fitted keeps the model's own."""

    roles: Mapping[Role, ConfidenceModel] = field(default_factory=dict[Role, ConfidenceModel])

    def apply(self, predictions: Sequence[Prediction], role: Role, skeleton: Skeleton) -> list[Prediction]:
        """Return the predictions with the fitted confidence where there is one for the role."""
        model = self.roles.get(role)
        return list(predictions) if model is None else with_confidence(predictions, model, skeleton)


def read_confidence(store: Store, model: str, settings: PredictSettings) -> ConfidenceByRole:
    """Return the fits of a model: the project's, else the saved model's, else the package's, else none."""
    if settings.confidence == "raw":
        return ConfidenceByRole()
    documents = (store.document(CONFIDENCE_KIND, name) for name in old_names.model_names(model))
    document = next((one for one in documents if one is not None), None)
    if document is not None:
        return confidence_from(document, f"confidence of {model} in {store.folder}")
    file = Path(settings.estimator) / CONFIDENCE_FILE
    found = read_json(file) or packaged_confidence(model)
    return ConfidenceByRole() if found is None else confidence_from(found, str(file))


def packaged_confidence(model: str) -> dict[str, Any] | None:
    """Return the fit that the package has for published weights, by the model's key; None where it has none."""
    file = importlib.resources.files("emc.assets") / "confidence" / f"{model}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def confidence_from(document: Mapping[str, Any], origin: str) -> ConfidenceByRole:
    """Return the fits of a fitted confidence document; raises `InputError` that names `origin`."""
    roles = document.get("roles") or {}
    return ConfidenceByRole(
        {Role(role): ConfidenceModel.from_json(one, f"{origin}, {role}") for role, one in roles.items()}
    )
