"""Published weights brought to this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emc.estimators.onnx import PUBLISHED_ONNX, fetched_onnx
from emc.interfaces import Progress
from emc.weights.published import fetched, published_named, read_published


def get_models(names: Sequence[str], progress: Progress) -> dict[str, Any]:
    """Fetch published weights where need be, check them, and return where each is.

    Raises `UsageError` for a name that is not published, before anything is fetched; `WeightsError` that lists what
    was tried where weights cannot be had, or names a file that is not as published.
    """
    for name in names:
        if name not in PUBLISHED_ONNX:
            published_named(name)
    rows: list[dict[str, Any]] = []
    for name in names:
        if name in PUBLISHED_ONNX:
            rows.append(fetched_onnx(name, progress))
            continue
        one = published_named(name)
        folder = fetched(one.name, progress)
        read_published(one.name)
        facts = {"licence": one.licence, "source": one.source, "megabytes": one.megabytes}
        rows.append({"name": one.name, "folder": str(folder), **facts})
    return {"models": rows}
