import json
from dataclasses import replace

import numpy as np
import pytest
from tests.stages.evaluate.scored_people import NAN, crowd, prediction, sample

from emc.errors import ShapeMismatch, UsageError
from emc.pose.skeletons.skeleton import COCO17, LSP14
from emc.stages.evaluate import evaluate_population, joint_hits, score_population

HIPS = [COCO17.index("left_hip"), COCO17.index("right_hip")]


def test_table_by_hand() -> None:
    """Two persons, head 10 px, alpha 0.5: a joint is right up to 5 px.

    | person | hips      | knees             | ankles          | others |
    | 1      | 0 px, 5 px | 5.1 px, not found | 0, unlabelled  | 0      |
    | 2      | 0 px, 0 px | 0, 0              | 20 px, 20 px   | 0      |
    hip 4/4, knee 2/4, ankle 1/3, leg 7/11, total: 33 labelled, 29 right.
    """
    at = {joint: i for i, joint in enumerate(COCO17.joints)}
    truth = np.stack([np.arange(17) * 40.0, np.zeros(17)], axis=1)
    first, second = truth.copy(), truth.copy()
    first[at["right_hip"], 0] += 5
    first[at["left_knee"], 1] += 5.1
    first[at["right_knee"]] = NAN
    second[[at["left_ankle"], at["right_ankle"]], 1] += 20
    visibility = np.full(17, 2)
    visibility[at["right_ankle"]] = 0
    visibility[at["nose"]] = 1  # occluded but placed: it counts
    samples = [sample(truth, frame=0, visibility=visibility), sample(truth, frame=1)]
    scores = score_population([prediction(first), prediction(second)], samples, COCO17, bootstrap=20)
    pckh = {part: (f["value"], f["n"]) for part, f in scores["pckh"].items()}  # type: ignore[union-attr]
    assert pckh == {
        "hip": (1.0, 4), "knee": (0.5, 4), "ankle": (1 / 3, 3), "leg": (7 / 11, 11),
        "shoulder": (1.0, 4), "elbow": (1.0, 4), "wrist": (1.0, 4), "total": (29 / 33, 33),
    }  # fmt: skip
    assert (scores["head_size"], scores["alpha"]) == ("head_segment", 0.5)
    # Two frames are too few for an interval, and nobody has an area: no AP.
    assert all(f["ci95"] is None for f in scores["pckh"].values())  # type: ignore[union-attr]
    assert "ap" not in scores
    assert (scores["unit"], scores["units"]) == ("frame", 2)


def test_pck_torso_is_relative_to_right_shoulder_left_hip() -> None:
    truth = np.zeros((17, 2))
    truth[COCO17.index("left_hip")] = (0, 100)  # torso 100 px: a joint is right up to 20 px
    moved = truth.copy()
    moved[COCO17.index("left_knee"), 0] = 20
    moved[COCO17.index("right_knee"), 0] = 21
    torso = score_population([prediction(moved)], [sample(truth)], COCO17, bootstrap=0)["pck_torso_02"]
    assert torso["knee"]["value"] == 0.5  # type: ignore[index]


def test_curve_rises_to_the_score_and_has_its_area() -> None:
    truth = np.zeros((17, 2))
    moved = truth.copy()
    moved[:, 0] = 2.5  # a quarter of the head, exactly representable
    curve = score_population([prediction(moved)], [sample(truth)], COCO17, bootstrap=0)["curve"]
    at = dict(zip(curve["alphas"], curve["pckh"]["total"], strict=True))  # type: ignore[index]
    assert (at[0.0], at[0.24], at[0.26], at[1.0]) == (0.0, 0.0, 1.0, 1.0)
    # From 0.24 to 0.26 the trapezoid rises: 0.01 + 0.74.
    assert curve["area"]["total"]["value"] == pytest.approx(0.75)  # type: ignore[index]


def test_unknown_head_is_left_out_and_counted() -> None:
    truth = np.zeros((17, 2))
    scores = score_population(
        [prediction(truth + 100), prediction(truth)], [sample(truth, head=NAN), sample(truth)], COCO17, bootstrap=0
    )
    assert scores["left_out"] == 1
    assert scores["pckh"]["total"] == {"value": 1.0, "ci95": None, "n": 17}  # type: ignore[index]


def test_no_head_at_all_names_what_is_known() -> None:
    with pytest.raises(UsageError, match=r"head_segment.*unknown for all 1.*torso \(100%\).*bbox \(100%\)"):
        truth = np.arange(34.0).reshape(17, 2)
        score_population([prediction(truth)], [sample(truth, head=NAN)], COCO17)


def test_bad_input_is_named() -> None:
    truth = np.zeros((17, 2))
    with pytest.raises(UsageError, match="no labelled person"):
        score_population([], [], COCO17)
    with pytest.raises(ShapeMismatch, match="2 predictions for 1 labelled"):
        score_population([prediction(truth)] * 2, [sample(truth)], COCO17)
    with pytest.raises(ShapeMismatch, match="14 joints, its label 17"):
        score_population([prediction(np.zeros((14, 2)))], [sample(truth)], COCO17)


def test_a_skeleton_without_sigmas_has_no_ap_but_scores() -> None:
    truth = np.arange(28.0).reshape(14, 2)
    scores = score_population([prediction(truth)], [sample(truth, area=100.0)], LSP14, bootstrap=0)
    assert scores["pckh"]["total"]["value"] == 1.0  # type: ignore[index]
    assert "ap" not in scores


def test_intervals_hold_the_value_repeat_and_are_json() -> None:
    predicted, samples = crowd(1)
    scores = score_population(predicted, samples, COCO17, bootstrap=200, seed=5)
    assert scores["unit"] == "clip"
    for figures in (scores["pckh"], scores["pck_torso_02"], scores["curve"]["area"]):  # type: ignore[index]
        for figure in figures.values():  # type: ignore[union-attr]
            low, high = figure["ci95"]
            assert low < figure["value"] < high
    assert scores["ap"]["ci95"][0] < scores["ap"]["value"] < scores["ap"]["ci95"][1]  # type: ignore[index]
    assert scores["ap"]["n"] == 32  # type: ignore[index]
    assert scores == score_population(predicted, samples, COCO17, bootstrap=200, seed=5)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_hits_are_those_that_are_scored() -> None:
    predicted, samples = crowd(2)
    scores = evaluate_population(predicted, samples, COCO17, bootstrap=0)
    hits = joint_hits(predicted, samples, COCO17, "head_segment", 0.5)
    np.testing.assert_array_equal(scores.hits, hits)
    assert np.nanmean(hits[:, HIPS]) == pytest.approx(scores.document["pckh"]["hip"]["value"])  # type: ignore[index]


def test_a_torso_that_is_not_labelled_is_taken_from_the_prediction_and_counted() -> None:
    truth = np.full((17, 2), NAN)
    truth[COCO17.index("left_knee")] = (0, 0)
    visibility = np.zeros(17, dtype=int)
    visibility[COCO17.index("left_knee")] = 2
    found = np.zeros((17, 2))
    found[COCO17.index("left_knee")] = (30, 0)
    known = replace(sample(truth, head=NAN, visibility=visibility), torso=100.0)
    unknown = sample(truth, head=NAN, visibility=visibility)
    scores = score_population([prediction(found), prediction(found)], [known, unknown], COCO17, "torso", bootstrap=0)
    assert scores["pckh"]["knee"]["value"] == 1.0  # type: ignore[index]
    assert (scores["estimated"], scores["left_out"]) == (1, 1)
    with pytest.raises(UsageError, match="needs right shoulder and left hip, labelled or predicted"):
        score_population([prediction(found)], [unknown], COCO17, "torso", bootstrap=0)
