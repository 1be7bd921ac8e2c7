import json
from dataclasses import replace

import numpy as np
import pytest
from tests.stages.confidence.noted_people import people

from emc.errors import InputError, UsageError
from emc.pose.skeletons.skeleton import COCO17, H36M17
from emc.stages.confidence import ConfidenceModel, fit_confidence, with_confidence
from emc.stages.confidence.model import quantile_knots, standard_scores, to_share


@pytest.fixture(scope="module")
def model() -> ConfidenceModel:
    return fit_confidence(*people(60, 0), COCO17).model


def test_standard_scores_are_ranks() -> None:
    signals = np.arange(101.0).reshape(101, 1, 1)
    knots = quantile_knots(signals, np.ones((101, 1), bool), 5)
    assert knots.tolist() == [[0, 25, 50, 75, 100]]
    scores = standard_scores(np.array([50.0, 75.0, 25.0, 1e9, -1e9, np.nan]).reshape(-1, 1, 1), knots).ravel()
    assert scores[0] == pytest.approx(0, abs=1e-9)
    assert scores[1] == pytest.approx(-scores[2])
    assert scores[1] == pytest.approx(0.661, abs=0.002)  # the normal score of 0.746
    assert scores[3] == pytest.approx(2.409, abs=0.002)
    assert scores[4] == pytest.approx(-2.409, abs=0.002)
    assert scores[5] == 0.0


def test_ties_get_the_middle_of_their_ranks() -> None:
    signals = np.array([0.0, 0, 0, 0, 1]).reshape(5, 1, 1)
    knots = quantile_knots(signals, np.ones((5, 1), bool), 5)
    scores = standard_scores(signals, knots).ravel()
    assert scores[0] == pytest.approx(-0.314, abs=0.01)  # rank 1.5 of 4
    assert scores[4] > 2
    # A signal that never changes says nothing.
    assert standard_scores(signals, np.zeros((1, 5))).tolist() == np.zeros((5, 1, 1)).tolist()


def test_shares_mix_curve_and_logistic_by_labels() -> None:
    curve = (np.array([-1.0, 1.0]), np.array([0.2, 0.8]))
    none = (np.zeros(0), np.zeros(0))
    share = to_share(np.zeros((1, 2)), [curve, none], np.array([100, 0]))
    assert share[0] == pytest.approx([0.5, 0.5])
    share = to_share(np.full((1, 2), 1.0), [curve, none], np.array([300, 0]))
    logistic = 1 / (1 + np.exp(-1))
    assert share[0] == pytest.approx([0.75 * 0.8 + 0.25 * logistic, logistic])


def test_json_gives_the_same_confidence(model: ConfidenceModel) -> None:
    seen, _, _ = people(5, 1)
    read = ConfidenceModel.from_json(json.loads(json.dumps(model.as_json())))
    for a, b in zip(with_confidence(seen, model, COCO17), with_confidence(seen, read, COCO17), strict=True):
        np.testing.assert_allclose(a.confidence, b.confidence, atol=1e-4)
    assert read.kind == model.kind


def test_applying_twice_changes_nothing(model: ConfidenceModel) -> None:
    seen, _, _ = people(3, 2)
    once = with_confidence(seen, model, COCO17)
    twice = with_confidence(once, model, COCO17)
    np.testing.assert_array_equal(once[0].confidence, twice[0].confidence)
    assert once[0].confidence.dtype == np.float32
    assert not np.allclose(once[0].confidence, seen[0].confidence)


def test_a_joint_that_was_not_found_has_no_confidence(model: ConfidenceModel) -> None:
    person = people(1, 3)[0][0]
    xy = person.xy.copy()
    xy[4] = np.nan
    found = with_confidence([replace(person, xy=xy)], model, COCO17)[0].confidence
    assert found[4] == 0.0
    assert (found[:4] > 0).all()
    assert with_confidence([], model, COCO17) == []


def test_errors_say_fit_again(model: ConfidenceModel) -> None:
    seen, _, _ = people(1, 4)
    with pytest.raises(UsageError, match="skeleton coco17, not h36m17"):
        with_confidence(seen, model, H36M17)
    with pytest.raises(UsageError, match="2 signals per joint"):
        with_confidence([replace(seen[0], features=None)], model, COCO17)
    document = model.as_json()
    with pytest.raises(InputError, match="version 99"):
        ConfidenceModel.from_json(document | {"version": 99})
    with pytest.raises(InputError, match=r"my\.json is no fitted confidence"):
        ConfidenceModel.from_json({"version": 1}, "my.json")
    with pytest.raises(InputError, match="weights"):
        ConfidenceModel.from_json(document | {"weights": [[0.0]]})
