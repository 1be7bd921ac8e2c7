"""Resume points: everything that a training needs to go on, as bytes, and whose it is."""

# torch types some of its functions only in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Generator, Mapping
from typing import Any, cast

import torch

import emc.old_names as old_names
from emc.config import CalibrateSettings
from emc.errors import InputError, UsageError
from emc.stages.calibrate.schedule import resolved_precision

_PARTS = ("fingerprint", "step", "weights", "average", "optimizer")
# A setting that changes a number of the training must not stand here: two halves of two trainings would be joined.
_ONLY_CHOOSES_OR_SAVES = {
    "validation",
    "validation_common",
    "budget",
    "certainty",
    "parts",
    "guard",
    "patience",
    "save_every",
    "workers",
    "cache",
}


def pack_state(fingerprint: str, step: int, parts: Mapping[str, Any]) -> bytes:
    """Return a resume point: ``weights``, ``average`` and ``optimizer`` after `step` steps."""
    buffer = io.BytesIO()
    torch.save({"fingerprint": fingerprint, "step": step, **parts}, buffer)
    return buffer.getvalue()


def unpack_state(state: bytes, fingerprint: str) -> dict[str, Any]:
    """Return what `pack_state` packed; raises `InputError` where it is damaged, `UsageError` where it is another's."""
    try:
        # weights_only: a resume point may come with a project from somebody else, and a full pickle runs code.
        saved = cast(dict[str, Any], torch.load(io.BytesIO(state), map_location="cpu", weights_only=True))
        for name in _PARTS:
            saved[name]
    except Exception as error:  # noqa: BLE001  # damaged bytes raise whatever the unpickler stumbles over
        raise InputError(
            f"the resume point ({len(state)} bytes) is damaged ({type(error).__name__}): start the calibration again"
        ) from error
    different = _difference(saved["fingerprint"], fingerprint)
    if different:
        raise UsageError(
            f"the resume point was made with other settings or data ({different}): use the same ones, or start again"
        )
    return saved


@contextlib.contextmanager
def refuse_other_network() -> Generator[None]:
    """Turn what torch says of weights that do not fit into one `UsageError`."""
    try:
        yield
    except (RuntimeError, ValueError, KeyError) as error:
        raise UsageError(
            f"the resume point is another network's ({str(error).splitlines()[0].strip(' :')}): calibrate with the "
            "estimator it was made with, or start again in another folder"
        ) from error


def fingerprint_of(module: torch.nn.Module, settings: CalibrateSettings, targets: int, commons: int) -> str:
    """Return what must be equal for a training to go on; what only chooses or saves may differ."""
    must = settings.model_dump(mode="json", exclude=_ONLY_CHOOSES_OR_SAVES)
    # As resolved, not as set: 'auto' means bfloat16 on one machine and float32 on another, and a training must not
    # change in the middle.
    must["precision"] = resolved_precision(next(module.parameters()).device.type, settings)
    return json.dumps({**must, "targets": targets, "commons": commons})


def _difference(old: str, new: str) -> str:
    """Return what differs; a setting that an older version did not know had its default."""
    stored = old_names.renamed_settings("calibrate", json.loads(old))
    then, now = {**CalibrateSettings.model_validate({}).model_dump(mode="json"), **stored}, json.loads(new)
    names = [name for name in now if then.get(name) != now[name]]
    return ", ".join(f"{name} {then.get(name)} -> {now[name]}" for name in names)
