import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emc.errors import ShapeMismatch, UsageError
from emc.pose.metrics.pck import (
    CURVE_ALPHAS,
    METRICS,
    StackedLabels,
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
from emc.pose.skeletons.skeleton import COCO17, LSP14, build_skeleton

NAN = float("nan")


def labels_of(xy: list[list[list[float]]], visibility: list[list[int]]) -> StackedLabels:
    people = len(xy)
    return StackedLabels(
        np.array(xy, dtype=float),
        np.array(visibility),
        np.zeros((people, 4)),
        np.full(people, NAN),
        np.full(people, NAN),
    )


def coco_labels(**joints: tuple[float, float]) -> StackedLabels:
    xy = np.full((1, 17, 2), NAN)
    visibility = np.zeros((1, 17), dtype=int)
    for joint, at in joints.items():
        xy[0, COCO17.index(joint)] = at
        visibility[0, COCO17.index(joint)] = 2
    return StackedLabels(xy, visibility, np.array([[3.0, 4.0, 20.0, 50.0]]), np.array([NAN]), np.array([NAN]))


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
    moved = StackedLabels(labels.xy * scale + shift, labels.visibility, labels.box, labels.head, labels.area)
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
    labels = StackedLabels(xy, np.full((2, 14), 2), np.zeros((2, 4)), np.array([NAN, 7.0]), np.full(2, NAN))
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


def coco_sample(**fields: object) -> Sample:
    image = np.zeros((4, 4, 3), dtype=np.uint8)
    values: dict[str, object] = {"xy": np.arange(34, dtype=np.float32).reshape(17, 2), "visibility": np.full(17, 2)}
    box = np.array([0, 0, 3, 3], np.float32)
    return Sample(image, clip="a", group="a", frame=0, box=box, **{**values, **fields})  # type: ignore[arg-type]


def test_stacked_labels_hold_what_the_samples_hold_in_double_precision() -> None:
    labels = stack_labels([coco_sample(head=7.5, area=120.0), coco_sample()], COCO17)
    assert [a.dtype for a in (labels.xy, labels.visibility, labels.box, labels.head, labels.area)] == [
        np.float64, np.int64, np.float64, np.float64, np.float64
    ]  # fmt: skip
    assert labels.head.tolist()[0] == 7.5
    assert labels.area.tolist()[0] == 120.0
    assert np.isnan([labels.head[1], labels.area[1]]).all()
    assert labels.xy[1, 16].tolist() == [32.0, 33.0]


def test_nobody_stacks_to_nobody() -> None:
    labels = stack_labels([], COCO17)
    assert (labels.xy.shape, labels.visibility.shape, labels.box.shape) == ((0, 17, 2), (0, 17), (0, 4))
    assert head_sizes(labels, COCO17, "bbox").shape == (0,)


@pytest.mark.parametrize("fields", [{"xy": np.zeros((16, 2))}, {"visibility": np.full(16, 2)}])
def test_either_array_of_another_skeleton_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ShapeMismatch, match=r"coco17 needs \(17, 2\) and \(17,\)"):
        stack_labels([coco_sample(**fields)], COCO17)


def test_sizes_are_measured_person_by_person() -> None:
    one = coco_labels(left_ear=(0, 0), right_ear=(3, 4), nose=(100, 100), left_eye=(100, 160))
    two = coco_labels(left_ear=(0, 0), right_ear=(0, 0.5), nose=(0, 0.25))
    both = StackedLabels(
        *(np.concatenate([getattr(one, n), getattr(two, n)]) for n in ("xy", "visibility", "box", "head", "area"))
    )
    assert head_sizes(both, COCO17, "ears").tolist() == [5.0, 0.5]  # less than a pixel is a size
    # Around (0, 0), (3, 4), (100, 100), (100, 160); and around three points 0.5 high.
    np.testing.assert_allclose(head_sizes(both, COCO17, "face_box"), [np.hypot(100, 160), 0.5])


def test_the_longer_side_of_the_box_is_the_size_whichever_it_is() -> None:
    labels = labels_of([[[0, 0]], [[0, 0]], [[0, 0]]], [[2], [2], [2]])
    labels.box[:] = [[9, 9, 30, 20], [9, 9, 20, 40], [0, 0, 0.5, 0.25]]
    assert head_sizes(labels, COCO17, "bbox").tolist() == [30.0, 40.0, 0.5]


def test_three_face_joints_of_a_skeleton_are_enough() -> None:
    three = build_skeleton("three", ("nose", "left_eye", "right_eye"), limbs=())
    labels = labels_of([[[0, 0], [3, 0], [0, 4]]], [[2, 2, 2]])
    assert head_sizes(labels, three, "face_box").tolist() == [5.0]
    two = build_skeleton("two", ("left_eye", "right_eye"), limbs=())
    with pytest.raises(UsageError, match="skeleton two has no face joints: choose another head size than face_box"):
        head_sizes(labels_of([[[0, 0], [3, 0]]], [[2, 2]]), two, "face_box")


def test_a_head_size_that_a_skeleton_lacks_is_known_for_nobody() -> None:
    lsp = Sample(
        np.zeros((4, 4, 3), np.uint8),
        np.arange(28.0).reshape(14, 2),
        np.full(14, 2),
        np.array([0, 0, 3, 3.0]),
        "a",
        "a",
        0,
    )
    assert known_head_sizes([lsp], LSP14)["ears"] == 0.0
    assert known_head_sizes([lsp], LSP14)["torso"] == 1.0


def test_hits_keep_what_counts_nowhere_apart() -> None:
    hits = hits_within(np.array([0.2, 0.6, np.inf, NAN]), 0.5)
    np.testing.assert_array_equal(hits, [1.0, 0.0, 0.0, NAN])
    assert hits.dtype == np.float64


@pytest.mark.filterwarnings("error")
def test_nothing_that_counts_is_nan_without_a_warning() -> None:
    assert np.isnan(pck(np.array([NAN, NAN]), 0.5))


def test_areas_over_other_alphas_by_hand() -> None:
    # Over [1, 3]: an error of 0 lies within everywhere, of 2 from the middle on (half a step counts there), of 3 at the
    # end alone.
    areas = curve_areas(np.array([0.0, 1.0, 1.5, 2.0, 3.0, 3.1, np.inf, NAN]), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(areas, [1.0, 1.0, 0.75, 0.75, 0.25, 0.0, 0.0, NAN])
    assert areas.dtype == np.float64
