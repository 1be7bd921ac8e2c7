"""`auto`: the best estimator that is at hand, said in one line with how to get a better one."""

from __future__ import annotations

import importlib.util
import logging
import os
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emc.plugins as plugins
from emc.config import KEPT
from emc.errors import EmcError, UsageError
from emc.estimators.vitpose import VITPOSE_VARIANTS as VITPOSE
from emc.weights.hub import INSTALL, fetching
from emc.weights.published import local, published_named
from emc.weights.published import offline as offline_by_setting

HERE = "here"
HUB = ("huggingface.co", 443)
PATIENCE = 2.5
"""Seconds after which a hub that does not answer counts as out of reach."""
PREFERRED = "vitpose-plus-s"
BY_NAME = ""
"""Which of the networks that are fetched by name comes before `nano`, such as ``movenet-thunder``; "": none."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which estimator `auto` takes. why : in a few words. better : how to get a better one, "" where there is none.

    fetch : its weights must be downloaded first.
    """

    name: str
    why: str
    better: str = ""
    fetch: bool = False

    @property
    def line(self) -> str:
        """What the user is told."""
        return f"auto: {self.name} ({self.why})" + (f"; for a better one: {self.better}" if self.better else "")


def auto_estimator(weights: Path | str | None = None) -> Any:
    """Return the best estimator that is at hand; the plug-in ``auto``.

    weights : ``here`` forbids downloads (``predict.estimator = "auto:here"``), as ``HF_HUB_OFFLINE=1`` does; the name
    of an estimator is a choice that a project made before and keeps. Where a download fails, the next best takes its
    place. Raises `UsageError` for other weights, and what the estimator raises where a kept one cannot be used.
    """
    if weights is not None and str(weights) in plugins.plugin_names("estimators"):
        return _kept(str(weights))
    if weights not in (None, HERE):
        raise UsageError(f"auto:{weights} is unknown: use auto, or auto:here for what is on this machine alone")
    chosen = choose(downloads=weights is None)
    if chosen.fetch:
        try:
            made = plugins.make_plugin("estimators", chosen.name)
            _ = made.module  # Downloads now, so that a failure can still be answered by the next best.
        except EmcError as error:
            chosen = choose(downloads=False)
            _say(f"{chosen.line} ({error})")
            return plugins.make_plugin("estimators", chosen.name)
        _say(chosen.line)
        return made
    _say(chosen.line)
    return plugins.make_plugin("estimators", chosen.name)


def _kept(name: str) -> Any:
    now = choose(downloads=False)
    line = f"auto: {name}, as this project began"
    if now.name == name:
        line += f"; for a better one: {now.better}" if now.better else ""
    else:
        line += (
            f"; {now.name} ({now.why}) would be taken today: --estimator {now.name}, or delete {KEPT} of the project"
        )
    _say(line)
    return plugins.make_plugin("estimators", name)


def choose(downloads: bool = True) -> Choice:
    """Return what `auto` takes: ViTPose, else Keypoint R-CNN, else the embedded `nano`.

    Of several ViTPose at hand the one with the highest COCO AP is taken. downloads : whether ViTPose may be fetched
    where its extra is installed and the hub answers within seconds; never with ``HF_HUB_OFFLINE``.
    """
    extra = importlib.util.find_spec("transformers") is not None
    found = _best_vitpose() if extra else None
    if found is not None:
        return Choice(found, f"COCO AP {VITPOSE[found].coco_ap}, weights at hand")
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    hub = importlib.util.find_spec("huggingface_hub") is not None
    if extra and hub and downloads and not offline and reachable(*HUB):
        size = VITPOSE[PREFERRED].megabytes
        ap = VITPOSE[PREFERRED].coco_ap
        return Choice(PREFERRED, f"COCO AP {ap}, {size} MB fetched once", fetch=True)
    wanted = VITPOSE[PREFERRED]
    fetch = f"`{fetching(wanted.repository, wanted.revision)}`"
    better = f"{fetch} where there is a network" if extra else f"{INSTALL}, then {fetch}"
    rcnn = _best_rcnn()
    if rcnn is not None:
        return Choice(rcnn[0], f"COCO AP {rcnn[1]}, weights at hand", better)
    if BY_NAME and local(BY_NAME) is not None:
        return Choice(BY_NAME, "weights at hand", better)
    if BY_NAME and downloads and not offline_by_setting():
        return Choice(BY_NAME, f"{published_named(BY_NAME).megabytes} MB fetched once", better, fetch=True)
    return Choice("nano", "embedded, for simple footage", better)


def reachable(host: str, port: int, patience: float = PATIENCE) -> bool:
    """Return whether a host takes a connection within `patience` seconds, its name looked up included."""
    answers: list[bool] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=patience).close()
        except OSError:
            return
        answers.append(True)

    # A name server that does not answer cannot be timed out: the thread is left behind.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(patience)
    return bool(answers)


def _best_vitpose() -> str | None:
    from emc.estimators.vitpose import local_weights

    here = [one for one in VITPOSE.values() if local_weights(one) is not None]
    return max(here, key=lambda one: (one.coco_ap, -one.parameters)).name if here else None


def _best_rcnn() -> tuple[str, float] | None:
    from emc.estimators.keypoint_rcnn import RCNN_VARIANTS as KEYPOINT_RCNN
    from emc.estimators.keypoint_rcnn import local_weights

    here = [one for one in KEYPOINT_RCNN.values() if local_weights(one) is not None]
    best = max(here, key=lambda one: one.coco_ap, default=None)
    return (best.name, best.coco_ap) if best is not None else None


def _say(line: str) -> None:
    # A warning reaches stderr also where nobody has set up logging, so every way in tells which model it is.
    logging.getLogger("emc").warning(line)
