import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emc.errors import ShapeMismatch, UsageError
from emc.pose.metrics.pck import (
    CURVE_ALPHAS,
    METRICS,
    Labels,
    curve_areas,
    head_sizes,
    hits_within,
    known_head_sizes,
    pck,
    pck_curve,
    relative_errors,
    stack_labels,
)
from emc.pose.records import Direction, Sample
from emc.pose.skeletons.skeleton import COCO17, LSP14

NAN = float("nan")


def labels_of(xy: list[list[list[float]]], visibility: list[list[int]]) -> Labels:
    people = len(xy)
    return Labels(
        np.array(xy, dtype=float),
        np.array(visibility),
        np.zeros((people, 4)),
        np.full(people, NAN),
        np.full(people, NAN),
    )


def coco_labels(**joints: tuple[float, float]) -> Labels:
    xy = np.full((1, 17, 2), NAN)
    visibility = np.zeros((1, 17), dtype=int)
    for joint, at in joints.items():
        xy[0, COCO17.index(joint)] = at
        visibility[0, COCO17.index(joint)] = 2
    return Labels(xy, visibility, np.array([[3.0, 4.0, 20.0, 50.0]]), np.array([NAN]), np.array([NAN]))


def test_relative_errors_by_hand() -> None:
    #            joint 0: 3-4-5 / 10 = 0.5   joint 1: not found -> inf   joint 2: unlabelled -> NaN
    labels = labels_of([[[0, 0], [5, 5], [NAN, NAN]], [[1, 1], [1, 1], [1, 1]]], [[2, 1, 0], [2, 2, 2]])
    predicted = np.array([[[3, 4], [NAN, NAN], [9, 9]], [[1, 1], [1, 1], [1, 1]]])
    errors = relative_errors(predicted, labels, np.array([10.0, NAN]))
    assert errors[0].tolist()[:2] == [0.5, np.inf]
    assert np.isnan(errors[0, 2])
    assert np.isnan(errors[1]).all()  # the second person's scale is unknown
    assert hits_within(errors, 0.5)[0].tolist()[:2] == [1.0, 0.0]  # exactly alpha is right
    assert pck(errors, 0.5) == 0.5
    assert pck(errors, 0.499) == 0.0


def test_a_label_without_visibility_counts_nowhere_even_with_coordinates() -> None:
    labels = labels_of([[[0, 0], [5, 5]]], [[2, 0]])
    assert np.isnan(relative_errors(np.zeros((1, 2, 2)), labels, np.ones(1))[0, 1])


def test_no_joint_is_no_score() -> None:
    assert np.isnan(pck(np.array([NAN, NAN]), 0.5))
    assert np.isnan(pck_curve(np.array([NAN]))).all()


def test_shapes_are_named() -> None:
    labels = labels_of([[[0, 0]]], [[2]])
    with pytest.raises(ShapeMismatch, match=r"\(1, 2, 2\).*\(1, 1, 2\)"):
        relative_errors(np.zeros((1, 2, 2)), labels, np.ones(1))


def test_curve_and_area_by_hand() -> None:
    # Errors 0.25 and not found: 0 below 0.25, then one half.
    alphas = np.array([0.0, 0.25, 0.5, 1.0])
    errors = np.array([0.25, np.inf])
    assert pck_curve(errors, alphas).tolist() == [0.0, 0.5, 0.5, 0.5]
    # Trapezoids: 0.25 x 0.25 + 0.25 x 0.5 + 0.5 x 0.5 = 0.0625 + 0.125 + 0.25
    assert np.trapezoid(pck_curve(errors, alphas), alphas) == 0.4375
    # Alone, the first joint's: 0.25 x 0.5 + 0.25 + 0.5 = 0.875; the lost one's 0; their mean is the pooled area.
    assert curve_areas(errors, alphas).tolist() == [0.875, 0.0]


@given(st.lists(st.floats(0, 2) | st.just(float("inf")), min_size=1, max_size=30))
def test_mean_of_areas_is_the_area_of_the_pooled_curve(values: list[float]) -> None:
    errors = np.array(values)
    pooled = np.trapezoid(pck_curve(errors), CURVE_ALPHAS)
    assert curve_areas(errors).mean() == pytest.approx(pooled, abs=1e-12)


@given(
    st.integers(0, 10_000),
    st.floats(0.1, 50),
    st.floats(-100, 100),
)
def test_pck_does_not_care_where_or_how_large_the_person_is(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    labels = labels_of(rng.uniform(0, 100, (4, 3, 2)).tolist(), [[2, 2, 2]] * 4)
    predicted = labels.xy + rng.normal(0, 6, labels.xy.shape)
    moved = Labels(labels.xy * scale + shift, labels.visibility, labels.box, labels.head, labels.area)
    before = relative_errors(predicted, labels, np.full(4, 10.0))
    after = relative_errors(predicted * scale + shift, moved, np.full(4, 10.0 * scale))
    np.testing.assert_allclose(before, after, rtol=1e-6, atol=1e-6)


def test_head_sizes_by_hand() -> None:
    labels = coco_labels(left_ear=(0, 0), right_ear=(6, 8), nose=(3, 1), right_shoulder=(0, 30), left_hip=(5, 42))
    assert head_sizes(labels, COCO17, "ears").tolist() == [10.0]
    assert head_sizes(labels, COCO17, "torso").tolist() == [13.0]  # 5-12-13
    assert head_sizes(labels, COCO17, "bbox").tolist() == [50.0]
    assert head_sizes(labels, COCO17, "face_box").tolist() == [10.0]  # x 0..6, y 0..8
    assert np.isnan(head_sizes(labels, COCO17, "head_segment")).all()
    two_face_joints = coco_labels(left_ear=(0, 0), right_ear=(6, 8))
    assert np.isnan(head_sizes(two_face_joints, COCO17, "face_box")).all()


def test_head_segment_prefers_the_given_length_and_measures_it_else() -> None:
    xy = np.zeros((2, 14, 2))
    xy[:, LSP14.index("neck")] = (0, 10)
    labels = Labels(xy, np.full((2, 14), 2), np.zeros((2, 4)), np.array([NAN, 7.0]), np.full(2, NAN))
    assert head_sizes(labels, LSP14, "head_segment").tolist() == [10.0, 7.0]


def test_a_head_of_no_size_is_unknown() -> None:
    assert np.isnan(head_sizes(coco_labels(left_ear=(1, 1), right_ear=(1, 1)), COCO17, "ears")).all()


def test_unknown_head_size_names_the_choices() -> None:
    with pytest.raises(UsageError, match="head_segment, mpii_box, face_box, ears, torso, bbox"):
        head_sizes(coco_labels(), COCO17, "skull")
    with pytest.raises(UsageError, match="lsp14 has no joint left_ear"):
        head_sizes(labels_of(np.zeros((1, 14, 2)).tolist(), [[2] * 14]), LSP14, "ears")


def test_known_shares_and_wrong_shapes() -> None:
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    visible = np.full(17, 2)
    sample = Sample(image, np.arange(34.0).reshape(17, 2), visible, np.array([0, 0, 3, 3.0]), "a", "a", 0)
    shares = known_head_sizes([sample], COCO17)
    assert shares == {
        "head_segment": 0.0, "mpii_box": 0.0, "face_box": 1.0, "ears": 1.0, "torso": 1.0, "bbox": 1.0
    }  # fmt: skip
    assert known_head_sizes([], LSP14)["ears"] == 0.0
    with pytest.raises(ShapeMismatch, match="clip a, frame 0"):
        stack_labels([sample], LSP14)


def test_every_metric_has_a_direction() -> None:
    assert METRICS["pckh"].direction is Direction.HIGHER
    assert METRICS["mpjpe"].direction is Direction.LOWER
    assert {m.unit for m in METRICS.values()} == {"share", "points", "mm", "mm/frame", "degrees"}
