"""Pictures and their labels: projection, left and right, visibility, boxes, sameness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emc.errors import UsageError
from emc.synth.body.figure import sample_look
from emc.synth.body.rig import sample_body
from emc.synth.motion.motions import COMMON_MOTIONS, UNCOMMON_MOTIONS, generate_motion
from emc.synth.scene.camera import Camera, look_at
from emc.synth.scene.render import Actor
from emc.synth.scene.scene import cast, make_clip, render_clip, render_people, sample_frame
from emc.synth.scene.staging import Scene, sample_scene

SIZE = (128, 128)


def staged(name: str = "stand", seed: int = 3) -> tuple[Actor, Scene]:
    rng = np.random.default_rng(seed)
    body = sample_body(rng)
    look = replace(sample_look(rng, body.gender, "sport"), hair_style="short", skirt=0.0, jacket=0.0)
    motion = generate_motion(name, 0.5, 10.0, body, rng).window(0, 1)
    scene = replace(sample_scene(rng, SIZE, [motion]), shutter=0.0)
    return cast(motion, body, look), scene


def seen_from(actor: Actor, scene: Scene, turn: float) -> Scene:
    """The scene with a camera in front of the person (turn 0), or round towards their left."""
    hips = actor.motion.coco[0, 11:13]
    ahead = np.cross(hips[0] - hips[1], [0.0, 1.0, 0.0])
    angle = np.arctan2(ahead[0], ahead[2]) + turn
    middle = hips.mean(axis=0)
    place = middle + 3.5 * np.array([np.sin(angle), 0.05, np.cos(angle)])
    camera = look_at(place, middle, 200.0, SIZE)
    return replace(scene, cameras=(camera,), canvas=camera)


def test_camera_frame_and_projection_agree() -> None:
    camera = look_at([0.0, 1.0, 5.0], [0.0, 1.0, 0.0], 300.0, (201, 101), roll=0.0)
    np.testing.assert_allclose(camera.project([0.0, 1.0, 0.0]), [100.0, 50.0])
    np.testing.assert_allclose(camera.to_camera([0.5, 1.2, 0.0]), [0.5, -0.2, 5.0])
    np.testing.assert_allclose(camera.project([0.5, 1.2, 0.0]), [130.0, 38.0])
    np.testing.assert_allclose(camera.position, [0.0, 1.0, 5.0])
    assert isinstance(camera, Camera)
    assert np.linalg.det(camera.R) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["walk", "cartwheel"])
def test_pictures_labels_are_the_projected_joints(name: str) -> None:
    clip = make_clip(name, 4, seconds=1.0, fps=10, size=SIZE)
    for frame in clip:
        xyz = frame.coco_camera
        assert (xyz[:, 2] > 0.5).all()
        lens = frame.camera.K
        flat = xyz[:, :2] / xyz[:, 2:] * [lens[0, 0], lens[1, 1]] + lens[:2, 2]
        np.testing.assert_allclose(frame.xy, flat, atol=1e-3)
        np.testing.assert_allclose(frame.camera.project(frame.coco3d), flat, atol=1e-6)
        head = frame.camera.project(frame.h36m3d[10])
        np.testing.assert_allclose(frame.head_top_xy, head, atol=1e-3)
        np.testing.assert_allclose(frame.coco3d[[11, 13, 15]], frame.h36m3d[[4, 5, 6]])
        np.testing.assert_allclose(frame.coco3d[[6, 8, 10]], frame.h36m3d[[14, 15, 16]])
        assert np.linalg.norm(frame.neck_xy - frame.head_top_xy) > 3


def test_left_is_on_the_right_of_the_picture_for_someone_who_faces_the_camera() -> None:
    for seed in range(4):
        actor, scene = staged(seed=seed)
        front = render_people([actor], seen_from(actor, scene, 0.0))
        back = render_people([actor], seen_from(actor, scene, np.pi))
        for left, right in ((5, 6), (11, 12), (15, 16)):
            assert front.xy[left, 0] > front.xy[right, 0]
            assert back.xy[left, 0] < back.xy[right, 0]


def test_the_face_is_seen_from_the_front_and_not_from_behind() -> None:
    actor, scene = staged()
    front = render_people([actor], seen_from(actor, scene, 0.0)).visibility
    back = render_people([actor], seen_from(actor, scene, np.pi)).visibility
    side = render_people([actor], seen_from(actor, scene, np.pi / 2)).visibility
    assert (front[[0, 1, 2, 5, 6, 11, 12]] == 2).all()
    assert (back[[0, 1, 2]] == 1).all()
    assert (back[[5, 6, 11, 12]] == 2).all()
    assert (side[[3, 5]] == 2).all(), "the camera stands at the person's left"
    assert (side[[4, 6, 12]] == 1).all()


def test_a_face_is_drawn_where_the_labels_are() -> None:
    actor, scene = staged()
    still = replace(scene.develop, blur=0.0, noise=0.0, quality=0)
    close = seen_from(actor, replace(scene, develop=still), 0.0)
    eyes = actor.motion.coco[0, 1:3]
    ahead = np.cross(eyes[0] - eyes[1], [0.0, 1.0, 0.0])
    camera = look_at(eyes.mean(axis=0) + ahead / np.linalg.norm(ahead), eyes.mean(axis=0), 300.0, SIZE)
    frame = render_people([actor], replace(close, cameras=(camera,), canvas=camera))
    grey = frame.image.mean(axis=2)
    for x, y in frame.xy[1:3].round().astype(int):
        pupil = grey[y - 3 : y + 4, x - 3 : x + 4].min()
        cheek = grey[y + 10 : y + 16, x - 3 : x + 4].mean()
        assert pupil < 0.6 * cheek


def test_a_person_behind_another_is_occluded() -> None:
    actor, scene = staged()
    front = seen_from(actor, scene, 0.0)
    away = actor.motion.coco[0, 11:13].mean(axis=0) - front.camera(0).position
    away = np.array([away[0], 0.0, away[2]]) / np.linalg.norm(away[[0, 2]])
    behind = replace(front, offsets=np.stack([np.zeros(3), 1.0 * away]))
    aside = np.cross(away, [0.0, 1.0, 0.0]) * 0.3
    both = render_people([actor, actor], replace(behind, offsets=behind.offsets + [[0, 0, 0], aside]))
    assert len(both.people) == 2
    alone = render_people([actor], front)
    np.testing.assert_array_equal(both.people[0].visibility, alone.visibility)
    assert both.people[0].area == alone.area
    hidden = both.people[1].visibility == 1
    assert hidden.sum() >= 4
    assert (both.people[1].visibility == 2).sum() >= 3
    assert both.people[1].area < 0.8 * both.people[0].area
    inside = render_people([actor, actor], replace(behind, offsets=np.stack([np.zeros(3), 0.4 * away])))
    assert (inside.people[1:] == ()) or (inside.people[1].visibility == 2).sum() < 8


def test_joints_outside_the_picture_keep_their_place_and_are_absent() -> None:
    actor, scene = staged()
    camera = look_at(
        actor.motion.head_top[0] + [0.0, 0.0, 2.0], actor.motion.head_top[0] + [0.0, 0.2, 0.0], 200.0, SIZE
    )
    frame = render_people([actor], replace(scene, cameras=(camera,), canvas=camera))
    below = frame.xy[:, 1] > SIZE[1] - 0.5
    assert below[[15, 16]].all()
    assert (frame.visibility[below] == 0).all()
    assert frame.box[1] + frame.box[3] == pytest.approx(SIZE[1] - 0.5)


def test_box_and_area_fit_the_person() -> None:
    actor, scene = staged()
    bare = replace(scene, develop=replace(scene.develop, blur=0.0, noise=0.0, quality=0))
    frame = render_people([actor], bare)
    x, y, width, height = frame.box
    inside = (frame.xy >= [x, y]) & (frame.xy <= [x + width, y + height])
    assert inside.all()
    assert 0.12 * width * height < frame.area < width * height
    top = frame.head_top_xy[1]
    assert abs(top - y) < 0.04 * height + 2
    assert y + height - frame.xy[15:17, 1].max() < 0.12 * height


def test_clips_are_the_same_again_and_differ_by_seed() -> None:
    first = make_clip("front_kick", 9, seconds=0.4, fps=10, size=SIZE)
    again = make_clip("front_kick", 9, seconds=0.4, fps=10, size=SIZE)
    other = make_clip("front_kick", 10, seconds=0.4, fps=10, size=SIZE)
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.xy, b.xy)
        np.testing.assert_array_equal(a.visibility, b.visibility)
        assert (a.image != c.image).any()
    np.testing.assert_array_equal(first[2].image, list(again)[2].image)
    assert len(first) == 4
    with pytest.raises(IndexError):
        first[4]


def test_clips_carry_tags_and_a_group_by_person() -> None:
    first = make_clip("walk", 1, seconds=0.2, size=SIZE, person=5)
    second = make_clip("run", 2, seconds=0.2, size=SIZE, person=5)
    assert set(first.tags) >= {"motion", "clothing", "gender", "background"}
    assert first.group == second.group
    assert first.tags["clothing"] == second.tags["clothing"]
    assert first.name != second.name


def test_training_frames_are_the_same_again() -> None:
    def draw() -> list[np.ndarray]:
        rng = np.random.default_rng(21)
        return [sample_frame(rng, UNCOMMON_MOTIONS, (96, 96)).image for _ in range(3)]

    for a, b in zip(draw(), draw(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_frames_of_every_kind() -> None:
    rng = np.random.default_rng(5)
    names = COMMON_MOTIONS + UNCOMMON_MOTIONS
    for name in names:
        frame = sample_frame(rng, (name,), (96, 128))
        assert frame.image.shape == (128, 96, 3)
        assert frame.image.dtype == np.uint8
        for person in frame.people:
            assert person.xy.dtype == np.float32 and person.visibility.dtype == np.uint8
            assert (person.box[2:] > 0).all() and person.area > 0
            assert np.isfinite(person.xy).all()
    crowd = [len(sample_frame(rng, people=3, size=SIZE).people) for _ in range(4)]
    assert max(crowd) == 3


def test_a_following_camera_keeps_the_person_in_the_picture() -> None:
    followed = 0
    for seed in range(6):
        clip = make_clip("run", seed, seconds=2.0, fps=6, size=SIZE)
        followed += len(clip.scene.cameras) > 1
        for frame in clip:
            assert (frame.visibility > 0).all()
    assert followed > 0


def test_wrong_sizes_and_crowds_are_named() -> None:
    actor, scene = staged()
    with pytest.raises(UsageError, match="size"):
        render_clip(actor.motion, actor.body, actor.look, scene, size=(64, 64))
    with pytest.raises(UsageError, match="people"):
        sample_frame(np.random.default_rng(0), people=0)
