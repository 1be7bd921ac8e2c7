"""Labels and boxes that come in are checked before they count as truth: one test for each fault that was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.label_files import (
    FRAMES,
    SIZE,
    annotation,
    coco,
    cvat,
    figure,
    label_studio,
    places,
    predicted,
    project,
    settings,
    sleap,
)

from emc.errors import InputError, UsageError
from emc.interfaces import Store
from emc.pose.label_frames import FrameRule
from emc.pose.records import Provenance, Visibility
from emc.pose.skeletons import COCO17
from emc.stages.edits import place_joint, set_visibility
from emc.workflow.calibration import calibrate_project
from emc.workflow.evaluate import evaluate_project
from emc.workflow.labels import export_labels, import_labels
from emc.workflow.predict.boxes import file_boxes

LOW, AWAY = COCO17.index("left_wrist"), COCO17.index("right_ankle")
ONE_FRAME = [{"id": 1, "frame": 5}]


def corrected(folder: Path) -> Store:
    """A clip with two predicted people; of the first a wrist is placed and an ankle said to be absent."""
    store = project(folder)
    predicted(store, "kick", {5: [figure(10), figure(110)], 6: [figure(12), figure(112)]})
    clip = store.clip("kick")
    store.append_edit(place_joint(clip, COCO17, 5, 0, LOW, (50.0, 61.0), Visibility.OCCLUDED))
    pose = next(p for p in store.poses("kick") if (p.frame, p.person) == (5, 0))
    store.append_edit(set_visibility(clip, COCO17, [pose], [AWAY], Visibility.ABSENT))
    return store


# 3. The round trip of our own export


def test_3_what_went_out_as_a_models_never_comes_back_as_a_persons(tmp_path: Path) -> None:
    with corrected(tmp_path / "a") as store:
        export_labels(store, tmp_path / "out.json")
        before = list(store.poses("kick"))
    with project(tmp_path / "b") as store:
        (done,) = import_labels(store, tmp_path / "out.json")
        after = list(store.poses("kick"))
        counts = evaluate_project(store, settings(head="bbox"), run=done.run)["labels"]
    assert (done.joints, done.predicted) == (1, 66)
    assert counts == {"joints": 1, "imported": 1, "unconfirmed": 0, "machine": 0}
    assert [(p.frame, p.person) for p in after] == [(p.frame, p.person) for p in before]
    for old, new in zip(before, after, strict=True):
        assert new.provenance.tolist() == old.provenance.tolist()
        assert new.visibility.tolist() == old.visibility.tolist()
        np.testing.assert_allclose(new.xy, old.xy, atol=0.01)


def test_3_a_file_of_several_clips_finds_its_clips(tmp_path: Path) -> None:
    with project(tmp_path / "a", "kick", "run") as store:
        for clip, x in (("kick", 10), ("run", 90)):
            import_labels(store, coco(tmp_path / "one.json", ONE_FRAME, [annotation(1, 1, figure(x))]), clip)
        export_labels(store, tmp_path / "both.json")
    with project(tmp_path / "b", "run", "kick") as store:
        done = import_labels(store, tmp_path / "both.json")
        assert sorted((one.clip, one.persons, one.joints) for one in done) == [("kick", 1, 17), ("run", 1, 17)]
        assert places(store, "run")[5][0][0].tolist() == [110, 24]
    with project(tmp_path / "c", "jump") as store:
        with pytest.raises(InputError, match=r"labels clip kick, which the project lacks \(it has jump\)"):
            import_labels(store, tmp_path / "both.json")
        assert store.edits() == []


def test_3_files_of_others_are_a_persons_or_a_models_word_as_the_user_says(tmp_path: Path) -> None:
    file = coco(tmp_path / "theirs.json", ONE_FRAME, [annotation(1, 1, figure(10), score=0.75)])
    with project(tmp_path / "a") as store:
        (done,) = import_labels(store, file)
        assert (done.joints, done.run) == (17, "")
        assert any("taken as placed by a human, since the file does not say; they carry scores" in s for s in done.said)
    with project(tmp_path / "b") as store:
        (done,) = import_labels(store, file, taken="model")
        assert (done.edit, done.joints, done.predicted) == (0, 0, 17)
        assert next(iter(store.predictions(done.run))).confidence.tolist() == [0.75] * 17
        assert set(next(iter(store.poses("kick"))).provenance.tolist()) == {Provenance.MODEL}
        with pytest.raises(UsageError, match="--as machine is unknown: use human"):
            import_labels(store, file, taken="machine")


def test_3_a_model_is_not_scored_on_itself(tmp_path: Path) -> None:
    people = {frame: [figure(10 + frame)] for frame in range(5)}
    with project(tmp_path) as store:
        predicted(store, "kick", people)
        export_labels(store, tmp_path / "out.json")
        document = json.loads((tmp_path / "out.json").read_text())
        for row in document["annotations"]:
            # What another program leaves of our file when it has opened and saved it.
            del row["provenance"]
        (tmp_path / "out.json").write_text(json.dumps(document))
        import_labels(store, tmp_path / "out.json")
        with pytest.raises(UsageError, match="85 of 85 labelled joints lie exactly where a model predicted them"):
            evaluate_project(store, settings())
        with pytest.raises(UsageError, match="a calibration would measure the model by itself"):
            calibrate_project(store, settings())
        wrists = [annotation(9, 1, figure(15) + [[3.0, 0.0]] * 17)]
        import_labels(store, coco(tmp_path / "by_hand.json", [{"id": 1, "frame": 4}], wrists))
        said = evaluate_project(store, settings(head="bbox"), run="model")["labels"]
    assert said == {"joints": 85, "imported": 85, "unconfirmed": 68, "machine": 0}


# 4. The frame of a label


@pytest.mark.parametrize("layout", [sleap, cvat, label_studio])
def test_4_files_of_other_programs_land_on_their_frames(layout: Any, tmp_path: Path) -> None:
    with project(tmp_path) as store:
        (done,) = import_labels(store, layout(tmp_path / "theirs.json", (40, 7, 12)))
        found = places(store)
    assert sorted(found) == [7, 12, 40]
    for frame, (xy,) in found.items():
        np.testing.assert_allclose(xy, figure(frame))
    assert done.said[0] == "frames by the number at the end of file_name, from 0"


def test_4_one_person_keeps_one_number_over_the_frames_of_a_track(tmp_path: Path) -> None:
    images = [{"id": i, "frame": i} for i in (0, 1)]
    people = [annotation(2 * i + n, i, figure(x), attributes={"track_id": n})
              for i in (0, 1) for n, x in ((0, 10), (1, 110))]  # fmt: skip
    people[2:] = people[:1:-1]
    with project(tmp_path) as store:
        import_labels(store, coco(tmp_path / "tracks.json", images, people))
        left = {pose.frame: pose.person for pose in store.poses("kick") if pose.xy[0, 0] < 100}
    assert left == {0: 0, 1: 0}


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            [{"id": 1, "frame": 5, "file_name": "f_6.png"}],
            "says frame 5 in the field 'frame' but 6 at the end of",
        ),
        ([{"id": 1, "file_name": "f_60.png"}], "goes up to 60, clip kick has frames 0 to 59"),
        ([{"id": 1, "file_name": "f_99.png"}], "names frame 99, clip kick has frames 0 to 59"),
        ([{"id": 1, "frame": 5}, {"id": 2, "frame": 5}], r"images 1 \(''\) and 2 \(''\) are both frame 5"),
        ([{"id": 1, "frame": 5}, {"id": 2}], r"image 2 \(''\) lacks the field 'frame', which other images have"),
        ([{"id": 7}], "says no frames: no field 'frame', no number .* and 1 images for the 60 frames"),
        (
            [{"id": n, "file_name": f"f_{n}.png"} for n in range(1, 4)],
            "goes from 1 to 3 without a gap, .*--first",
        ),
    ],
)
def test_4_what_is_in_doubt_is_refused_with_both_readings(images: Any, message: str, tmp_path: Path) -> None:
    people = [annotation(image["id"], image["id"], figure(10)) for image in images]
    with project(tmp_path) as store:
        with pytest.raises(InputError, match=message):
            import_labels(store, coco(tmp_path / "doubt.json", images, people))
        assert store.edits() == []


def test_4_the_user_may_say_what_the_frames_are(tmp_path: Path) -> None:
    images = [{"id": n, "frame": n + 9, "file_name": f"f_{n}.png"} for n in range(1, 4)]
    file = coco(tmp_path / "f.json", images, [annotation(n, n, figure(n)) for n in range(1, 4)])
    for rule, frames in (
        (FrameRule("field"), [10, 11, 12]), (FrameRule("name", 1), [0, 1, 2]), (FrameRule("order"), [0, 1, 2]),
        (FrameRule("id", 0), [1, 2, 3]),
    ):  # fmt: skip
        with project(tmp_path / f"{rule.by}") as store:
            import_labels(store, file, rule=rule)
            assert sorted(places(store)) == frames


def test_4_names_that_count_from_one_to_the_clips_length_are_shifted_and_told(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"out_{n:04d}.png"} for n in range(1, FRAMES + 1)]
    file = coco(tmp_path / "ffmpeg.json", images, [annotation(1, FRAMES, figure(10))])
    with project(tmp_path) as store:
        (done,) = import_labels(store, file)
        assert list(places(store)) == [FRAMES - 1]
    assert "from 1, since they are 1 to 60 and the clip has 60 frames" in done.said[0]


def test_4_boxes_whose_frames_count_from_one_are_not_shifted_in_silence(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    with project(tmp_path) as store:
        clip = store.clip("kick")
        table.write_text("frame,x,y,w,h,person\n" + "".join(f"{n},{n},20,40,80,0\n" for n in range(1, FRAMES + 1)))
        assert {f: boxes[0].xywh[0] for f, boxes in file_boxes(table, clip).items()} == {n: n + 1 for n in range(60)}
        table.write_text("frame,x,y,w,h,person\n1,1,20,40,80,0\n2,2,20,40,80,0\n")
        with pytest.raises(InputError, match="goes from 1 to 2 without a gap"):
            file_boxes(table, clip)
        for name, layout in (("sleap.json", sleap), ("cvat.json", cvat)):
            assert sorted(f for f, b in file_boxes(layout(tmp_path / name, (40, 7, 12)), clip).items() if b)[0] == 7


# 5. Sizes, and what nobody meant


def test_5_labels_made_at_half_the_size_are_scaled_and_told(tmp_path: Path) -> None:
    # The centre of the first pixel is (0, 0) at both sizes: x of the small picture is (x + 0.5) / 2 - 0.5.
    small = [annotation(1, 1, (figure(60) + 0.5) / 2 - 0.5, area=800.0)]
    images = [{"id": 1, "frame": 5, "width": SIZE[0] // 2, "height": SIZE[1] // 2}]
    with project(tmp_path) as store:
        (done,) = import_labels(store, coco(tmp_path / "half.json", images, small))
        np.testing.assert_allclose(places(store)[5][0], figure(60))
        assert "1 annotations were made at another size and are scaled by 2" in done.said
        images[0] |= {"width": SIZE[1], "height": SIZE[0]}
        with pytest.raises(InputError, match=r"is 120 x 200, the clip's frame 200 x 120 \(turned by a quarter\?\)"):
            import_labels(store, coco(tmp_path / "turned.json", images, small))


def test_5_boxes_in_shares_or_far_outside_give_no_poses(tmp_path: Path) -> None:
    table = tmp_path / "boxes.csv"
    with project(tmp_path) as store:
        for box, message in (("0.1,0.2,0.3,0.4", "shares of the frame"), ("900,20,40,80", "outside of its frame")):
            table.write_text(f"frame,x,y,w,h\n0,{box}\n")
            with pytest.raises(InputError, match=message):
                file_boxes(table, store.clip("kick"))
        shares = [annotation(1, 1, figure(10) / SIZE, box=None)]
        with pytest.raises(InputError, match="all 17 joints of clip kick between 0 and 1"):
            import_labels(store, coco(tmp_path / "shares.json", ONE_FRAME, shares))


def test_5_joints_at_the_origin_and_annotations_there_twice_are_told(tmp_path: Path) -> None:
    xy = figure(10)
    xy[3] = xy[4] = 0
    file = coco(tmp_path / "odd.json", ONE_FRAME, [annotation(1, 1, xy), annotation(2, 1, xy)])
    with project(tmp_path) as store:
        (done,) = import_labels(store, file)
        (pose,) = store.poses("kick")
    assert pose.visibility[[2, 3, 4, 5]].tolist() == [2, 0, 0, 2]
    assert "4 joints at (0, 0) are marked as labelled: taken as not labelled" in done.said
    assert "1 annotations are there twice: taken once" in done.said


def test_5_joints_written_otherwise_are_known_and_strange_ones_are_told(tmp_path: Path) -> None:
    names = ["LHip", "RHip", "knee.L", "knee.R", "Tail"]
    people = [annotation(1, 1, figure(10)[[11, 12, 13, 14, 0]])]
    with project(tmp_path) as store:
        (done,) = import_labels(store, coco(tmp_path / "names.json", ONE_FRAME, people, names))
        (pose,) = store.poses("kick")
    known = ("left_hip", "right_hip", "left_knee", "right_knee")
    assert np.flatnonzero(pose.visibility).tolist() == [COCO17.index(joint) for joint in known]
    assert "joints tail are none of skeleton coco17 and are left out" in done.said


@pytest.mark.parametrize("box", [None, "around"])
def test_5_an_annotation_without_a_box_is_no_phantom(box: Any, tmp_path: Path) -> None:
    few = np.where(np.arange(17)[:, None] < 5, figure(112), 0.0)
    seen = np.where(np.arange(17) < 5, 2, 0)
    row = annotation(1, 1, few, box=None, seen=seen)
    if box:
        # SLEAP's boxes are around the joints that are labelled: the head of somebody, not all of them.
        row["bbox"] = [float(v) for v in (127, 22, 10, 2)]
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10), figure(110)]})
        for _ in range(2):
            import_labels(store, coco(tmp_path / "few.json", ONE_FRAME, [row]))
        people = {pose.person: pose.provenance[0] for pose in store.poses("kick")}
    assert people == {0: Provenance.MODEL, 1: Provenance.HUMAN}


def test_5_the_same_file_twice_makes_nobody_new(tmp_path: Path) -> None:
    file = coco(
        tmp_path / "new.json", ONE_FRAME, [annotation(1, 1, figure(10)), annotation(2, 1, figure(110), box=None)]
    )
    with project(tmp_path) as store:
        for _ in range(2):
            import_labels(store, file)
        assert [(pose.frame, pose.person) for pose in store.poses("kick")] == [(5, 0), (5, 1)]


def test_5_what_the_editor_lets_be_placed_can_be_exported_and_imported(tmp_path: Path) -> None:
    # A quarter of the longer side of 200 x 120: 50 pixels beyond the last pixel.
    edge = (SIZE[0] - 1 + 50.0, SIZE[1] - 1 + 50.0)
    with project(tmp_path / "a") as store:
        predicted(store, "kick", {5: [figure(150)]})
        store.append_edit(place_joint(store.clip("kick"), COCO17, 5, 0, AWAY, edge))
        export_labels(store, tmp_path / "own.json")
    with project(tmp_path / "b") as store:
        import_labels(store, tmp_path / "own.json")
        assert places(store)[5][0][AWAY].tolist() == list(edge)
