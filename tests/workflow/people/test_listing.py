"""Who is in a clip, and a picture of each."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.kicks import FRAMES, kick_project
from tests.people_clips import squatter

from emc.config import AlertSettings
from emc.errors import UsageError
from emc.pose.records import Edit, JointChange, Prediction, Provenance, Role, Visibility
from emc.workflow.people import delete_person, list_people, merge_persons, person_square, write_pictures
from emc.workflow.people.listing import refuse_unknown
from emc.workflow.project.clips import add_clips
from emc.workflow.project.folder import new_project

ALERTS = AlertSettings()  # pyright: ignore[reportCallIssue]


def test_length_confidence_and_what_was_corrected_are_told(tmp_path: Path) -> None:
    with kick_project(tmp_path / "kick.emc", persons=2) as store:
        change = JointChange(4, 3, 0, 50.0, 60.0, Visibility.VISIBLE, Provenance.HUMAN)
        store.append_edit(Edit("kick", "add person", (change,)))
        listed = list_people(store, store.clip("kick"))
        rows = [(one.person, one.frames, one.first, one.last, one.corrected) for one in listed.people]
        assert rows == [(0, FRAMES, 0, FRAMES - 1, 0), (1, FRAMES, 0, FRAMES - 1, 0), (3, 1, 4, 4, 1)]
        assert [one.confidence for one in listed.people[:2]] == pytest.approx([0.9, 0.9])
        assert math.isnan(listed.people[2].confidence)
        assert listed.athletes == ()
        with pytest.raises(UsageError, match="no person 2: there is 0, 1, 3"):
            listed.person(2)
        delete_person(store, store.clip("kick"), 0, ALERTS)
        gone = list_people(store, store.clip("kick")).people[-1]
        assert (gone.person, gone.deleted, gone.athlete, gone.frames) == (0, True, False, FRAMES)
        with pytest.raises(UsageError, match="no person 0 in kick: there is 1, 3"):
            refuse_unknown(store, ["kick"], [1, 0])


def test_two_who_were_merged_and_deleted_are_one_who_is_gone(tmp_path: Path) -> None:
    with kick_project(tmp_path / "kick.emc", persons=2) as store:
        merge_persons(store, store.clip("kick"), 1, 0, ALERTS)
        delete_person(store, store.clip("kick"), 0, ALERTS)
        (gone,) = list_people(store, store.clip("kick")).people
        assert (gone.person, gone.deleted, gone.frames, gone.merged) == (0, True, FRAMES, (1,))


def test_a_picture_shows_the_person_where_they_are_best_seen(tmp_path: Path) -> None:
    clip = squatter(tmp_path, frames=4)
    with new_project(tmp_path / "p.emc") as store:
        add_clips(store, [clip.video], Role.TARGET)
        run = store.start_run("squat", "m", "coco17", {})
        for frame, sure in enumerate((0.5, 0.9, 0.4, 0.95)):
            box = clip.boxes[frame, 0].astype(np.float32)
            if frame == 3:
                # Found far too large: no picture of the person, however sure the model is.
                box = np.array([0, 0, 2, 3], np.float32) * 200
            xy = np.tile(box[:2] + box[2:] / 2, (17, 1)).astype(np.float32)
            row = np.full(17, sure, np.float32)
            store.write_predictions(run.id, [Prediction(frame, 0, xy, row, row, box)], frame + 1)
        store.finish_run(run.id)
        listed = list_people(store, store.clip("squat"))
        (person,) = listed.people
        assert person.seen == 1
        x, y, side = person_square(person)
        bx, by, bw, bh = clip.boxes[1, 0]
        assert (x, y) == pytest.approx((bx + bw / 2, by + bh / 2))
        assert side == pytest.approx(1.15 * max(bw, bh), rel=1e-6)
        files = write_pictures(store.clip("squat"), listed, tmp_path / "pictures")
        assert files == {0: tmp_path / "pictures" / "squat_person_0.jpg"}
        assert np.asarray(cv2.imread(str(files[0]))).shape == (256, 256, 3)
