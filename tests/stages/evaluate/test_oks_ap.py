import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tests.stages.evaluate.scored_people import IMAGE, NAN, crowd, prediction, sample

from emc.errors import UsageError
from emc.pose.metrics.bootstrap import independent_units, resample_weights
from emc.pose.metrics.oks import AP_NAMES, average_precisions
from emc.pose.records import Ignored, Prediction, Sample
from emc.pose.skeletons.skeleton import COCO17, LSP14
from emc.stages.evaluate import Detection, match_detections, match_people

# ap, ap50, ap75, apm, apl, ar among pycocotools' ten figures
REFERENCE_ORDER = [0, 1, 2, 3, 4, 5]


def matched(predicted: list[Prediction], samples: list[Sample]) -> Any:
    unit, _ = independent_units([s.clip for s in samples], [s.frame for s in samples])
    return match_people(predicted, samples, COCO17, unit)


def plain(predicted: list[Prediction], samples: list[Sample]) -> np.ndarray:
    matches = matched(predicted, samples)
    return average_precisions(matches, np.ones((1, matches.positives.shape[1])))[0]


def reference(predicted: list[Prediction], samples: list[Sample], images: list[int]) -> np.ndarray:
    """pycocotools as its manual says: ground truth, `loadRes`, evaluate, accumulate, summarize; -1 becomes NaN."""
    truths, results = [], []
    for i, (p, s) in enumerate(zip(predicted, samples, strict=True)):
        area = s.area if np.isfinite(s.area) else s.box[2] * s.box[3]
        seen = np.concatenate([s.xy, np.asarray(s.visibility)[:, None]], axis=1)
        truths.append(
            {"id": i + 1, "image_id": images[i], "category_id": 1, "iscrowd": 0, "area": float(area),
             "bbox": [float(v) for v in s.box], "keypoints": [float(v) for v in seen.reshape(-1)],
             "num_keypoints": int((np.asarray(s.visibility) > 0).sum())}
        )  # fmt: skip
        found = np.concatenate([p.xy.astype(float), np.ones((17, 1))], axis=1)
        results.append(
            {"image_id": images[i], "category_id": 1, "keypoints": [float(v) for v in found.reshape(-1)],
             "score": float(p.confidence.mean())}
        )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth: Any = COCO()
        truth.dataset = {"images": [{"id": i} for i in sorted(set(images))], "annotations": truths,
                         "categories": [{"id": 1, "name": "person"}]}  # fmt: skip
        truth.createIndex()
        evaluator = COCOeval(truth, truth.loadRes(results), "keypoints")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    stats = np.asarray(evaluator.stats)[REFERENCE_ORDER]
    return np.where(stats < 0, np.nan, stats)


def image_numbers(samples: list[Sample]) -> list[int]:
    keys = [(s.clip, s.frame) for s in samples]
    return [list(dict.fromkeys(keys)).index(key) + 1 for key in keys]


def test_table_by_hand() -> None:
    """Two images of one person each, area 100 x 100 = 10,000 (large), one labelled joint: the nose, sigma 0.026.

    OKS = exp(-d^2 / (2 x 10,000 x (2 x 0.026)^2)) = exp(-d^2 / 54.08).
    Image 1, score 0.9: d^2 = 54.08 x ln(1 / 0.62), OKS 0.62: right at thresholds 0.50, 0.55, 0.60.
    Image 2, score 0.5: exact, right at all ten.
    Thresholds 1-3: both right: precision 1 everywhere, recall 1.
    Thresholds 4-10: wrong, then right: recall 0 up to the first, 1/2 after the second; precision 1/2 for the 51
    recall points 0.00..0.50, else 0: 51 x 0.5 / 101 = 0.252475.
    AP = (3 + 7 x 0.252475) / 10 = 0.476733; AP50 = 1; AP75 = 0.252475; AR = (3 + 7 x 0.5) / 10 = 0.65.
    APl: the first prediction spans 57 x 50 pixels, no large person: unmatched it is ignored, so precision stays 1 up to
    recall 1/2: (3 + 7 x 51 / 101) / 10.
    """
    truth = np.full((17, 2), NAN)
    truth[0] = (50, 50)
    visibility = np.zeros(17, dtype=int)
    visibility[0] = 2
    off = np.zeros((17, 2))
    off[0] = (50 + np.sqrt(54.08 * np.log(1 / 0.62)), 50)
    right = np.zeros((17, 2))
    right[0] = (50, 50)
    samples = [sample(truth, frame=f, visibility=visibility, area=10_000.0) for f in (0, 1)]
    ap, ap50, ap75, apm, apl, ar = plain([prediction(off, 0.9), prediction(right, 0.5)], samples)
    assert (ap50, ar) == (1.0, pytest.approx(0.65))
    assert ap75 == pytest.approx(51 * 0.5 / 101, abs=1e-12)
    assert ap == pytest.approx((3 + 7 * 51 * 0.5 / 101) / 10, abs=1e-12)
    assert apl == pytest.approx((3 + 7 * 51 / 101) / 10, abs=1e-12)
    assert np.isnan(apm)  # no person of medium size


@pytest.mark.parametrize("seed", range(6))
def test_equal_to_pycocotools_on_random_crowds(seed: int) -> None:
    predicted, samples = crowd(seed, clips=6, noise=4)
    expected = reference(predicted, samples, image_numbers(samples))
    assert expected[0] > 0.05
    np.testing.assert_allclose(plain(predicted, samples), expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_resampled_images_equal_pycocotools_on_repeated_images(seed: int) -> None:
    predicted, samples = crowd(seed, clips=6, noise=4, digits=9)
    matches = matched(predicted, samples)
    weights = resample_weights(matches.positives.shape[1], 1, seed)
    repeated_p, repeated_s, images = [], [], []
    for clip in sorted({s.clip for s in samples}):
        for copy in range(int(weights[0, int(clip.removeprefix("clip"))])):
            for p, s in zip(predicted, samples, strict=True):
                if s.clip == clip:
                    repeated_p.append(p)
                    repeated_s.append(s)
                    images.append(int(clip.removeprefix("clip")) * 1000 + copy * 10 + s.frame)
    expected = reference(repeated_p, repeated_s, images)
    np.testing.assert_allclose(average_precisions(matches, weights)[0], expected, atol=1e-9, rtol=0)


@pytest.mark.shared_data
@pytest.mark.parametrize("spread", [0.02, 0.08])
def test_equal_to_pycocotools_on_coco(shared_data: Path, spread: float) -> None:
    raw = json.loads((shared_data / "coco-mini" / "person_keypoints.json").read_text(encoding="utf-8"))
    rng = np.random.default_rng(0)
    predicted, samples = [], []
    for a in raw["annotations"]:
        if not a["num_keypoints"] or a["iscrowd"]:
            continue
        keypoints = np.array(a["keypoints"], dtype=float).reshape(17, 3)
        samples.append(
            Sample(IMAGE, keypoints[:, :2], keypoints[:, 2].astype(int), np.array(a["bbox"]), str(a["image_id"]),
                   "coco", 0, area=a["area"])
        )  # fmt: skip
        noise = rng.normal(0, spread * np.sqrt(a["area"]), (17, 2)) * rng.choice([0.3, 1, 2])
        predicted.append(prediction(keypoints[:, :2] + noise, float(rng.uniform())))
    assert len(samples) > 100
    expected = reference(predicted, samples, image_numbers(samples))
    assert 0.05 < expected[0] < 0.95
    np.testing.assert_allclose(plain(predicted, samples), expected, atol=1e-9, rtol=0)


def test_a_joint_that_was_not_found_has_no_similarity() -> None:
    truth = np.random.default_rng(0).uniform(0, 100, (17, 2))
    lost = truth.copy()
    lost[:8] = NAN  # 9 of 17 joints exact: OKS 0.529, right at 0.50 alone
    figures = plain([prediction(lost)], [sample(truth, area=10_000.0)])
    assert dict(zip(AP_NAMES, figures, strict=True))["ap"] == pytest.approx(0.1)


def test_nothing_is_said_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    plain(*crowd(0, clips=1))
    assert capsys.readouterr().out == ""


def test_a_skeleton_without_sigmas_is_refused() -> None:
    with pytest.raises(UsageError, match="lsp14 has no OKS sigmas"):
        match_people([], [], LSP14, np.zeros(0, dtype=int))


def test_a_prediction_that_fits_somebody_without_joints_counts_nowhere() -> None:
    """Beside one labelled person lies one whom the file lists without joints, and one predicted there first.

    By itself the best scored prediction is wrong: precision 1/2 at every recall. Whoever is without joints has
    similarity 1 to all that lies within twice their box (pycocotools), so with them it is ignored and precision is 1.
    """
    here = np.arange(34, dtype=float).reshape(17, 2)
    samples = [sample(here, area=10_000.0), sample(here, area=10_000.0)]
    predicted = [prediction(here + [500, 0], 0.9), prediction(here, 0.5)]
    unit = np.zeros(1, dtype=int)
    alone = match_people(predicted[1:], samples[:1], COCO17, unit)
    assert average_precisions(alone, np.ones((1, 1)))[0, 0] == pytest.approx(1)
    bare = Ignored("a", 0, (490.0, -10.0, 60.0, 60.0))
    both = match_detections([Detection("a", 0, p.xy.astype(float), float(p.confidence[0])) for p in predicted],
                            samples[:1], COCO17, [("a", 0)], [bare])  # fmt: skip
    assert average_precisions(both, np.ones((1, 1)))[0, 0] == pytest.approx(1)
    without = match_detections([Detection("a", 0, p.xy.astype(float), float(p.confidence[0])) for p in predicted],
                               samples[:1], COCO17, [("a", 0)])  # fmt: skip
    assert average_precisions(without, np.ones((1, 1)))[0, 0] == pytest.approx(0.5)
    # On given boxes: the second of two equal labels stays unmatched, its prediction lies on whom nobody labelled.
    crowded = match_people(predicted, samples, COCO17, np.zeros(2, dtype=int), [bare])
    assert crowded.ignored[0, 0].tolist() == [True, False]
