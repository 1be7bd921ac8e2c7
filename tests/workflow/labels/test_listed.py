from __future__ import annotations

from pathlib import Path

from tests.integration.label_files import annotation, coco, figure, project

from emc.pose.journal import invert
from emc.pose.records import Ignored
from emc.workflow.labels import import_labels, listed_on


def test_what_a_file_lists_stands_and_falls_with_its_edit(tmp_path: Path) -> None:
    images = [{"id": 30, "frame": 5}, {"id": 31, "frame": 9}]
    crowd = annotation(2, 31, figure(50), iscrowd=1, area=77.5)
    file = coco(tmp_path / "l.json", images, [annotation(1, 30, figure(10)), crowd])
    with project(tmp_path) as store:
        (done,) = import_labels(store, file)
        listed = listed_on(store, "kick")
        assert listed.images == {30: 5, 31: 9}
        assert listed.frames == {5, 9}
        assert listed.ignored == (Ignored("kick", 9, (54, 22, 32, 76), 77.5, True),)
        undo = store.append_edit(invert(store.edits()[-1], store.poses("kick")))
        assert (undo.undoes, listed_on(store, "kick").frames, listed_on(store, "kick").ignored) == (
            done.edit,
            set(),
            (),
        )
        store.append_edit(invert(undo, store.poses("kick")))
        assert listed_on(store, "kick") == listed


def test_a_later_file_says_anew_who_is_on_its_images(tmp_path: Path) -> None:
    one, crowd = annotation(1, 1, figure(10)), annotation(2, 1, figure(50), iscrowd=1)
    with project(tmp_path) as store:
        for people in ([one, crowd], [one]):
            import_labels(store, coco(tmp_path / "l.json", [{"id": 1, "frame": 5}], people))
        assert listed_on(store, "kick").ignored == ()
