from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emc.errors import InputError, UsageError
from emc.pose.labels import LabelledPerson
from emc.pose.records import Provenance
from emc.workflow.labels.vouching import confidence_of, provenance_of, taken_as


def person(score: float | None = None, **extra: Any) -> LabelledPerson:
    return LabelledPerson(1, 2, np.zeros((3, 2)), np.full(3, 2, np.int8), score=score, extra=extra)


def test_what_the_user_says_of_a_file() -> None:
    assert (taken_as(""), taken_as("human"), taken_as("model")) == (
        Provenance.HUMAN, Provenance.HUMAN, Provenance.MODEL,
    )  # fmt: skip
    with pytest.raises(UsageError, match="--as robot is unknown: use human"):
        taken_as("robot")


def test_a_file_that_says_it_itself_is_believed_before_the_user() -> None:
    own = person(provenance=["model", "propagated", "confirmed"])
    assert provenance_of(own, Provenance.HUMAN, "x").tolist() == [0, 1, 3]
    assert provenance_of(person(), Provenance.HUMAN, "x").tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["model"], "x has 'provenance' .*: write one word for each of its 3 joints"),
        (["model", "human", "god"], "x has 'god' in 'provenance': use model, propagated, human, confirmed"),
        ("human", "x has 'provenance' 'human'"),
    ],
)
def test_strange_words_are_refused(said: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        provenance_of(person(provenance=said), Provenance.HUMAN, "x")


def test_confidence_is_the_files_own_else_the_score_else_one() -> None:
    assert confidence_of(person(confidence=[0.25, 1, 2]), "x").tolist() == [0.25, 1, 1]
    assert confidence_of(person(score=0.5), "x").tolist() == [0.5] * 3
    assert confidence_of(person(), "x").tolist() == [1] * 3
    with pytest.raises(InputError, match="x has 'confidence' .*: write one number for each of its 3 joints"):
        confidence_of(person(confidence=[0.5, "x", 1]), "x")
