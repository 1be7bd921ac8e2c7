from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.integration.label_files import annotation, coco, figure, predicted, project, settings

from emc.errors import InputError, UsageError
from emc.interfaces import Store
from emc.pose.skeletons import COCO17
from emc.stages.edits import place_joint
from emc.workflow.evaluate import evaluate_project
from emc.workflow.found import results_on, run_on, score_found
from emc.workflow.labels import import_labels


def results(path: Path, *rows: dict[str, Any]) -> Path:
    table = np.column_stack([figure(10), np.ones(17)]).ravel().tolist()
    path.write_text(json.dumps([{"category_id": 1, "keypoints": table, "score": 0.5, **row} for row in rows]))
    return path


def labelled(store: Store, folder: Path, *clips: str) -> None:
    for clip in clips:
        images = [{"id": 30, "frame": 5}, {"id": 31, "frame": 6}]
        import_labels(store, coco(folder / "l.json", images, [annotation(1, 30, figure(10))]), clip)


def test_results_say_their_frame_or_the_label_file_does(tmp_path: Path) -> None:
    file = results(tmp_path / "r.json", {"image_id": 30}, {"image_id": 3, "frame": 8})
    with project(tmp_path) as store:
        labelled(store, tmp_path, "kick")
        found = results_on(store, store.clips(), file)
        assert [(one.clip, one.frame, one.score) for one in found.detections] == [("kick", 5, 0.5), ("kick", 8, 0.5)]
        # The box around all joints, 32 x 76 pixels, as pycocotools has it.
        assert found.detections[0].area == 32 * 76
        with pytest.raises(InputError, match="result 0 has image_id 77, which no imported label file lists"):
            results_on(store, store.clips(), results(tmp_path / "other.json", {"image_id": 77}))


def test_of_several_clips_a_result_says_which(tmp_path: Path) -> None:
    with project(tmp_path, "kick", "run") as store:
        labelled(store, tmp_path, "kick", "run")
        with pytest.raises(InputError, match="image_id 30, which several clips have: name one with --clip"):
            results_on(store, store.clips(), results(tmp_path / "r.json", {"image_id": 30}))
        with pytest.raises(InputError, match="says frame 5 but not of which clip"):
            results_on(store, store.clips(), results(tmp_path / "r.json", {"frame": 5}))
        found = results_on(store, store.clips(), results(tmp_path / "r.json", {"frame": 5, "clip": "run"}))
        assert [(one.clip, one.frame) for one in found.detections] == [("run", 5)]


def test_a_run_is_named_by_its_id_or_model(tmp_path: Path) -> None:
    with project(tmp_path) as store:
        run = predicted(store, "kick", {5: [figure(10)]})
        for word in (run, "model-1", "model"):
            assert [one.frame for one in run_on(store, store.clips(), word).detections] == [5]
        for word in ("imported", "other"):
            with pytest.raises(UsageError, match=f"no complete run .{word}. on these clips: there is {run}"):
                run_on(store, store.clips(), word)


def test_where_not_everybody_is_labelled_the_others_do_not_count(tmp_path: Path) -> None:
    people = {frame: [figure(10), figure(110)] for frame in (5, 6, 7)}
    with project(tmp_path) as store:
        predicted(store, "kick", people)
        clip = store.clip("kick")
        store.append_edit(place_joint(clip, COCO17, 5, 0, 0, (30.0, 24.0)))
        scores, said = score_found(store, [clip], run_on(store, [clip], "model"), settings(head="bbox").evaluate)
        assert scores is not None
        assert (scores.document["persons"], scores.document["ap"]["value"]) == (1, pytest.approx(1))
    assert said == [
        "1 found persons match no label, on frames where not everybody is labelled: left out",
        "4 found persons are on frames without labels: left out",
    ]


def test_on_images_of_a_label_file_everybody_counts(tmp_path: Path) -> None:
    with project(tmp_path) as store:
        labelled(store, tmp_path, "kick")
        predicted(store, "kick", {5: [figure(11)], 6: [figure(110)]}, confidence=0.5)
        scores = evaluate_project(store, settings(head="bbox"), run="model")["target"]
        assert scores["pckh"]["total"]["value"] == 1
        # Image 31, frame 6, is in the file and nobody is labelled on it: whoever is found there is wrong. Both have the
        # score 0.5 and the right one comes first.
        assert scores["ap50"]["value"] == pytest.approx(1)
        with pytest.raises(UsageError, match="--results and --run are two answers"):
            evaluate_project(store, settings(), results=tmp_path / "r.json", run="model")
