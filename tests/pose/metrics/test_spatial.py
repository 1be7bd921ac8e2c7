import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emc.errors import ShapeMismatch
from emc.pose.geometry import similarity_align
from emc.pose.metrics.spatial import (
    action_mean,
    auc_shares,
    mean_error,
    mpjpe_errors,
    mpjve_errors,
    n_mpjpe_errors,
    p_mpjpe_errors,
    pck3d,
    pck3d_auc,
    without_root,
)


def rotation(rng: np.random.Generator) -> np.ndarray:
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q if np.linalg.det(q) > 0 else q[:, [1, 0, 2]]


def test_mpjpe_by_hand() -> None:
    truth = np.array([[[0, 0, 0], [1, 0, 0]]], dtype=float)
    # The prediction stands 5 m away; seen from its root the second joint is at (1, 0.03, 0.04): 50 mm off.
    predicted = np.array([[[5, 5, 5], [6, 5.03, 5.04]]], dtype=float)
    np.testing.assert_allclose(mpjpe_errors(predicted, truth), [[0, 50]], atol=1e-9)
    assert mean_error(mpjpe_errors(predicted, truth)) == pytest.approx(25)


def test_n_mpjpe_by_hand() -> None:
    truth = np.array([[[0, 0, 0], [2, 0, 0], [0, 2, 0]]], dtype=float)
    predicted = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 1]]], dtype=float)
    # Best scale = (2 + 2) / (1 + 2) = 4/3: joints at (4/3, 0, 0) and (0, 4/3, 4/3): 2/3 m and sqrt(4 + 16)/3 m off.
    expected = [[0, 2000 / 3, 1000 * np.sqrt(20) / 3]]
    np.testing.assert_allclose(n_mpjpe_errors(predicted, truth), expected, atol=1e-9)


def test_mpjve_by_hand() -> None:
    truth = np.zeros((3, 2, 3))
    truth[:, 1, 0] = [0, 0.010, 0.020]  # 10 mm a frame
    predicted = np.zeros((3, 2, 3))
    predicted[:, 1, 0] = [0, 0.013, 0.020]  # 13, then 7
    np.testing.assert_allclose(mpjve_errors(predicted, truth), [[0, 3], [0, 3]], atol=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.2, 5), st.booleans())
def test_p_mpjpe_ignores_similarities_but_not_mirrors(seed: int, scale: float, mirror: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(3, 17, 3))
    moved = np.array([scale * frame @ rotation(rng).T + rng.normal(size=3) for frame in truth])
    if mirror:
        moved = moved * np.array([-1.0, 1.0, 1.0])
        assert p_mpjpe_errors(moved, truth).mean() > 10
    else:
        assert p_mpjpe_errors(moved, truth).max() < 1e-6


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_p_mpjpe_equals_alignment_frame_by_frame_and_is_never_worse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(4, 17, 3))
    predicted = truth + rng.normal(0, 0.3, truth.shape)
    by_frame = [
        np.linalg.norm(similarity_align(p, t) - t, axis=-1) * 1000 for p, t in zip(predicted, truth, strict=True)
    ]
    ours = p_mpjpe_errors(predicted, truth)
    np.testing.assert_allclose(ours, by_frame, atol=1e-6)
    # Least squares: the best similarity cannot have a larger sum of squares than moving roots together.
    assert (ours**2).sum() <= (mpjpe_errors(predicted, truth) ** 2).sum() + 1e-6


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.2, 5))
def test_n_mpjpe_ignores_scale_and_place(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(3, 17, 3))
    assert n_mpjpe_errors(truth * scale + rng.normal(size=3), truth).max() < 1e-6


def test_unknown_joints_count_nowhere() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(2, 17, 3))
    predicted = truth * 2 + 1
    truth[0, 3] = np.nan
    predicted[1, 5] = np.nan
    for errors in (p_mpjpe_errors(predicted, truth), n_mpjpe_errors(predicted, truth)):
        assert np.argwhere(np.isnan(errors)).tolist() == [[0, 3], [1, 5]]
        assert np.nanmax(errors) < 1e-6


def test_a_pose_of_one_point_does_not_divide_by_zero() -> None:
    truth = np.random.default_rng(0).normal(size=(1, 17, 3))
    assert np.isfinite(p_mpjpe_errors(np.zeros_like(truth), truth)).all()
    assert np.isfinite(n_mpjpe_errors(np.zeros_like(truth), truth)).all()


def test_action_mean_weighs_actions_equally() -> None:
    # walking: (10 + 20 + 30) / 3 = 20 over its two sequences; eating: 50; mean over actions 35, not 27.5 over frames.
    errors = {"walking": [np.array([[10.0], [20.0]]), np.array([[30.0]])], "eating": [np.array([[50.0]])], "none": []}
    assert action_mean(errors) == 35.0


def test_pck3d_and_auc_by_hand() -> None:
    # Root left out and one joint unknown: 0, 12, 150 and 151 mm count.
    errors = without_root(np.array([[0.0, 0.0, 12.0], [0.0, 150.0, 151.0], [0.0, np.nan, np.nan]]))
    assert np.isnan(errors[:, 0]).all()
    assert pck3d(errors) == 3 / 4
    # Thresholds 0, 5, ... 150: 31 of them; 0 mm passes all, 12 mm the 28 from 15 on, 150 mm the last one, 151 mm none.
    np.testing.assert_allclose(auc_shares(errors)[:2, 1:], [[1, 28 / 31], [1 / 31, 0]])
    assert pck3d_auc(errors) == pytest.approx((31 + 28 + 1 + 0) / 4 / 31)
    assert np.isnan(pck3d(np.full((2, 3), np.nan))) and np.isnan(pck3d_auc(np.zeros((0, 3))))


def test_shapes_are_named() -> None:
    with pytest.raises(ShapeMismatch, match=r"\(1, 17, 3\) and \(2, 17, 3\)"):
        mpjpe_errors(np.zeros((1, 17, 3)), np.zeros((2, 17, 3)))


def test_a_reflection_is_refused_as_scipy_refuses_it() -> None:
    from scipy.spatial.transform import Rotation

    rng = np.random.default_rng(3)
    truth = rng.normal(size=(1, 17, 3)) * [1.0, 0.6, 0.3]
    mirrored = truth * [-1.0, 1.0, 1.0] * 2.5 + 4.0
    a, b = (points[0] - points[0].mean(axis=0) for points in (mirrored, truth))
    best, _ = Rotation.align_vectors(b, a)
    turned = best.apply(a)
    turned *= (turned * b).sum() / (turned**2).sum()
    expected = np.linalg.norm(turned - b, axis=-1) * 1000
    assert expected.mean() > 50
    np.testing.assert_allclose(p_mpjpe_errors(mirrored, truth)[0], expected, rtol=1e-6)


@pytest.mark.filterwarnings("error")
def test_one_known_joint_is_aligned_to_itself() -> None:
    predicted = np.full((1, 3, 3), np.nan)
    predicted[0, 1] = (5.0, 6.0, 7.0)
    errors = p_mpjpe_errors(predicted, np.ones((1, 3, 3)))
    assert np.isnan(errors[0, [0, 2]]).all()
    assert errors[0, 1] == pytest.approx(0.0, abs=1e-9)


def test_a_frame_that_is_one_point_keeps_its_scale() -> None:
    truth = np.zeros((1, 2, 3))
    truth[0, 1] = (0.0, 0.3, 0.4)
    for errors in (n_mpjpe_errors(np.full((1, 2, 3), 2.0), truth), mpjpe_errors(np.full((1, 2, 3), 2.0), truth)):
        np.testing.assert_allclose(errors, [[0.0, 500.0]])
    small = np.array([[[0.0, 0.0, 0.0], [0.0, 0.006, 0.008]]])  # its size is below 1 and it is scaled all the same
    np.testing.assert_allclose(n_mpjpe_errors(small, truth), [[0.0, 0.0]], atol=1e-9)
    np.testing.assert_allclose(p_mpjpe_errors(np.full((1, 2, 3), 2.0), truth), [[250.0, 250.0]])


def test_single_precision_points_are_measured_in_double() -> None:
    far = np.float32(1000.0) + np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    assert mpjpe_errors(far, far).dtype == np.float64
    assert without_root(np.zeros((1, 2), np.float32)).dtype == np.float64


@pytest.mark.filterwarnings("error")
def test_no_joint_is_no_figure_and_no_warning() -> None:
    nothing = np.full((2, 3), np.nan)
    assert np.isnan(
        [mean_error(nothing), pck3d(nothing), pck3d_auc(nothing), action_mean({}), action_mean({"walk": []})]
    ).all()
    assert action_mean({"walk": [np.array([[1.0, 3.0]])], "sit": []}) == 2.0


def test_action_mean_pools_sequences_of_different_lengths() -> None:
    walk = [np.array([[10.0, 20.0]]), np.array([[30.0, 40.0], [50.0, 60.0]])]
    assert action_mean({"walk": walk, "sit": [np.array([[5.0, np.nan]])]}) == 20.0  # (35 + 5) / 2


@pytest.mark.parametrize("shape", [(2, 3), (4, 2, 2)])
def test_points_must_be_three_dimensional(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeMismatch, match="must both be"):
        mpjpe_errors(np.zeros(shape), np.zeros(shape))
