from __future__ import annotations

import cv2
import numpy as np
import pytest

from emc.stages.propagate.flow import SIDE, GreyCrop, crop_scale, follow_point, grey_crop, is_cut, scene_cuts

HEIGHT, WIDTH = 240, 320


def texture(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (HEIGHT, WIDTH)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    low, high = smooth.min(), smooth.max()
    return np.repeat((255 * (smooth - low) / (high - low)).astype(np.uint8)[..., None], 3, axis=2)


def moved(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float64)
    return cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def crops_of(images: list[np.ndarray], scale: float = 1.0) -> list[GreyCrop | None]:
    box = np.array([60, 40, 180, 160.0])
    return [grey_crop(image, box, scale) for image in images]


def panning(count: int, dx: float, dy: float = 0.0) -> list[np.ndarray]:
    return [moved(texture(), dx * i, dy * i) for i in range(count)]


NO_GUESS = np.full((9, 2), np.nan)
SIDES = np.full(9, 180.0)


def test_a_point_is_followed_to_both_sides() -> None:
    found = follow_point(crops_of(panning(9, 3.0, 1.0)), 4, np.array([150.0, 120.0]), NO_GUESS, SIDES)
    expected = np.array([150.0, 120.0]) + (np.arange(9) - 4)[:, None] * np.array([3.0, 1.0])
    np.testing.assert_allclose(found.xy, expected, atol=0.5)
    assert (found.before, found.after) == ("end", "end")
    assert np.isfinite(found.error[1:]).all()


def test_the_place_does_not_depend_on_how_far_the_crop_is_shrunk() -> None:
    found = follow_point(crops_of(panning(5, 4.0), 0.5), 0, np.array([150.0, 120.0]), NO_GUESS, SIDES)
    np.testing.assert_allclose(found.xy[4], [166.0, 120.0], atol=1.0)


def test_a_guess_finds_steps_that_are_too_long_for_the_search() -> None:
    images = panning(3, 70.0)
    guesses = np.array([[100.0, 120.0], [170.0, 120.0], [240.0, 120.0]])
    box = np.array([0, 0, WIDTH, HEIGHT], float)
    crops: list[GreyCrop | None] = [grey_crop(image, box, 1.0) for image in images]
    found = follow_point(crops, 0, np.array([100.0, 120.0]), guesses, SIDES[:3])
    np.testing.assert_allclose(found.xy[1], [170.0, 120.0], atol=1.0)


def test_a_covered_point_is_lost() -> None:
    images = panning(5, 2.0)
    for image in images[3:]:
        image[80:160, 110:200] = 30
        image[80:160:4, 110:200] = 220  # a striped sleeve
    found = follow_point(crops_of(images), 0, np.array([150.0, 120.0]), NO_GUESS, SIDES)
    assert np.isfinite(found.xy[:3]).all()
    assert np.isnan(found.xy[3:]).all()
    assert found.after in ("flow", "occlusion")


def test_a_cut_ends_the_chain() -> None:
    images = [*panning(3, 1.0), np.full_like(texture(), 20), np.full_like(texture(), 20)]
    crops = crops_of(images)
    assert crops[2] is not None
    assert crops[3] is not None
    assert is_cut(crops[2], crops[3])
    assert scene_cuts(crops).tolist() == [False, False, False, True, False]
    assert not scene_cuts([*crops[:3], None, *crops[4:]]).any()
    found = follow_point(crops, 1, np.array([150.0, 120.0]), NO_GUESS, SIDES)
    assert found.after == "cut"
    assert np.isnan(found.xy[3:]).all()


def test_a_pan_is_no_cut() -> None:
    one, other = crops_of([moved(texture(), 0, 0), moved(texture(), 12, 0)])
    assert one is not None
    assert other is not None
    assert not is_cut(one, other)


def photo(seed: int, width: int, height: int) -> np.ndarray:
    """Soft patches of light, as a photo has them, in the corner of a black frame."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 220, (5, 6), dtype=np.uint8)
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[:height, :width] = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return frame


def test_every_photo_of_a_folder_is_a_shot_of_its_own_also_beside_black_borders() -> None:
    sizes = [(WIDTH // 2, HEIGHT // 2), (WIDTH // 2, HEIGHT // 2), (WIDTH // 3, HEIGHT // 2), (WIDTH, HEIGHT)]
    crops = crops_of([photo(seed, *size) for seed, size in enumerate(sizes)])
    assert scene_cuts(crops).tolist() == [False, True, True, True]
    for one, other in zip(crops, crops[1:], strict=False):
        assert one is not None
        assert other is not None
        assert is_cut(one, other)


def test_black_pictures_and_a_film_between_black_borders_have_no_cut() -> None:
    film = [np.where(np.arange(WIDTH)[None, :, None] < WIDTH // 3, image, 0) for image in panning(4, 2.0)]
    black = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 3
    assert not scene_cuts(crops_of([image.astype(np.uint8) for image in film])).any()
    crops = crops_of(black)
    assert not scene_cuts(crops).any()
    assert crops[0] is not None
    assert crops[1] is not None
    assert not is_cut(crops[0], crops[1])


def test_a_missing_picture_ends_the_chain() -> None:
    crops = crops_of(panning(5, 1.0))
    crops[2] = None
    found = follow_point(crops, 0, np.array([150.0, 120.0]), NO_GUESS, SIDES)
    assert np.isfinite(found.xy[1]).all()
    assert np.isnan(found.xy[2:]).all()
    assert found.after == "flow"


@pytest.mark.parametrize("scale", [1.0, 2**-0.5, 0.5, 0.25])
def test_places_go_to_the_crop_and_back(scale: float) -> None:
    crop = grey_crop(texture(), np.array([60, 40, 180, 160.0]), scale)
    place = np.array([151.5, 99.25])
    np.testing.assert_allclose(crop.to_frame(crop.to_crop(place)), place, atol=1e-9)
    # A white spot on the frame is where the crop says.
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.circle(image, (152, 100), 6, (255, 255, 255), -1, cv2.LINE_AA)
    spot = grey_crop(image, np.array([60, 40, 180, 160.0]), scale)
    rows, columns = np.indices(spot.image.shape)
    mass = spot.image.astype(float)
    centre = np.array([(mass * columns).sum(), (mass * rows).sum()]) / mass.sum()
    np.testing.assert_allclose(spot.to_frame(centre), [152, 100], atol=0.6)


def test_crops_stay_inside_of_the_frame() -> None:
    crop = grey_crop(texture(), np.array([-50, -50, 120, 120.0]), 1.0)
    assert crop.origin == (0, 0)
    assert crop.image.shape[0] <= HEIGHT


@pytest.mark.parametrize(("side", "scale"), [(100, 1.0), (SIDE, 1.0), (448, 0.5), (600, 0.5), (896, 0.25)])
def test_large_persons_are_shrunk_by_powers_of_the_root_of_two(side: float, scale: float) -> None:
    assert crop_scale(side) == pytest.approx(scale)
