"""`auto`: MoveNet, fetched once; where it cannot be had, the embedded models. What was chosen is told in one line."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emc.plugins as plugins
from emc.errors import EmcError, UsageError
from emc.interfaces import Progress
from emc.weights.published import OFFLINE, fetched, local, offline

BEST, FAST = "movenet-thunder", "movenet-lightning"
PEOPLE = "movenet-multipose"
EMBEDDED = ("nano", "embedded")
"""Estimator and detector that are part of the package."""
HERE, QUICK = "here", "fast"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which estimator and detector `auto` takes. missing : why they are not those wanted, "" where they are."""

    estimator: str
    detector: str
    missing: str = ""

    @property
    def line(self) -> str:
        """What the user is told."""
        told = f"auto: {self.estimator}, persons found by {self.detector}"
        return f"{told}: {self.missing}" if self.missing else f"{told} (others: `emc models`)"


def auto_estimator(weights: Path | str | None = None) -> Any:
    """Return the estimator that `choose` takes; the plug-in ``auto``.

    weights : ``here`` forbids downloads, as ``EMC_OFFLINE=1`` does; ``fast`` takes the smaller network. Raises
    `UsageError` for others.
    """
    if weights not in (None, HERE, QUICK):
        raise UsageError(
            f"auto:{weights} is unknown: use auto, auto:{QUICK}, or auto:{HERE} for what is on this machine"
        )
    chosen = choose(downloads=weights != HERE, fast=weights == QUICK)
    # A warning reaches stderr also where nobody has set up logging, so every way in tells which model it is.
    logging.getLogger("emc").warning(chosen.line)
    return plugins.estimator_for(chosen.estimator)


def choose(downloads: bool = True, fast: bool = False, progress: Progress | None = None) -> Choice:
    """Return what `auto` takes, after fetching its weights where that is allowed and they are not here.

    `BEST` (with `fast`: `FAST`), else the other one if that is here, else `nano`; persons who are unsure, lying or
    inverted are read at several rotations by either MoveNet. Persons are found by `PEOPLE`, else by the embedded
    detector. progress : who is told of a download.
    """
    wanted, second = (FAST, BEST) if fast else (BEST, FAST)
    missing = _lacking((wanted, PEOPLE), downloads, progress)
    found = next((name for name in (wanted, second) if local(name) is not None), None)
    return Choice(EMBEDDED[0] if found is None else found + plugins.ADAPTIVE, people_detector(downloads=False), missing)


def people_detector(downloads: bool = True, progress: Progress | None = None) -> str:
    """Return the detector that is best at hand, fetched where that is allowed and need be."""
    return EMBEDDED[1] if local(PEOPLE) is None else PEOPLE


def _lacking(names: tuple[str, ...], downloads: bool, progress: Progress | None) -> str:
    """Fetch what of `names` is not here; return in words what could not be had, "" where all is here."""
    lacking = [name for name in names if local(name) is None]
    if not lacking:
        return ""
    if not downloads or offline():
        are = "is" if len(lacking) == 1 else "are"
        how = "fetches them" + (f" once {OFFLINE[0]} is unset" if offline() else "")
        return f"{' and '.join(lacking)} {are} not on this machine; `emc models get {' '.join(lacking)}` {how}"
    try:
        for name in lacking:
            fetched(name, progress)
    except EmcError as error:
        return str(error)
    return ""
