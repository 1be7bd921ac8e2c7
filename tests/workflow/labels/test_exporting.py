from __future__ import annotations

import json
from pathlib import Path

from tests.integration.label_files import figure, predicted, project

from emc.pose.records import Edit, JointChange, Provenance, Visibility
from emc.workflow.labels import export_labels


def test_joints_say_whose_word_they_are_and_keep_where_they_were_said_to_be_absent(tmp_path: Path) -> None:
    with project(tmp_path) as store:
        predicted(store, "kick", {5: [figure(10)]})
        changes = (
            JointChange(5, 0, 0, 33.25, 44.5, Visibility.OCCLUDED, Provenance.HUMAN),
            JointChange(5, 0, 1, 30.0, 22.0, Visibility.ABSENT, Provenance.CONFIRMED),
            JointChange(5, 0, 2, 31.0, 23.0, Visibility.VISIBLE, Provenance.PROPAGATED),
        )
        store.append_edit(Edit("kick", "drag", changes))
        told = export_labels(store, tmp_path / "all.json")
        export_labels(store, tmp_path / "human.json", only="human")
    (row,) = json.loads((tmp_path / "all.json").read_text())["annotations"]
    assert row["keypoints"][:9] == [33.25, 44.5, 1, 30, 22, 0, 31, 23, 2]
    assert row["provenance"][:4] == ["human", "confirmed", "propagated", "model"]
    assert row["confidence"][:4] == [1, 1, 0.5, 0.5]
    assert (row["person"], row["num_keypoints"]) == (0, 16)
    assert (told["joints"], told["unconfirmed"]) == (16, 15)
    (row,) = json.loads((tmp_path / "human.json").read_text())["annotations"]
    assert row["keypoints"][:9] == [33.25, 44.5, 1, 30, 22, 0, 0, 0, 0]
    assert row["num_keypoints"] == 1


def test_images_say_clip_frame_and_size(tmp_path: Path) -> None:
    with project(tmp_path, frames=2) as store:
        predicted(store, "kick", {1: [figure(10)]})
        export_labels(store, tmp_path / "all.json")
    assert json.loads((tmp_path / "all.json").read_text())["images"] == [
        {"id": n, "file_name": f"kick_{n:06d}.png", "width": 200, "height": 120, "clip": "kick", "frame": n}
        for n in range(2)
    ]
