"""Whose word a label is: what EMC's own files say of each joint, and what the user says of a file of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from emc.errors import InputError, UsageError
from emc.pose.labels import LabelledPerson
from emc.pose.records import Provenance

WORDS = {provenance.name.lower(): provenance for provenance in Provenance}
KINDS = {"human": Provenance.HUMAN, "model": Provenance.MODEL}
"""What a file of others may be taken as."""


def taken_as(word: str) -> Provenance:
    """Return what ``--as`` means ("": human); raises `UsageError` for another word."""
    if word and word not in KINDS:
        raise UsageError(f"--as {word} is unknown: use human (somebody placed the joints) or model")
    return KINDS[word or "human"]


def says_provenance(person: LabelledPerson) -> bool:
    """Return whether a label says of each joint who placed it, as EMC's own files do."""
    return "provenance" in person.extra


def provenance_of(person: LabelledPerson, otherwise: Provenance, where: str) -> np.ndarray:
    """Return (J,) int8 of `Provenance`: what the label says of each joint, else `otherwise`.

    What EMC wrote as a model's never comes back as a person's. Raises `InputError` that names `where` and the word.
    """
    joints = len(person.xy)
    said: Any = person.extra.get("provenance")
    if said is None:
        return np.full(joints, otherwise, dtype=np.int8)
    if not isinstance(said, list) or len(said) != joints:
        raise InputError(f"{where} has 'provenance' {said!r:.60}: write one word for each of its {joints} joints")
    unknown = next((word for word in said if not isinstance(word, str) or word not in WORDS), None)
    if unknown is not None:
        raise InputError(f"{where} has {unknown!r:.40} in 'provenance': use {', '.join(WORDS)}")
    return np.array([WORDS[word] for word in said], dtype=np.int8)


def confidence_of(person: LabelledPerson, where: str) -> np.ndarray:
    """Return (J,) float32 confidence of a predicted person: the file's own for each joint, else its score, else 1.

    Raises `InputError` that names `where`.
    """
    joints = len(person.xy)
    said: Any = person.extra.get("confidence")
    if isinstance(said, list):
        numbers = [value for value in said if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(said) != joints or len(numbers) != joints:
            raise InputError(f"{where} has 'confidence' {said!r:.60}: write one number for each of its {joints} joints")
        return np.clip(np.array(numbers, dtype=np.float32), 0, 1)
    score = 1.0 if person.score is None else person.score
    return np.full(joints, np.clip(score, 0, 1), dtype=np.float32)
